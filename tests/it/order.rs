//! The order in which the loop runs tasks, callouts, timers.

use std::cell::{Cell, RefCell};
use std::future::ready;
use std::io::Write;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use coro::event_loop::call_at;
use coro::{EventLoop, LoopHandle, call_later, call_soon, sleep, spawn, yield_now};
use futures::AsyncReadExt;

use crate::support::{Gate, OnDrop, Trace, ms, turns, virtual_loop};

#[coro::test]
async fn tasks_begin_in_the_next_turn_in_creation_order() {
    let trace = Trace::new();
    for name in ["a", "b", "c"] {
        let trace = trace.clone();
        spawn(async move { trace.add(name) });
    }
    trace.add("main");
    yield_now().await;
    trace.assert(["main", "a", "b", "c"]);
}

#[test]
fn a_turn_runs_exactly_the_queue_it_found_at_its_beginning() {
    let mut event_loop = virtual_loop();
    let handle = event_loop.handle();
    let trace = Trace::new();
    for name in ["a", "b"] {
        let (trace, handle) = (trace.clone(), handle.clone());
        event_loop.handle().call_soon(move || {
            trace.add(name);
            handle.call_soon(trace.adder("called from a step"));
            let spawned = trace.adder("spawned from a step");
            handle.spawn(async { spawned() });
        });
    }
    handle.stop();
    event_loop.run_forever();
    trace.assert_taken(["a", "b"]);
    handle.stop();
    event_loop.run_forever();
    let (called, spawned) = ("called from a step", "spawned from a step");
    trace.assert([called, spawned, called, spawned]);
}

#[coro::test]
async fn tasks_that_yield_take_turns() {
    let trace = Trace::new();
    let task = |names: [&'static str; 3]| {
        let trace = trace.clone();
        spawn(async move {
            for name in names {
                trace.add(name);
                yield_now().await;
            }
        })
    };
    let tasks = [
        task(["a0", "a1", "a2"]),
        task(["b0", "b1", "b2"]),
        task(["c0", "c1", "c2"]),
    ];
    for task in tasks {
        task.await.unwrap();
    }
    trace.assert(["a0", "b0", "c0", "a1", "b1", "c1", "a2", "b2", "c2"]);
}

#[coro::test]
async fn timers_fire_by_deadline_and_equal_ones_in_creation_order() {
    let trace = Trace::new();
    let now = LoopHandle::current().time();
    call_later(ms(20), trace.adder("20 first"));
    call_later(ms(10), trace.adder("10 first"));
    call_at(now + ms(20), trace.adder("20 second"));
    let slept = trace.adder("10 second, slept");
    spawn(async move {
        sleep(ms(10)).await;
        slept();
    });
    yield_now().await; // the task's first step arms the sleep
    call_at(now + ms(10), trace.adder("10 third"));
    call_later(Duration::ZERO, trace.adder("at once"));
    call_at(now, trace.adder("at once too"));
    sleep(ms(30)).await;
    trace.assert([
        "at once",
        "at once too",
        "10 first",
        "10 second, slept",
        "10 third",
        "20 first",
        "20 second",
    ]);
}

#[coro::test]
async fn deadlines_in_the_past_fire_in_the_order_of_the_deadlines() {
    let trace = Trace::new();
    sleep(ms(10)).await;
    let now = LoopHandle::current().time();
    call_later(Duration::ZERO, trace.adder("now"));
    call_at(now - ms(1), trace.adder("a millisecond ago"));
    call_at(now - ms(5), trace.adder("five ago"));
    turns(2).await;
    trace.assert(["five ago", "a millisecond ago", "now"]);
}

#[coro::test(real)]
async fn a_loop_that_is_late_runs_all_that_is_overdue_in_one_turn_by_deadline() {
    let trace = Trace::new();
    call_later(ms(3), trace.adder("3"));
    call_later(ms(1), {
        let trace = trace.clone();
        move || {
            trace.add("1");
            call_soon(trace.adder("called by 1"));
        }
    });
    call_later(ms(2), trace.adder("2"));
    thread::sleep(ms(5));
    sleep(ms(1)).await;
    turns(2).await;
    trace.assert(["1", "2", "3", "called by 1"]);
}

#[coro::test(real)]
async fn a_loop_that_is_late_for_many_timers_takes_steps_between_them() {
    let fired = Rc::new(RefCell::new(Vec::new()));
    let begun = Instant::now();
    for number in 0..1000 {
        let fired = fired.clone();
        // The later a timer is made, the earlier it is due.
        let deadline = begun + Duration::from_nanos(1_000_000 - number);
        call_at(deadline, move || fired.borrow_mut().push(number));
    }
    thread::sleep(ms(2));
    let mut most = 0;
    while fired.borrow().len() < 1000 {
        let before = fired.borrow().len();
        yield_now().await;
        most = most.max(fired.borrow().len() - before);
    }
    assert!(
        most <= 128,
        "{most} timers fired between two steps of this task"
    );
    assert!(fired.borrow().iter().rev().copied().eq(0..1000));
}

#[coro::test]
async fn under_a_virtual_clock_all_timers_of_an_instant_fire_in_one_turn() {
    let fired = Rc::new(Cell::new(0));
    for _ in 0..1000 {
        let fired = fired.clone();
        call_later(ms(1), move || fired.set(fired.get() + 1));
    }
    let first = fired.clone();
    call_later(ms(1), move || {
        assert_eq!(first.get(), 1000);
        call_soon(move || first.set(0));
    });
    call_later(ms(1), {
        let fired = fired.clone();
        move || assert_eq!(fired.get(), 1000, "the callout has the next turn")
    });
    sleep(ms(1)).await;
    turns(2).await;
    assert_eq!(fired.get(), 0);
}

/// Both ends of a connection; the second belongs to the present loop.
fn connection() -> (std::net::TcpStream, coro::net::TcpStream) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let near = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let far = listener.accept().unwrap().0;
    (near, coro::net::TcpStream::from_std(far).unwrap())
}

#[coro::test(real)]
async fn other_threads_then_descriptors_then_timers_join_the_end_of_the_queue() {
    let trace = Trace::new();
    let (mut near, mut far) = connection();
    let read = trace.adder("descriptor");
    let reader = spawn(async move {
        far.read_exact(&mut [0]).await.unwrap();
        read();
    });
    sleep(ms(2)).await; // now the reader waits, and the first events are handled
    let remote = LoopHandle::current().remote();
    let reached = Rc::new(Cell::new(false));
    call_at(Instant::now(), trace.adder("timer"));
    near.write_all(b"x").unwrap();
    thread::sleep(ms(1));
    let cell = SendTrace::of(&trace);
    thread::spawn(move || remote.call_soon(move || cell.add("thread")).unwrap())
        .join()
        .unwrap();
    call_soon(trace.adder("ready before"));
    let last = reached.clone();
    call_soon(move || last.set(true));
    while trace.len() < 4 {
        yield_now().await;
    }
    assert!(reached.get());
    trace.assert(["ready before", "thread", "descriptor", "timer"]);
    reader.await.unwrap();
}

/// Lets a closure from another thread add to the trace of the thread that calls it.
struct SendTrace;

thread_local! {
    static SENT: RefCell<Option<Trace>> = const { RefCell::new(None) };
}

impl SendTrace {
    fn of(trace: &Trace) -> Self {
        SENT.set(Some(trace.clone()));
        SendTrace
    }

    fn add(&self, event: &str) {
        SENT.with_borrow(|trace| trace.as_ref().unwrap().add(event));
    }
}

#[coro::test(real)]
async fn an_always_ready_task_keeps_a_due_timer_waiting_for_64_steps_at_most() {
    let fired = Rc::new(Cell::new(false));
    for _ in 0..10 {
        fired.set(false);
        let at_once = fired.clone();
        call_at(Instant::now(), move || at_once.set(true));
        let mut steps = 0;
        while !fired.get() {
            yield_now().await;
            steps += 1;
        }
        assert!(steps <= 66, "it took {steps} steps");
    }
}

#[coro::test(real)]
async fn the_loop_looks_in_the_middle_of_a_long_turn() {
    let trace = Trace::new();
    let cell = SendTrace::of(&trace);
    let remote = LoopHandle::current().remote();
    call_soon(move || drop(remote.call_soon(move || cell.add("looked for")).unwrap()));
    for _ in 0..100 {
        call_soon(|| ());
    }
    let late = trace.adder("called after");
    call_soon(move || drop(call_soon(late)));
    turns(3).await;
    trace.assert(["looked for", "called after"]);
}

#[coro::test]
async fn a_callout_can_be_cancelled_up_to_the_moment_of_its_call() {
    let trace = Trace::new();
    let victim = Rc::new(Cell::new(None));
    call_soon({
        let (trace, victim) = (trace.clone(), victim.clone());
        move || {
            let victim: coro::event_loop::CallHandle = victim.take().unwrap();
            trace.add("cancels");
            victim.cancel();
            victim.cancel();
            assert!(victim.is_cancelled());
            trace.add("cancelled");
        }
    });
    let captured = trace.on_drop("closure dropped");
    let never = trace.adder("called");
    victim.set(Some(call_soon(move || {
        let _captured = captured;
        never();
    })));
    let called = call_soon(trace.adder("next"));
    turns(2).await;
    called.cancel();
    assert!(!called.is_cancelled(), "too late");
    trace.assert(["cancels", "closure dropped", "cancelled", "next"]);
}

#[coro::test]
async fn a_timer_that_is_due_already_can_still_be_cancelled() {
    let trace = Trace::new();
    let second = Rc::new(Cell::new(None::<coro::event_loop::TimerHandle>));
    let cancels = second.clone();
    call_later(ms(1), move || cancels.take().unwrap().cancel());
    let captured = trace.on_drop("closure dropped");
    let never = trace.adder("called");
    second.set(Some(call_later(ms(1), move || {
        let _captured = captured;
        never();
    })));
    sleep(ms(2)).await;
    trace.assert(["closure dropped"]);
}

#[coro::test]
async fn dropping_the_handle_of_a_callout_does_not_cancel_it() {
    let trace = Trace::new();
    drop(call_soon(trace.adder("soon")));
    drop(call_later(ms(1), trace.adder("later")));
    drop(call_at(
        LoopHandle::current().time() + ms(2),
        trace.adder("at"),
    ));
    sleep(ms(3)).await;
    trace.assert(["soon", "later", "at"]);
}

#[coro::test]
async fn an_eager_task_is_polled_before_spawn_eager_returns() {
    let trace = Trace::new();
    let handle = LoopHandle::current();
    let (first, second) = (trace.adder("first step"), trace.adder("second step"));
    let task = handle.spawn_eager(async move {
        first();
        yield_now().await;
        second();
    });
    trace.add("spawned");
    let done = handle.spawn_eager(ready(7));
    assert!(done.is_finished() && !task.is_finished());
    assert_eq!(done.await.unwrap(), 7);
    task.await.unwrap();
    trace.assert(["first step", "spawned", "second step"]);
}

#[coro::test]
async fn awaiting_a_finished_task_or_ready_futures_does_not_suspend() {
    let task = spawn(ready(1));
    yield_now().await;
    assert!(task.is_finished());
    let others = Rc::new(Cell::new(0));
    let count = others.clone();
    call_soon(move || count.set(1));
    assert_eq!(task.await.unwrap(), 1);
    coro::gather((ready(1), ready(2))).await;
    coro::timeout(ms(1), ready(1)).await.unwrap();
    assert_eq!(others.get(), 0, "nobody else ran meanwhile");
}

#[coro::test]
async fn a_joiner_runs_one_turn_after_the_task_is_done() {
    let trace = Trace::new();
    let task = spawn({
        let trace = trace.clone();
        async move {
            yield_now().await;
            trace.add("done");
            call_soon(trace.adder("called before the joiner was woken"));
        }
    });
    task.await.unwrap();
    trace.add("joined");
    trace.assert(["done", "called before the joiner was woken", "joined"]);
}

#[coro::test]
async fn a_value_wins_over_a_timeout_of_the_same_turn() {
    let gate = Gate::new();
    let opener = gate.clone();
    call_later(ms(5), move || opener.open());
    assert_eq!(coro::timeout(ms(5), gate).await, Ok(()));

    let same_instant = coro::timeout(ms(5), async {
        sleep(ms(5)).await;
        9
    });
    assert_eq!(same_instant.await, Ok(9));
}

#[coro::test]
async fn a_cancelled_task_is_not_polled_again_though_it_was_woken_before_or_after() {
    for woken_first in [true, false] {
        let gate = Gate::new();
        let task = spawn(gate.clone());
        yield_now().await;
        if woken_first {
            gate.open();
            assert!(task.cancel());
        } else {
            assert!(task.cancel());
            gate.open();
        }
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(gate.polls(), 1);
    }
}

#[coro::test]
async fn callouts_tasks_and_timers_share_one_queue() {
    let trace = Trace::new();
    call_soon(trace.adder("soon 1"));
    let step = trace.adder("task 1");
    spawn(async { step() });
    call_soon(trace.adder("soon 2"));
    call_later(Duration::ZERO, trace.adder("timer"));
    let step = trace.adder("task 2");
    spawn(async { step() });
    turns(2).await;
    trace.assert(["soon 1", "task 1", "soon 2", "task 2", "timer"]);
}

#[test]
fn a_wake_during_the_poll_polls_once_more_in_the_next_turn() {
    let mut event_loop = EventLoop::new().unwrap();
    let polls = Rc::new(Cell::new(0));
    let counted = polls.clone();
    let task = event_loop
        .handle()
        .spawn(futures::future::poll_fn(move |cx| {
            counted.set(counted.get() + 1);
            for _ in 0..5 {
                cx.waker().wake_by_ref();
            }
            if counted.get() == 3 {
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        }));
    for expected in 1..=3 {
        event_loop.handle().stop();
        event_loop.run_forever();
        assert_eq!(polls.get(), expected);
    }
    assert!(task.is_finished());
}

#[coro::test]
async fn many_wakes_before_a_turn_make_one_poll() {
    let gate = Gate::new();
    let _task = spawn(gate.clone());
    yield_now().await;
    for _ in 0..100 {
        gate.wake();
    }
    turns(3).await;
    assert_eq!(gate.polls(), 2);
}

#[coro::test]
async fn requests_of_a_destructor_in_a_running_loop_are_met() {
    let trace = Trace::new();
    let called = trace.adder("called");
    let guard = OnDrop::new(move || drop(call_soon(called)));
    let task = spawn(async move {
        let _guard = guard;
        std::future::pending::<()>().await;
    });
    yield_now().await;
    task.cancel();
    turns(3).await;
    trace.assert(["called"]);
}
