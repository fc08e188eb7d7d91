//! Generators that wait: coroutines that yield, between awaits.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::slot::{Handle, Machine};
use super::{CoroutineState, Status};

/// A computation that exchanges values with its caller and waits in between.
///
/// Made by `#[coro::coroutine(yields = Y, resumes = R)] async fn`; implemented by [`AsyncGenerator`] and
/// by its boxed form.
pub trait AsyncCoroutine {
    /// What it hands to whoever resumes it.
    type Yield;
    /// What `yield_!` evaluates to in it.
    type Resume;
    /// What it returns in the end.
    type Return;

    /// Runs the body until it yields, returns or waits.
    ///
    /// Takes `value` when the body stands at a yield, which evaluates to it, and leaves it alone when
    /// a step is still under way. A body that has not been started is started by `None`. When `Resume`
    /// is `()`, `None` and `Some(())` mean the same.
    ///
    /// # Panics
    ///
    /// When there is a value and the body has not been started, when there is none and the body stands
    /// at a yield, and when the coroutine is finished.
    fn poll_resume(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        value: &mut Option<Self::Resume>,
    ) -> Poll<CoroutineState<Self::Yield, Self::Return>>;

    /// Where the coroutine stands; [`Status::Suspended`] also in the middle of a step.
    fn status(&self) -> Status;
}

pin_project! {
    /// What a `#[coro::coroutine(yields = Y, resumes = R)] async fn` returns: its suspended body.
    #[must_use = "a generator does nothing until it is polled as a stream, resumed or delegated to"]
    pub struct AsyncGenerator<Y, R, F> {
        #[pin]
        machine: Machine<Y, R, F>,
    }
}

impl<Y, R, F> AsyncGenerator<Y, R, F> {
    /// For the attribute, which alone knows that the handle stays in the body.
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

    /// Where the generator stands; [`Status::Suspended`] also in the middle of a step.
    #[inline]
    pub fn status(&self) -> Status {
        self.machine.stage().status()
    }

    /// Drops the body now, innermost locals first; a body that has not been started never runs.
    ///
    /// Nothing of the body runs but destructors. Closing a finished generator does nothing.
    pub fn close(self: Pin<&mut Self>) {
        self.project().machine.clear();
    }
}

impl<Y, R, F: Future> AsyncGenerator<Y, R, F> {
    /// Runs the body to its first yield or to its end, or finishes a step that was dropped half-way.
    pub fn start(self: Pin<&mut Self>) -> Resume<'_, Self> {
        Resume::new(self, None)
    }

    /// Goes on after the yield at which the generator is suspended, which evaluates to `value`.
    ///
    /// Dropping the future leaves the generator in the middle of the step, with the value taken;
    /// finish that step with [`start`](Self::start).
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
        self.project().machine.step(Some(cx.waker()), value)
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

/// A step of an [`AsyncCoroutine`], as a future.
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
        Poll::Ready(ready!(
            this.coroutine.as_mut().poll_resume(cx, &mut this.value)
        ))
    }
}

impl<C: AsyncCoroutine + ?Sized> fmt::Debug for Resume<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resume")
            .field("status", &self.coroutine.status())
            .finish_non_exhaustive()
    }
}
