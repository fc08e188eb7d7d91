//! `Attempting`: a future that can fail, with the judgement of its result.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

/// The judgement of a member's result, for the group that it belongs to.
pub(super) trait Judge<E> {
    /// The value, if the member's task ends with one.
    fn judge<T>(&self, result: Result<T, E>) -> Option<T>;
}

pin_project! {
    /// Gives the value of a future that succeeds; never ends if the judgement withholds it.
    ///
    /// An async block would keep the future twice, as captured and as awaited.
    pub(super) struct Attempting<F, A> {
        #[pin]
        future: Option<F>,
        attempt: Option<A>,
    }
}

impl<F, A> Attempting<F, A> {
    pub(super) fn new(future: F, attempt: A) -> Self {
        Attempting {
            future: Some(future),
            attempt: Some(attempt),
        }
    }
}

impl<F, A, T, E> Future for Attempting<F, A>
where
    F: Future<Output = Result<T, E>>,
    A: Judge<E>,
{
    type Output = T;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            return Poll::Pending;
        };
        let result = ready!(future.poll(cx));
        this.future.set(None);
        let value = this
            .attempt
            .as_ref()
            .and_then(|attempt| attempt.judge(result));
        match value {
            Some(value) => {
                drop(this.attempt.take());
                Poll::Ready(value)
            }
            None => Poll::Pending,
        }
    }
}
