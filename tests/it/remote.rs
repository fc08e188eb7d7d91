//! Requests of other threads to a loop: each arrives once, or is refused if the loop is gone.

use std::cell::Cell;
use std::future::{pending, poll_fn, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use coro::event_loop::{LoopClosed, RemoteHandle, ReportKind};
use coro::{EventLoop, LoopHandle, sleep, spawn, yield_now};
use futures::executor::block_on;

use crate::support::{Drops, Gate, Reports, Trace, ms, turns, virtual_loop};

/// Runs a loop on a thread of its own while `f` uses its remote handle on this thread.
fn with_loop<T>(f: impl FnOnce(&RemoteHandle) -> T) -> T {
    let (sender, receiver) = mpsc::channel();
    let thread = thread::spawn(move || {
        let mut event_loop = EventLoop::new().unwrap();
        sender.send(event_loop.handle().remote()).unwrap();
        event_loop.run_forever();
    });
    let remote = receiver.recv().unwrap();
    let value = f(&remote);
    remote.stop().unwrap();
    thread.join().unwrap();
    assert!(remote.is_closed());
    value
}

#[test]
fn calls_of_one_thread_are_made_in_order_and_those_of_all_exactly_once() {
    const CALLS: usize = 1000;
    let counts: Arc<[AtomicUsize; 4]> = Arc::default();
    with_loop(|remote| {
        thread::scope(|scope| {
            for thread in 0..4 {
                let (remote, counts) = (remote.clone(), counts.clone());
                scope.spawn(move || {
                    for n in 0..CALLS {
                        let counts = counts.clone();
                        let call = move || {
                            assert_eq!(counts[thread].fetch_add(1, Ordering::Relaxed), n);
                        };
                        remote.call_soon(call).unwrap();
                    }
                });
            }
        });
        remote.spawn(|| ready(())).unwrap().join().unwrap();
    });
    assert!(
        counts
            .iter()
            .all(|count| count.load(Ordering::Relaxed) == CALLS)
    );
}

#[test]
fn a_remote_task_runs_a_future_that_is_not_send_and_gives_its_output_to_join_and_await() {
    with_loop(|remote| {
        let make = || {
            let cell = Rc::new(Cell::new(40));
            async move {
                sleep(ms(1)).await;
                assert!(coro::task::current_task().is_some());
                cell.set(cell.get() + 2);
                cell.get()
            }
        };
        assert_eq!(remote.spawn(make).unwrap().join().unwrap(), 42);
        assert_eq!(block_on(remote.spawn(make).unwrap()).unwrap(), 42);
        let task = remote.spawn(make).unwrap();
        assert_eq!(coro::run(async { task.await.unwrap() }), 42);
    });
}

#[test]
fn a_panic_in_a_remote_task_or_in_its_closure_is_given_to_the_joiner() {
    with_loop(|remote| {
        let in_task = remote.spawn(|| async { panic!("in the task") }).unwrap();
        let error = in_task.join().unwrap_err();
        assert!(error.is_panic() && error.to_string().ends_with("panicked: in the task"));
        fn fails() -> std::future::Ready<()> {
            panic!("in make")
        }
        let error = remote.spawn(fails).unwrap().join().unwrap_err();
        assert!(
            error.is_panic() && error.to_string().ends_with("panicked: in make"),
            "{error}"
        );
    });
}

#[test]
fn a_remote_task_is_cancelled_from_any_thread_and_detached_by_a_drop() {
    with_loop(|remote| {
        let drops = Drops::default();
        let counted = drops.counted();
        let task = remote
            .spawn(move || async move {
                let _counted = counted;
                pending::<()>().await;
            })
            .unwrap();
        assert!(!task.is_finished());
        task.cancel();
        task.cancel();
        assert!(task.join().unwrap_err().is_cancelled());
        assert_eq!(drops.count(), 1);
        assert!(!drops.all_on_this_thread(), "dropped by its loop");

        let (sender, receiver) = mpsc::channel();
        let detached = remote.spawn(move || async move {
            sleep(ms(1)).await;
            sender.send(()).unwrap();
        });
        drop(detached.unwrap());
        receiver.recv().unwrap();
    });
}

#[test]
fn a_remote_task_cancelled_before_the_loop_has_seen_it_never_begins() {
    let mut event_loop = EventLoop::new().unwrap();
    let remote = event_loop.handle().remote();
    let begun = Arc::new(AtomicBool::new(false));
    let flag = begun.clone();
    let task = remote
        .spawn(move || async move {
            flag.store(true, Ordering::SeqCst);
            pending::<()>().await;
        })
        .unwrap();
    task.cancel();
    event_loop.run_until_complete(turns(5)).unwrap();
    assert!(!begun.load(Ordering::SeqCst));
    assert!(task.is_finished());
    assert!(block_on(task).unwrap_err().is_cancelled());
}

#[test]
fn a_loop_that_closes_before_the_task_has_run_cancels_it_and_wakes_the_joiner() {
    let event_loop = EventLoop::new().unwrap();
    let remote = event_loop.handle().remote();
    let drops = Drops::default();
    let counted = drops.counted();
    let task = remote.spawn(move || async move { drop(counted) }).unwrap();
    let blocked = thread::spawn(move || task.join());
    let running = remote.spawn(pending::<()>).unwrap();
    let mut event_loop = event_loop;
    event_loop.run_until_complete(turns(0)).unwrap();
    let unseen = remote.spawn(pending::<()>).unwrap();
    drop(event_loop);
    let _ = blocked.join().unwrap(); // finished or cancelled, but it came back
    assert_eq!(drops.count(), 1);
    assert!(running.join().unwrap_err().is_cancelled());
    assert!(unseen.join().unwrap_err().is_cancelled());
}

#[test]
fn everything_is_refused_with_an_error_once_the_loop_is_closed() {
    let mut event_loop = EventLoop::new().unwrap();
    let remote = event_loop.handle().remote();
    assert!(!remote.is_closed());
    event_loop.close();
    let drops = Drops::default();
    let (a, b) = (drops.counted(), drops.counted());
    assert_eq!(remote.call_soon(move || drop(a)).unwrap_err(), LoopClosed);
    assert_eq!(
        remote.spawn(move || async move { drop(b) }).err(),
        Some(LoopClosed)
    );
    assert_eq!(remote.stop(), Err(LoopClosed));
    assert_eq!(drops.count(), 2);
    assert!(remote.is_closed());
    assert_eq!(LoopClosed.to_string(), "the event loop is closed");
    assert_eq!(format!("{remote:?}"), "RemoteHandle { closed: true }");
}

#[coro::test(real)]
async fn join_on_the_loops_own_thread_is_an_error_that_says_so() {
    let remote = LoopHandle::current().remote();
    let task = remote.spawn(|| ready(1)).unwrap();
    let error = task.join().unwrap_err();
    assert!(error.is_deadlock() && !error.is_cancelled() && !error.is_panic());
    assert_eq!(
        error.to_string(),
        "blocking for a remote task on the thread of the loop that runs it would never end: await it there"
    );
    let task = remote.spawn(|| ready(2)).unwrap();
    while !task.is_finished() {
        sleep(ms(1)).await;
    }
    assert_eq!(
        task.join().unwrap(),
        2,
        "one that is done can be joined anywhere"
    );
    assert_eq!(remote.spawn(|| ready(3)).unwrap().await.unwrap(), 3);
}

#[coro::test(real)]
async fn a_call_that_panics_is_reported_and_the_next_is_made() {
    let reports = Reports::here();
    let remote = LoopHandle::current().remote();
    let called = Arc::new(AtomicBool::new(false));
    let flag = called.clone();
    thread::spawn(move || {
        remote.call_soon(|| panic!("sent")).unwrap();
        remote
            .call_soon(move || flag.store(true, Ordering::SeqCst))
            .unwrap();
    })
    .join()
    .unwrap();
    turns(3).await;
    while !called.load(Ordering::SeqCst) {
        yield_now().await;
    }
    reports.assert_taken([(ReportKind::CalloutPanicked, "sent")]);
}

#[test]
fn stop_from_another_thread_ends_the_sleep_of_an_idle_loop() {
    let mut event_loop = EventLoop::new().unwrap();
    let remote = event_loop.handle().remote();
    let thread = thread::spawn(move || {
        thread::sleep(ms(5));
        remote.stop().unwrap();
    });
    event_loop.run_forever();
    thread.join().unwrap();
}

#[coro::test(real)]
async fn a_million_wakes_from_eight_threads_cost_few_polls() {
    const WAKES: usize = 125_000;
    let gate = Gate::new();
    let task = spawn(gate.clone());
    yield_now().await;
    let waker = gate.waker();
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let waker = waker.clone();
            thread::spawn(move || (0..WAKES).for_each(|_| waker.wake_by_ref()))
        })
        .collect();
    // The loop is busy meanwhile, as in a long step, so all wakes become one wake-up.
    for thread in threads {
        thread.join().unwrap();
    }
    turns(200).await;
    assert_eq!(gate.polls(), 2);
    gate.open();
    task.await.unwrap();
}

#[test]
fn no_wake_up_is_lost_however_it_races_with_the_poll() {
    const BURSTS: usize = 20_000;
    let mut event_loop = EventLoop::new().unwrap();
    let (calls, answers) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (sender, receiver) = mpsc::channel::<Waker>();
    let thread = thread::spawn({
        let (calls, answers) = (calls.clone(), answers.clone());
        move || {
            let waker = receiver.recv().unwrap();
            let begun = Instant::now();
            for burst in 1..=BURSTS {
                // The later wakes race with the delivery of the earlier ones, or with the poll they
                // cause.
                for _ in 0..burst % 9 + 1 {
                    calls.store(calls.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
                    waker.wake_by_ref();
                    (0..burst % 97).for_each(|_| std::hint::spin_loop());
                }
                let called = calls.load(Ordering::Relaxed);
                while answers.load(Ordering::Relaxed) < called {
                    assert!(
                        begun.elapsed() < Duration::from_secs(60),
                        "burst {burst} was lost"
                    );
                    thread::yield_now();
                }
            }
            calls.store(usize::MAX, Ordering::Relaxed);
            waker.wake();
        }
    });
    let answer = poll_fn(|cx| {
        if answers.load(Ordering::Relaxed) == 0 {
            let _ = sender.send(cx.waker().clone());
        }
        let called = calls.load(Ordering::Relaxed);
        answers.store(called, Ordering::Relaxed);
        if called == usize::MAX {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    });
    event_loop.run_until_complete(answer).unwrap();
    thread.join().unwrap();
}

#[test]
fn many_threads_wake_many_tasks_and_none_waits_for_ever() {
    const THREADS: usize = 4;
    const ROUNDS: usize = 2_000;
    let mut event_loop = EventLoop::new().unwrap();
    let barrier = Arc::new(Barrier::new(THREADS));
    let mut threads = Vec::new();
    let mut tasks = Vec::new();
    for _ in 0..THREADS {
        let (ask, asked) = mpsc::channel::<(Arc<AtomicBool>, Waker)>();
        let barrier = barrier.clone();
        threads.push(thread::spawn(move || {
            barrier.wait();
            for (flag, waker) in asked {
                flag.store(true, Ordering::Relaxed);
                waker.wake();
            }
        }));
        tasks.push(event_loop.handle().spawn(async move {
            for _ in 0..ROUNDS {
                let flag = Arc::new(AtomicBool::new(false));
                let mut asked = false;
                poll_fn(|cx| {
                    if !asked {
                        asked = true;
                        ask.send((flag.clone(), cx.waker().clone())).unwrap();
                    }
                    if flag.load(Ordering::Relaxed) {
                        Poll::Ready(())
                    } else {
                        Poll::Pending
                    }
                })
                .await;
            }
        }));
    }
    let all = async {
        for task in tasks {
            task.await.unwrap();
        }
    };
    let bounded = coro::timeout(Duration::from_secs(60), all);
    assert_eq!(event_loop.run_until_complete(bounded), Ok(Ok(())));
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn a_virtual_clock_jumps_as_soon_as_the_last_remote_handle_is_dropped() {
    let mut event_loop = virtual_loop();
    let remote = event_loop.handle().remote();
    let other = remote.clone();
    drop(remote);
    let thread = thread::spawn(move || {
        thread::sleep(ms(10));
        drop(other);
    });
    let begun = Instant::now();
    event_loop
        .run_until_complete(sleep(Duration::from_secs(3600)))
        .unwrap();
    assert!(begun.elapsed() >= ms(9) && begun.elapsed() < Duration::from_secs(20));
    thread.join().unwrap();
}

#[coro::test]
async fn calls_of_a_remote_handle_are_not_overtaken_by_a_virtual_clock() {
    let trace = Trace::new();
    let remote = LoopHandle::current().remote();
    thread::spawn(move || {
        thread::sleep(ms(5));
        remote.spawn(|| ready(1)).unwrap().join().unwrap();
    });
    coro::call_later(Duration::from_secs(600), trace.adder("ten minutes"));
    let begun = LoopHandle::current().time();
    sleep(ms(6)).await;
    assert!(LoopHandle::current().time() - begun < Duration::from_secs(60));
    trace.assert([]);
    sleep(Duration::from_secs(600)).await;
    trace.assert(["ten minutes"]);
}

#[test]
fn a_remote_task_that_is_polled_and_dropped_lets_the_task_go_on() {
    with_loop(|remote| {
        let (sender, receiver) = mpsc::channel();
        let mut task = remote
            .spawn(move || async move {
                sleep(ms(2)).await;
                sender.send(()).unwrap();
            })
            .unwrap();
        let (wakes, waker) = crate::support::Wakes::new();
        let _ = Pin::new(&mut task).poll(&mut Context::from_waker(&waker));
        drop(task);
        receiver.recv().unwrap();
        assert!(wakes.count() <= 1);
    });
}
