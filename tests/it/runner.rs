//! `Builder::run`: what `run` does, on a loop with settings.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use coro::{EventLoop, LoopHandle, sleep, spawn};

use crate::support::{OnDrop, panic_of};

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn the_settings_are_those_of_the_loop_and_the_output_may_borrow() {
    let (begun, words) = (Instant::now(), vec!["a", "b"]);
    let first = EventLoop::builder().virtual_time().run(async {
        sleep(HOUR).await;
        &words[0]
    });
    assert_eq!(*first, "a");
    assert!(begun.elapsed() < HOUR);
}

#[test]
fn the_tasks_that_are_left_over_are_cancelled_and_the_loop_is_closed() {
    let dropped = Rc::new(Cell::new(false));
    let flag = dropped.clone();
    let handle = EventLoop::builder().virtual_time().run(async move {
        spawn(async move {
            let _drop = OnDrop::new(move || flag.set(true));
            std::future::pending::<()>().await;
        });
        sleep(HOUR).await;
        LoopHandle::current()
    });
    assert!(dropped.get());
    assert!(handle.remote().is_closed());
}

#[test]
fn it_panics_inside_of_a_loop_as_run_does() {
    let text = panic_of(|| coro::run(async { EventLoop::builder().run(async {}) }));
    assert!(
        text.starts_with("cannot run an event loop on a thread that is running one"),
        "{text}"
    );
}
