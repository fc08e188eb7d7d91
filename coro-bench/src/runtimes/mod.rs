//! The runtimes that are compared, behind one trait, so that all are given the same work.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::harness::Role;

mod async_task;
mod compio;
mod coro;
pub(crate) mod floor;
mod glommio;
mod local_pool;
mod monoio;
mod smol;
mod tokio;
pub(crate) mod unordered;

pub(crate) use async_task::AsyncTask;
pub(crate) use compio::Compio;
pub(crate) use coro::Coro;
pub(crate) use glommio::Glommio;
pub(crate) use local_pool::LocalPool;
pub(crate) use monoio::{Monoio, MonoioThreads};
pub(crate) use smol::Smol;
pub(crate) use tokio::{TokioLocalRuntime, TokioLocalSet};

/// A loop for one thread.
pub(crate) trait Runtime: 'static {
    const NAME: &'static str;
    const ROLE: Role = Role::Peer;

    /// A spawned task, as the runtime's users await it.
    type Join<T: 'static>: Future + 'static;

    /// Runs `main` on a new loop; the error says why there can be none here.
    fn run<T: 'static>(main: impl Future<Output = T> + 'static) -> Result<T, String>;

    /// Spawns a task from inside of the loop.
    fn spawn<T: 'static>(task: impl Future<Output = T> + 'static) -> Self::Join<T>;

    /// Spawns a task that is never joined.
    fn detach(task: impl Future<Output = ()> + 'static) {
        drop(Self::spawn(task));
    }
}

/// A loop with timers.
pub(crate) trait Timers: Runtime {
    fn sleep(delay: Duration) -> impl Future + 'static;
    fn sleep_until(deadline: Instant) -> impl Future + 'static;
}

/// A loop with threads for blocking calls.
pub(crate) trait Threads: Runtime {
    /// Calls `f` on a thread.
    fn on_thread<T: Send + 'static>(
        f: impl FnOnce() -> T + Send + 'static,
    ) -> impl Future<Output = T> + 'static;
}

/// Runs `body` inside of a spawned task, where most programs do their work.
pub(crate) fn in_task<R: Runtime, T: 'static>(
    body: impl Future<Output = T> + 'static,
) -> Result<T, String> {
    let output = Rc::new(Cell::new(None));
    let slot = output.clone();
    R::run(async move {
        R::spawn(async move { slot.set(Some(body.await)) }).await;
    })?;
    output
        .take()
        .ok_or_else(|| "the task did not end".to_owned())
}

/// Adds a subject to a case for each runtime. `$function` takes the effort.
macro_rules! subjects {
    ($case:expr, [$($runtime:ident),* $(,)?], $function:expr) => {
        $case$(.subject(
            <$crate::runtimes::$runtime as $crate::runtimes::Runtime>::NAME,
            <$crate::runtimes::$runtime as $crate::runtimes::Runtime>::ROLE,
            {
                type R = $crate::runtimes::$runtime;
                $function
            },
        ))*
    };
}
pub(crate) use subjects;
