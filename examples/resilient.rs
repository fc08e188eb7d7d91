//! Retries, a fallback, a race of replicas, clean-up after a cancellation.
//!
//! ```text
//! $ cargo run --example resilient
//! attempt 1: the primary is busy
//! attempt 2: the primary is busy
//! attempt 3: the primary answers
//! retried: balance 100
//! the primary is down, so the cache answers
//! fell back: balance 90
//! replica b answers first
//! raced: balance 100
//! the fast replica failed, the next one began at once
//! staggered: balance 100
//! transfer begun
//! transfer undone: the deadline has passed
//! balance is still 100
//! ```
//!
//! The bank is a TCP server in this program, with replicas that are slow, busy or down. With a
//! scale such as `-- 0.1` after the command all of them answer faster.

mod support;

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;

use coro::group::{Retry, Scope, ScopeError, race_ok, staggered_race};
use coro::net::{TcpListener, TcpStream};
use coro::{sleep, try_scope, yield_from};
use futures::{AsyncReadExt, AsyncWriteExt};
use support::seconds;

/// One replica of the bank.
struct Replica<'a> {
    delay: f64,
    /// How many requests it refuses before it answers.
    busy_for: Cell<u32>,
    balance: &'a Cell<i64>,
}

impl<'a> Replica<'a> {
    fn new(delay: f64, busy_for: u32, balance: &'a Cell<i64>) -> Self {
        Replica {
            delay,
            busy_for: Cell::new(busy_for),
            balance,
        }
    }

    fn answer(&self) -> String {
        match self.busy_for.get() {
            0 => self.balance.get().to_string(),
            busy_for => {
                self.busy_for.set(busy_for - 1);
                "busy".into()
            }
        }
    }
}

#[coro::coroutine]
fn serve(listener: TcpListener, replica: Replica<'_>) -> io::Result<()> {
    loop {
        let (mut stream, _) = yield_from!(listener.accept())?;
        yield_from!(sleep(seconds(replica.delay)));
        let answer = replica.answer();
        // A client that has lost patience and closed is no reason to stop.
        let _ = yield_from!(stream.write_all(answer.as_bytes()));
        let _ = yield_from!(stream.close());
    }
}

/// Starts a replica as a child of the scope. Returns its address.
fn start<'s, 'env>(s: &'s Scope<'s, 'env>, replica: Replica<'env>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    s.spawn(async move {
        if let Err(error) = serve(listener, replica).await {
            println!("a replica is lost: {error}");
        }
    });
    Ok(address)
}

/// An address without a listener.
fn unused_address() -> io::Result<SocketAddr> {
    std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()
}

#[coro::coroutine]
fn balance(address: SocketAddr) -> io::Result<i64> {
    let mut stream = yield_from!(TcpStream::connect(address))?;
    let mut answer = String::new();
    yield_from!(stream.read_to_string(&mut answer))?;
    let busy = |_| io::Error::new(io::ErrorKind::ResourceBusy, "the primary is busy");
    answer.parse().map_err(busy)
}

#[coro::coroutine]
fn retried(primary: SocketAddr) -> io::Result<i64> {
    let policy = Retry::new().attempts(5).delay(seconds(0.05));
    let attempts = Cell::new(0);
    let is_busy = |error: &io::Error| error.kind() == io::ErrorKind::ResourceBusy;
    yield_from!(policy.run_if(is_busy, async || {
        attempts.set(attempts.get() + 1);
        let outcome = balance(primary).await;
        match &outcome {
            Ok(_) => println!("attempt {}: the primary answers", attempts.get()),
            Err(error) => println!("attempt {}: {error}", attempts.get()),
        }
        outcome
    }))
}

#[coro::coroutine]
fn with_fallback(primary: SocketAddr, cached: i64) -> i64 {
    match yield_from!(balance(primary)) {
        Ok(balance) => balance,
        Err(_) => {
            println!("the primary is down, so the cache answers");
            cached
        }
    }
}

#[coro::coroutine]
fn raced(replicas: [(&str, SocketAddr); 3]) -> io::Result<i64> {
    let answers = replicas.map(async |(name, address)| Ok((name, balance(address).await?)));
    let first: Result<_, Vec<io::Error>> = yield_from!(race_ok(answers));
    let (name, balance) = first.map_err(|errors| io::Error::other(format!("{errors:?}")))?;
    println!("replica {name} answers first");
    Ok(balance)
}

#[coro::coroutine]
fn staggered(down: SocketAddr, fine: SocketAddr) -> io::Result<i64> {
    let attempts = [down, fine].map(balance);
    let first = yield_from!(staggered_race(seconds(10.0), attempts));
    println!("the fast replica failed, the next one began at once");
    first.map_err(|errors| io::Error::other(format!("{errors:?}")))
}

/// Takes an amount off the account, but never completes: its deadline cancels it. The deferred
/// clean-up then restores the balance.
#[coro::coroutine]
fn transfer(account: &Cell<i64>, amount: i64) -> Result<(), ScopeError<io::Error>> {
    yield_from!(try_scope(async |s| {
        s.timeout(seconds(0.1));
        let before = account.get();
        s.defer(async move {
            sleep(seconds(0.01)).await; // a clean-up may wait
            account.set(before);
        });
        account.set(before - amount);
        println!("transfer begun");
        std::future::pending().await
    }))
}

#[coro::main]
fn main() -> io::Result<()> {
    support::check_arguments();
    let account = Cell::new(100);
    let shown = try_scope(async |s| -> io::Result<()> {
        let primary = start(s, Replica::new(0.0, 2, &account))?;
        let slow = start(s, Replica::new(30.0, 0, &account))?;
        let quick = start(s, Replica::new(0.02, 0, &account))?;
        let down = unused_address()?;

        println!("retried: balance {}", retried(primary).await?);
        println!("fell back: balance {}", with_fallback(down, 90).await);
        let replicas = [("a", slow), ("b", quick), ("c", down)];
        println!("raced: balance {}", raced(replicas).await?);
        println!("staggered: balance {}", staggered(down, quick).await?);
        s.cancel("all has been shown"); // also ends the replicas
        Ok(())
    });
    yield_from!(shown).map_err(io::Error::other)?;
    if let Err(error) = yield_from!(transfer(&account, 30)) {
        println!("transfer undone: {error}");
    }
    println!("balance is still {}", account.get());
    Ok(())
}
