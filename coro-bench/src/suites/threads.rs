//! The cost of a job on a thread, until its value is known.

use std::sync::mpsc;
use std::thread;

use crate::harness::{Bound, Case, Role, Sample, Suite, time_async_in_process, time_in_process};
use crate::machine::Poller;
use crate::runtimes::{Threads, in_task, subjects};

const BATCH: u64 = 100;

/// All threads share one core, so that a job is two switches between them.
pub(crate) fn suite() -> Suite {
    Suite::new("threads", "jobs on threads, all on one core")
        .case(round_trips().goal(Bound::AtMost(5_500.0)))
        .case(batches().goal(Bound::AtMost(500.0)))
}

/// The threads are spread over all cores, where the peers' threads get into each other's way.
pub(crate) fn spread() -> Suite {
    Suite::new("threads_spread", "jobs on threads, on all cores")
        .unpinned()
        .case(round_trips())
        .case(batches())
}

fn round_trips() -> Case {
    subjects!(
        Case::new("one at a time", "coro"),
        [Coro, TokioLocalSet, TokioLocalRuntime, Smol, MonoioThreads],
        |effort| one_at_a_time::<R>(effort.count(20_000))
    )
    .subject("mpsc and eventfd", Role::Floor, |effort| {
        through_channel(effort.count(20_000))
    })
    .goal(Bound::AheadOfPeers(1.0))
}

fn batches() -> Case {
    subjects!(
        Case::new("batches of 100", "coro"),
        [Coro, TokioLocalSet, TokioLocalRuntime, Smol, MonoioThreads],
        |effort| in_batches::<R>(effort.count(100_000))
    )
    .goal(Bound::AheadOfPeers(1.0))
}

fn one_at_a_time<R: Threads>(jobs: u64) -> Sample {
    in_task::<R, _>(time_async_in_process(jobs, move || async move {
        for job in 0..jobs {
            assert_eq!(R::on_thread(move || job).await, job);
        }
    }))
}

fn in_batches<R: Threads>(jobs: u64) -> Sample {
    in_task::<R, _>(time_async_in_process(jobs, move || async move {
        for _ in 0..jobs / BATCH {
            let batch: Vec<_> = (0..BATCH).map(|job| R::on_thread(move || job)).collect();
            for (job, done) in batch.into_iter().enumerate() {
                assert_eq!(done.await, job as u64);
            }
        }
    }))
}

/// The floor: a channel to the thread, an eventfd back.
fn through_channel(jobs: u64) -> Sample {
    let mut poller = Poller::with_idle_descriptor().map_err(|error| error.to_string())?;
    let signal = poller.signaller().map_err(|error| error.to_string())?;
    let (send, receive) = mpsc::channel::<u64>();
    let worker = thread::spawn(move || {
        for _job in receive {
            signal.signal().expect("the counter is not full");
        }
    });
    let sample = time_in_process(jobs, || {
        for job in 0..jobs {
            send.send(job).expect("the worker lives");
            poller
                .wait_for_event()
                .expect("the wait is not interrupted");
        }
    });
    drop(send);
    worker.join().expect("it has not panicked");
    sample
}
