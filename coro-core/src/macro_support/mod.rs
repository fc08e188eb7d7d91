//! Functions that the expansion of the attributes calls; not part of the public interface.
//!
//! A yield point does not know its kind of coroutine. The macros below offer both meanings, and the
//! macro `this_fn_needs_the_attribute_coro_coroutine`, which the attribute defines inside each
//! body, picks one. All code that the compiler may complain about is written here, in a crate that
//! is foreign to users, so that the compiler reports it at their own `yield_from!(..)`.

#![expect(
    missing_debug_implementations,
    reason = "only expansions name these types"
)]

mod waiting;
mod yielding;

#[cfg(feature = "alloc")]
pub use alloc::boxed::Box;

pub use crate::__with_tokio as with_tokio;
#[cfg(feature = "std")]
pub use crate::run::run as run_main;
#[cfg(feature = "std")]
pub use crate::testing::{TestClock, run_test};
#[cfg(feature = "tokio")]
pub use crate::{compat::tokio::run as run_main_with_tokio, testing::run_test_with_tokio};
pub use waiting::*;
pub use yielding::*;

/// Waits for a future, or delegates to a coroutine, an iterator or a stream.
#[macro_export]
macro_rules! yield_from {
    ($operand:expr $(,)?) => {
        this_fn_needs_the_attribute_coro_coroutine!(
            {
                $crate::macro_support::WaitFor::wait_for(
                    this_fn_needs_the_attribute_coro_coroutine!(),
                    $operand,
                )
            }
            {
                $crate::macro_support::delegate(
                    this_fn_needs_the_attribute_coro_coroutine!(token),
                    $operand.__operand(),
                    this_fn_needs_the_attribute_coro_coroutine!(handle),
                )
            }
            .await
        )
    };
    ($($other:tt)*) => {
        ::core::compile_error!(
            "`yield_from!` takes one expression: a future to wait for, or a coroutine, \
             iterator or stream to delegate to"
        )
    };
}

/// Hands a value to the caller, and evaluates to the value that it resumes with.
#[macro_export]
macro_rules! yield_ {
    () => {
        $crate::yield_!(())
    };
    ($value:expr $(,)?) => {
        this_fn_needs_the_attribute_coro_coroutine!(
            {
                ::core::compile_error!(
                    "this coroutine does not name the type that it yields: \
                     write `#[coro::coroutine(yields = T)]`"
                )
            }
            {
                $crate::macro_support::yield_in(
                    this_fn_needs_the_attribute_coro_coroutine!(token),
                    $value,
                    this_fn_needs_the_attribute_coro_coroutine!(handle),
                )
            }
            .await
        )
    };
    ($($other:tt)*) => {
        ::core::compile_error!("`yield_!` takes one expression: the value to yield")
    };
}

/// Runs the body of a `main` or a test inside of a runtime of tokio.
#[cfg(feature = "tokio")]
#[doc(hidden)]
#[macro_export]
macro_rules! __with_tokio {
    (main $call:expr) => {
        $crate::macro_support::run_main_with_tokio($call)
    };
    (test $call:expr) => {
        $crate::macro_support::run_test_with_tokio($call)
    };
}

/// Refuses to, since the feature is off.
#[cfg(not(feature = "tokio"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __with_tokio {
    ($($body:tt)*) => {
        ::core::compile_error!(
            "the argument `tokio` needs the feature `tokio` of coro: write \
             `coro-rs = { version = \"..\", features = [\"tokio\"] }` in Cargo.toml"
        )
    };
}
