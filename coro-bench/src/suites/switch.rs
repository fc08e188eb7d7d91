//! What it costs to let the next task run.

use futures::stream::FuturesUnordered;

use crate::harness::{Bound, Case, Role, Sample, Suite, time, time_async};
use crate::runtimes::floor::{self, Floor};
use crate::runtimes::{Runtime, in_task, subjects, unordered};
use crate::work::yield_times;

pub(crate) fn suite() -> Suite {
    Suite::new(
        "switch",
        "tasks that wake themselves, each a million yields in all",
    )
    .case(yields("yield between 2 tasks", 2))
    .case(yields("yield between 1,000 tasks", 1_000))
}

fn yields(name: &'static str, tasks: u64) -> Case {
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
        move |effort| on_runtime::<R>(tasks, effort.count(1_000_000) / tasks)
    );
    case.subject(unordered::NAME, Role::Peer, move |effort| {
        on_unordered(tasks, effort.count(1_000_000) / tasks)
    })
    .subject(floor::NAME, Role::Floor, move |effort| {
        on_floor(tasks, effort.count(1_000_000) / tasks)
    })
    .goal(Bound::AtMost(6.0))
    .goal(Bound::AheadOfPeers(3.5))
}

fn on_runtime<R: Runtime>(tasks: u64, times: u64) -> Sample {
    in_task::<R, _>(time_async(tasks * times, move || async move {
        let joins: Vec<_> = (0..tasks).map(|_| R::spawn(yield_times(times))).collect();
        for join in joins {
            join.await;
        }
    }))
}

fn on_unordered(tasks: u64, times: u64) -> Sample {
    time(tasks * times, || {
        let mut all: FuturesUnordered<_> = (0..tasks).map(|_| yield_times(times)).collect();
        unordered::drain(&mut all);
    })
}

fn on_floor(tasks: u64, times: u64) -> Sample {
    time(tasks * times, || {
        let mut all = Floor::default();
        (0..tasks).for_each(|_| all.spawn(yield_times(times)));
        all.run();
    })
}
