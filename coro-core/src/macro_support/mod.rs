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

#[cfg(feature = "std")]
mod on_cores;
mod waiting;
mod yielding;

#[cfg(feature = "alloc")]
pub use alloc::boxed::Box;

pub use crate::__in_simulations as in_simulations;
pub use crate::__with_tokio as with_tokio;
#[cfg(feature = "std")]
pub use crate::run::run as run_main;
#[cfg(feature = "simulation")]
pub use crate::testing::{Sim, run_simulated};
#[cfg(feature = "testing")]
pub use crate::testing::{TestClock, run_test};
#[cfg(feature = "tokio")]
pub use crate::{compat::tokio::run as run_main_with_tokio, testing::run_test_with_tokio};
#[cfg(feature = "std")]
pub use on_cores::run_main_on;
pub use waiting::*;
pub use yielding::*;

/// The refusal of `yield_from!` without an operand, or with several.
#[doc(hidden)]
#[macro_export]
macro_rules! __operand_is_missing {
    () => {
        ::core::compile_error!(
            "`yield_from!` takes one expression: a future to wait for, or a coroutine, \
             iterator or stream to delegate to"
        )
    };
}

pub use crate::__operand_is_missing as operand_is_missing;

/// Waits for a future, or delegates to a coroutine, an iterator or a stream.
///
/// The effect depends on the operand, and on the coroutine around the macro:
///
/// | operand | effect | value of the expression | allowed |
/// |---|---|---|---|
/// | a future | the coroutine waits for it, as with `.await` | its output | without `yields`, or in an `async fn` |
/// | a coroutine with the same `yields` and `resumes` | it yields to the caller, and is resumed by the caller | its return value | with `yields` |
/// | an iterator over the type of `yields` | each item is yielded | `()` | with `yields`, without `resumes` |
/// | a stream of the type of `yields` | each item is awaited, then yielded | `()` | with `yields`, in an `async fn` |
///
/// It is the `yield from` of [PEP 380], with the errors of Rust: they are values, so
/// `yield_from!(operand)?` passes on an error that the operand returned. Closing a coroutine also
/// drops the coroutines that it delegates to, the innermost first. Delegation has no cost: a
/// coroutine of this crate becomes a part of the one that delegates to it.
///
/// The operand is evaluated first, and its temporaries live until the end of the statement, as with
/// `.await`. The macro works wherever an expression may stand, also in the arguments of other
/// macros, and under any name that it is imported by. It must stand in the body of the coroutine
/// itself: it does not compile in closures and nested `async` blocks, which are state machines of
/// their own.
///
/// ```
/// use coro::{yield_, yield_from};
/// use std::future::ready;
///
/// #[coro::coroutine]
/// fn parse(text: &str) -> Result<u32, std::num::ParseIntError> {
///     let text = yield_from!(ready(text.trim()));
///     text.parse()
/// }
///
/// #[coro::coroutine]
/// fn sum(a: &str, b: &str) -> Result<u32, std::num::ParseIntError> {
///     Ok(yield_from!(parse(a))? + yield_from!(parse(b))?)
/// }
///
/// #[coro::coroutine(yields = u32)]
/// fn countdown(from: u32) -> &'static str {
///     for n in (1..=from).rev() {
///         yield_!(n);
///     }
///     "liftoff"
/// }
///
/// #[coro::coroutine(yields = u32)]
/// fn twice() {
///     assert_eq!(yield_from!(countdown(2)), "liftoff");
///     yield_from!([10, 20].into_iter());
/// }
///
/// assert_eq!(coro::run(sum("1", " 2")), Ok(3));
/// assert!(twice().into_iter().eq([2, 1, 10, 20]));
/// ```
///
/// [PEP 380]: https://peps.python.org/pep-0380/
// No arm of it matches everything: an editor completes a half-typed operand, such as `self.`, only if
// that fails to match the first arm and no other arm takes it.
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
    () => {
        this_fn_needs_the_attribute_coro_coroutine!(
            {
                $crate::macro_support::WaitFor::wait_for(
                    this_fn_needs_the_attribute_coro_coroutine!(),
                    $crate::macro_support::operand_is_missing!(),
                )
            }
            {
                $crate::macro_support::delegate(
                    this_fn_needs_the_attribute_coro_coroutine!(token),
                    $crate::macro_support::operand_is_missing!().__operand(),
                    this_fn_needs_the_attribute_coro_coroutine!(handle),
                )
            }
            .await
        )
    };
    ($first:expr, $($more:tt)+) => {
        $crate::macro_support::operand_is_missing!()
    };
}

/// Hands a value to the caller of the coroutine, and evaluates to the value that it is resumed
/// with.
///
/// `yield_!(value)` suspends the body of a `#[coro::coroutine(yields = T)]` function; `value` is a
/// `T`. The expression evaluates to the argument of [`Coroutine::resume`](crate::generator::Coroutine::resume): an `R` if the function
/// says `resumes = R`, or else `()`. `yield_!()` is `yield_!(())`.
///
/// It is the `yield` of Python, as an expression, see [PEP 342]. It needs no `throw`: with `resumes
/// = Result<R, E>`, `yield_!(value)?` raises the error that was passed in.
///
/// ```
/// use coro::{Coroutine, CoroutineState, yield_};
/// use std::pin::pin;
///
/// #[coro::coroutine(yields = f64, resumes = f64)]
/// fn average() {
///     let (mut sum, mut count, mut mean) = (0.0, 0.0, f64::NAN);
///     loop {
///         sum += yield_!(mean);
///         count += 1.0;
///         mean = sum / count;
///     }
/// }
///
/// let mut average = pin!(average());
/// average.as_mut().start();
/// assert_eq!(average.as_mut().resume(10.0), CoroutineState::Yielded(10.0));
/// assert_eq!(average.as_mut().resume(20.0), CoroutineState::Yielded(15.0));
/// ```
///
/// [`yield_from!`] says where it may stand.
///
/// [PEP 342]: https://peps.python.org/pep-0342/
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
    ($first:expr, $($more:tt)+) => {
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

/// Runs a test in simulations, by the call that is its body.
#[cfg(feature = "simulation")]
#[doc(hidden)]
#[macro_export]
macro_rules! __in_simulations {
    ($($call:tt)*) => {
        $($call)*
    };
}

/// Refuses to, since the feature is off.
#[cfg(not(feature = "simulation"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __in_simulations {
    ($($call:tt)*) => {
        ::core::compile_error!(
            "a simulated test needs the feature `simulation` of coro: write \
             `coro-rs = { version = \"..\", features = [\"simulation\"] }` below [dev-dependencies] \
             in Cargo.toml"
        )
    };
}
