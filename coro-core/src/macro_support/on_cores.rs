//! `run_main_on`, which `#[coro::main(threads = N)]` calls.

use crate::cores::{Builder, Core, CoreOutput};

/// Runs a `main` on several cores, and gives the output that it ends the process with: the first
/// failure, or else the value of the first core.
#[track_caller]
pub fn run_main_on<F, O>(threads: usize, main: F) -> O
where
    F: AsyncFn(Core) -> O + Sync,
    O: CoreOutput,
    O::Value: Send,
    O::Error: Send,
{
    O::of_main(Builder::new().threads(threads).run(main))
}
