//! A main future without an output: the loop that polls it need not know its type.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

pin_project! {
    /// Leaves the output of a future in a place of its caller's.
    pub(super) struct MainFuture<'a, F: Future> {
        #[pin]
        future: F,
        output: &'a mut Option<F::Output>,
    }
}

impl<'a, F: Future> MainFuture<'a, F> {
    pub(super) fn new(future: F, output: &'a mut Option<F::Output>) -> Self {
        MainFuture { future, output }
    }
}

impl<F: Future> Future for MainFuture<'_, F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        **this.output = Some(ready!(this.future.poll(cx)));
        Poll::Ready(())
    }
}
