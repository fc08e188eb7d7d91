//! A lock that is lent for a time, and a holder that pauses for longer.
//!
//! ```text
//! $ cargo run --release --features simulation --example lock_service
//! ..
//! failed ..: assertion `left == right` failed: each addition counts
//! ..
//! with tokens: all additions counted with 1000 seeds
//! ```
//!
//! Two workers add to a number on a storage. Each borrows the lock, reads the number, and writes it
//! back. Now and then a worker is stopped for longer than its lease lasts, as a collector of garbage
//! or a swapped-out page stops a process. When it goes on, it still believes that it has the lock.
//! No lock service can prevent that: the storage has to compare the tokens of the leases.

mod service;

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use coro::testing::{Sim, explore};
use coro::{gather, sleep};
use service::{LEASE, ask, locks, storage};

const SEEDS: u64 = if cfg!(debug_assertions) { 200 } else { 1_000 };
const ADDITIONS: u64 = 4;

fn main() {
    match explore().seeds(SEEDS).try_run(without_tokens) {
        Err(failed) => println!("{failed}"),
        Ok(_) => println!("without tokens: all additions counted, by luck"),
    }
    let begun = Cell::new(0);
    explore().seeds(SEEDS).run(async |sim| {
        show_progress(&begun);
        with_tokens(sim).await
    });
    println!("with tokens: all additions counted with {SEEDS} seeds");
}

/// Prints a line now and then: a thousand simulations take a while.
fn show_progress(begun: &Cell<u64>) {
    begun.set(begun.get() + 1);
    if begun.get().is_multiple_of(50) {
        println!("{} runs", begun.get());
    }
}

pub(crate) async fn without_tokens(sim: &Sim) -> io::Result<()> {
    add(sim, false).await
}

pub(crate) async fn with_tokens(sim: &Sim) -> io::Result<()> {
    add(sim, true).await
}

async fn add(sim: &Sim, checks_tokens: bool) -> io::Result<()> {
    let number = Rc::new(Cell::new(0));
    sim.host("locks", locks);
    sim.host("storage", {
        let number = number.clone();
        move || storage(number.clone(), checks_tokens)
    });
    sleep(Duration::from_millis(1)).await; // both listen now
    let (one, other) = gather((worker(sim), worker(sim))).await;
    one.and(other)?;
    assert_eq!(number.get(), 2 * ADDITIONS, "each addition counts");
    Ok(())
}

/// Adds 1 a few times, each time under the lock.
async fn worker(sim: &Sim) -> io::Result<()> {
    let mut added = 0;
    while added < ADDITIONS {
        let lent = ask("locks", 1, "acquire").await?;
        let Some(token) = lent.strip_prefix("lent ") else {
            sleep(Duration::from_millis(5)).await; // the other worker has it
            continue;
        };
        let number = ask("storage", 2, &format!("read {token}")).await?;
        let number: u64 = number.parse().map_err(io::Error::other)?;
        if sim.chance(100_000) {
            sim.note("a worker is stopped for longer than its lease");
            sleep(2 * LEASE).await;
        }
        let written = ask("storage", 2, &format!("write {token} {}", number + 1)).await?;
        if written == "ok" {
            added += 1;
        }
        ask("locks", 1, &format!("release {token}")).await?;
    }
    Ok(())
}
