//! The resident memory of an idle task.

use std::time::Duration;

use crate::harness::{Bound, Case, Effort, Reading, Sample, Suite};
use crate::machine;
use crate::runtimes::{Timers, in_task, subjects};
use crate::work::yield_once;

pub(crate) fn suite() -> Suite {
    Suite::new(
        "memory",
        "resident bytes of the process, by the number of its tasks",
    )
    .rounds(3, 1)
    .case(
        subjects!(
            Case::new("an idle sleeping task", "coro"),
            [Coro, TokioLocalRuntime, Smol, Monoio, Compio, Glommio],
            |effort| sleeping::<R>(effort)
        )
        .goal(Bound::AtMost(200.0)),
    )
}

fn sleeping<R: Timers>(effort: &Effort) -> Sample {
    let tasks = effort.count(500_000);
    in_task::<R, _>(async move {
        yield_once().await;
        let before = machine::resident_bytes();
        for _ in 0..tasks {
            R::detach(async {
                R::sleep(Duration::from_secs(3600)).await;
            });
        }
        // After this delay all of them have been polled.
        R::sleep(Duration::from_millis(100)).await;
        let after = machine::resident_bytes();
        let (Some(before), Some(after)) = (before, after) else {
            return Err("/proc/self/statm says nothing".to_owned());
        };
        let bytes = after.saturating_sub(before) as f64 / tasks as f64;
        Ok(vec![Reading::one("", "bytes", bytes)])
    })?
}
