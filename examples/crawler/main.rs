//! A crawler that follows the links of a site, with limits on fetches, until a deadline.
//!
//! ```text
//! $ cargo run --example crawler
//! crawling from http://alpha.test/0, 8 at a time and 3 a host
//! 20 fetched, 19 waiting
//! 40 fetched, 39 waiting
//! 60 fetched, 51 waiting
//! 80 fetched, 31 waiting
//! 100 fetched, 21 waiting
//! 120 fetched, 1 waiting
//! 121 fetched: 60 pages, 61 missing
//! no host served more than 3 at once
//! ```
//!
//! This program also serves the site, over real sockets, with one listener for each host. Every
//! page found becomes a child of the crawl's scope. Permits bound how many pages are fetched at
//! once, in all and from each host. The links of a page are followed as soon as it has been
//! fetched. With a scale such as `-- 0.02` after the command the pages are served faster, and the
//! deadline is nearer.

mod site;
#[path = "../support/mod.rs"]
mod support;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use coro::group::{CoroExt, TryScope};
use coro::net::{TcpListener, TcpStream};
use coro::sync::Semaphore;
use coro::{scope, try_scope, yield_from};
use futures::{AsyncReadExt, AsyncWriteExt};
use site::{HOSTS, Host};
use support::seconds;

const AT_ONCE: usize = 8;
const A_HOST: usize = 3;
const DEADLINE: f64 = 300.0;
const PATIENCE: f64 = 60.0;

/// The address of a host, with permits for the fetches from it.
struct Target {
    address: SocketAddr,
    permits: Semaphore,
}

/// The state that the children of a crawl borrow.
struct Crawl {
    targets: BTreeMap<&'static str, Target>,
    permits: Semaphore,
    seen: RefCell<BTreeSet<String>>,
    pages: Cell<usize>,
    missing: Cell<usize>,
}

impl Crawl {
    fn fetched(&self) -> usize {
        self.pages.get() + self.missing.get()
    }

    /// Counts a page, and reports every twentieth.
    fn note(&self, found: bool) {
        let count = if found { &self.pages } else { &self.missing };
        count.set(count.get() + 1);
        if self.fetched().is_multiple_of(20) {
            let waiting = self.seen.borrow().len() - self.fetched();
            println!("{} fetched, {waiting} waiting", self.fetched());
        }
    }
}

type Crawling<'s, 'env> = TryScope<'s, 'env, io::Error>;

/// Spawns a child for each address that was not seen before.
fn follow<'s, 'env>(s: &'s Crawling<'s, 'env>, crawl: &'env Crawl, links: &str) {
    for url in links.lines() {
        if crawl.seen.borrow_mut().insert(url.to_owned()) {
            s.try_spawn(visit(s, crawl, url.to_owned()));
        }
    }
}

#[coro::coroutine]
fn visit<'s, 'env>(s: &'s Crawling<'s, 'env>, crawl: &'env Crawl, url: String) -> io::Result<()> {
    let links = yield_from!(fetch(crawl, &url))?;
    crawl.note(links.is_some());
    follow(s, crawl, &links.unwrap_or_default());
    Ok(())
}

/// The body of a page; `None` if the page is missing. Takes the host's permit first, so that a
/// fetch that waits for a busy host holds no permit that a quiet host's fetch could use.
#[coro::coroutine]
fn fetch(crawl: &Crawl, url: &str) -> io::Result<Option<String>> {
    let (host, page) = parse(url)?;
    let target = crawl.targets.get(host).ok_or_else(|| invalid(url))?;
    let _a_host = yield_from!(target.permits.acquire()).map_err(io::Error::other)?;
    let _at_once = yield_from!(crawl.permits.acquire()).map_err(io::Error::other)?;
    yield_from!(get(target.address, host, page).timeout(seconds(PATIENCE)))?
}

#[coro::coroutine]
fn get(address: SocketAddr, host: &str, page: &str) -> io::Result<Option<String>> {
    let mut stream = yield_from!(TcpStream::connect(address))?;
    let request = format!("GET /{page} HTTP/1.0\r\nHost: {host}\r\n\r\n");
    yield_from!(stream.write_all(request.as_bytes()))?;
    let mut response = String::new();
    yield_from!(stream.read_to_string(&mut response))?;
    let (head, body) = response
        .split_once("\r\n\r\n")
        .ok_or_else(|| invalid(host))?;
    Ok(head.starts_with("HTTP/1.0 200 ").then(|| body.to_owned()))
}

fn parse(url: &str) -> io::Result<(&str, &str)> {
    let rest = url.strip_prefix("http://");
    let parts = rest.and_then(|rest| rest.split_once('/'));
    parts.ok_or_else(|| invalid(url))
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{what} makes no sense"))
}

#[coro::coroutine]
fn crawl(crawl: &Crawl, from: &str) {
    println!("crawling from {from}, {AT_ONCE} at a time and {A_HOST} a host");
    let crawled = try_scope(async |s: &Crawling<'_, '_>| {
        s.timeout(seconds(DEADLINE));
        follow(s, crawl, from);
        Ok(())
    });
    if let Err(error) = yield_from!(crawled) {
        println!("the crawl ended early: {error}");
    }
    println!(
        "{} fetched: {} pages, {} missing",
        crawl.fetched(),
        crawl.pages.get(),
        crawl.missing.get()
    );
}

#[coro::main]
fn main() -> io::Result<()> {
    support::check_arguments();
    let mut targets = BTreeMap::new();
    let mut listeners = Vec::new();
    for host in HOSTS {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let permits = Semaphore::new(A_HOST);
        targets.insert(host, Target { address, permits });
        listeners.push((listener, Rc::new(Host::default())));
    }
    let hosts: Vec<_> = listeners.iter().map(|(_, host)| host.clone()).collect();
    let state = Crawl {
        targets,
        permits: Semaphore::new(AT_ONCE),
        seen: RefCell::default(),
        pages: Cell::new(0),
        missing: Cell::new(0),
    };
    yield_from!(scope(async |s| {
        let servers: Vec<_> = listeners
            .into_iter()
            .map(|(listener, host)| s.spawn(site::serve(s, listener, host)))
            .collect();
        crawl(&state, "http://alpha.test/0").await;
        for server in servers {
            server.cancel();
        }
    }));
    let most = hosts.iter().map(|host| host.most.get()).max();
    println!("no host served more than {} at once", most.unwrap_or(0));
    Ok(())
}
