//! Generators: coroutines that never wait.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::Poll;

use pin_project_lite::pin_project;

use super::slot::{Handle, Machine};
use super::{Coroutine, CoroutineState, Iter, Status, foreign_await};

pin_project! {
    /// What a `#[coro::coroutine(yields = Y, resumes = R)]` function returns: its suspended body.
    #[must_use = "a generator does nothing until it is iterated, resumed or delegated to"]
    pub struct Generator<Y, R, F> {
        #[pin]
        machine: Machine<Y, R, F>,
    }
}

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
    pub fn close(self: Pin<&mut Self>) {
        self.project().machine.clear();
    }
}

impl<Y, R, F: Future> Generator<Y, R, F> {
    /// One step.
    #[inline]
    fn step(mut self: Pin<&mut Self>, mut value: Option<R>) -> CoroutineState<Y, F::Output> {
        match self.as_mut().project().machine.step(None, &mut value) {
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

    /// Resumes with `Err(error)`, so that `yield_!(..)?` raises it inside the body.
    ///
    /// # Panics
    ///
    /// As [`Coroutine::resume`].
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
