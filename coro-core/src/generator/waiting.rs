//! Generators that wait: coroutines that yield, between awaits.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::slot::{Handle, Machine, unit};
use super::{CoroutineState, Status};

/// A computation that exchanges values with its caller and waits in between.
///
/// Made by `#[coro::coroutine(yields = Y, resumes = R)] async fn`; implemented by [`AsyncGenerator`] and
/// by its boxed form.
pub trait AsyncCoroutine {
    /// The type that it hands to its caller.
    type Yield;
    /// The type that `yield_!` evaluates to in its body.
    type Resume;
    /// The type that it returns in the end.
    type Return;

    /// Runs the body until it yields, returns or waits.
    ///
    /// If the body is suspended at a yield, `value` is taken, and the yield evaluates to it. While
    /// a step is unfinished, `value` is not touched. A body that has not been started is started by
    /// `None`. If `Resume` is `()`, `None` and `Some(())` mean the same.
    ///
    /// # Panics
    ///
    /// If there is a value and the body has not been started; if there is none and the body is
    /// suspended at a yield; or if the coroutine is finished.
    fn poll_resume(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        value: &mut Option<Self::Resume>,
    ) -> Poll<CoroutineState<Self::Yield, Self::Return>>;

    /// The state of the coroutine; [`Status::Suspended`] also in the middle of a step.
    fn status(&self) -> Status;
}

/// The type that a `#[coro::coroutine(yields = Y, resumes = R)] async fn` returns: its suspended
/// body.
///
/// If it is resumed without values (`R = ()`) and returns `()`, it is a
/// [`Stream`](futures::stream::Stream), under any executor. Otherwise its steps are futures,
/// [`start`](Self::start) and [`resume`](Self::resume). Futures inside the body are polled with the
/// waker of the task that polls the generator.
///
/// ```
/// use coro::{yield_, yield_from};
/// use futures::StreamExt;
///
/// #[coro::coroutine(yields = u32)]
/// async fn squares(mut numbers: futures::channel::mpsc::UnboundedReceiver<u32>) {
///     while let Some(n) = yield_from!(numbers.next()) {
///         yield_!(n * n);
///     }
/// }
///
/// # futures::executor::block_on(async {
/// let (sender, numbers) = futures::channel::mpsc::unbounded();
/// (1..=3).for_each(|n| sender.unbounded_send(n).unwrap());
/// drop(sender);
/// assert_eq!(squares(numbers).collect::<Vec<_>>().await, [1, 4, 9]);
/// # });
/// ```
///
/// Dropping it drops the body at the point where it waits or is suspended, innermost locals first.
/// A panic of the body reaches the caller that polls it, and the generator is finished.
#[must_use = "a generator does nothing until it is polled as a stream, resumed or delegated to"]
#[doc(alias("stream", "async for"))]
pub struct AsyncGenerator<Y, R, F> {
    pub(super) machine: Machine<Y, R, F>,
}

/// As the compiler would infer it. Written out, so that compiler messages do not list private
/// fields.
impl<Y, R, F: Unpin> Unpin for AsyncGenerator<Y, R, F> {}

impl<Y, R, F> AsyncGenerator<Y, R, F> {
    /// For the attribute only: it makes sure that the handle stays in the body.
    #[inline]
    pub(crate) fn new(body: impl FnOnce(Handle<Y, R>) -> F) -> Self {
        AsyncGenerator {
            machine: Machine::new(body),
        }
    }

    #[inline]
    pub(crate) fn into_machine(self) -> Machine<Y, R, F> {
        self.machine
    }

    /// The state of the generator; [`Status::Suspended`] also in the middle of a step.
    #[inline]
    pub fn status(&self) -> Status {
        self.machine.stage().status()
    }

    /// Drops the body now, innermost locals first; a body that has not been started never runs.
    ///
    /// Only destructors of the body run. Closing a finished generator does nothing.
    pub fn close(self: Pin<&mut Self>) {
        self.machine().clear();
    }
}

impl<Y, R, F: Future> AsyncGenerator<Y, R, F> {
    /// Runs the body to its first yield or to its end, or finishes a step whose future was dropped.
    ///
    /// Dropping the future leaves the generator in the middle of the step, which another `start`
    /// finishes: nothing is lost.
    ///
    /// # Panics
    ///
    /// The future panics if the generator is suspended at a yield and `R` is not `()`, or if it is
    /// finished.
    pub fn start(self: Pin<&mut Self>) -> Resume<'_, Self> {
        Resume::new(self, None)
    }

    /// Continues after the yield at which the generator is suspended; that yield evaluates to
    /// `value`.
    ///
    /// Dropping the future leaves the generator in the middle of the step, with the value taken;
    /// finish that step with [`start`](Self::start).
    ///
    /// # Panics
    ///
    /// The future panics if the generator is finished; and, unless `R` is `()`, if the generator
    /// has not been started or is in the middle of a step, because the value would be lost.
    ///
    /// ```
    /// # use std::pin::pin;
    /// # use coro::yield_;
    /// # use coro::CoroutineState::{Complete, Yielded};
    /// #[coro::coroutine(yields = u32, resumes = u32)]
    /// async fn sum_of_two() -> u32 {
    ///     let a = yield_!(1);
    ///     let b = yield_!(2);
    ///     std::future::ready(a + b).await
    /// }
    ///
    /// # futures::executor::block_on(async {
    /// let mut sum = pin!(sum_of_two());
    /// assert_eq!(sum.as_mut().start().await, Yielded(1));
    /// assert_eq!(sum.as_mut().resume(30).await, Yielded(2));
    /// assert_eq!(sum.as_mut().resume(12).await, Complete(42));
    /// # });
    /// ```
    pub fn resume(self: Pin<&mut Self>, value: R) -> Resume<'_, Self> {
        Resume::new(self, Some(value))
    }
}

impl<Y, R, F: Future> AsyncCoroutine for AsyncGenerator<Y, R, F> {
    type Yield = Y;
    type Resume = R;
    type Return = F::Output;

    #[inline]
    fn poll_resume(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        value: &mut Option<R>,
    ) -> Poll<CoroutineState<Y, F::Output>> {
        self.machine().step(Some(cx.waker()), value)
    }

    #[inline]
    fn status(&self) -> Status {
        self.status()
    }
}

impl<Y, R, F> fmt::Debug for AsyncGenerator<Y, R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncGenerator")
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

/// A step of an [`AsyncCoroutine`], as a future: made by [`AsyncGenerator::start`] and
/// [`AsyncGenerator::resume`].
#[must_use = "futures do nothing unless awaited"]
pub struct Resume<'a, C: AsyncCoroutine + ?Sized> {
    coroutine: Pin<&'a mut C>,
    value: Option<C::Resume>,
}

impl<'a, C: AsyncCoroutine + ?Sized> Resume<'a, C> {
    pub(super) fn new(coroutine: Pin<&'a mut C>, value: Option<C::Resume>) -> Self {
        Resume { coroutine, value }
    }
}

impl<C: AsyncCoroutine + ?Sized> Unpin for Resume<'_, C> {}

impl<C: AsyncCoroutine + ?Sized> Future for Resume<'_, C> {
    type Output = CoroutineState<C::Yield, C::Return>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let state = this.coroutine.as_mut().poll_resume(cx, &mut this.value);
        match this.value {
            Some(_) if unit::<C::Resume>().is_none() => in_the_middle_of_a_step(),
            _ => state,
        }
    }
}

#[cold]
#[inline(never)]
fn in_the_middle_of_a_step() -> ! {
    panic!(
        "a coroutine was resumed with a value in the middle of a step: an earlier `resume` was dropped \
         half-way; finish that step with `start`"
    )
}

impl<C: AsyncCoroutine + ?Sized> fmt::Debug for Resume<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resume")
            .field("status", &self.coroutine.status())
            .finish_non_exhaustive()
    }
}
