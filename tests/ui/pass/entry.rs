//! The functions that start a loop.

#![deny(
    warnings,
    unused,
    missing_docs,
    unused_qualifications,
    unused_results,
    unreachable_pub,
    let_underscore_drop,
    rust_2018_idioms,
    unused_lifetimes,
    unused_macro_rules
)]
#![forbid(unsafe_code)]

use coro::yield_from;
use std::future::ready;
use std::process::{ExitCode, Termination};

mod mains {
    use super::*;

    #[coro::main]
    pub(crate) fn plain() {
        yield_from!(ready(()));
    }

    #[coro::main]
    pub(crate) async fn already_async() -> Result<(), String> {
        let () = ready(Ok::<(), String>(())).await?;
        Ok(())
    }

    #[coro::main]
    pub(crate) fn opaque() -> impl Termination {
        yield_from!(ready(ExitCode::SUCCESS))
    }

    #[coro::main]
    pub(crate) fn recursive() -> u32 {
        1
    }
}

#[coro::test]
fn virtual_time() {
    yield_from!(ready(()));
}

#[coro::test(real)]
#[should_panic(expected = "on purpose")]
async fn real_time() -> Result<(), String> {
    panic!("on purpose")
}

/// Documented.
#[coro::main]
#[allow(clippy::needless_return)]
fn main() -> ExitCode {
    return yield_from!(ready(ExitCode::SUCCESS));
}

#[test]
fn never_run_here() {
    mains::plain();
}

const _: fn() = mains::plain;
const _: fn() -> Result<(), String> = mains::already_async;
const _: fn() -> u32 = mains::recursive;
const _: fn() = || drop(mains::opaque());
