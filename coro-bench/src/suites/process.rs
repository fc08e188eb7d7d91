//! The cost of a child process, from its start until its status is known.

use std::hint::black_box;
use std::process::Command;

use futures::future::join_all;

use crate::harness::{Bound, Case, Role, Sample, Suite, time_wall};
use crate::runtimes::{Coro, Runtime, Smol, TokioLocalRuntime, in_task, subjects};

const PROGRAM: &str = "/bin/true";

/// Children that are started without a loop, then awaited by blocking.
const STD: &str = "std";

const MIB: usize = 1 << 20;

pub(crate) fn suite() -> Suite {
    Suite::new(
        "process",
        "/bin/true, from its start until its status is known",
    )
    .case(children("one at a time", 1, 200, 0).goal(Bound::AheadOfPeers(1.0)))
    .case(children("fifty at a time", 50, 4, 0).goal(Bound::AheadOfPeers(1.0)))
    .case(
        children(
            "one at a time, with a gigabyte of memory in use",
            1,
            200,
            1024,
        )
        .goal(Bound::AheadOfPeers(1.0)),
    )
}

/// A runtime with child processes.
trait Processes: Runtime {
    /// Runs the program. Returns whether it succeeded.
    fn status() -> impl Future<Output = bool> + 'static;
}

impl Processes for Coro {
    async fn status() -> bool {
        let status = coro::process::Command::new(PROGRAM).status().await;
        status.is_ok_and(|status| status.success())
    }
}

impl Processes for TokioLocalRuntime {
    async fn status() -> bool {
        let status = tokio::process::Command::new(PROGRAM).status().await;
        status.is_ok_and(|status| status.success())
    }
}

impl Processes for Smol {
    async fn status() -> bool {
        let status = async_process::Command::new(PROGRAM).status().await;
        status.is_ok_and(|status| status.success())
    }
}

/// A case that runs `size` children at a time, `times` times, in a process of `memory_mib` MiB.
fn children(name: &'static str, size: u64, times: u64, memory_mib: usize) -> Case {
    let case = subjects!(
        Case::new(name, "coro"),
        [Coro, TokioLocalRuntime, Smol],
        move |effort| {
            let _memory = black_box(vec![1_u8; memory_mib * MIB]);
            on_runtime::<R>(size, effort.count(times).max(1))
        }
    );
    case.subject(STD, Role::Floor, move |effort| {
        let _memory = black_box(vec![1_u8; memory_mib * MIB]);
        on_std(size, effort.count(times).max(1))
    })
}

fn on_runtime<R: Processes>(size: u64, times: u64) -> Sample {
    in_task::<R, _>(time_wall(size * times, move || async move {
        for _ in 0..times {
            let ended = join_all((0..size).map(|_| R::status())).await;
            assert!(
                ended.into_iter().all(|well| well),
                "{PROGRAM} cannot be run"
            );
        }
    }))
}

fn on_std(size: u64, times: u64) -> Sample {
    in_task::<Coro, _>(time_wall(size * times, move || async move {
        for _ in 0..times {
            let children: Vec<_> = (0..size).map(|_| Command::new(PROGRAM).spawn()).collect();
            for child in children {
                let ended = child.and_then(|mut child| child.wait());
                assert!(
                    ended.is_ok_and(|status| status.success()),
                    "{PROGRAM} cannot be run"
                );
            }
        }
    }))
}
