//! The work of the subjects: the same futures for all of them.

use std::cell::Cell;
use std::hint::black_box;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Wakes itself once, so that the other tasks run first.
pub(crate) struct Yield(bool);

pub(crate) fn yield_once() -> Yield {
    Yield(false)
}

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0 {
            return Poll::Ready(());
        }
        self.0 = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// The body of a task that yields `times` times.
pub(crate) async fn yield_times(times: u64) {
    for _ in 0..times {
        yield_once().await;
    }
}

/// A channel for one message at a time, between tasks of one thread.
#[derive(Default)]
pub(crate) struct Slot {
    message: Cell<Option<u64>>,
    receiver: Cell<Option<Waker>>,
}

impl Slot {
    pub(crate) fn new() -> Rc<Self> {
        Rc::default()
    }

    /// Stores a message and wakes the receiver that waits for it.
    pub(crate) fn send(&self, message: u64) {
        self.message.set(Some(message));
        if let Some(receiver) = self.receiver.take() {
            receiver.wake();
        }
    }

    pub(crate) async fn receive(&self) -> u64 {
        std::future::poll_fn(|cx| match self.message.take() {
            Some(message) => Poll::Ready(black_box(message)),
            None => {
                self.receiver.set(Some(cx.waker().clone()));
                Poll::Pending
            }
        })
        .await
    }
}

/// Numbers that look random and are the same in every run (SplitMix64).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}
