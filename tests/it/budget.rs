//! The budget of a step: a task that is always ready suspends after 128 waits.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use coro::sync::{Event, Lock, Queue, channel};
use coro::{EventLoop, call_later, gather, race, scope, sleep, spawn, timeout, yield_now};
use futures::future::{Either, select};
use futures::stream::{self, StreamExt};

use crate::support::{Trace, ms, turns};

/// Takes and releases a lock for ever; counts how often.
async fn busy(count: &Cell<u32>) {
    let lock = Lock::new(());
    loop {
        drop(lock.lock().await);
        count.set(count.get() + 1);
    }
}

async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}

/// How often `count` is counted up in each of the next turns.
async fn in_each_turn(count: &Cell<u32>) -> Vec<u32> {
    let mut counts = Vec::new();
    for _ in 0..4 {
        let before = count.get();
        yield_now().await;
        counts.push(count.get() - before);
    }
    counts
}

#[coro::test]
async fn a_task_that_is_always_ready_suspends_after_128_waits_and_takes_turns() {
    let count = Rc::new(Cell::new(0));
    let task = spawn({
        let count = count.clone();
        async move { busy(&count).await }
    });
    assert_eq!(in_each_turn(&count).await, [128; 4]);
    assert!(task.cancel());
}

#[coro::test]
async fn the_main_future_counts_as_a_task() {
    let lock = Lock::new(());
    let turns = Rc::new(Cell::new(0));
    let counting = spawn({
        let turns = turns.clone();
        async move {
            loop {
                turns.set(turns.get() + 1);
                yield_now().await;
            }
        }
    });
    yield_now().await;
    for _ in 0..128 * 10 {
        drop(lock.lock().await);
    }
    assert!((10..=11).contains(&turns.get()), "{}", turns.get());
    counting.cancel();
}

#[coro::test]
async fn one_that_is_refused_stands_behind_all_that_are_ready_and_goes_on_where_it_was() {
    let trace = Trace::new();
    let busy = |name: &'static str| {
        let trace = trace.clone();
        spawn(async move {
            let lock = Lock::new(());
            for n in 0..200 {
                if n % 128 == 0 {
                    trace.add(format!("{name} {n}"));
                }
                drop(lock.lock().await);
            }
            trace.add(format!("{name} done"));
        })
    };
    let (a, b) = (busy("a"), busy("b"));
    coro::call_soon(trace.adder("callout"));
    let (a, b) = gather((a, b)).await;
    a.and(b).unwrap();
    trace.assert([
        "a 0", "a 128", "b 0", "b 128", "callout", "a done", "b done",
    ]);
}

#[test]
fn the_loop_looks_at_its_timers_after_a_step_that_used_up_its_budget() {
    let mut event_loop = EventLoop::new().unwrap();
    let waits = event_loop.run_until_complete(async {
        let count = Rc::new(Cell::new(0));
        let fired = Rc::new(Cell::new(None));
        let task = spawn({
            let count = count.clone();
            async move { busy(&count).await }
        });
        call_later(Duration::ZERO, {
            let (count, fired) = (count.clone(), fired.clone());
            move || fired.set(Some(count.get()))
        });
        while fired.get().is_none() {
            yield_now().await;
        }
        task.cancel();
        fired.get()
    });
    let waits = waits.unwrap().unwrap();
    assert!(
        waits <= 3 * 128,
        "{waits} waits before a timer that was due"
    );
}

#[coro::test(real)]
async fn a_timeout_ends_what_is_always_ready_and_a_ticker_beside_it_ticks() {
    let (count, ticks) = (Cell::new(0), Rc::new(Cell::new(0)));
    let ticker = spawn({
        let ticks = ticks.clone();
        async move {
            loop {
                sleep(ms(1)).await;
                ticks.set(ticks.get() + 1);
            }
        }
    });
    assert!(timeout(ms(50), busy(&count)).await.is_err());
    assert!(count.get() > 128);
    assert!(ticks.get() > 0);
    ticker.cancel();
}

#[coro::test]
async fn a_group_shares_the_budget_of_its_task_and_each_member_has_its_turn() {
    let counts: Rc<[Cell<u32>; 5]> = Rc::default();
    let task = spawn({
        let counts = counts.clone();
        async move {
            scope(async |s| {
                for count in counts.iter() {
                    s.spawn(busy(count));
                }
            })
            .await
        }
    });
    turns(1).await;
    for _ in 0..10 {
        let before: u32 = counts.iter().map(Cell::get).sum();
        yield_now().await;
        let after: u32 = counts.iter().map(Cell::get).sum();
        assert_eq!(after - before, 128);
    }
    let counted: Vec<u32> = counts.iter().map(Cell::get).collect();
    assert!(counted.iter().all(|&count| count >= 256), "{counted:?}");
    task.cancel();
}

#[coro::test]
async fn members_in_a_fixed_order_are_all_heard_and_together_have_no_more_than_two_budgets() {
    let counts: Rc<[Cell<u32>; 5]> = Rc::default();
    let task = spawn({
        let counts = counts.clone();
        async move {
            let [a, b, c, d, e] = &*counts;
            gather((busy(a), busy(b), busy(c), busy(d), busy(e))).await
        }
    });
    turns(1).await;
    for _ in 0..10 {
        let before: u32 = counts.iter().map(Cell::get).sum();
        yield_now().await;
        let after: u32 = counts.iter().map(Cell::get).sum();
        assert!((128..=256).contains(&(after - before)));
    }
    assert!(counts.iter().all(|count| count.get() >= 8));
    task.cancel();
}

#[coro::test]
async fn what_would_end_a_busy_arm_is_heard_though_it_is_polled_last() {
    let (count, stop) = (Cell::new(0), Event::new());
    let stopped = async {
        stop.wait().await;
        "stopped"
    };
    let busy = async {
        busy(&count).await;
        "never"
    };
    stop.set();
    assert_eq!(race((busy, stopped)).await, "stopped");

    let (count, stop) = (Cell::new(0), Rc::new(Event::new()));
    let later = stop.clone();
    spawn(async move {
        turns(3).await;
        later.set();
    });
    let busy = pin!(busy_for_ever(&count));
    let stopped = pin!(stop.wait());
    assert!(matches!(select(busy, stopped).await, Either::Right(_)));
}

async fn busy_for_ever(count: &Cell<u32>) {
    gather((busy(count), busy(count), busy(count))).await;
}

#[coro::test]
async fn a_loop_over_two_that_are_always_ready_ends_its_step() {
    let count = Rc::new(Cell::new(0));
    let task = spawn({
        let count = count.clone();
        async move {
            let always = || {
                stream::unfold(Lock::new(()), |lock| async {
                    drop(lock.lock().await);
                    Some(((), lock))
                })
            };
            let (mut a, mut b) = (Box::pin(always()), Box::pin(always()));
            loop {
                select(a.next(), b.next()).await;
                count.set(count.get() + 1);
            }
        }
    });
    turns(1).await;
    for waits in in_each_turn(&count).await {
        assert!((128..1024).contains(&waits), "{waits} waits in a turn");
    }
    task.cancel();
}

#[coro::test]
async fn many_streams_in_one_task_are_all_heard() {
    let heard = Rc::new((0..300).map(|_| Cell::new(0)).collect::<Vec<Cell<u32>>>());
    let task = spawn({
        let heard = heard.clone();
        async move {
            let mut all = stream::FuturesUnordered::new();
            all.extend(heard.iter().map(busy));
            all.next().await
        }
    });
    turns(300).await;
    assert!(heard.iter().all(|count| count.get() > 0));
    task.cancel();
}

#[coro::test]
async fn an_executor_inside_of_a_step_goes_on() {
    let count = Cell::new(0);
    futures::executor::block_on(async {
        let lock = Lock::new(());
        for _ in 0..10_000 {
            drop(lock.lock().await);
            count.set(count.get() + 1);
        }
    });
    assert_eq!(count.get(), 10_000);
    let (sender, mut receiver) = channel::bounded(1);
    futures::executor::block_on(gather((
        async {
            for n in 0..5000 {
                sender.send(n).await.unwrap();
            }
        },
        async {
            for n in 0..5000 {
                assert_eq!(receiver.recv().await, Some(n));
            }
        },
    )));
}

#[test]
fn other_executors_and_what_does_not_wait_have_no_budget() {
    let lock = Lock::new(());
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..1000 {
        assert!(pin!(lock.lock()).poll(&mut context).is_ready());
    }
    coro::run(async {
        let queue = Queue::unbounded();
        for n in 0..1000 {
            queue.try_put(n).unwrap();
        }
        assert!((0..1000).all(|n| queue.try_get() == Ok(n)));
        let left = poll_once(pin!(lock.lock())).await.is_ready();
        assert!(left, "nothing was spent");
    });
}

#[coro::test]
async fn a_wait_that_is_refused_has_taken_nothing_and_may_be_dropped() {
    let queue = Queue::unbounded();
    (0..200).for_each(|n| queue.try_put(n).unwrap());
    let got = poll_fn(|cx| {
        let mut got = Vec::new();
        loop {
            match pin!(queue.get()).poll(cx) {
                Poll::Ready(item) => got.push(item.unwrap()),
                Poll::Pending => return Poll::Ready(got),
            }
        }
    });
    assert_eq!(got.await.len(), 128);
    assert_eq!(queue.len(), 200 - 128);
    assert_eq!(
        queue.get().await,
        Ok(128),
        "the step goes on with half of it"
    );
}

#[coro::test]
async fn one_that_is_not_ready_takes_its_place_in_line_though_nothing_is_left() {
    let (free, held) = (Lock::new(()), Rc::new(Lock::new(())));
    let guard = held.clone().lock_owned().await;
    let trace = Trace::new();
    yield_now().await;
    for _ in 0..128 {
        drop(free.lock().await);
    }
    let first = {
        let (held, trace) = (&held, &trace);
        async move {
            let _guard = held.lock().await;
            trace.add("came first");
        }
    };
    let mut first = pin!(first);
    assert!(poll_once(first.as_mut()).await.is_pending());
    let second = spawn({
        let (held, trace) = (held.clone(), trace.clone());
        async move {
            let _guard = held.lock().await;
            trace.add("came second");
        }
    });
    yield_now().await;
    drop(guard);
    gather((first, async { second.await.unwrap() })).await;
    trace.assert(["came first", "came second"]);
}

#[coro::test]
async fn a_wait_that_was_served_keeps_what_it_got_while_it_is_refused() {
    let queue = Rc::new(Queue::unbounded());
    let task = spawn({
        let queue = queue.clone();
        async move {
            let lock = Lock::new(());
            let mut item = pin!(queue.get());
            assert!(poll_once(item.as_mut()).await.is_pending());
            yield_now().await;
            for _ in 0..128 {
                drop(lock.lock().await);
            }
            let refused = poll_once(item.as_mut()).await;
            assert!(refused.is_pending(), "it was served, but is refused");
            assert_eq!(queue.len(), 0);
            item.await
        }
    });
    turns(1).await;
    queue.try_put(3).unwrap();
    assert_eq!(task.await.unwrap(), Ok(3));
}
