//! Boxes for large futures, closures and outputs, made where these come in.
//!
//! Without optimisation each function that passes a value on copies it on the stack, so a future of a
//! quarter of a mebibyte needs several times that. Each public function that takes a future asks
//! [`is_large`], which is a constant, and calls another function for either case: a function that
//! could do both would have room for both on its stack.

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

/// In a function of its own, so that the copy on its stack is gone when it returns.
#[inline(never)]
pub(crate) fn boxed<F: IntoFuture>(future: F) -> Pin<Box<F::IntoFuture>> {
    Box::pin(future.into_future())
}

/// As [`boxed`], for a value that is a future already: one copy less.
#[inline(never)]
pub(crate) fn boxed_future<F>(future: F) -> Pin<Box<F>> {
    Box::pin(future)
}

/// As [`is_large`], for a value whose type has no name.
#[inline(always)]
pub(crate) const fn is_large_value<T>(_: &T) -> bool {
    is_large::<T>()
}

/// As [`boxed`], for a closure.
#[inline(never)]
pub(crate) fn boxed_value<T>(value: T) -> Box<T> {
    Box::new(value)
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
