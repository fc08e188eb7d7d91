//! Coroutines that exchange values with their caller.
//!
//! The facade's module `generator` explains the terms to users.

#[cfg(feature = "alloc")]
mod boxed;
#[cfg(feature = "alloc")]
mod chain;
mod delegate;
mod id;
mod in_place;
mod iter;
mod place;
mod plain;
mod results;
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
pub use place::{InBody, Loose};
pub use plain::Generator;
pub use results::{TryItems, TryIter};
pub use waiting::{AsyncCoroutine, AsyncGenerator, Resume};

pub(crate) use delegate::{Awaiting, Items, Reyield, StreamItems};
pub(crate) use in_place::InPlace;
pub(crate) use place::{Delegation, Position};
pub(crate) use slot::{Handle, Invariant};

#[cfg(feature = "alloc")]
pub(crate) use chain::{Body, InChain};

/// The outcome of one step of a coroutine.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[must_use = "a step has a result: the value that the coroutine yielded or returned"]
#[doc(alias = "StopIteration")]
pub enum CoroutineState<Y, T> {
    /// The coroutine handed out a value and is suspended.
    Yielded(Y),
    /// The coroutine returned, and is finished.
    Complete(T),
}

impl<Y, T> CoroutineState<Y, T> {
    /// The value that was yielded, if the coroutine is suspended.
    #[inline]
    pub fn yielded(self) -> Option<Y> {
        match self {
            CoroutineState::Yielded(value) => Some(value),
            CoroutineState::Complete(_) => None,
        }
    }

    /// The value that was returned, if the coroutine is finished.
    #[inline]
    pub fn complete(self) -> Option<T> {
        match self {
            CoroutineState::Yielded(_) => None,
            CoroutineState::Complete(value) => Some(value),
        }
    }
}

/// The state of a coroutine between two steps.
///
/// Python's `inspect.getgeneratorstate` also has `GEN_RUNNING`. Here a running coroutine is
/// borrowed exclusively, so its status cannot be asked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Status {
    /// None of its body has run.
    NotStarted,
    /// It has run, and continues when it is resumed.
    Suspended,
    /// It has returned, panicked or been closed.
    Finished,
}

/// A value with which a coroutine could not be resumed, given back.
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

    /// Whether the coroutine had not been started: before its first yield it cannot take a value.
    /// It is unchanged, and can be started.
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
/// Made by `#[coro::coroutine(yields = Y, resumes = R)]`; implemented by [`Generator`], by its
/// boxed form, and by references and boxes of coroutines. A coroutine of any type, even one with a
/// hand-written implementation of this trait, can be delegated to with `yield_from!`.
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
    /// The type that it hands to its caller.
    type Yield;
    /// The type that `yield_!` evaluates to in its body.
    type Resume;
    /// The type that it returns in the end.
    type Return;

    /// Runs the body to its first yield, or to its end: Python's `next` on a new generator.
    ///
    /// If `Resume` is `()` this is always the same as `resume(())`.
    ///
    /// # Panics
    ///
    /// If the coroutine has been started and `Resume` is not `()`, or if it is finished.
    fn start(self: Pin<&mut Self>) -> CoroutineState<Self::Yield, Self::Return>;

    /// Continues after the yield at which the coroutine is suspended; that yield evaluates to
    /// `value`. PEP 342's `send`.
    ///
    /// If `Resume` is `()` this is the same as `start()`.
    ///
    /// # Panics
    ///
    /// If the coroutine has not been started and `Resume` is not `()`, because the value would be
    /// lost; or if it is finished. [`try_resume`](Self::try_resume) gives the value back instead.
    fn resume(
        self: Pin<&mut Self>,
        value: Self::Resume,
    ) -> CoroutineState<Self::Yield, Self::Return>;

    /// The state of the coroutine.
    fn status(&self) -> Status;

    /// As [`resume`](Self::resume), but gives the value back instead of panicking. The coroutine is
    /// then unchanged.
    ///
    /// # Errors
    ///
    /// If the coroutine has not been started and `Resume` is not `()`, or if it is finished.
    #[expect(
        clippy::type_complexity,
        reason = "an alias would hide the value that comes back"
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

    /// Pairs this coroutine with the value that it is to be resumed with next, as an operand of
    /// `yield_from!`.
    ///
    /// `yield_from!` begins with [`start`](Self::start), as in PEP 380. A coroutine that has been
    /// started accepts that only if `Resume` is `()`; otherwise the first value has to be given
    /// along.
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
    /// fn finish(sum: coro::generator::BoxGenerator<'_, u32, u32, u32>) -> u32 {
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
                 call `start` first: before the first yield the body cannot take a value",
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
