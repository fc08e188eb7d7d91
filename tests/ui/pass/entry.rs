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

use coro::cores::Core;
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

    #[coro::main(threads = 2)]
    pub(crate) async fn on_two_cores(core: Core) -> Result<(), String> {
        let () = ready(Ok::<(), String>(())).await?;
        assert_eq!(core.count(), 2);
        Ok(())
    }

    #[coro::main(threads = 1)]
    pub(crate) fn on_one_core(core: Core) {
        yield_from!(ready(()));
        assert_eq!(core.index(), 0);
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
    mains::on_one_core();
    assert_eq!(mains::on_two_cores(), Ok(()));
}

const _: fn() = mains::plain;
const _: fn() -> Result<(), String> = mains::already_async;
const _: fn() -> u32 = mains::recursive;
const _: fn() = || drop(mains::opaque());
