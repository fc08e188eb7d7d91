//! Generators: coroutines that never wait.

#[cfg(feature = "alloc")]
use alloc::boxed::Box;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::Poll;

#[cfg(feature = "alloc")]
use super::IntoIter;
use super::slot::{Handle, Machine};
use super::{Coroutine, CoroutineState, Iter, Status, foreign_await};

/// The type that a `#[coro::coroutine(yields = Y, resumes = R)]` function returns: its suspended
/// body.
///
/// It is a [`Coroutine`]. If it is resumed without values (`R = ()`), it can be iterated: by value
/// in a `for`, if it returns `()`, at the cost of one allocation; or pinned, with
/// [`iter`](Self::iter), without allocating. `Send` if the body is. Never `Unpin`, as its body
/// never is. Always `Sync`. It is two words larger than the body.
///
/// A body can borrow from itself across a yield, and from its arguments:
///
/// ```
/// # use coro::yield_;
/// #[coro::coroutine(yields = &'a str)]
/// fn words<'a>(text: &'a str) {
///     for line in text.lines() {
///         for word in line.split(' ') {
///             yield_!(word);
///         }
///     }
/// }
///
/// assert!(words("so much\ndepends upon").into_iter().eq(["so", "much", "depends", "upon"]));
/// ```
///
/// Dropping it drops the body at the point where it is suspended, innermost locals first, and runs
/// no other code of the body. If the body panics, its locals are dropped, the generator is
/// finished, and the panic reaches the caller that resumed it.
///
/// A generator cannot wait. `yield_from!(future)` in it does not compile; an `.await` that would
/// have to suspend drops the body and panics. `#[coro::coroutine(yields = Y)] async fn` gives an
/// [`AsyncGenerator`](super::AsyncGenerator), which can wait.
#[must_use = "a generator does nothing until it is iterated, resumed or delegated to"]
pub struct Generator<Y, R, F> {
    pub(super) machine: Machine<Y, R, F>,
}

/// As the compiler would infer it. Written out, so that compiler messages do not list private
/// fields.
impl<Y, R, F: Unpin> Unpin for Generator<Y, R, F> {}

impl<Y, R, F> Generator<Y, R, F> {
    /// For the attribute only: it makes sure that the handle stays in the body.
    #[inline]
    pub(crate) fn new(body: impl FnOnce(Handle<Y, R>) -> F) -> Self {
        Generator {
            machine: Machine::new(body),
        }
    }

    #[inline]
    pub(crate) fn into_machine(self) -> Machine<Y, R, F> {
        self.machine
    }

    /// The state of the generator.
    #[inline]
    pub fn status(&self) -> Status {
        self.machine.stage().status()
    }

    /// Drops the body now, innermost locals first; a body that has not been started never runs.
    ///
    /// Only destructors of the body run. Python's `close` raises `GeneratorExit` inside, which a
    /// body can catch; here closing is the same as dropping the generator in place. Closing a
    /// finished generator does nothing.
    ///
    /// ```
    /// # use std::pin::pin;
    /// # use coro::generator::Status;
    /// # use coro::{Coroutine, yield_};
    /// #[coro::coroutine(yields = usize)]
    /// fn sizes(names: Vec<String>) {
    ///     for name in &names {
    ///         yield_!(name.len());
    ///     }
    /// }
    ///
    /// let mut sizes = pin!(sizes(vec!["a".into(), "bc".into()]));
    /// assert_eq!(sizes.as_mut().iter().next(), Some(1));
    /// sizes.as_mut().close(); // frees the names
    /// assert_eq!(sizes.status(), Status::Finished);
    /// assert_eq!(sizes.iter().next(), None);
    /// ```
    pub fn close(self: Pin<&mut Self>) {
        self.machine().clear();
    }
}

impl<Y, R, F: Future> Generator<Y, R, F> {
    /// Runs one step.
    #[inline]
    fn step(mut self: Pin<&mut Self>, mut value: Option<R>) -> CoroutineState<Y, F::Output> {
        match self.as_mut().machine().step(None, &mut value) {
            Poll::Ready(state) => state,
            Poll::Pending => {
                self.close();
                foreign_await()
            }
        }
    }
}

impl<Y, F: Future> Generator<Y, (), F> {
    /// Iterates over the yielded values, without an allocation and for any return type.
    ///
    /// Dropping the iterator leaves the generator suspended; it can be iterated or resumed further.
    ///
    /// ```
    /// # use std::pin::pin;
    /// # use coro::yield_;
    /// #[coro::coroutine(yields = u32)]
    /// fn digits(mut n: u32) -> usize {
    ///     let mut len = 0;
    ///     while n > 0 {
    ///         yield_!(n % 10);
    ///         (n, len) = (n / 10, len + 1);
    ///     }
    ///     len
    /// }
    ///
    /// let mut digits = pin!(digits(2026));
    /// let mut iter = digits.as_mut().iter();
    /// assert_eq!(iter.by_ref().sum::<u32>(), 10);
    /// assert_eq!(iter.into_return(), Some(4));
    /// ```
    #[inline]
    pub fn iter(self: Pin<&mut Self>) -> Iter<'_, Self> {
        Iter::new(self)
    }
}

impl<Y, F: Future<Output = ()>> Generator<Y, (), F> {
    /// The next value that is yielded, or `None` at the end and ever after: Python's `next`.
    ///
    /// The generator has to be pinned, because its body may borrow from itself.
    ///
    /// ```
    /// # use std::pin::pin;
    /// # use coro::yield_;
    /// #[coro::coroutine(yields = u32)]
    /// fn numbers() {
    ///     yield_!(1);
    ///     yield_!(2);
    /// }
    ///
    /// let mut numbers = pin!(numbers());
    /// assert_eq!(numbers.as_mut().next(), Some(1));
    /// assert_eq!(numbers.as_mut().next(), Some(2));
    /// assert_eq!(numbers.as_mut().next(), None);
    /// ```
    #[inline]
    pub fn next(self: Pin<&mut Self>) -> Option<Y> {
        self.iter().next()
    }
}

#[cfg(feature = "alloc")]
impl<Y, F: Future> Generator<Y, (), F> {
    /// Iterates over the yielded values, with one allocation and for any return type.
    #[inline]
    pub fn iter_boxed(self) -> IntoIter<Self> {
        IntoIter::new(Box::pin(self))
    }
}

#[cfg(feature = "alloc")]
impl<Y, F: Future<Output = ()>> IntoIterator for Generator<Y, (), F> {
    type Item = Y;
    type IntoIter = IntoIter<Self>;

    /// Costs one allocation, because a coroutine must not move once it has been started;
    /// [`Generator::iter`] needs none.
    #[inline]
    fn into_iter(self) -> IntoIter<Self> {
        self.iter_boxed()
    }
}

impl<Y, R, E, F: Future> Generator<Y, Result<R, E>, F> {
    /// Resumes with `Ok(value)`.
    ///
    /// # Panics
    ///
    /// As [`Coroutine::resume`].
    #[inline]
    pub fn send(self: Pin<&mut Self>, value: R) -> CoroutineState<Y, F::Output> {
        self.resume(Ok(value))
    }

    /// Resumes with `Err(error)`, so that `yield_!(..)?` raises it inside the body: PEP 342's `throw`.
    ///
    /// If coroutines delegate, the error reaches the innermost one first. That one may catch it;
    /// otherwise the error comes out of the `yield_from!` in the next outer one, and so on.
    ///
    /// ```
    /// # use std::pin::pin;
    /// # use coro::{Coroutine, yield_};
    /// # use coro::CoroutineState::{Complete, Yielded};
    /// #[coro::coroutine(yields = u32, resumes = Result<u32, String>)]
    /// fn total() -> Result<u32, String> {
    ///     let mut sum = 0;
    ///     while sum < 100 {
    ///         sum += yield_!(sum)?;
    ///     }
    ///     Ok(sum)
    /// }
    ///
    /// let mut total = pin!(total());
    /// assert_eq!(total.as_mut().start(), Yielded(0));
    /// assert_eq!(total.as_mut().send(30), Yielded(30));
    /// assert_eq!(total.throw("no more".into()), Complete(Err("no more".into())));
    /// ```
    ///
    /// # Panics
    ///
    /// As [`Coroutine::resume`]. Python raises an error that is thrown before a generator has
    /// started, and ends the generator; here `try_resume(Err(error))` gives the error back.
    #[inline]
    pub fn throw(self: Pin<&mut Self>, error: E) -> CoroutineState<Y, F::Output> {
        self.resume(Err(error))
    }
}

impl<Y, R, F: Future> Coroutine for Generator<Y, R, F> {
    type Yield = Y;
    type Resume = R;
    type Return = F::Output;

    #[inline]
    fn start(self: Pin<&mut Self>) -> CoroutineState<Y, F::Output> {
        self.step(None)
    }

    #[inline]
    fn resume(self: Pin<&mut Self>, value: R) -> CoroutineState<Y, F::Output> {
        self.step(Some(value))
    }

    #[inline]
    fn status(&self) -> Status {
        self.status()
    }
}

impl<Y, R, F> fmt::Debug for Generator<Y, R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generator")
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}
