//! The door: run one coroutine on a loop of its own.

use std::future::{Future, IntoFuture};

use crate::event_loop::EventLoop;

/// Makes a loop, runs `main` on it, and closes the loop. The counterpart of `asyncio.run`.
///
/// When `main` is done, the tasks that are left are cancelled and run to their ends, and the loop
/// is closed; only then is the output returned. The future need not be `Send` or `'static`.
///
/// ```
/// # use coro_core as coro;
/// let words = vec!["a", "b"];
/// let count = coro::run(async {
///     coro::yield_now().await;
///     words.len()
/// });
/// assert_eq!(count, 2);
/// ```
///
/// # Panics
///
/// On a thread that is running a loop already: await the future there. If the operating system
/// gives no poller. If somebody calls [`stop`](crate::LoopHandle::stop), which leaves `main`
/// without an output: stop a loop of your own, run with
/// [`run_until_complete`](EventLoop::run_until_complete), or let `main` return. And with whatever
/// panic `main` ends, after the loop is closed.
#[track_caller]
pub fn run<F: IntoFuture>(main: F) -> F::Output {
    run_on(new_loop(EventLoop::new()), main.into_future())
}

#[track_caller]
pub(crate) fn new_loop(made: std::io::Result<EventLoop>) -> EventLoop {
    made.unwrap_or_else(|error| panic!("the operating system gives no poller for a loop: {error}"))
}

#[track_caller]
pub(crate) fn run_on<F: Future>(mut event_loop: EventLoop, main: F) -> F::Output {
    let output = event_loop.run_until_complete(main);
    event_loop.drain();
    event_loop.close();
    output.unwrap_or_else(|stopped| {
        panic!("{stopped}: let the main future return, or call stop() on a loop of your own")
    })
}
