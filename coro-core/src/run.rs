//! `run`, which runs one future on a new loop.

use std::future::{Future, IntoFuture};

use crate::error::Stopped;
use crate::event_loop::{Builder, EventLoop};
#[cfg(feature = "signal")]
use crate::signal::SignalKind;
#[cfg(feature = "signal")]
use crate::signal::interrupt::{self, Interrupt};
use crate::task::{boxed, is_large};

/// Makes a loop, runs `main` on it, and closes the loop. The counterpart of `asyncio.run`.
///
/// When `main` is done, the remaining tasks are cancelled and run to their ends, and the loop is
/// closed. Only then is the output returned. The future need not be `Send` or `'static`.
/// [`Builder::run`] does the same on a loop with other settings.
///
/// ```
/// let words = vec!["a", "b"];
/// let count = coro::run(async {
///     coro::yield_now().await;
///     words.len()
/// });
/// assert_eq!(count, 2);
/// ```
///
/// # Ctrl-C
///
/// On the main thread of a process, a Ctrl-C (`SIGINT`) interrupts the run, as it does in asyncio.
/// At the end of the present turn `main` is dropped, which cancels it. The other tasks are
/// cancelled, the threads are waited for, and the loop is closed. Then the process ends as `SIGINT`
/// would have ended it, so that a shell sees the reason. `run` does not return. A second Ctrl-C
/// ends the process at once.
///
/// A program can handle Ctrl-C itself. While it listens for Ctrl-C, by the module `signal`, the run is
/// not interrupted. The same holds if the process ignored Ctrl-C or had a handler for it before its
/// first `run`; Windows cannot tell, so such a handler is called in addition there. Ctrl-C has its
/// default effect on loops that are made and run without `run`, and in `run` on other threads. On
/// Windows it may take a twentieth of a second until an idle loop is interrupted. Systems other than
/// Linux know the main thread by its name, "main".
///
/// All of this needs the feature `signal`, which is on by default. Without it a Ctrl-C ends the process
/// at once, as the system does it by default.
///
/// # Panics
///
/// - On a thread that runs a loop already: await the future there.
/// - If the operating system gives no poller.
/// - If [`stop`](crate::event_loop::LoopHandle::stop) is called, which leaves `main` without an
///   output: stop a loop of your own, run with
///   [`run_until_complete`](EventLoop::run_until_complete), or let `main` return.
/// - If `main` panics: the panic is resumed after the loop is closed.
#[track_caller]
#[doc(alias("block_on", "asyncio.run"))]
pub fn run<F, T>(main: F) -> T
where
    F: IntoFuture<Output = T>,
{
    // The output is a parameter, as a projection would have the compiler report a wrong argument twice.
    match const { is_large::<F::IntoFuture>() } {
        true => run_future(EventLoop::builder(), boxed(main)),
        false => run_small(EventLoop::builder(), main),
    }
}

#[track_caller]
fn run_small<F: IntoFuture>(settings: Builder, main: F) -> F::Output {
    run_future(settings, main.into_future())
}

impl Builder {
    /// Makes the loop, runs `main` on it, and closes the loop, as [`run`] does; a Ctrl-C interrupts it
    /// in the same way. The counterpart of `asyncio.Runner`, with its settings.
    ///
    /// To run several futures on one loop, [`build`](Self::build) it and use
    /// [`run_until_complete`](EventLoop::run_until_complete).
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let answer = coro::EventLoop::builder()
    ///     .debug(true)
    ///     .join_threads(Duration::from_secs(10))
    ///     .run(async { 6 * 7 });
    /// assert_eq!(answer, 42);
    /// ```
    ///
    /// # Panics
    ///
    /// As [`run`].
    #[track_caller]
    pub fn run<F: IntoFuture>(self, main: F) -> F::Output {
        match const { is_large::<F::IntoFuture>() } {
            true => run_future(self, boxed(main)),
            false => run_small(self, main),
        }
    }
}

#[track_caller]
fn run_future<F: Future>(settings: Builder, main: F) -> F::Output {
    let event_loop = new_loop(settings.build());
    #[cfg(feature = "signal")]
    let interrupt = Interrupt::watch(&event_loop);
    let output = run_to_end(event_loop, main);
    #[cfg(feature = "signal")]
    if interrupt.is_some_and(Interrupt::end) {
        drop(output);
        interrupt::end_process(SignalKind::interrupt());
    }
    output_of(output)
}

#[track_caller]
pub(crate) fn new_loop(made: std::io::Result<EventLoop>) -> EventLoop {
    made.unwrap_or_else(|error| panic!("the operating system gives no poller for a loop: {error}"))
}

#[track_caller]
pub(crate) fn run_on<F: Future>(event_loop: EventLoop, main: F) -> F::Output {
    match const { is_large::<F>() } {
        true => output_of(run_to_end(event_loop, boxed(main))),
        false => output_of(run_to_end(event_loop, main)),
    }
}

#[track_caller]
fn run_to_end<F: Future>(mut event_loop: EventLoop, main: F) -> Result<F::Output, Stopped> {
    let output = event_loop.run_until_complete(main);
    end(event_loop);
    output
}

/// Closes a loop whose main future is done.
#[track_caller]
fn end(mut event_loop: EventLoop) {
    let deadlock = event_loop.take_deadlock();
    event_loop.drain();
    event_loop.close();
    if let Some(tree) = deadlock {
        panic!("no task will ever go on:\n{tree}");
    }
}

#[track_caller]
fn output_of<T>(output: Result<T, Stopped>) -> T {
    output.unwrap_or_else(|stopped| {
        panic!("{stopped}: let the main future return, or call stop() on a loop of your own")
    })
}
