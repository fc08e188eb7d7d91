//! tokio on one thread, in both of its forms for tasks that are not `Send`.

use std::io;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, LocalOptions, Runtime as CurrentThread};
use tokio::task::{JoinHandle, LocalSet, spawn_blocking, spawn_local};
use tokio::time::Sleep;

use super::{Runtime, Threads, Timers};

/// A current-thread runtime and a `LocalSet`.
pub(crate) struct TokioLocalSet;

/// The newer `LocalRuntime`.
pub(crate) struct TokioLocalRuntime;

impl Runtime for TokioLocalSet {
    const NAME: &'static str = "tokio LocalSet";

    type Join<T: 'static> = JoinHandle<T>;

    fn run<T: 'static>(main: impl Future<Output = T> + 'static) -> Result<T, String> {
        let runtime: io::Result<CurrentThread> = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        Ok(LocalSet::new().block_on(&runtime, main))
    }

    fn spawn<T: 'static>(task: impl Future<Output = T> + 'static) -> Self::Join<T> {
        spawn_local(task)
    }
}

impl Runtime for TokioLocalRuntime {
    const NAME: &'static str = "tokio LocalRuntime";

    type Join<T: 'static> = JoinHandle<T>;

    fn run<T: 'static>(main: impl Future<Output = T> + 'static) -> Result<T, String> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build_local(LocalOptions::default());
        Ok(runtime.map_err(|error| error.to_string())?.block_on(main))
    }

    fn spawn<T: 'static>(task: impl Future<Output = T> + 'static) -> Self::Join<T> {
        spawn_local(task)
    }
}

impl Timers for TokioLocalRuntime {
    fn sleep(delay: Duration) -> impl Future + 'static {
        tokio::time::sleep(delay)
    }

    fn sleep_until(deadline: Instant) -> impl Future + 'static {
        let sleep: Sleep = tokio::time::sleep_until(deadline.into());
        sleep
    }
}

impl Threads for TokioLocalSet {
    fn on_thread<T: Send + 'static>(
        f: impl FnOnce() -> T + Send + 'static,
    ) -> impl Future<Output = T> + 'static {
        let job = spawn_blocking(f);
        async { job.await.expect("it does not panic") }
    }
}

impl Threads for TokioLocalRuntime {
    fn on_thread<T: Send + 'static>(
        f: impl FnOnce() -> T + Send + 'static,
    ) -> impl Future<Output = T> + 'static {
        let job = spawn_blocking(f);
        async { job.await.expect("it does not panic") }
    }
}
