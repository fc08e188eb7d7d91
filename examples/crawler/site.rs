//! The crawled site: a few hosts, whose pages link to one another.

use std::cell::Cell;
use std::io;
use std::rc::Rc;

use coro::group::Scope;
use coro::net::{TcpListener, TcpStream};
use coro::{sleep, yield_from};
use futures::{AsyncReadExt, AsyncWriteExt};

use crate::support::seconds;

pub(crate) const HOSTS: [&str; 3] = ["alpha.test", "beta.test", "gamma.test"];
const PAGES: usize = 60;

/// The requests that a host serves: the current number, with the highest so far.
#[derive(Default)]
pub(crate) struct Host {
    now: Cell<usize>,
    pub(crate) most: Cell<usize>,
}

/// Answers each connection in a child of the scope.
#[coro::coroutine]
pub(crate) fn serve<'s>(
    s: &'s Scope<'s, '_>,
    listener: TcpListener,
    host: Rc<Host>,
) -> io::Result<()> {
    loop {
        let (stream, _) = yield_from!(listener.accept())?;
        let host = host.clone();
        s.spawn(async move {
            host.now.set(host.now.get() + 1);
            host.most.set(host.most.get().max(host.now.get()));
            if let Err(error) = answer(stream).await {
                println!("a visitor is lost: {error}");
            }
            host.now.set(host.now.get() - 1);
        });
    }
}

#[coro::coroutine]
fn answer(mut stream: TcpStream) -> io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut bytes = [0; 512];
        match yield_from!(stream.read(&mut bytes))? {
            0 => return Ok(()),
            received => request.extend_from_slice(&bytes[..received]),
        }
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let page = request
        .split(' ')
        .nth(1)
        .and_then(|path| path.strip_prefix("/"));
    let page = page.and_then(|page| page.parse::<usize>().ok());
    let response = match page {
        Some(page) if page < PAGES => {
            yield_from!(sleep(seconds(0.05))); // the time that a page takes
            let links = links(page);
            format!(
                "HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n{links}",
                links.len()
            )
        }
        _ => "HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\n\r\n".into(),
    };
    yield_from!(stream.write_all(response.as_bytes()))?;
    yield_from!(stream.close())
}

/// Every page links to three others. The links of the last pages lead to missing ones.
fn links(page: usize) -> String {
    let to = [page * 2 + 1, page * 2 + 2, page / 2];
    let lines = to.map(|to| format!("http://{}/{to}\n", HOSTS[to % HOSTS.len()]));
    lines.concat()
}
