//! The cost of a switch to the next task.

use coro::net::TcpListener;
use futures::stream::FuturesUnordered;

use crate::harness::{Bound, Case, Reading, Role, Sample, Suite, time, time_async};
use crate::machine::Poller;
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
    .case(
        Case::new("an empty look at the poller", "epoll_wait(0)")
            .subject("coro", Role::Coro, |effort| {
                empty_look(effort.count(500_000))
            })
            .subject("epoll_wait(0)", Role::Floor, |effort| {
                empty_wait(effort.count(500_000))
            })
            .goal(Bound::Times(1.1, "epoll_wait(0)")),
    )
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

/// How much longer a turn of a loop with a descriptor takes than a turn of a loop without one.
///
/// Both loops have virtual clocks, with which a loop looks at its poller in every turn. With the
/// real clock it does so only after a number of steps.
fn empty_look(turns: u64) -> Sample {
    let without = ns_a_turn(turns, false)?;
    let with = ns_a_turn(turns, true)?;
    let values = with
        .into_iter()
        .zip(without)
        .map(|(with, without)| with - without);
    Ok(vec![Reading::new("", "ns", values.collect())])
}

fn ns_a_turn(turns: u64, with_descriptor: bool) -> Result<Vec<f64>, String> {
    let event_loop = coro::EventLoop::builder().virtual_time().build();
    let mut event_loop = event_loop.map_err(|error| error.to_string())?;
    let readings = event_loop.run_until_complete(async {
        let listener = match with_descriptor {
            true => Some(TcpListener::bind("127.0.0.1:0")),
            false => None,
        };
        let readings = time_async(turns, || yield_times(turns)).await;
        match listener {
            Some(Err(error)) => Err(error.to_string()),
            _ => Ok(readings),
        }
    });
    let readings = readings.map_err(|error| error.to_string())??;
    Ok(readings
        .into_iter()
        .flat_map(|reading| reading.values)
        .collect())
}

/// The same look without a loop.
fn empty_wait(times: u64) -> Sample {
    let mut poller = Poller::with_idle_descriptor().map_err(|error| error.to_string())?;
    time(times, || {
        for _ in 0..times {
            poller.look().expect("the wait is not interrupted");
        }
    })
}
