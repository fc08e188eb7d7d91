//! The lock service, which lends a lock for a time; and the storage that the lock protects.
//!
//! Both speak in lines over TCP: one request, one answer.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use coro::net::{StreamReader, TcpStream, open_connection, start_server};
use futures::AsyncWriteExt;

/// The time for which the lock is lent.
pub(crate) const LEASE: Duration = Duration::from_millis(50);

/// Lends the lock: to `acquire` it answers `lent TOKEN`, or `busy`; `release TOKEN` gives it back.
/// Each token is greater than all before it.
pub(crate) async fn locks() -> io::Result<()> {
    let last_token = Rc::new(Cell::new(0_u64));
    let lent_until = Rc::new(Cell::new(None::<Instant>));
    answer_lines(1, move |request| {
        let now = coro::time::now();
        let is_lent = lent_until.get().is_some_and(|until| now < until);
        match request.split_once(' ').unwrap_or((request, "")) {
            ("acquire", _) if is_lent => "busy".into(),
            ("acquire", _) => {
                last_token.set(last_token.get() + 1);
                lent_until.set(Some(now + LEASE));
                format!("lent {}", last_token.get())
            }
            ("release", token) => {
                if token == last_token.get().to_string() {
                    lent_until.set(None);
                }
                "ok".into()
            }
            _ => "what?".into(),
        }
    })
    .await
}

/// Keeps a number: to `read` it answers with the number, to `write TOKEN NUMBER` with `ok`. If it
/// `checks_tokens`, it refuses a token that is older than the newest it has seen.
pub(crate) async fn storage(number: Rc<Cell<u64>>, checks_tokens: bool) -> io::Result<()> {
    let newest = Rc::new(Cell::new(0));
    answer_lines(2, move |request| {
        let words: Vec<&str> = request.split(' ').collect();
        let numbers: Vec<u64> = words[1..].iter().flat_map(|word| word.parse()).collect();
        match (words[0], numbers[..].as_ref()) {
            ("read", [token]) => {
                newest.set(newest.get().max(*token));
                number.get().to_string()
            }
            ("write", [token, _]) if checks_tokens && *token < newest.get() => "stale".into(),
            ("write", [token, value]) => {
                newest.set(newest.get().max(*token));
                number.set(*value);
                "ok".into()
            }
            _ => "what?".into(),
        }
    })
    .await
}

async fn answer_lines(port: u16, answer: impl Fn(&str) -> String + 'static) -> io::Result<()> {
    let answer = Rc::new(answer);
    let handler = move |stream: TcpStream, _: SocketAddr| {
        let answer = answer.clone();
        async move {
            let mut lines = StreamReader::new(&stream);
            while let Some(line) = lines.read_line().await? {
                let reply = format!("{}\n", answer(line.trim_end()));
                (&stream).write_all(reply.as_bytes()).await?;
            }
            io::Result::Ok(())
        }
    };
    start_server(("0.0.0.0", port), handler)?
        .wait_closed()
        .await;
    Ok(())
}

/// Asks a service, and waits for its answer.
pub(crate) async fn ask(host: &str, port: u16, request: &str) -> io::Result<String> {
    let stream = open_connection(host, port).await?;
    (&stream)
        .write_all(format!("{request}\n").as_bytes())
        .await?;
    let mut lines = StreamReader::new(&stream);
    let line = lines.read_line().await?.unwrap_or_default();
    Ok(line.trim_end().to_owned())
}
