//! *asyncio, as Rust would have it.* Annotated functions become futures, generators and streams,
//! and an event loop runs them: on stable Rust, on one thread, in one order.
//!
//! # A program that grows
//!
//! A coroutine is a function with an attribute. Calling it runs nothing: it gives a future.
//! [`yield_from!`] waits for another one, and [`run`] makes a loop and runs one to its end.
//!
//! ```
//! use coro::{sleep, yield_from};
//! use std::time::Duration;
//!
//! #[coro::coroutine]
//! fn compute(x: i32, y: i32) -> i32 {
//!     println!("Compute {x} + {y} ...");
//!     yield_from!(sleep(Duration::from_millis(5)));
//!     x + y
//! }
//!
//! #[coro::coroutine]
//! fn print_sum(x: i32, y: i32) {
//!     let sum = yield_from!(compute(x, y));
//!     println!("{x} + {y} = {sum}");
//! }
//!
//! coro::run(print_sum(1, 2));
//! ```
//!
//! Several at once: [`gather`] awaits them together, [`spawn`] makes a [`Task`] that the loop owns
//! and runs beside the one that spawned it. A [`timeout`] bounds either.
//!
//! ```
//! # use coro::{sleep, yield_from};
//! # use std::time::Duration;
//! # #[coro::coroutine]
//! # fn compute(x: i32, y: i32) -> i32 {
//! #     yield_from!(sleep(Duration::from_millis(5)));
//! #     x + y
//! # }
//! #[coro::coroutine]
//! fn both() -> i32 {
//!     let beside = coro::spawn(compute(3, 4));
//!     let (a, b) = yield_from!(coro::gather((compute(1, 2), compute(5, 6))));
//!     let c = yield_from!(coro::timeout(Duration::from_secs(1), beside));
//!     a + b + c.expect("in time").expect("neither cancelled nor panicked")
//! }
//!
//! assert_eq!(coro::run(both()), 21);
//! ```
//!
//! Errors are values: `yield_from!(..)?` passes one on. A panic in a task stays in that task: its
//! [`JoinError`] goes to whoever awaits it, and to the loop's exception handler if nobody does.
//! Cancelling is dropping: destructors are the clean-up, and nothing can refuse.
//!
//! With `yields = T` the function becomes a generator, which needs no loop: an iterator, a stream
//! if it is an `async fn`, or, with `resumes = R`, a coroutine that is sent values.
//!
//! ```
//! use coro::yield_;
//!
//! #[coro::coroutine(yields = u32)]
//! fn squares(up_to: u32) {
//!     for n in 1..=up_to {
//!         yield_!(n * n);
//!     }
//! }
//!
//! assert_eq!(squares(4).into_iter().sum::<u32>(), 30);
//! ```
//!
//! Functions that are called later, without a coroutine, are callouts: [`call_soon`],
//! [`call_later`], [`call_at`]. Sockets are in [`net`], signals in [`signal`]. To keep a loop, stop
//! it, or give it a virtual clock, make an [`EventLoop`]; other threads reach it by a
//! [`RemoteHandle`]. What runs when is written down at [`EventLoop`].
//!
//! # Tests
//!
//! `#[coro::test]` runs a test on a loop with a virtual clock: sleeping takes no time, and always
//! the same course.
//!
//! ```
//! # use std::time::Duration;
//! #[coro::test]
//! async fn an_hour_takes_a_moment() {
//!     coro::sleep(Duration::from_secs(3600)).await;
//! }
//! ```
#![forbid(unsafe_code)]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeIsCompiled;

#[cfg(doctest)]
#[doc = include_str!("../docs/guide.md")]
struct GuideIsCompiled;

pub use coro_core::{
    Builder, CallHandle, Elapsed, ErrorReport, EventLoop, Gather, Interval, JoinError, LoopClosed,
    LoopHandle, Race, RemoteHandle, RemoteTask, ReportKind, Shield, Sleep, Stopped, Task,
    TaskHandle, TaskId, Timeout, TimerHandle, YieldNow, call_at, call_later, call_soon,
    current_task, gather, interval, net, race, run, shield, signal, sleep, sleep_until, spawn,
    timeout, timeout_at, yield_now,
};

pub use coro_core::generator::{
    self, AsyncCoroutine, AsyncGenerator, BoxAsyncGenerator, BoxGenerator, Coroutine,
    CoroutineState, Generator, ResumeError, SendBoxAsyncGenerator, SendBoxGenerator, Status,
};
#[doc(hidden)]
pub use coro_core::macro_support as __private;
pub use coro_core::{yield_, yield_from};
pub use coro_macros::{coroutine, coroutines, main, test};
