//! What `yield_from!` calls in a coroutine that only waits.

use core::future::{Future, IntoFuture};

/// The operands of `yield_from!` in a coroutine that does not yield.
///
/// `Kind` is always inferred. It is there for the sake of a second implementation: where one
/// alone could apply, the compiler would complain about what that one needs, and never show the
/// message below.
#[diagnostic::on_unimplemented(
    message = "`yield_from!` cannot be used on a value of type `{Self}`",
    label = "not a future",
    note = "in a coroutine without `yields = T`, `yield_from!(x)` waits for the future `x`"
)]
pub trait WaitFor<Kind> {
    type Future: Future;

    /// The operand as a future; `here` proves that the coroutine itself waits. It comes first, when
    /// there is nothing that the break in it would have to drop.
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

/// What a yield point evaluates to, where there was an error and it must only have the right type.
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
