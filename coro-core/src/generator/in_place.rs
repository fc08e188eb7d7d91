//! Delegation to a coroutine of ours that is known by its type: its body is polled where it is.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::place::{Delegation, Position};
use super::slot::{Handle, Machine, Slot};

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

impl<Y, R, F: Future> Delegation for InPlace<Y, R, F> {
    type Output = F::Output;

    #[inline]
    fn poll_at<P: Position>(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let slot = this.parent.slot(cx);
        slot.lend_to(this.child);
        let polled = match P::IS_IN_BODY {
            true => this.body.poll(cx),
            false => without_chain(slot, || this.body.poll(cx)),
        };
        slot.lend_to(this.parent);
        polled
    }
}

/// Polls a body that may be dropped or forgotten at any time: it adds no child to the chain around it.
#[inline]
fn without_chain<Y, R, T>(_slot: &Slot<'_, Y, R>, poll: impl FnOnce() -> T) -> T {
    #[cfg(feature = "alloc")]
    let around = _slot.chain.take();
    let polled = poll();
    #[cfg(feature = "alloc")]
    _slot.chain.set(around);
    polled
}
