//! Coroutines that exchange values with their caller.
//!
//! A [`Generator`] is written as a function with `#[coro::coroutine(yields = Y)]`. Calling the
//! function runs none of its body; it gives the suspended coroutine. A generator needs no event
//! loop, no allocation and no `std`, and is as fast as a hand-written state machine. The boxed
//! kinds are the results of `boxed` functions; they need the feature `alloc`.
//!
//! ```
//! use coro::{yield_, yield_from};
//!
//! #[coro::coroutine(yields = u64)]
//! fn collatz(mut n: u64) {
//!     yield_!(n);
//!     while n != 1 {
//!         n = if n % 2 == 0 { n / 2 } else { 3 * n + 1 };
//!         yield_!(n);
//!     }
//! }
//!
//! #[coro::coroutine(yields = u64)]
//! fn both() {
//!     yield_from!(collatz(6)); // delegates: its yields go to our caller
//!     yield_from!(collatz(5));
//! }
//!
//! assert_eq!(collatz(6).into_iter().max(), Some(16));
//! assert_eq!(both().into_iter().count(), 9 + 6);
//! ```
//!
//! # Terms
//!
//! The terms have the meaning of Python's generators (PEP 255, 342, 380 and 525), with two changes
//! for Rust: an error is a value, and closing is dropping.
//!
//! | Python | here |
//! |---|---|
//! | `next(g)` | [`start`](crate::Coroutine::start), or `resume(())` if `Resume` is `()` |
//! | `g.send(value)` | [`resume(value)`](crate::Coroutine::resume) |
//! | `g.send` and `g.throw`, when the body catches | `resumes = Result<R, E>`: [`send`](crate::Generator::send), [`throw`](crate::Generator::throw), and `yield_!(..)?` in the body |
//! | `StopIteration(value)` | [`CoroutineState::Complete`] |
//! | `g.close()`, or collecting `g` | [`close`](crate::Generator::close), or dropping it: destructors are the clean-up |
//! | `inspect.getgeneratorstate(g)` | [`status`](crate::Coroutine::status) |
//! | `yield from` | `yield_from!` |
//! | `for x in g` | the same |
//! | `async for x in g` | [`AsyncGenerator`] is a `Stream` of the crate `futures` |
//!
//! [`Generator`]: crate::Generator
//! [`AsyncGenerator`]: crate::AsyncGenerator
//! [`CoroutineState::Complete`]: crate::CoroutineState::Complete

pub use coro_core::generator::{
    AsyncCoroutine, Iter, Resume, ResumeError, ResumedWith, Status, TryItems, TryIter,
};
#[cfg(feature = "alloc")]
pub use coro_core::generator::{
    BoxAsyncGenerator, BoxGenerator, IntoIter, SendBoxAsyncGenerator, SendBoxGenerator,
};
