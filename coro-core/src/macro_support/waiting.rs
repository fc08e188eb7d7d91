//! Waiting: functions behind `yield_from!` in a coroutine that only waits.

use core::future::{Future, IntoFuture};

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

pub enum Awaitable {}

#[diagnostic::do_not_recommend]
impl<F: IntoFuture> WaitFor<Awaitable> for F {
    type Future = F::IntoFuture;

    #[inline(always)]
    fn wait_for(_here: (), operand: F) -> F::IntoFuture {
        operand.into_future()
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
