//! *asyncio, as Rust would have it.* Annotated functions become futures, generators or streams, run
//! by an event loop: on stable Rust, on one thread, in a documented order.
//!
//! # A program that grows
//!
//! A coroutine is a function with an attribute. Calling it runs none of its body: it gives a
//! future. [`yield_from!`] waits for another future, and [`run`] makes a loop and runs one future
//! to its end.
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
//! To do several things at once, [`gather`] awaits futures together. [`spawn`] makes a [`Task`],
//! which the loop owns and runs beside the task that spawned it. [`timeout`] limits the time of
//! either.
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
//! [`JoinError`] goes to the task that awaits it, or to the loop's exception handler if none does.
//! Cancelling a task drops its future: destructors are the clean-up, and the future cannot refuse.
//!
//! With `yields = T` the function becomes a generator, which needs no loop: `into_iter` makes it an
//! iterator, an `async fn` is a stream, and with `resumes = R` it receives values.
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
//! In the midst of a function [`generator!`] does the same with a block, which may use what is around it.
//!
//! Functions that the loop calls later, without a coroutine, are callouts: [`call_soon`], [`call_later`],
//! [`call_at`](event_loop::call_at).
//!
//! # What there is
//!
//! | to | use |
//! |---|---|
//! | start | [`run`], [`#[coro::main]`](macro@main), [`#[coro::test]`](macro@test); [`EventLoop`] to keep a loop, stop it, or give it a virtual clock |
//! | write a coroutine | [`#[coro::coroutine]`](macro@coroutine) with [`yield_from!`], or any `async fn`; [`#[coro::coroutines]`](macro@coroutines) for many |
//! | write a generator or a stream | `yields = T` with [`yield_!`]; [`generator!`] for a block; the module [`mod@generator`], the types [`Generator`], [`AsyncGenerator`] |
//! | begin a task, await it, cancel it | [`spawn`], [`Task`], [`JoinError`]; the module [`task`] |
//! | wait for time | [`sleep`], [`timeout`], [`interval`], [`yield_now`]; the module [`time`] for deadlines |
//! | do several things at once | [`gather`], [`try_gather`], [`race`]; the module [`group`] for `as_completed`, `map_concurrent`, `retry`, `shield` .. |
//! | let tasks borrow, or end together | [`scope`], [`try_scope`], [`TaskGroup`], [`CancelToken`] |
//! | share between tasks | the module [`sync`]: `Lock`, `Event`, `Semaphore`, `Queue`; its channels [`channel`](sync::channel), [`oneshot`](sync::oneshot), [`watch`](sync::watch), [`broadcast`](sync::broadcast); [`TaskLocal`] |
//! | reach the network | the module [`net`]: [`open_connection`](net::open_connection), [`start_server`](net::start_server), protocols |
#![cfg_attr(feature = "tls", doc = "| the same by TLS | the module [`net::tls`] |")]
//! | read, write, stream | the module [`io`]: `AsyncReadExt`, `AsyncWriteExt`, `StreamExt`, `BufReader` .. |
//! | run programs; hear signals | the modules `process` and `signal` |
//! | use all cores; serve one port by all; split state by keys | the module [`cores`]: [`Builder`](cores::Builder), [`SharedPort`](cores::SharedPort), [`Sharded`](cores::Sharded) |
//! | call functions that block; reach a loop from other threads | the module [`threads`]; [`RemoteHandle`](event_loop::RemoteHandle), [`sync::remote`] with [`channel`](sync::remote::channel) and [`oneshot`](sync::remote::oneshot) |
//! | have the loop call functions | [`call_soon`], [`call_later`], [`LoopHandle`]; the module [`mod@event_loop`], which documents the order in which things run |
//!
//! # Tests
//!
//! `#[coro::test]` runs a test on a loop with a virtual clock: sleeping takes no time, and the test
//! runs the same way each time.
//!
//! ```
//! # use std::time::Duration;
//! #[coro::test]
//! async fn a_sleep_of_an_hour_returns_at_once() {
//!     coro::sleep(Duration::from_secs(3600)).await;
//! }
//! ```
//!
//! [`testing`] has, with the feature `simulation`, simulations, in which the order of everything comes from a seed and a failure is
//! repeated and shrunk, and tools that cancel an operation at each of its suspensions.
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

// Pages of documentation only: no program pays for them. `tests/pages.rs` runs their examples.
#[cfg(all(
    doc,
    not(doctest),
    feature = "net",
    feature = "process",
    feature = "simulation"
))]
pub mod guide;

#[cfg(feature = "std")]
pub use coro_core::error::{Elapsed, JoinError};
#[cfg(feature = "std")]
pub use coro_core::event_loop::{EventLoop, LoopHandle, call_later, call_soon, spawn};
pub use coro_core::generator::{AsyncGenerator, Coroutine, CoroutineState, Generator};
#[cfg(feature = "std")]
pub use coro_core::group::{CancelToken, TaskGroup, gather, race, scope, try_gather, try_scope};
#[cfg(feature = "std")]
pub use coro_core::run;
#[cfg(feature = "std")]
pub use coro_core::task::{Task, TaskLocal};
#[cfg(feature = "std")]
pub use coro_core::time::{interval, sleep, timeout, yield_now};
#[cfg(feature = "std")]
pub use coro_core::{compat, cores, sight, sync, threads};

#[cfg(feature = "signal")]
pub use coro_core::signal;

#[cfg(feature = "net")]
pub use coro_core::net;

#[cfg(all(unix, feature = "process"))]
pub use coro_core::process;

#[cfg(feature = "std")]
pub mod event_loop;

#[cfg(feature = "net")]
pub mod io;

pub mod generator;

#[cfg(feature = "std")]
pub mod group;

#[cfg(feature = "std")]
pub mod task;

#[cfg(feature = "testing")]
pub mod testing;

#[cfg(feature = "std")]
pub mod time;

#[doc(hidden)]
pub use coro_core::macro_support as __private;

#[doc(inline)]
pub use coro_core::yield_from;

#[doc(inline)]
pub use coro_core::yield_;

#[doc(inline)]
pub use coro_macros::coroutine;

#[doc(inline)]
pub use coro_macros::generator;

#[doc(inline)]
pub use coro_macros::coroutines;

#[cfg(feature = "std")]
#[doc(inline)]
pub use coro_macros::main;

#[cfg(feature = "testing")]
#[doc(inline)]
pub use coro_macros::test;
