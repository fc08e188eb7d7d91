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
//! # Which kind
//!
//! | | plain | `boxed` | `async fn` | `boxed`, `async fn` |
//! |---|---|---|---|---|
//! | type | [`Generator`] | [`BoxGenerator`] | [`AsyncGenerator`] | [`BoxAsyncGenerator`] |
//! | may wait | no | no | yes | yes |
//! | `for x in g` | yes | yes | no: `while let Some(x) = g.next().await` | the same |
//! | adaptors, such as `map` | after `.into_iter()` | at once | at once, by `StreamExt` | the same |
//! | returned as `impl Iterator`, or as `impl Stream` | after `.into_iter()` | at once | at once | at once |
//! | one item at a time | pinned: `pin!(g)`, then `g.as_mut().next()` | `g.next()` | pinned, `g.next().await` | `g.next().await` |
//! | can be moved after its start | no, unless pinned in a box | yes | no, unless pinned in a box | yes |
//! | kept in a struct, named in a signature | as a type parameter, or as `Pin<Box<..>>` | `BoxGenerator<'a, Y>` | as a type parameter | `BoxAsyncGenerator<'a, Y>` |
//! | recursive; in a trait that is used as `dyn` | no | yes | no | yes |
//! | allocates | only `into_iter` and `try_iter` | once for each call | never | once for each call |
//! | without `std` | yes | with the feature `alloc` | yes | with `alloc` |
//!
//! A plain generator is no `Iterator` itself: its body may borrow from itself, so it must not move once
//! it has started, and `Iterator::next` takes a reference that allows moving. `into_iter` pins it in a
//! box; `iter` iterates over one that is pinned already.
//!
//! A generator that **returns a value** has no `into_iter`, so that the value is not lost unseen: use
//! [`iter_boxed`](crate::Generator::iter_boxed) and `into_return`. If the value is a `Result<(), E>`,
//! [`try_iter`](crate::Generator::try_iter) gives each item as `Ok`, and the error as the last one; on
//! an async generator that is [`try_stream`](crate::AsyncGenerator::try_stream). So `?` can be used in
//! the body.
//!
//! [`generator!`](crate::generator!) makes any of the four of a block.
//!
//! ```
//! use coro::generator::BoxGenerator;
//! use coro::yield_;
//!
//! struct Ids {
//!     next: BoxGenerator<'static, u64>,
//! }
//!
//! impl Ids {
//!     fn new() -> Ids {
//!         Ids {
//!             next: coro::generator!(yields = u64, boxed, move {
//!                 for id in 1.. {
//!                     yield_!(id);
//!                 }
//!             }),
//!         }
//!     }
//! }
//!
//! let mut ids = Ids::new();
//! assert_eq!((ids.next.next(), ids.next.next()), (Some(1), Some(2)));
//! ```
//!
//! # If the compiler says ..
//!
//! - "`Generator<..>` is not an iterator": call `.into_iter()`; if it returns a value, `.iter_boxed()`
//!   or `.try_iter()`.
//! - "no method named `next` found", with the help "consider pinning": `let mut g = pin!(g);`, then
//!   `g.as_mut().next()`; or `let mut g = g.into_iter();`.
//! - "`Generator<..>` is not a future", of `spawn` or `run`: a generator is iterated or resumed. Only
//!   an `async fn` without `yields`, or a coroutine without it, is a future.
//! - "cannot use the `?` operator in an async block that returns `()`": let the function return
//!   `Result<(), E>`, and iterate over it with `try_iter`.
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
