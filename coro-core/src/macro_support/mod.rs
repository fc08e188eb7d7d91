//! What the expansion of the attributes calls: no part of the public interface.

use core::future::{Future, IntoFuture};

#[cfg(feature = "std")]
pub use crate::run::run as run_main;
#[cfg(feature = "std")]
pub use crate::testing::{TestClock, run_test};

/// Waits for a future and evaluates to its output.
#[macro_export]
macro_rules! yield_from {
    ($operand:expr $(,)?) => {
        missing_attribute_coro_coroutine_on_this_fn!(
            { $crate::macro_support::WaitFor::wait_for($operand, missing_attribute_coro_coroutine_on_this_fn!()).await }
            { }
        )
    };
    ($($other:tt)*) => {
        ::core::compile_error!("`yield_from!` takes one expression: what to wait for or to delegate to")
    };
}

/// Hands a value to the resumer and evaluates to what it resumes with.
#[macro_export]
macro_rules! yield_ {
    () => {
        $crate::yield_!(())
    };
    ($value:expr $(,)?) => {
        missing_attribute_coro_coroutine_on_this_fn!(
            { ::core::compile_error!("`yield_!` in a coroutine that does not say what it yields: write `#[coro::coroutine(yields = T)]`") }
            { }
        )
    };
    ($($other:tt)*) => {
        ::core::compile_error!("`yield_!` takes one expression: the value to yield")
    };
}

/// What `yield_from!` accepts in a coroutine that does not yield.
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
    /// What is waited for.
    type Future: Future;

    /// The operand as a future; `here` proves that the coroutine itself waits.
    fn wait_for(self, here: ()) -> Self::Future;
}

/// The kind of everything that can be waited for.
#[derive(Debug)]
pub enum Awaitable {}

#[diagnostic::do_not_recommend]
impl<F: IntoFuture> WaitFor<Awaitable> for F {
    type Future = F::IntoFuture;

    #[inline(always)]
    fn wait_for(self, _here: ()) -> F::IntoFuture {
        self.into_future()
    }
}

/// What nothing implements.
pub trait Nothing: Future {}

#[diagnostic::do_not_recommend]
impl<F: Nothing> WaitFor<()> for F {
    type Future = F;

    fn wait_for(self, _here: ()) -> F {
        self
    }
}
