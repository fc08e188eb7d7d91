//! Generators: coroutines that never wait.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::Poll;

use super::slot::{Handle, Machine};
use super::{Coroutine, CoroutineState, Iter, Status, foreign_await};

/// What a `#[coro::coroutine(yields = Y, resumes = R)]` function returns: its suspended body.
///
/// A [`Coroutine`]. Where nothing is handed in (`R = ()`) it is iterated: by value in a `for`, when
/// it returns `()`, at the cost of one allocation; or pinned, with [`iter`](Self::iter), without any.
/// `Send` and `Unpin` when the body is, and a body is never `Unpin`; always `Sync`. It is two words
/// larger than the body.
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
/// Dropping it drops the body where it is suspended, innermost locals first, and runs nothing else.
/// When the body panics, the panic goes to whoever resumed it, the locals are dropped, and the
/// generator is finished.
///
/// A generator cannot wait. `yield_from!(future)` in it does not compile; an `.await` that has to
/// suspend drops the body and panics. `#[coro::coroutine(yields = Y)] async fn` gives an
/// [`AsyncGenerator`](super::AsyncGenerator), which waits.
#[must_use = "a generator does nothing until it is iterated, resumed or delegated to"]
pub struct Generator<Y, R, F> {
    pub(super) machine: Machine<Y, R, F>,
}

/// As the compiler would infer it; said here, so that its messages do not recite our fields.
impl<Y, R, F: Unpin> Unpin for Generator<Y, R, F> {}

impl<Y, R, F> Generator<Y, R, F> {
    /// For the attribute, which alone knows that the handle stays in the body.
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

    /// Where the generator stands.
    #[inline]
    pub fn status(&self) -> Status {
        self.machine.stage().status()
    }

    /// Drops the body now, innermost locals first; a body that has not been started never runs.
    ///
    /// Nothing of the body runs but destructors: Python's `close` raises `GeneratorExit` inside, which
    /// a body can catch; here it is the same as dropping the generator where it is. Closing a finished
    /// generator does nothing.
    ///
    /// ```
    /// # use std::pin::pin;
    /// # use coro::{Coroutine, Status, yield_};
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
    /// One step.
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
    /// Iterates over what is yielded, without an allocation and whatever the return type.
    ///
    /// Dropping the iterator leaves the generator where it is; it can be iterated or resumed further.
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
    /// A coroutine that delegates is passed over: the error reaches the innermost one first, which may
    /// catch it, and comes out of each `yield_from!` that does not.
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
    /// As [`Coroutine::resume`]: Python ends a generator at which an error is thrown before it has
    /// started, and raises the error; `try_resume(Err(error))` gives it back.
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
