//! The cost of a task, from its spawning until it is joined.

use std::hint::black_box;

use futures::stream::FuturesUnordered;

use crate::harness::{Bound, Case, Effort, Role, Sample, Suite, time, time_async};
use crate::runtimes::floor::{self, Floor};
use crate::runtimes::{Runtime, in_task, subjects, unordered};

pub(crate) fn suite() -> Suite {
    Suite::new(
        "spawn",
        "a task that returns a number, from its spawning until it is joined",
    )
    .case(
        batches("batches of 100", 100, 5_000)
            .goal(Bound::Times(2.0, floor::NAME))
            .goal(Bound::AheadOfPeers(1.6)),
    )
    .case(
        batches("one at a time", 1, 50_000)
            .goal(Bound::Times(3.0, floor::NAME))
            .goal(Bound::Times(2.5, floor::NAME))
            .goal(Bound::AheadOfPeers(1.6)),
    )
    .case(
        batches("a million, then joined", 1_000_000, 1)
            .goal(Bound::Times(2.0, floor::NAME))
            .goal(Bound::Times(1.0, floor::NAME))
            .goal(Bound::AheadOfPeers(2.0)),
    )
}

/// A case that spawns `size` tasks, then joins them in the same order, `times` times.
fn batches(name: &'static str, size: u64, times: u64) -> Case {
    let scale = move |effort: &Effort| match times {
        1 => (effort.count(size), 1),
        times => (size, effort.count(times)),
    };
    let case = subjects!(
        Case::new(name, "coro"),
        [
            Coro,
            TokioLocalSet,
            TokioLocalRuntime,
            Smol,
            Monoio,
            Compio,
            Glommio,
            LocalPool,
            AsyncTask,
        ],
        move |effort| {
            let (size, times) = scale(effort);
            on_runtime::<R>(size, times)
        }
    );
    case.subject(unordered::NAME, Role::Peer, move |effort| {
        let (size, times) = scale(effort);
        on_unordered(size, times)
    })
    .subject(floor::NAME, Role::Floor, move |effort| {
        let (size, times) = scale(effort);
        on_floor(size, times)
    })
}

async fn task(number: u64) -> u64 {
    black_box(number)
}

fn on_runtime<R: Runtime>(size: u64, times: u64) -> Sample {
    in_task::<R, _>(time_async(size * times, move || async move {
        let mut joins = Vec::with_capacity(size as usize);
        for _ in 0..times {
            joins.extend((0..size).map(|number| R::spawn(task(number))));
            for join in joins.drain(..) {
                black_box(join.await);
            }
        }
    }))
}

fn on_unordered(size: u64, times: u64) -> Sample {
    time(size * times, || {
        let mut tasks = FuturesUnordered::new();
        for _ in 0..times {
            tasks.extend((0..size).map(task));
            unordered::drain(&mut tasks);
        }
    })
}

fn on_floor(size: u64, times: u64) -> Sample {
    let mut tasks = Floor::default();
    time(size * times, || {
        for _ in 0..times {
            for number in 0..size {
                tasks.spawn(async move {
                    black_box(number);
                });
            }
            tasks.run();
        }
    })
}
