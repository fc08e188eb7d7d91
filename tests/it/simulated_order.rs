//! The order of a simulation: drawn from seeds, searched for, replayed, shrunk.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, VecDeque};
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use coro::sync::Lock;
use coro::testing::{FailedRun, Sim, explore};

const MS: Duration = Duration::from_millis(1);

/// Runs the test with a thousand seeds, which must find a failure in a second, and shrink it.
#[track_caller]
fn found(test: impl AsyncFn(&Sim)) -> Box<FailedRun> {
    let begun = Instant::now();
    let failed = explore().seeds(1_000).try_run(test).unwrap_err();
    let (runs, took) = (failed.runs(), begun.elapsed());
    println!("{runs} runs, {took:?}\n{failed}");
    assert!(failed.odd_decisions() <= 3, "{failed}");
    failed
}

/// The bug comes in one of the 24 orders of four tasks.
async fn order_of_four(_: &Sim) {
    let order = Rc::new(RefCell::new(Vec::new()));
    let tasks: Vec<_> = (0..4)
        .map(|n| {
            let order = order.clone();
            coro::spawn(async move {
                coro::yield_now().await;
                order.borrow_mut().push(n);
                coro::yield_now().await;
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_ne!(*order.borrow(), [2, 0, 3, 1]);
}

#[test]
fn a_bug_in_one_order_of_four_tasks_is_found_and_shrunk() {
    let failed = found(order_of_four);
    assert!(failed.message().contains("[2, 0, 3, 1]"));
    assert!(
        failed
            .place()
            .unwrap()
            .starts_with("tests/it/simulated_order.rs")
    );
}

#[test]
fn a_bug_in_one_order_of_four_tasks_needs_two_late_wake_ups() {
    assert!(explore().late(1).try_run(order_of_four).is_ok());
    let failed = explore().late(2).try_run(order_of_four).unwrap_err();
    assert_eq!(failed.odd_decisions(), 2);
}

/// A channel whose sender looks for a waiter before it puts its item in, and whose receiver looks for
/// an item before it waits, with a suspension between the two.
#[derive(Default)]
struct Careless {
    items: RefCell<VecDeque<u32>>,
    waiter: RefCell<Option<Waker>>,
}

impl Careless {
    async fn send(&self, item: u32) {
        self.items.borrow_mut().push_back(item);
        if let Some(waiter) = self.waiter.take() {
            waiter.wake();
        }
    }

    async fn recv(&self) -> u32 {
        loop {
            if let Some(item) = self.items.borrow_mut().pop_front() {
                return item;
            }
            coro::yield_now().await; // an item that is sent here wakes no waiter
            let mut waits = false;
            poll_fn(|cx| {
                if std::mem::replace(&mut waits, true) {
                    return Poll::Ready(());
                }
                *self.waiter.borrow_mut() = Some(cx.waker().clone());
                Poll::Pending
            })
            .await;
        }
    }
}

#[test]
fn a_lost_wake_up_is_found_as_a_deadlock() {
    let failed = found(async |_: &Sim| {
        let channel = Rc::new(Careless::default());
        let receiver = coro::spawn({
            let channel = channel.clone();
            async move { channel.recv().await }
        });
        let sender = coro::spawn(async move {
            coro::yield_now().await;
            channel.send(7).await;
        });
        sender.await.unwrap();
        assert_eq!(receiver.await.unwrap(), 7);
    });
    assert!(failed.message().starts_with("deadlock: "), "{failed}");
    assert!(failed.message().contains("the main future"), "{failed}");
}

#[test]
fn a_deadlock_of_two_locks_is_found() {
    let failed = found(async |_: &Sim| {
        let locks = Rc::new((Lock::new(()), Lock::new(())));
        let one = coro::spawn({
            let locks = locks.clone();
            async move {
                let _a = locks.0.lock().await;
                coro::yield_now().await;
                let _b = locks.1.lock().await;
            }
        });
        let other = coro::spawn(async move {
            coro::yield_now().await;
            let _b = locks.1.lock().await;
            let _a = locks.0.lock().await; // as soon as `one` has both, or never
        });
        one.await.unwrap();
        other.await.unwrap();
    });
    assert!(failed.message().starts_with("deadlock: "), "{failed}");
}

/// A server that tells repeats by their number, which it notes only when its disk has written.
#[derive(Default)]
struct Counter {
    value: Cell<u32>,
    noted: Cell<u32>,
}

/// Sends an increment, which arrives after `delay`.
fn send(counter: &Rc<Counter>, number: u32, delay: Duration) {
    let counter = counter.clone();
    coro::call_later(delay, move || {
        drop(coro::spawn(async move {
            if counter.noted.get() < number {
                coro::sleep(2 * MS).await; // the disk
                counter.value.set(counter.value.get() + 1);
                counter.noted.set(number);
            }
        }));
    });
}

#[test]
fn a_repeat_that_meets_its_original_is_found_and_shrunk_to_one_delay() {
    let failed = found(async |sim: &Sim| {
        let counter = Rc::new(Counter::default());
        for number in 1..=5 {
            while counter.noted.get() < number {
                let late = match sim.chance(100_000) {
                    true => sim.choose(30),
                    false => 0,
                };
                send(&counter, number, MS * (1 + late));
                coro::sleep(20 * MS).await;
            }
        }
        coro::sleep(100 * MS).await;
        assert_eq!(counter.value.get(), 5);
    });
    assert_eq!(failed.odd_decisions(), 2); // that there is a delay, and how long it is
}

#[test]
fn seeds_take_different_courses_and_a_seed_the_same_one_each_time() {
    let courses = |seeds| {
        let digests = RefCell::new(Vec::new());
        let explored = explore().seeds(seeds).run(async |sim: &Sim| {
            let tasks: Vec<_> = (0..8).map(|_| coro::spawn(coro::yield_now())).collect();
            for task in tasks {
                task.await.unwrap();
            }
            digests.borrow_mut().push(sim.digest());
        });
        assert_eq!(explored.runs(), seeds + 1);
        digests.into_inner()
    };
    let first = courses(1_000);
    assert_eq!(first, courses(1_000));
    let distinct: BTreeSet<_> = first.iter().collect();
    assert!(distinct.len() >= 990, "{} of 1,000", distinct.len());
}

#[test]
fn the_plainest_run_is_first_come_first_served() {
    explore().run(async |_: &Sim| {
        let order = Rc::new(RefCell::new(Vec::new()));
        for n in 0..10 {
            let order = order.clone();
            drop(coro::spawn(async move {
                coro::yield_now().await;
                order.borrow_mut().push(n);
            }));
        }
        coro::sleep(MS).await;
        assert!(order.borrow().iter().copied().eq(0..10));
    });
}

/// The order that the loop documents: a turn runs exactly those that were ready when it began.
async fn turns(_: &Sim) {
    let turn = Rc::new(Cell::new(0));
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let turn = turn.clone();
            coro::spawn(async move {
                for n in 0..4 {
                    assert!(turn.get() == n || turn.get() == n + 1);
                    turn.set(n + 1);
                    coro::yield_now().await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[test]
fn seeds_keep_to_the_turns_of_the_loop_unless_any_order_is_asked_for() {
    explore().seeds(300).run(turns);
    assert!(explore().seeds(300).any_order().try_run(turns).is_err());
}

#[test]
fn four_tasks_of_three_yields_are_searched_with_two_late_wake_ups() {
    let begun = Instant::now();
    let explored = explore().late(2).run(async |_: &Sim| {
        let tasks = (0..4).map(|_| {
            coro::spawn(async {
                for _ in 0..3 {
                    coro::yield_now().await;
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
    });
    println!("{explored} in {:?}", begun.elapsed());
    assert!(explored.runs() > 100 && explored.distinct() > 50);
}

#[test]
fn a_failure_of_a_task_that_no_one_awaits_is_a_failure_of_the_run() {
    let failed = explore().try_run(async |_: &Sim| {
        drop(coro::spawn(async { panic!("in the dark") }));
        coro::sleep(MS).await;
    });
    let failed = failed.unwrap_err();
    assert!(failed.message().contains("in the dark"), "{failed}");
    assert!(failed.place().is_some());
}

#[test]
fn an_error_that_the_test_gives_is_a_failure() {
    let failed = explore().try_run(async |_: &Sim| -> Result<(), &str> { Err("no luck") });
    assert!(failed.unwrap_err().message().contains("no luck"));
}

#[test]
fn a_task_that_is_always_ready_does_not_upset_the_order() {
    explore().seeds(50).run(async |_: &Sim| {
        let semaphore = Rc::new(coro::sync::Semaphore::new(1));
        let tasks = (0..3).map(|_| {
            let semaphore = semaphore.clone();
            coro::spawn(async move {
                for _ in 0..1_000 {
                    drop(semaphore.acquire().await.unwrap()); // 128 in a step
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
    });
}

#[test]
fn a_loop_that_is_run_again_goes_on_in_an_order_of_its_seed() {
    let mut event_loop = coro::EventLoop::builder()
        .virtual_time()
        .seed(3)
        .build()
        .unwrap();
    let count = Rc::new(Cell::new(0));
    for run in 1..=5 {
        for _ in 0..10 {
            let count = count.clone();
            drop(event_loop.handle().spawn(async move {
                coro::yield_now().await;
                count.set(count.get() + 1);
            }));
        }
        let done = event_loop.run_until_complete(coro::sleep(MS));
        assert!(done.is_ok() && count.get() == 10 * run);
    }
    let failed = event_loop.handle().spawn(async { panic!("one of many") });
    assert!(event_loop.run_until_complete(failed).unwrap().is_err());
}

/// The digests of a program under many seeds, with or without dumps between its steps.
fn digests_with(dumps: bool) -> Vec<u64> {
    let digests = RefCell::new(Vec::new());
    explore().seeds(30).run(async |sim: &Sim| {
        for step in (2..400).step_by(2).filter(|_| dumps) {
            sim.at_step(step, || {
                let mut dump = std::pin::pin!(coro::LoopHandle::current().dump());
                let cx = &mut Context::from_waker(Waker::noop());
                assert!(dump.as_mut().poll(cx).is_pending()); // it is taken all the same
            });
        }
        let lock = Rc::new(Lock::new(0));
        let add = |n: u32| {
            let lock = lock.clone();
            coro::spawn(async move {
                for _ in 0..5 {
                    *lock.lock().await += n;
                    coro::sleep(Duration::from_millis(u64::from(n % 3))).await;
                    coro::yield_now().await;
                }
            })
        };
        coro::gather((0..8).map(add).collect::<Vec<_>>()).await;
        digests.borrow_mut().push(sim.digest());
    });
    digests.into_inner()
}

#[test]
fn dumps_change_neither_the_order_nor_the_digest() {
    let without = digests_with(false);
    assert_eq!(digests_with(true), without);
    assert!(without.iter().collect::<BTreeSet<_>>().len() > 25);
}
