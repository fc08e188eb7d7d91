//! Delegation to a coroutine of ours that is known by its type: its body is polled where it is.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::slot::{Handle, Machine};

pin_project! {
    /// The body of a child, polled under the slot of its parent.
    pub struct InPlace<Y, R, F> {
        #[pin]
        body: F,
        child: Handle<Y, R>,
        parent: Handle<Y, R>,
    }
}

impl<Y, R, F> InPlace<Y, R, F> {
    #[inline]
    pub(crate) fn new(machine: Machine<Y, R, F>, parent: Handle<Y, R>) -> Self {
        let (body, child) = machine.into_body();
        InPlace {
            body,
            child,
            parent,
        }
    }
}

impl<Y, R, F: Future> Future for InPlace<Y, R, F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let slot = this.parent.slot(cx);
        slot.lend_to(this.child);
        let polled = this.body.poll(cx);
        slot.lend_to(this.parent);
        polled
    }
}
