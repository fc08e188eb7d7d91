//! Scopes: their children borrow, nest, end before the values they borrow.

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::thread;

use coro::group::Scope;
use coro::{scope, sleep, spawn, yield_now};
use futures::executor::block_on;

use crate::support::{Drops, Gate, Pending, Trace, Wakes, ms, turns};

fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[coro::test]
async fn children_borrow_values_that_outlive_the_scope_and_give_their_own() {
    let words = [String::from("one"), String::from("three")];
    let log = RefCell::new(Vec::new());
    let lengths = scope(async |s| {
        let a = s.spawn(async {
            log.borrow_mut().push(&words[0]);
            yield_now().await;
            words[0].len()
        });
        let b = s.spawn(async { words[1].len() });
        (b.await, a.await)
    });
    assert_eq!(lengths.await, (5, 3));
    assert_eq!(*log.borrow(), ["one"]);
}

#[coro::test]
async fn a_thousand_children_three_deep_borrow_and_nest() {
    let leaves = Cell::new(0);
    let step = [1_u64; 1];
    scope(async |s| {
        for _ in 0..10 {
            s.spawn(async {
                for _ in 0..10 {
                    s.spawn(async {
                        let children: Vec<_> = (0..10)
                            .map(|_| {
                                s.spawn(async {
                                    yield_now().await;
                                    step[0]
                                })
                            })
                            .collect();
                        for child in children {
                            let value = child.await;
                            leaves.set(leaves.get() + value);
                        }
                    });
                    yield_now().await;
                }
            });
        }
    })
    .await;
    assert_eq!(leaves.get(), 1000);
}

#[coro::test]
async fn the_scope_ends_with_the_last_child_even_if_it_is_not_awaited() {
    let trace = Trace::new();
    let (spawned, trace) = (&trace, &trace);
    let value = scope(async |s| {
        s.spawn(async move {
            sleep(ms(5)).await;
            spawned.add("child");
            s.spawn(async move {
                sleep(ms(5)).await;
                spawned.add("grandchild");
            });
        });
        spawned.add("body");
        7
    })
    .await;
    assert_eq!(value, 7);
    trace.assert(["body", "child", "grandchild"]);
}

#[coro::test]
async fn children_begin_in_order_and_take_turns_with_each_other_and_the_loop() {
    let trace = Trace::new();
    let other = trace.clone();
    let beside = spawn(async move {
        for name in ["x0", "x1", "x2"] {
            other.add(name);
            yield_now().await;
        }
    });
    let steps = |names: [&'static str; 2]| {
        let trace = &trace;
        async move {
            for name in names {
                trace.add(name);
                yield_now().await;
            }
        }
    };
    scope(async |s| {
        s.spawn(steps(["a0", "a1"]));
        s.spawn(steps(["b0", "b1"]));
    })
    .await;
    beside.await.unwrap();
    trace.assert(["a0", "b0", "x0", "a1", "b1", "x1", "x2"]);
}

#[coro::test]
async fn idle_children_are_not_polled_when_a_sibling_is_woken() {
    let polls = Rc::new(Cell::new(0));
    let gate = Gate::new();
    let (idle, woken) = (polls.clone(), gate.clone());
    let task = spawn(scope(async move |s: &Scope<'_, '_>| {
        for _ in 0..100 {
            s.spawn(Pending(idle.clone()));
        }
        woken.await;
    }));
    turns(5).await;
    assert_eq!((polls.get(), gate.polls()), (100, 1));
    for _ in 0..10 {
        gate.wake();
        turns(2).await;
    }
    assert_eq!((polls.get(), gate.polls()), (100, 11));
    task.cancel();
}

#[coro::test]
async fn children_that_are_always_ready_do_not_hold_up_other_tasks() {
    let steps = Rc::new(Cell::new(0));
    let counted = steps.clone();
    let task = spawn(scope(async move |s: &Scope<'_, '_>| {
        for _ in 0..1000 {
            let counted = counted.clone();
            s.spawn(async move {
                loop {
                    counted.set(counted.get() + 1);
                    yield_now().await;
                }
            });
        }
    }));
    for turn in 0..20 {
        assert!(steps.get() <= turn * 64, "{} in turn {turn}", steps.get());
        yield_now().await;
    }
    assert!(steps.get() >= 15 * 64);
    task.cancel();
}

#[coro::test]
async fn a_child_that_is_cancelled_is_dropped_at_once_and_the_others_go_on() {
    let drops = Drops::default();
    let counted = drops.counted();
    let value = scope(async |s| {
        let child = s.spawn(async {
            let _counted = counted;
            pending::<()>().await;
        });
        let other = s.spawn(async {
            sleep(ms(5)).await;
            3
        });
        yield_now().await;
        yield_now().await;
        assert!(!child.is_finished());
        child.cancel();
        assert_eq!(drops.count(), 1);
        other.await
    });
    assert_eq!(value.await, 3);
}

#[coro::test]
async fn a_seat_that_was_given_up_is_not_mistaken_for_the_next_childs() {
    scope(async |s| {
        for round in 0..5 {
            let gate = Gate::new();
            let waits = s.spawn(gate.clone());
            yield_now().await;
            let stale = gate.waker();
            waits.cancel();
            let next = Gate::new();
            let child = s.spawn(next.clone());
            yield_now().await;
            stale.wake();
            yield_now().await;
            assert_eq!(next.polls(), 1, "round {round}");
            next.open();
            child.await;
        }
    })
    .await;
}

#[test]
fn a_scope_runs_under_any_executor_and_without_a_loop() {
    let words = ["a", "bc"];
    let ended = Cell::new(false);
    let sum = block_on(scope(async |s| {
        s.defer(async { ended.set(true) });
        let (sender, receiver) = futures::channel::oneshot::channel();
        let first = s.spawn(async { words[0].len() + receiver.await.unwrap() });
        let thread = thread::spawn(move || sender.send(40).unwrap());
        let sum = first.await + s.spawn(async { words[1].len() }).await;
        thread.join().unwrap();
        sum
    }));
    assert_eq!((sum, ended.get()), (43, true));
}

#[coro::test]
async fn a_scope_works_inside_foreign_combinators_and_moves_between_tasks() {
    use futures::future::{Either, select};
    use futures::stream::{FuturesUnordered, StreamExt};
    let data = Cell::new(0);
    let add = |n: u64| {
        let data = &data;
        scope(async move |s: &Scope<'_, '_>| {
            s.spawn(async move {
                sleep(ms(n)).await;
                data.set(data.get() + n);
            })
            .await;
        })
    };
    let all: FuturesUnordered<_> = (1..=10).map(add).collect();
    all.collect::<Vec<_>>().await;
    assert_eq!(data.get(), 55);

    let mut moves = Box::pin(add(5));
    let first = select(moves.as_mut(), Box::pin(yield_now())).await;
    assert!(matches!(first, Either::Right(_)));
    drop(first);
    moves.await;
    assert_eq!(data.get(), 60);
}

#[test]
fn a_scope_that_is_forgotten_midway_does_no_harm() {
    let data = vec![1_u8; 1000];
    let mut forgotten = Box::pin(scope(async |s| {
        s.spawn(async {
            loop {
                std::hint::black_box(&data);
                yield_now().await;
            }
        });
        pending::<()>().await;
    }));
    assert!(poll_once(forgotten.as_mut()).is_pending());
    std::mem::forget(forgotten);
    drop(data);
}

#[test]
fn wakers_that_outlive_the_scope_are_woken_and_dropped_elsewhere() {
    let kept = RefCell::new(Vec::new());
    let (wakes, parent) = Wakes::new();
    let mut endless = Box::pin(scope(async |s| {
        for _ in 0..10 {
            s.spawn(poll_fn(|cx| {
                kept.borrow_mut().push(cx.waker().clone());
                Poll::<()>::Pending
            }));
        }
    }));
    let mut cx = Context::from_waker(&parent);
    while kept.borrow().len() < 10 {
        assert!(endless.as_mut().poll(&mut cx).is_pending());
    }
    let woken_before = wakes.count();
    let early = kept.borrow()[0].clone();
    thread::spawn(move || early.wake()).join().unwrap();
    assert_eq!(wakes.count(), woken_before + 1);
    drop(endless);
    let late = kept.take();
    let elsewhere = thread::spawn(move || {
        for waker in late {
            waker.wake_by_ref();
            waker.wake();
        }
    });
    elsewhere.join().unwrap();
    assert_eq!(wakes.count(), woken_before + 1);
}

#[coro::test]
async fn dropped_at_every_point_a_scope_drops_everything_once() {
    for polls in 0..20 {
        let drops = Drops::default();
        let held: Vec<_> = (0..6).map(|_| drops.counted()).collect();
        let mut program = Box::pin(scope(async |s| {
            let mut held = held.into_iter();
            for n in 0..3 {
                let (mine, grandchilds) = (held.next(), held.next());
                s.spawn(async move {
                    let _mine = mine;
                    turns(n).await;
                    s.spawn(async move {
                        turns(n).await;
                        drop(grandchilds);
                    })
                    .await;
                });
                yield_now().await;
            }
        }));
        for _ in 0..polls {
            if poll_once(program.as_mut()).is_ready() {
                break;
            }
        }
        drop(program);
        assert_eq!(drops.count(), 6, "after {polls} polls");
    }
}

#[coro::test]
async fn many_children_that_end_one_by_one_cost_a_constant_each() {
    // With 160,000 children this would take minutes if each end looked at all of them.
    let gates: Vec<_> = (0..160_000).map(|_| Gate::new()).collect();
    let ended = Cell::new(0);
    scope(async |s| {
        for gate in &gates {
            s.spawn(async {
                gate.clone().await;
                ended.set(ended.get() + 1);
            });
        }
        turns(160_000 / 60).await;
        for (n, gate) in gates.iter().enumerate() {
            gate.open();
            if n % 100 == 0 {
                yield_now().await;
            }
        }
    })
    .await;
    assert_eq!(ended.get(), 160_000);
}
