//! The cost of locks or channels: all on our loop, tokio's also on its own.

mod kits;

use std::rc::Rc;

use self::kits::{
    AsyncChannel, AsyncLock, AsyncLockSemaphore, Channels, CoroQueue, CoroSemaphore, CoroUnbounded,
    Futures, LocalChannel, Locks, Oneshots, Tokio, TokioSemaphore,
};
use crate::harness::{Bound, Case, Effort, Role, Sample, Suite, time_async};
use crate::runtimes::{Coro, Runtime, TokioLocalSet, in_task};
use crate::work::yield_once;

const TOKIO_AT_HOME: &str = "tokio on its LocalSet";

/// The name of a subject, its role, and the function that measures it.
type Entry = (&'static str, Role, fn(&Effort, u64) -> Sample);

pub(crate) fn suite() -> Suite {
    let locks: [Entry; 5] = [
        lock_on::<Coro, kits::Coro>(),
        lock_on::<Coro, Tokio>(),
        at_home(lock_on::<TokioLocalSet, Tokio>()),
        lock_on::<Coro, AsyncLock>(),
        lock_on::<Coro, Futures>(),
    ];
    let permits: [Entry; 4] = [
        lock_on::<Coro, CoroSemaphore>(),
        lock_on::<Coro, TokioSemaphore>(),
        at_home(lock_on::<TokioLocalSet, TokioSemaphore>()),
        lock_on::<Coro, AsyncLockSemaphore>(),
    ];
    let channels: [Entry; 8] = [
        channel_on::<Coro, kits::Coro>(),
        channel_on::<Coro, CoroUnbounded>(),
        channel_on::<Coro, CoroQueue>(),
        channel_on::<Coro, Tokio>(),
        at_home(channel_on::<TokioLocalSet, Tokio>()),
        channel_on::<Coro, AsyncChannel>(),
        channel_on::<Coro, Futures>(),
        channel_on::<Coro, LocalChannel>(),
    ];
    let oneshots: [Entry; 4] = [
        oneshot_on::<Coro, kits::Coro>(),
        oneshot_on::<Coro, Tokio>(),
        at_home(oneshot_on::<TokioLocalSet, Tokio>()),
        oneshot_on::<Coro, Futures>(),
    ];
    Suite::new("sync", "locks and channels between tasks of one thread")
        .case(case("a lock that is free", 0, &locks, 1.0))
        .case(case("a permit that is free", 0, &permits, 1.0))
        .case(case("a message to oneself", 0, &channels, 1.0))
        .case(case("a oneshot to oneself", 0, &oneshots, 1.0))
        .case(
            Case::new("an event that is set", "coro")
                .subject("coro", Role::Coro, |effort| event(effort.count(1_000_000))),
        )
        .case(case("a lock between 2 tasks", 2, &locks, 2.0))
        .case(case("a lock between 1,000 tasks", 1_000, &locks, 2.0))
        .case(case("a message around 2 tasks", 2, &channels, 2.0))
        .case(case("a message around 1,000 tasks", 1_000, &channels, 2.0))
}

/// A case whose subjects are given the number of tasks; `ahead` is the goal against the best peer.
fn case(name: &'static str, tasks: u64, subjects: &[Entry], ahead: f64) -> Case {
    let case = Case::new(name, "coro");
    let case = subjects.iter().fold(case, |case, &(name, role, run)| {
        case.subject(name, role, move |effort| run(effort, tasks))
    });
    case.goal(Bound::AheadOfPeers(ahead))
}

fn at_home((_, role, run): Entry) -> Entry {
    (TOKIO_AT_HOME, role, run)
}

fn lock_on<R: Runtime, K: Locks>() -> Entry {
    (K::NAME, K::ROLE, |effort, tasks| match tasks {
        0 => uncontended::<R, K>(effort.count(1_000_000)),
        tasks => contended::<R, K>(effort.count(1_000_000) / tasks, tasks),
    })
}

fn uncontended<R: Runtime, K: Locks>(times: u64) -> Sample {
    in_task::<R, _>(time_async(times, move || async move {
        let lock = K::new();
        for _ in 0..times {
            drop(K::lock(&lock).await);
        }
    }))
}

/// Tasks that take a lock in turn; each keeps it for one turn, while the others run.
fn contended<R: Runtime, K: Locks>(times: u64, tasks: u64) -> Sample {
    in_task::<R, _>(time_async(times * tasks, move || async move {
        let lock = Rc::new(K::new());
        let joins: Vec<_> = (0..tasks)
            .map(|_| {
                let lock = lock.clone();
                R::spawn(async move {
                    for _ in 0..times {
                        let guard = K::lock(&lock).await;
                        yield_once().await;
                        drop(guard);
                    }
                })
            })
            .collect();
        for join in joins {
            join.await;
        }
    }))
}

fn channel_on<R: Runtime, K: Channels>() -> Entry {
    (K::NAME, K::ROLE, |effort, tasks| match tasks {
        0 => to_oneself::<R, K>(effort.count(1_000_000)),
        tasks => around::<R, K>(effort.count(1_000_000) / tasks, tasks),
    })
}

fn to_oneself<R: Runtime, K: Channels>(times: u64) -> Sample {
    in_task::<R, _>(time_async(times, move || async move {
        let (mut sender, mut receiver) = K::new(16);
        for message in 0..times {
            K::send(&mut sender, message).await;
            assert_eq!(K::receive(&mut receiver).await, message);
        }
    }))
}

/// Tasks in a ring, each of which passes on the messages it receives.
fn around<R: Runtime, K: Channels>(times: u64, tasks: u64) -> Sample {
    in_task::<R, _>(time_async(times * tasks, move || async move {
        let (mut first, mut previous) = K::new(1);
        let joins: Vec<_> = (1..tasks)
            .map(|_| {
                let (mut sender, receiver) = K::new(1);
                let mut receiver = std::mem::replace(&mut previous, receiver);
                R::spawn(async move {
                    for _ in 0..times {
                        let message = K::receive(&mut receiver).await;
                        K::send(&mut sender, message).await;
                    }
                })
            })
            .collect();
        for message in 0..times {
            K::send(&mut first, message).await;
            assert_eq!(K::receive(&mut previous).await, message);
        }
        for join in joins {
            join.await;
        }
    }))
}

fn oneshot_on<R: Runtime, K: Oneshots>() -> Entry {
    (K::NAME, K::ROLE, |effort, _| {
        let times = effort.count(1_000_000);
        in_task::<R, _>(time_async(times, move || async move {
            for message in 0..times {
                let (sender, receiver) = K::new();
                K::send(sender, message);
                assert_eq!(receiver.await, message);
            }
        }))
    })
}

fn event(times: u64) -> Sample {
    in_task::<Coro, _>(time_async(times, move || async move {
        let event = coro::sync::Event::new();
        for _ in 0..times {
            event.set();
            event.wait().await;
            event.clear();
        }
    }))
}
