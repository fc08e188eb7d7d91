//! `MaybeDone`: a future that is pinned in its place, then its output, then nothing.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

pin_project! {
    /// A member of a tuple that is awaited together with others.
    #[project = MaybeDoneProjected]
    #[project_replace = MaybeDoneOwned]
    pub(super) enum MaybeDone<F, T> {
        Running { #[pin] future: F },
        Done { output: T },
        Gone,
    }
}

impl<F, T> MaybeDone<F, T> {
    #[inline(always)]
    pub(super) fn new(future: F) -> Self {
        MaybeDone::Running { future }
    }

    /// The output, if the future is done; from then on it is gone.
    #[inline(always)]
    pub(super) fn take_output(mut self: Pin<&mut Self>) -> Option<T> {
        match self.as_mut().project() {
            MaybeDoneProjected::Done { .. } => {}
            _ => return None,
        }
        match self.project_replace(MaybeDone::Gone) {
            MaybeDoneOwned::Done { output } => Some(output),
            _ => None,
        }
    }
}

impl<F: Future> MaybeDone<F, F::Output> {
    /// Ready once the output is there, or was taken.
    #[inline(always)]
    pub(super) fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let MaybeDoneProjected::Running { future } = self.as_mut().project() {
            let output = ready!(future.poll(cx));
            self.set(MaybeDone::Done { output });
        }
        Poll::Ready(())
    }
}

impl<T, E, F: Future<Output = Result<T, E>>> MaybeDone<F, T> {
    /// Ready once the value is there, or was taken, or with the error; then the future is gone.
    #[inline(always)]
    pub(super) fn try_poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), E>> {
        let MaybeDoneProjected::Running { future } = self.as_mut().project() else {
            return Poll::Ready(Ok(()));
        };
        let (next, told) = match ready!(future.poll(cx)) {
            Ok(output) => (MaybeDone::Done { output }, Ok(())),
            Err(error) => (MaybeDone::Gone, Err(error)),
        };
        self.set(next);
        Poll::Ready(told)
    }
}
