//! Five philosophers with five forks: with five chairs they deadlock, with four they do not.
//!
//! ```text
//! $ cargo run --example dining
//! five chairs: each takes the left fork, and waits for the right one
//! no philosopher has eaten after a while: all are sent away
//! four chairs: one of them always gets both forks
//! Aristotle has eaten 3 times
//! Hypatia has eaten 3 times
//! Kant has eaten 3 times
//! Plato has eaten 3 times
//! Sophie has eaten 3 times
//! ```
//!
//! Forks are locks, chairs are the permits of a semaphore. Both are granted in the order of the
//! requests, so no philosopher starves. With `-- 0.1` after the command all eat and think ten times
//! as fast.

mod support;

use coro::sync::{Closed, Lock, Semaphore};
use coro::{gather, sleep, timeout, yield_from};
use support::seconds;

const PHILOSOPHERS: [&str; 5] = ["Aristotle", "Hypatia", "Kant", "Plato", "Sophie"];
const MEALS: u32 = 3;

/// A fork counts its uses.
type Fork = Lock<u32>;

struct Table {
    forks: [Fork; 5],
    chairs: Semaphore,
}

impl Table {
    fn with_chairs(chairs: usize) -> Self {
        Table {
            forks: [0; 5].map(Lock::new),
            chairs: Semaphore::new(chairs),
        }
    }

    /// One meal: takes a chair, the left fork, the right fork. Their guards give all back at the
    /// end.
    #[coro::coroutine]
    fn eat(&self, place: usize) -> Result<(), Closed> {
        let _chair = yield_from!(self.chairs.acquire())?;
        let mut left = yield_from!(self.forks[place].lock());
        yield_from!(sleep(seconds(0.1))); // reaches across the table
        let mut right = yield_from!(self.forks[(place + 1) % 5].lock());
        yield_from!(sleep(seconds(0.1)));
        *left += 1;
        *right += 1;
        Ok(())
    }

    /// All meals of one philosopher; returns their number.
    #[coro::coroutine]
    fn dine(&self, place: usize) -> Result<u32, Closed> {
        let mut meals = 0;
        while meals < MEALS {
            yield_from!(self.eat(place))?;
            meals += 1;
            yield_from!(sleep(seconds(0.05))); // thinks
        }
        Ok(meals)
    }

    /// A dinner of all philosophers; returns how often each has eaten.
    #[coro::coroutine]
    fn dinner(&self) -> Result<Vec<u32>, Closed> {
        let all = (0..5).map(|place| self.dine(place));
        let meals = yield_from!(gather(all.collect::<Vec<_>>()));
        meals.into_iter().collect()
    }

    #[coro::coroutine]
    fn uses_of_all_forks(&self) -> u32 {
        let mut uses = 0;
        for fork in &self.forks {
            uses += *yield_from!(fork.lock());
        }
        uses
    }
}

#[coro::main]
fn main() -> Result<(), Closed> {
    support::check_arguments();

    println!("five chairs: each takes the left fork, and waits for the right one");
    let table = Table::with_chairs(5);
    match yield_from!(timeout(seconds(2.0), table.dinner())) {
        Ok(_) => println!("they were lucky"),
        Err(coro::Elapsed) => println!("no philosopher has eaten after a while: all are sent away"),
    }
    // The timeout dropped all waits, with the guards of the forks and chairs they held.
    assert_eq!(yield_from!(table.uses_of_all_forks()), 0);
    assert_eq!(table.chairs.available_permits(), 5);

    println!("four chairs: one of them always gets both forks");
    let table = Table::with_chairs(4);
    let meals = yield_from!(table.dinner())?;
    for (philosopher, meals) in PHILOSOPHERS.iter().zip(&meals) {
        println!("{philosopher} has eaten {meals} times");
    }
    assert_eq!(yield_from!(table.uses_of_all_forks()), 2 * 5 * MEALS);
    Ok(())
}
