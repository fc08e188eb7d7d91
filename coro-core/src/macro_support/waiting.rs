//! Waiting: functions behind `yield_from!` in a coroutine that only waits.

use core::future::{Future, IntoFuture};
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

pin_project! {
    /// The future of an await, which a dump can show with its line.
    #[repr(transparent)]
    #[must_use = "futures do nothing unless they are awaited"]
    pub struct Seen<F> {
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for Seen<F> {
    type Output = F::Output;

    /// The future is polled at one place: were it polled at a second one for dumps, the compiler would
    /// not draw a chain of functions together into one.
    #[inline(always)]
    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let future = self.project().future;
        if is_looking() {
            open_await(Location::caller(), core::any::type_name::<F>());
        }
        let polled = future.poll(cx);
        if is_looking() {
            close_await(Location::caller(), polled.is_pending());
        }
        polled
    }
}

#[cfg(feature = "std")]
pub(super) use crate::task::looking::{close_await, is_looking, open_await};

/// Without a loop there is no dump.
#[cfg(not(feature = "std"))]
pub(super) use without_a_loop::*;

#[cfg(not(feature = "std"))]
mod without_a_loop {
    use core::panic::Location;

    #[inline(always)]
    pub(in super::super) fn is_looking() -> bool {
        false
    }

    pub(in super::super) fn open_await(_: &'static Location<'static>, _: &'static str) {}

    pub(in super::super) fn close_await(_: &'static Location<'static>, _: bool) {}
}

/// The operands of `yield_from!` in a coroutine that does not yield.
///
/// `Kind` is always inferred. It allows a second implementation: if only one could apply, the
/// compiler would complain about that one's bounds, and never show the message below.
#[diagnostic::on_unimplemented(
    message = "`yield_from!` cannot be used on a value of type `{Self}`",
    label = "not a future",
    note = "in a coroutine without `yields = T`, `yield_from!(x)` waits for the future `x`"
)]
pub trait WaitFor<Kind> {
    type Future: Future;

    /// The operand as a future. `here` proves that the coroutine itself waits. It comes first, so
    /// that the break in it finds no value that it would have to drop.
    fn wait_for(here: (), operand: Self) -> Self::Future;
}

/// `.await` as the attributes print it.
pub trait AwaitSeen: Sized {
    #[inline(always)]
    fn __seen<Kind>(self) -> Self::Future
    where
        Self: AwaitFor<Kind>,
    {
        self.await_for()
    }
}

impl<T> AwaitSeen for T {}

/// The operands of `.await`. `Kind` is as in [`WaitFor`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a future",
    label = "`{Self}` is not a future",
    note = "`{Self}` must be a future or must implement `IntoFuture` to be awaited"
)]
pub trait AwaitFor<Kind> {
    type Future: Future;

    fn await_for(self) -> Self::Future;
}

#[diagnostic::do_not_recommend]
impl<F: IntoFuture> AwaitFor<Awaitable> for F {
    type Future = Seen<F::IntoFuture>;

    #[inline(always)]
    fn await_for(self) -> Seen<F::IntoFuture> {
        Seen {
            future: self.into_future(),
        }
    }
}

#[diagnostic::do_not_recommend]
impl<F: Nothing> AwaitFor<()> for F {
    type Future = F;

    fn await_for(self) -> F {
        self
    }
}

pub enum Awaitable {}

#[diagnostic::do_not_recommend]
impl<F: IntoFuture> WaitFor<Awaitable> for F {
    type Future = Seen<F::IntoFuture>;

    #[inline(always)]
    fn wait_for(_here: (), operand: F) -> Seen<F::IntoFuture> {
        Seen {
            future: operand.into_future(),
        }
    }
}

/// Implemented by nothing.
pub trait Nothing: Future {}

#[diagnostic::do_not_recommend]
impl<F: Nothing> WaitFor<()> for F {
    type Future = F;

    fn wait_for(_here: (), operand: F) -> F {
        operand
    }
}

/// Gives a refused yield point the right type, so that the compiler reports no second error.
pub fn output_of<F: Future>(_yield_point: F) -> F::Output {
    unreachable!("a function that was refused does not run")
}

/// The return type of a function pointer, which is how stable Rust lets `!` be named.
pub trait Returns {
    type Output;
}

impl<T> Returns for fn() -> T {
    type Output = T;
}
