//! Coroutines that exchange values with whoever resumes them.
//!
//! A [`Generator`] is written as a function with `#[coro::coroutine(yields = Y)]`; calling the function
//! runs nothing and gives the suspended coroutine. It needs no event loop, no allocation and no `std`,
//! and costs what a state machine written by hand costs.
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
//! # What the words mean
//!
//! What Python's generators mean by them (PEP 255, 342, 380 and 525), with two changes that Rust asks
//! for: an error is a value, and closing is dropping.
//!
//! | Python | here |
//! |---|---|
//! | `next(g)` | [`start`](Coroutine::start), or `resume(())` where nothing is handed in |
//! | `g.send(value)` | [`resume(value)`](Coroutine::resume) |
//! | `g.send` and `g.throw`, when the body catches | `resumes = Result<R, E>`: [`send`](Generator::send), [`throw`](Generator::throw), and `yield_!(..)?` in the body |
//! | `StopIteration(value)` | [`CoroutineState::Complete`] |
//! | `g.close()`, or collecting `g` | [`close`](Generator::close), or dropping it: destructors are the clean-up |
//! | `inspect.getgeneratorstate(g)` | [`status`](Coroutine::status) |
//! | `yield from` | `yield_from!` |
//! | `for x in g` | the same |
//! | `async for x in g` | [`AsyncGenerator`] is a [`Stream`](futures::stream::Stream) |

#[cfg(feature = "alloc")]
mod boxed;
#[cfg(feature = "alloc")]
mod chain;
mod delegate;
mod id;
mod in_place;
mod iter;
mod plain;
mod slot;
mod stream;
mod waiting;

use core::error::Error;
use core::fmt;
use core::ops::DerefMut;
use core::pin::Pin;

#[cfg(feature = "alloc")]
pub use boxed::{BoxAsyncGenerator, BoxGenerator, SendBoxAsyncGenerator, SendBoxGenerator};
pub use delegate::ResumedWith;
#[cfg(feature = "alloc")]
pub use iter::IntoIter;
pub use iter::Iter;
pub use plain::Generator;
pub use waiting::{AsyncCoroutine, AsyncGenerator, Resume};

pub(crate) use delegate::{Awaiting, Items, Reyield, StreamItems};
pub(crate) use in_place::InPlace;
pub(crate) use slot::{Handle, Invariant};

#[cfg(feature = "alloc")]
pub(crate) use chain::{Body, InChain};

/// What a step of a coroutine came to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[must_use = "a step has a result: what was yielded, or what the coroutine returned"]
pub enum CoroutineState<Y, T> {
    /// The coroutine handed out a value and is suspended.
    Yielded(Y),
    /// The coroutine returned, and is finished.
    Complete(T),
}

impl<Y, T> CoroutineState<Y, T> {
    /// What was yielded, if the coroutine is suspended.
    #[inline]
    pub fn yielded(self) -> Option<Y> {
        match self {
            CoroutineState::Yielded(value) => Some(value),
            CoroutineState::Complete(_) => None,
        }
    }

    /// What was returned, if the coroutine is finished.
    #[inline]
    pub fn complete(self) -> Option<T> {
        match self {
            CoroutineState::Yielded(_) => None,
            CoroutineState::Complete(value) => Some(value),
        }
    }
}

/// Where a coroutine stands between two steps.
///
/// Python's `inspect.getgeneratorstate` also knows `GEN_RUNNING`; a coroutine that runs is borrowed
/// exclusively, so nobody can ask it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Status {
    /// Nothing of its body has run.
    NotStarted,
    /// It has run, and will go on when it is resumed.
    Suspended,
    /// It has returned, panicked or been closed.
    Finished,
}

/// A value that a coroutine could not be resumed with, given back.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ResumeError<R> {
    value: R,
    finished: bool,
}

impl<R> ResumeError<R> {
    fn new(value: R, status: Status) -> Self {
        ResumeError {
            value,
            finished: status == Status::Finished,
        }
    }

    /// Whether the coroutine had not been started: it stands before its first yield, where there is
    /// nobody to take a value. It is unchanged, and can be started.
    pub fn is_not_started(&self) -> bool {
        !self.finished
    }

    /// Whether the coroutine had returned, panicked or been closed.
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// The value that was not taken.
    pub fn into_value(self) -> R {
        self.value
    }
}

impl<R> fmt::Debug for ResumeError<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResumeError")
            .field("finished", &self.finished)
            .finish_non_exhaustive()
    }
}

impl<R> fmt::Display for ResumeError<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.finished {
            true => "the coroutine is finished",
            false => "the coroutine has not been started",
        })
    }
}

impl<R> Error for ResumeError<R> {}

/// A computation that suspends itself to exchange values with its caller.
///
/// Made by `#[coro::coroutine(yields = Y, resumes = R)]`; implemented by [`Generator`], by its boxed
/// form, and by references and boxes of coroutines. A coroutine of any type, also one that implements
/// this trait by hand, can be delegated to with `yield_from!`.
///
/// ```
/// use std::pin::pin;
///
/// use coro::CoroutineState::{Complete, Yielded};
/// use coro::{Coroutine, yield_};
///
/// #[coro::coroutine(yields = String, resumes = String)]
/// fn conversation() -> usize {
///     let name = yield_!("What is your name?".to_owned());
///     let colour = yield_!(format!("{name}, what is your favourite colour?"));
///     colour.len()
/// }
///
/// let mut talk = pin!(conversation());
/// assert_eq!(talk.as_mut().start(), Yielded("What is your name?".into()));
/// let question = talk.as_mut().resume("Galahad".into());
/// assert_eq!(question, Yielded("Galahad, what is your favourite colour?".into()));
/// assert_eq!(talk.resume("blue".into()), Complete(4));
/// ```
pub trait Coroutine {
    /// What it hands to whoever resumes it.
    type Yield;
    /// What `yield_!` evaluates to in it.
    type Resume;
    /// What it returns in the end.
    type Return;

    /// Runs the body to its first yield, or to its end: Python's `next` on a fresh generator.
    ///
    /// When `Resume` is `()` this is the same as `resume(())`, also later.
    ///
    /// # Panics
    ///
    /// When the coroutine has been started and `Resume` is not `()`, and when it is finished.
    fn start(self: Pin<&mut Self>) -> CoroutineState<Self::Yield, Self::Return>;

    /// Goes on after the yield at which the coroutine is suspended, which evaluates to `value`: PEP
    /// 342's `send`.
    ///
    /// When `Resume` is `()` this is the same as `start()`.
    ///
    /// # Panics
    ///
    /// When the coroutine has not been started and `Resume` is not `()`, because the value would be
    /// lost; and when it is finished. [`try_resume`](Self::try_resume) gives the value back instead.
    fn resume(
        self: Pin<&mut Self>,
        value: Self::Resume,
    ) -> CoroutineState<Self::Yield, Self::Return>;

    /// Where the coroutine stands.
    fn status(&self) -> Status;

    /// As [`resume`](Self::resume), but gives the value back where that panics. The coroutine is then
    /// unchanged.
    ///
    /// # Errors
    ///
    /// When the coroutine has not been started and `Resume` is not `()`, and when it is finished.
    #[expect(
        clippy::type_complexity,
        reason = "an alias would hide what comes back"
    )]
    fn try_resume(
        self: Pin<&mut Self>,
        value: Self::Resume,
    ) -> Result<CoroutineState<Self::Yield, Self::Return>, ResumeError<Self::Resume>> {
        match self.status() {
            Status::Suspended => Ok(self.resume(value)),
            Status::NotStarted if slot::unit::<Self::Resume>().is_some() => Ok(self.start()),
            status => Err(ResumeError::new(value, status)),
        }
    }

    /// This coroutine with the value that it is to be resumed with next, as an operand of
    /// `yield_from!`.
    ///
    /// `yield_from!` begins with [`start`](Self::start), as in PEP 380. That fits a coroutine that has
    /// been started only when `Resume` is `()`; otherwise the first value has to come along.
    ///
    /// ```
    /// # use std::pin::{Pin, pin};
    /// # use coro::{Coroutine, yield_, yield_from};
    /// # use coro::CoroutineState::{Complete, Yielded};
    /// #[coro::coroutine(yields = u32, resumes = u32, boxed)]
    /// fn sum() -> u32 {
    ///     yield_!(1) + yield_!(2)
    /// }
    ///
    /// #[coro::coroutine(yields = u32, resumes = u32)]
    /// fn finish(sum: coro::BoxGenerator<'_, u32, u32, u32>) -> u32 {
    ///     yield_from!(sum.resumed_with(30))
    /// }
    ///
    /// let mut sum = sum();
    /// assert_eq!(Pin::new(&mut sum).start(), Yielded(1));
    /// let mut finish = pin!(finish(sum));
    /// assert_eq!(finish.as_mut().start(), Yielded(2));
    /// assert_eq!(finish.resume(12), Complete(42));
    /// ```
    fn resumed_with(self, value: Self::Resume) -> ResumedWith<Self>
    where
        Self: Sized + Unpin,
    {
        ResumedWith::new(self, value)
    }
}

impl<C: Coroutine + Unpin + ?Sized> Coroutine for &mut C {
    type Yield = C::Yield;
    type Resume = C::Resume;
    type Return = C::Return;

    #[inline]
    fn start(self: Pin<&mut Self>) -> CoroutineState<C::Yield, C::Return> {
        Pin::new(&mut **self.get_mut()).start()
    }

    #[inline]
    fn resume(self: Pin<&mut Self>, value: C::Resume) -> CoroutineState<C::Yield, C::Return> {
        Pin::new(&mut **self.get_mut()).resume(value)
    }

    #[inline]
    fn status(&self) -> Status {
        (**self).status()
    }
}

impl<P: DerefMut<Target: Coroutine>> Coroutine for Pin<P> {
    type Yield = <P::Target as Coroutine>::Yield;
    type Resume = <P::Target as Coroutine>::Resume;
    type Return = <P::Target as Coroutine>::Return;

    #[inline]
    fn start(self: Pin<&mut Self>) -> CoroutineState<Self::Yield, Self::Return> {
        self.as_deref_mut().start()
    }

    #[inline]
    fn resume(
        self: Pin<&mut Self>,
        value: Self::Resume,
    ) -> CoroutineState<Self::Yield, Self::Return> {
        self.as_deref_mut().resume(value)
    }

    #[inline]
    fn status(&self) -> Status {
        (**self).status()
    }
}

#[cold]
#[inline(never)]
fn wrong_status(status: Status) -> ! {
    panic!(
        "{}",
        match status {
            Status::NotStarted =>
                "a coroutine was resumed with a value before it was started; \
                 call `start` first: before the first yield there is nobody to take a value",
            Status::Suspended =>
                "a coroutine was started again; \
                 call `resume` with the value that its yield is to evaluate to, \
                 or delegate to it with `resumed_with`",
            Status::Finished =>
                "a coroutine was resumed after it had finished; \
                 ask `status` first, or use `try_resume`",
        }
    )
}

#[cold]
#[inline(never)]
fn foreign_await() -> ! {
    panic!(
        "a generator waited for a future; only `#[coro::coroutine(yields = ..)] async fn` may wait: \
         make it an `async fn`, or resolve the future before"
    )
}
