//! The beginning or end of a run: `stop` keeps work, which the next run takes up.

use std::time::Duration;

use coro::event_loop::Stopped;
use coro::{LoopHandle, call_soon, sleep, yield_now};

use crate::support::{Gate, Trace, ms, turns, virtual_loop};

#[test]
fn stop_before_a_run_lets_it_take_one_turn() {
    let mut event_loop = virtual_loop();
    let handle = event_loop.handle();
    let trace = Trace::new();
    call_in_each_of(&handle, 3, &trace);
    handle.call_later(ms(1), trace.adder("a timer that is not due"));
    handle.call_later(Duration::ZERO, trace.adder("a timer that is due"));
    handle.stop();
    event_loop.run_forever();
    trace.assert_taken(["turn 3", "a timer that is due"]);
    handle.stop();
    assert_eq!(
        event_loop
            .run_until_complete(yield_now())
            .map_err(|stopped| stopped.is_closed()),
        Err(false)
    );
    trace.assert(["turn 2"]);
}

/// Registers a callout in each of the next `left` turns.
fn call_in_each_of(handle: &LoopHandle, left: u32, trace: &Trace) {
    if left > 0 {
        let (again, trace) = (handle.clone(), trace.clone());
        handle.call_soon(move || {
            trace.add(format!("turn {left}"));
            call_in_each_of(&again, left - 1, &trace);
        });
    }
}

#[test]
fn stop_lets_the_turn_end_and_keeps_the_work_that_it_made_ready() {
    let mut event_loop = virtual_loop();
    let handle = event_loop.handle();
    let trace = Trace::new();
    let (stop, inner) = (handle.clone(), trace.adder("made ready"));
    handle.call_soon(move || {
        stop.stop();
        stop.call_soon(inner);
    });
    handle.call_soon(trace.adder("was ready"));
    event_loop.run_forever();
    trace.assert_taken(["was ready"]);
    event_loop.run_until_complete(yield_now()).unwrap();
    trace.assert(["made ready"]);
}

#[test]
fn a_future_whose_run_was_stopped_can_be_run_on() {
    let mut event_loop = virtual_loop();
    let handle = event_loop.handle();
    let mut future = std::pin::pin!(async {
        sleep(Duration::from_secs(3600)).await;
        7
    });
    handle.call_later(ms(1), {
        let handle = handle.clone();
        move || handle.stop()
    });
    let background = handle.spawn(async {
        sleep(ms(2)).await;
        8
    });
    let stopped: Stopped = event_loop.run_until_complete(future.as_mut()).unwrap_err();
    assert_eq!(
        stopped.to_string(),
        "the event loop was stopped before the future completed"
    );
    assert!(!background.is_finished());
    assert_eq!(event_loop.run_until_complete(future.as_mut()), Ok(7));
    assert_eq!(
        event_loop.run_until_complete(background).unwrap().unwrap(),
        8
    );
}

#[test]
fn a_stop_in_the_turn_that_completes_the_run_does_not_reach_the_next_run() {
    let mut event_loop = virtual_loop();
    let stop = || async {
        LoopHandle::current().stop();
        1
    };
    assert_eq!(event_loop.run_until_complete(stop()), Ok(1));
    let two_turns = async {
        turns(2).await;
        2
    };
    assert_eq!(event_loop.run_until_complete(two_turns), Ok(2));
}

#[test]
fn the_turn_that_completes_a_run_is_run_to_its_end() {
    let mut event_loop = virtual_loop();
    let trace = Trace::new();
    let gate = Gate::new();
    let main = async {
        let opener = gate.clone();
        call_soon(move || opener.open());
        let (behind, next) = (trace.adder("behind main"), trace.adder("in the turn after"));
        call_soon(move || {
            call_soon(move || {
                behind();
                call_soon(next);
            });
        });
        gate.clone().await;
        trace.add("main");
    };
    event_loop.run_until_complete(main).unwrap();
    trace.assert_taken(["main", "behind main"]);
    event_loop.run_until_complete(yield_now()).unwrap();
    trace.assert(["in the turn after"]);
}
