//! Clocks, timers, `timeout`, `interval`, callouts with a delay.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::future::{pending, poll_fn, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use coro::event_loop::{TimerHandle, call_at};
use coro::time::{sleep_until, timeout_at};
use coro::{
    Elapsed, EventLoop, LoopHandle, call_later, interval, sleep, spawn, timeout, yield_now,
};
use futures::StreamExt;

use crate::support::{Drops, Gate, Pending, Processor, Trace, Wakes, ms, turns, virtual_loop};

fn now() -> Instant {
    LoopHandle::current().time()
}

fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 3600)
}

// ---- the virtual clock ----

#[test]
fn a_thousand_virtual_hours_take_a_moment() {
    let begun = Instant::now();
    let mut event_loop = virtual_loop();
    let passed = event_loop.run_until_complete(async {
        let before = now();
        for _ in 0..1000 {
            sleep(hours(1)).await;
        }
        now() - before
    });
    assert_eq!(passed, Ok(hours(1000)));
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[coro::test]
async fn virtual_time_stands_still_while_anything_is_ready() {
    let before = now();
    std::thread::sleep(ms(3));
    turns(200).await;
    assert_eq!(now(), before);
    let busy = spawn(turns(50));
    sleep(ms(1)).await;
    assert!(
        busy.is_finished(),
        "nothing was left to run when the time jumped"
    );
    assert_eq!(now() - before, ms(1));
}

#[coro::test]
async fn virtual_time_jumps_from_deadline_to_deadline() {
    let begun = now();
    let seen = Rc::new(RefCell::new(Vec::new()));
    for millis in [50, 10, 30] {
        let seen = seen.clone();
        call_later(ms(millis), move || seen.borrow_mut().push(now() - begun));
    }
    sleep(ms(60)).await;
    assert_eq!(*seen.borrow(), [ms(10), ms(30), ms(50)]);
}

#[coro::test]
async fn virtual_time_flows_really_while_a_descriptor_is_waited_for() {
    let listener = coro::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let accepts = spawn(async move { drop(listener.accept().await) });
    turns(2).await;
    let (real, before) = (Instant::now(), now());
    sleep(ms(10)).await;
    assert!(real.elapsed() >= ms(9), "it took {:?}", real.elapsed());
    assert!(now() - before >= ms(10));
    accepts.cancel();
    let _ = accepts.await;
    let real = Instant::now();
    sleep(hours(1)).await;
    assert!(
        real.elapsed() < Duration::from_secs(10),
        "nobody waits any more"
    );
}

#[coro::test]
async fn a_descriptor_without_a_waiter_does_not_hold_the_virtual_clock() {
    let _listener = coro::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let real = Instant::now();
    sleep(hours(1)).await;
    assert!(real.elapsed() < Duration::from_secs(10));
}

#[test]
fn virtual_time_goes_on_where_the_last_run_left_it() {
    let mut event_loop = virtual_loop();
    let handle = event_loop.handle();
    let begun = handle.time();
    event_loop.run_until_complete(sleep(hours(1))).unwrap();
    assert_eq!(handle.time() - begun, hours(1));
    event_loop
        .run_until_complete(sleep_until(begun + hours(3)))
        .unwrap();
    assert_eq!(handle.time() - begun, hours(3));
}

// ---- sleep ----

#[coro::test]
async fn a_sleep_counts_from_its_first_poll_and_is_ready_ever_after() {
    let mut late = Box::pin(sleep(ms(10)));
    sleep(ms(100)).await;
    let begun = now();
    late.as_mut().await;
    assert_eq!(now() - begun, ms(10));
    late.await;
    assert_eq!(now() - begun, ms(10));
}

#[coro::test]
async fn a_sleep_of_zero_or_into_the_past_lets_all_that_is_ready_run_first() {
    let past = now();
    sleep(ms(5)).await;
    for kind in [true, false] {
        let trace = Trace::new();
        for event in ["a", "b"] {
            coro::call_soon(trace.adder(event));
        }
        if kind {
            sleep(Duration::ZERO).await;
        } else {
            sleep_until(past).await;
        }
        trace.assert(["a", "b"]);
    }
    assert_eq!(now() - past, ms(5));
}

#[coro::test]
async fn a_deadline_too_far_to_be_represented_never_comes() {
    let trace = Trace::new();
    let never = [
        spawn(sleep(Duration::MAX)),
        spawn(async { timeout(Duration::MAX, pending()).await.unwrap() }),
        spawn(async {
            let mut ticks = interval(Duration::MAX);
            ticks.tick().await;
            ticks.tick().await;
        }),
        spawn(sleep(Duration::from_nanos(u64::MAX) + ms(1))),
    ];
    let timer = call_later(Duration::MAX, trace.adder("called"));
    assert!(timer.when() > now() + hours(24 * 365));
    sleep(hours(24 * 365 * 100)).await;
    assert!(never.iter().all(|task| !task.is_finished()));
    trace.assert([]);
    timer.cancel();
    assert!(timer.is_cancelled());
}

#[coro::test]
async fn a_sleep_wakes_the_waker_of_its_latest_poll_only() {
    let mut slept = Box::pin(sleep(ms(5)));
    let (first, first_waker) = Wakes::new();
    let (second, second_waker) = Wakes::new();
    for waker in [&first_waker, &second_waker, &second_waker] {
        assert!(
            slept
                .as_mut()
                .poll(&mut Context::from_waker(waker))
                .is_pending()
        );
    }
    sleep(ms(6)).await;
    assert_eq!((first.count(), second.count()), (0, 1));
    assert!(
        slept
            .as_mut()
            .poll(&mut Context::from_waker(&first_waker))
            .is_ready()
    );
}

#[coro::test]
async fn a_dropped_sleep_wakes_no_task_and_lets_go_of_its_waker() {
    let (wakes, waker) = Wakes::new();
    let mut slept = Box::pin(sleep(ms(5)));
    assert!(
        slept
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    drop(waker);
    drop(slept);
    assert_eq!(std::sync::Arc::strong_count(&wakes), 1);
    sleep(ms(6)).await;
    assert_eq!(wakes.count(), 0);
}

#[coro::test]
async fn a_timer_can_be_dropped_and_begun_anew_by_the_waker_that_it_wakes() {
    let count = Rc::new(Cell::new(0));
    let mut slept = Some(Box::pin(sleep(ms(1))));
    let counted = count.clone();
    poll_fn(move |cx| {
        while let Some(now) = &mut slept {
            if now.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            counted.set(counted.get() + 1);
            slept = (counted.get() < 5).then(|| Box::pin(sleep(ms(1))));
        }
        Poll::Ready(())
    })
    .await;
    assert_eq!(count.get(), 5);
}

// ---- timeout ----

#[coro::test]
async fn a_timeout_ends_at_its_deadline_and_drops_its_future_with_itself() {
    let (begun, drops) = (now(), Drops::default());
    let counted = drops.counted();
    let late = timeout(ms(10), async move {
        let _counted = counted;
        pending::<()>().await;
    });
    assert_eq!(late.await, Err(Elapsed));
    assert_eq!((now() - begun, drops.count()), (ms(10), 1));
    assert_eq!(
        timeout_at(begun + ms(30), pending::<()>()).await,
        Err(Elapsed)
    );
    assert_eq!(now() - begun, ms(30));
    let error: std::io::Error = Elapsed.into();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    assert_eq!(Elapsed.to_string(), "the deadline has passed");
}

#[coro::test]
async fn a_timeout_of_zero_polls_once_before_and_once_after_all_that_is_ready() {
    let polls = Rc::new(Cell::new(0));
    assert_eq!(
        timeout(Duration::ZERO, Pending(polls.clone())).await,
        Err(Elapsed)
    );
    assert_eq!(polls.get(), 2);
    assert_eq!(timeout(Duration::ZERO, yield_now()).await, Ok(()));
    assert_eq!(timeout(Duration::ZERO, ready(5)).await, Ok(5));
    let past = now();
    sleep(ms(1)).await;
    assert_eq!(timeout_at(past, yield_now()).await, Ok(()));
    assert_eq!(timeout_at(past, pending::<()>()).await, Err(Elapsed));
}

#[coro::test]
async fn a_future_that_a_timeout_bounds_by_reference_can_go_on() {
    let mut gate = Gate::new();
    let opener = gate.clone();
    call_later(ms(15), move || opener.open());
    assert!(timeout(ms(10), &mut gate).await.is_err());
    assert!(timeout(ms(10), &mut gate).await.is_ok());
}

#[coro::test]
async fn of_nested_timeouts_the_earlier_one_ends() {
    let outer = timeout(ms(20), timeout(ms(10), pending::<()>()));
    assert_eq!(outer.await, Ok(Err(Elapsed)));
    let begun = now();
    let outer = timeout(ms(10), timeout(ms(20), pending::<()>()));
    assert_eq!(outer.await, Err(Elapsed));
    assert_eq!(now() - begun, ms(10));
}

// ---- interval ----

#[coro::test]
async fn an_interval_ticks_at_once_and_then_in_step() {
    let begun = now();
    let mut ticks = interval(ms(10));
    assert_eq!(ticks.period(), ms(10));
    assert_eq!(ticks.tick().await, begun);
    for n in 1..=3 {
        assert_eq!(ticks.tick().await, begun + ms(10) * n);
        assert_eq!(now(), begun + ms(10) * n);
    }
    sleep(ms(25)).await; // to 55: the tick of 40 is late, 50 is missed
    assert_eq!(ticks.tick().await, begun + ms(40));
    assert_eq!(now(), begun + ms(55));
    assert_eq!(ticks.tick().await, begun + ms(60));
}

#[coro::test]
async fn a_dropped_tick_is_not_lost_and_an_interval_is_a_stream() {
    let begun = now();
    let mut ticks = interval(ms(10));
    ticks.tick().await;
    assert!(timeout(ms(4), ticks.tick()).await.is_err());
    assert_eq!(ticks.tick().await, begun + ms(10));
    let more: Vec<_> = ticks.take(2).collect().await;
    assert_eq!(more, [begun + ms(20), begun + ms(30)]);
}

// ---- callouts ----

#[coro::test]
async fn a_timer_handle_tells_when_and_cancels_at_once() {
    let begun = now();
    let drops = Drops::default();
    let counted = drops.counted();
    let timer = call_later(ms(10), move || drop(counted));
    assert_eq!(timer.when(), begun + ms(10));
    assert_eq!(call_at(begun + ms(20), || ()).when(), begun + ms(20));
    timer.cancel();
    timer.cancel();
    assert!(timer.is_cancelled());
    assert_eq!(drops.count(), 1);
    let fired = call_later(ms(1), || ());
    sleep(ms(2)).await;
    fired.cancel();
    assert!(!fired.is_cancelled());
}

// ---- against a model ----

struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

enum Armed {
    Call(TimerHandle),
    Sleep(Pin<Box<coro::time::Sleep>>),
}

/// The armed timers, in the order in which they must fire.
type Model = BTreeSet<(u64, usize)>;

/// A waker that records the number of its timer.
struct Notes {
    number: usize,
    fired: std::sync::Arc<std::sync::Mutex<Vec<usize>>>,
}

impl std::task::Wake for Notes {
    fn wake(self: std::sync::Arc<Self>) {
        self.fired.lock().unwrap().push(self.number);
    }
}

/// Arms, cancels, re-polls timers at random, lets time pass, then compares the fired timers.
async fn agree_with_the_model(seed: u64) {
    let mut random = Random(seed);
    let fired = std::sync::Arc::<std::sync::Mutex<Vec<usize>>>::default();
    let calls = Rc::new(RefCell::new(Vec::new()));
    let (mut sleeps, mut callouts): (Model, Model) = Default::default();
    let mut armed = Vec::new();
    let begun = now();
    let waker_of = |number| {
        let fired = fired.clone();
        Waker::from(std::sync::Arc::new(Notes { number, fired }))
    };
    for number in 0..2000 {
        let delay = random.below(40);
        let deadline = (now() - begun).as_millis() as u64 + delay;
        if random.below(2) == 0 {
            let calls = calls.clone();
            let call = move || calls.borrow_mut().push(number);
            armed.push((number, deadline, Armed::Call(call_later(ms(delay), call))));
            callouts.insert((deadline, number));
        } else {
            let mut slept = Box::pin(sleep_until(begun + ms(deadline)));
            // The waker of an earlier poll must not be woken.
            for waker in [waker_of(usize::MAX), waker_of(number)] {
                assert!(
                    slept
                        .as_mut()
                        .poll(&mut Context::from_waker(&waker))
                        .is_pending()
                );
            }
            armed.push((number, deadline, Armed::Sleep(slept)));
            sleeps.insert((deadline, number));
        }
        if random.below(3) == 0 {
            let at = random.below(armed.len() as u64) as usize;
            let (number, deadline, victim) = armed.swap_remove(at);
            match victim {
                Armed::Call(timer) => {
                    timer.cancel();
                    assert_eq!(timer.is_cancelled(), callouts.remove(&(deadline, number)));
                }
                Armed::Sleep(mut slept) => {
                    let mut context = Context::from_waker(Waker::noop());
                    let over = slept.as_mut().poll(&mut context).is_ready();
                    assert_eq!(over, !sleeps.remove(&(deadline, number)));
                }
            }
        }
        if random.below(10) == 0 {
            sleep(ms(random.below(30))).await;
            let passed = (now() - begun).as_millis() as u64;
            assert_eq!(
                std::mem::take(&mut *fired.lock().unwrap()),
                due(&mut sleeps, passed)
            );
            assert_eq!(calls.take(), due(&mut callouts, passed));
        }
    }
}

fn due(model: &mut Model, now: u64) -> Vec<usize> {
    let later = model.split_off(&(now + 1, 0));
    let due = std::mem::replace(model, later);
    due.into_iter().map(|(_, number)| number).collect()
}

#[coro::test]
async fn random_timers_created_cancelled_and_polled_again_agree_with_a_sorted_set() {
    for seed in [1, 0x9E37_79B9, 0xDEAD_BEEF, 42, 7_777_777] {
        agree_with_the_model(seed).await;
    }
}

// ---- the real clock ----

#[coro::test(real)]
async fn nothing_fires_early_under_the_real_clock() {
    let handle = LoopHandle::current();
    for nanos in [0, 1, 999, 50_000, 999_999, 1_000_000, 1_500_001] {
        let delay = Duration::from_nanos(nanos);
        let begun = Instant::now();
        sleep(delay).await;
        assert!(begun.elapsed() >= delay);
        let deadline = Instant::now() + delay;
        sleep_until(deadline).await;
        assert!(Instant::now() >= deadline && handle.time() >= deadline);
        let begun = Instant::now();
        assert!(timeout(delay, pending::<()>()).await.is_err());
        assert!(begun.elapsed() >= delay);
        let called = Rc::new(Cell::new(None));
        let (slot, begun) = (called.clone(), Instant::now());
        handle.call_later(delay, move || slot.set(Some(Instant::now())));
        while called.get().is_none() {
            yield_now().await;
        }
        assert!(called.get().unwrap() - begun >= delay);
    }
}

#[coro::test(real)]
async fn a_sleep_counts_from_the_end_of_the_step_that_began_it_and_never_less() {
    let begun = Rc::new(Cell::new(None));
    let noted = begun.clone();
    let task = spawn(async move {
        noted.set(Some(Instant::now()));
        sleep(ms(2)).await;
    });
    task.await.unwrap();
    assert!(begun.get().unwrap().elapsed() >= ms(2));
}

#[coro::test(real)]
async fn a_loop_that_sleeps_uses_no_time_of_the_processor() {
    let processor = Processor::of_this_thread();
    let before = processor.used();
    sleep(ms(100)).await;
    assert!(processor.used() - before <= ms(20));
}

#[test]
fn the_time_of_a_loop_never_goes_back() {
    for event_loop in [EventLoop::new().unwrap(), virtual_loop()] {
        let mut event_loop = event_loop;
        let handle = event_loop.handle();
        let mut last = handle.time();
        for _ in 0..100 {
            event_loop
                .run_until_complete(sleep(Duration::from_micros(10)))
                .unwrap();
            assert!(handle.time() >= last);
            last = handle.time();
        }
    }
}
