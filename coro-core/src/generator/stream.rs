//! Async generators as streams.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures_core::stream::{FusedStream, Stream};

use super::{AsyncCoroutine, AsyncGenerator, CoroutineState, Status};

impl<Y, F: Future<Output = ()>> Stream for AsyncGenerator<Y, (), F> {
    type Item = Y;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Y>> {
        poll_next(self, cx)
    }
}

impl<Y, F: Future<Output = ()>> FusedStream for AsyncGenerator<Y, (), F> {
    fn is_terminated(&self) -> bool {
        self.status() == Status::Finished
    }
}

#[inline]
pub(super) fn poll_next<C: AsyncCoroutine<Resume = (), Return = ()>>(
    coroutine: Pin<&mut C>,
    cx: &mut Context<'_>,
) -> Poll<Option<C::Yield>> {
    if coroutine.status() == Status::Finished {
        return Poll::Ready(None);
    }
    Poll::Ready(match ready!(coroutine.poll_resume(cx, &mut Some(()))) {
        CoroutineState::Yielded(value) => Some(value),
        CoroutineState::Complete(()) => None,
    })
}
