//! Finds the open ports of an address, many at a time, within a deadline.
//!
//! ```text
//! $ cargo run --example port_scan
//! scanning 127.0.0.1:40000-40999, 64 at a time, for 10 seconds at most
//! 40123 open: says "hello"
//! 40456 open: says nothing
//! 1000 of 1000 ports scanned: 2 open, 998 closed, 0 without an answer
//! ```
//!
//! Without arguments, or with a scale such as `-- 0.1` after the command, it opens two ports of its
//! own and scans the thousand around them. With an address and a range, as in `-- 127.0.0.1
//! 1-1024`, it scans those. Scan only machines that are yours.

use std::cell::RefCell;
use std::env;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::process;
use std::time::Duration;

use coro::net::{TcpListener, TcpStream};
use coro::{gather, sleep, spawn, timeout, yield_from};
use futures::{AsyncReadExt, AsyncWriteExt};

const AT_ONCE: usize = 64;
const SECONDS: f64 = 10.0;
/// How long one port may take to accept a connection.
const PORT_SECONDS: f64 = 1.0;
/// How long a connected server may take to send a greeting.
const GREETING_SECONDS: f64 = 0.1;

struct Arguments {
    scale: f64,
    target: Option<(IpAddr, RangeInclusive<u16>)>,
}

#[derive(Default)]
struct Found {
    open: usize,
    closed: usize,
    silent: usize,
}

impl Found {
    fn all(&self) -> usize {
        self.open + self.closed + self.silent
    }
}

fn parse() -> Result<Arguments, String> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => Ok(Arguments {
            scale: 1.0,
            target: None,
        }),
        [scale] => match scale.parse() {
            Ok(scale) if (0.0..=1e6).contains(&scale) => Ok(Arguments {
                scale,
                target: None,
            }),
            _ => Err(format!(
                "the scale is a number such as 0.1, and not {scale:?}"
            )),
        },
        [address, range] => {
            let address = address
                .parse()
                .map_err(|_| format!("{address:?} is no address of IP"))?;
            let bounds = range.split_once('-').unwrap_or((range, range));
            let port = |text: &str| text.parse().map_err(|_| format!("{text:?} is no port"));
            let target = Some((address, port(bounds.0)?..=port(bounds.1)?));
            Ok(Arguments { scale: 1.0, target })
        }
        _ => Err("an address and a range of ports are all the arguments".to_owned()),
    }
}

fn scaled(seconds: f64, scale: f64) -> Duration {
    Duration::from_secs_f64(seconds * scale).max(Duration::from_millis(5))
}

/// Scans ports until none is left; `AT_ONCE` such workers share the range.
#[coro::coroutine]
fn work(address: IpAddr, ports: &RefCell<RangeInclusive<u16>>, found: &RefCell<Found>, scale: f64) {
    loop {
        let port = ports.borrow_mut().next();
        let Some(port) = port else {
            return;
        };
        let attempt = TcpStream::connect(SocketAddr::new(address, port));
        match yield_from!(timeout(scaled(PORT_SECONDS, scale), attempt)) {
            Ok(Ok(stream)) => {
                let said = yield_from!(greeting(stream, scale));
                println!("{port} open: says {said}");
                found.borrow_mut().open += 1;
            }
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
                found.borrow_mut().closed += 1;
            }
            Ok(Err(_)) | Err(_) => found.borrow_mut().silent += 1,
        }
    }
}

/// The greeting that a server sends unasked, as far as the first read returns it.
#[coro::coroutine]
fn greeting(mut stream: TcpStream, scale: f64) -> String {
    let mut buffer = [0; 80];
    match yield_from!(timeout(
        scaled(GREETING_SECONDS, scale),
        stream.read(&mut buffer)
    )) {
        Ok(Ok(len)) if len > 0 => format!("{:?}", String::from_utf8_lossy(&buffer[..len]).trim()),
        _ => "nothing".to_owned(),
    }
}

/// Scans the ports, `AT_ONCE` at a time, until all are scanned or the deadline passes.
#[coro::coroutine]
fn scan(address: IpAddr, ports: RangeInclusive<u16>, scale: f64) {
    let all = ports.len();
    let deadline = scaled(SECONDS, scale).max(Duration::from_secs(1));
    let (first, last) = (ports.start(), ports.end());
    println!(
        "scanning {address}:{first}-{last}, {AT_ONCE} at a time, for {} seconds at most",
        deadline.as_secs_f64()
    );
    let (ports, found) = (RefCell::new(ports), RefCell::default());
    let workers = (0..AT_ONCE).map(|_| work(address, &ports, &found, scale));
    if yield_from!(timeout(deadline, gather(workers.collect::<Vec<_>>()))).is_err() {
        println!("the deadline has passed");
    }
    let found = found.into_inner();
    println!(
        "{} of {all} ports scanned: {} open, {} closed, {} without an answer",
        found.all(),
        found.open,
        found.closed,
        found.silent
    );
}

/// Starts a server that sends a greeting, and one that stays silent. Returns a range with both
/// ports.
fn open_some() -> io::Result<RangeInclusive<u16>> {
    let greeter = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = greeter.local_addr()?.port();
    let first = port.saturating_sub(500).max(1);
    let range = first..=first.saturating_add(999);
    let silent = range
        .clone()
        .rev()
        .find_map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok());
    spawn(async move {
        while let Ok((mut stream, _)) = greeter.accept().await {
            let _ = stream.write_all(b"hello\n").await; // a client that has left needs no greeting
        }
    });
    spawn(async move {
        while let Some(Ok(connection)) = match &silent {
            Some(listener) => Some(listener.accept().await),
            None => None,
        } {
            spawn(async move {
                sleep(Duration::from_secs(1)).await;
                drop(connection);
            });
        }
    });
    Ok(range)
}

#[coro::main]
fn main() -> io::Result<()> {
    let arguments = parse().unwrap_or_else(|problem| {
        eprintln!("error: {problem}");
        eprintln!("usage: cargo run --example port_scan [-- SCALE | -- ADDRESS FIRST-LAST]");
        process::exit(2)
    });
    let (address, ports) = match arguments.target {
        Some(target) => target,
        None => (Ipv4Addr::LOCALHOST.into(), open_some()?),
    };
    yield_from!(scan(address, ports, arguments.scale));
    Ok(())
}
