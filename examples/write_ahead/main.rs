//! A bank that writes ahead to a log, crashed before each of its steps.
//!
//! ```text
//! $ cargo run --features simulation --example write_ahead
//! in place: the state is broken after a crash before the steps ..: money was made or lost
//! with a log: sound at all .. steps
//! ```
//!
//! Two transfers run on a simulated disk. The program is run again and again, and each time it is
//! ended before another of its steps, as a loss of power ends it. Then it recovers, is crashed
//! within the recovery too, and the money is counted.

mod bank;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

pub(crate) use bank::Design;
use bank::Disk;
use coro::testing::crash_everywhere;
use coro::timeout;

fn main() {
    let in_place = catch_unwind(AssertUnwindSafe(|| crash_at_every_step(Design::Careless)));
    match in_place {
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map_or("", String::as_str);
            println!("in place: {text}");
        }
        Ok(steps) => println!("in place: sound at all {steps} steps, by luck"),
    }
    let steps = crash_at_every_step(Design::WriteAhead);
    println!("with a log: sound at all {steps} steps");
}

/// Gives the number of steps.
pub(crate) fn crash_at_every_step(design: Design) -> u64 {
    crash_everywhere(
        || Disk::with(&[("ann", 100), ("bob", 0)]),
        move |disk: Rc<Disk>| async move {
            disk.transfer(design, "ann", "bob", 30).await;
            disk.transfer(design, "bob", "ann", 10).await;
        },
        async |disk: &Disk| {
            // The first recovery is cut off after a moment.
            let _ = timeout(Duration::from_millis(3), disk.recover()).await;
            disk.recover().await;
            let (ann, bob) = (disk.balance("ann"), disk.balance("bob"));
            assert_eq!(ann + bob, 100, "money was made or lost");
            let at_least = [100, 70, 80][disk.told.get() as usize];
            let is_told = ann == at_least || disk.told.get() < 2 && (ann == 70 || ann == 80);
            assert!(is_told, "the customer was told of a transfer that is gone");
        },
    )
}
