//! Boxes for large futures, closures and outputs, made where these come in.
//!
//! Without optimisation, each function that passes a value on copies it to its own stack, so a future
//! of a quarter of a mebibyte needs several times that. Each public function that takes a future asks
//! [`is_large`] in a `const` block, and boxes a large future as its first act. The block counts: the
//! compiler then makes no code, and no room on the stack, for the other case. `Box::pin` is part of a
//! library that was optimised, and copies once.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

/// From this size on, an allocation costs little beside the copies that it saves.
const LARGE: usize = if cfg!(debug_assertions) {
    2 << 10
} else {
    16 << 10
};

/// Whether values of this type are to be boxed before they are passed on.
#[inline(always)]
pub(crate) const fn is_large<T>() -> bool {
    size_of::<T>() > LARGE
}

/// In a function of its own, so that the copies on its stack are gone when it returns.
#[inline(never)]
pub(crate) fn boxed<F: IntoFuture>(future: F) -> Pin<Box<F::IntoFuture>> {
    Box::pin(future.into_future())
}

pin_project! {
    /// A future whose output is large, and goes through the task in a box.
    pub(super) struct InBox<F> {
        #[pin]
        future: F,
    }
}

impl<F> InBox<F> {
    pub(super) fn new(future: F) -> Self {
        InBox { future }
    }
}

impl<F: Future> Future for InBox<F> {
    type Output = Box<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Box<F::Output>> {
        self.project().future.poll(cx).map(Box::new)
    }
}
