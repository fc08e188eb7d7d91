//! monoio on io_uring, with the feature that lets other threads wake its tasks.

use std::thread;
use std::time::{Duration, Instant};

use monoio::blocking::DefaultThreadPool;
use monoio::{IoUringDriver, RuntimeBuilder};

use super::{Runtime, Threads, Timers};

pub(crate) struct Monoio;

/// monoio with a thread pool attached, which starts all its threads at once.
pub(crate) struct MonoioThreads;

impl Runtime for Monoio {
    const NAME: &'static str = "monoio";

    type Join<T: 'static> = monoio::task::JoinHandle<T>;

    fn run<T: 'static>(main: impl Future<Output = T> + 'static) -> Result<T, String> {
        let runtime = RuntimeBuilder::<IoUringDriver>::new()
            .enable_timer()
            .build();
        let mut runtime = runtime.map_err(|error| format!("no io_uring here: {error}"))?;
        Ok(runtime.block_on(main))
    }

    fn spawn<T: 'static>(task: impl Future<Output = T> + 'static) -> Self::Join<T> {
        monoio::spawn(task)
    }
}

impl Timers for Monoio {
    fn sleep(delay: Duration) -> impl Future + 'static {
        monoio::time::sleep(delay)
    }

    fn sleep_until(deadline: Instant) -> impl Future + 'static {
        monoio::time::sleep_until(deadline.into())
    }
}

impl Runtime for MonoioThreads {
    const NAME: &'static str = "monoio";

    type Join<T: 'static> = monoio::task::JoinHandle<T>;

    fn run<T: 'static>(main: impl Future<Output = T> + 'static) -> Result<T, String> {
        let threads = thread::available_parallelism().map_or(1, usize::from) + 4; // as many as ours
        let runtime = RuntimeBuilder::<IoUringDriver>::new()
            .attach_thread_pool(Box::new(DefaultThreadPool::new(threads)))
            .build();
        let mut runtime = runtime.map_err(|error| format!("no io_uring here: {error}"))?;
        Ok(runtime.block_on(main))
    }

    fn spawn<T: 'static>(task: impl Future<Output = T> + 'static) -> Self::Join<T> {
        monoio::spawn(task)
    }
}

impl Threads for MonoioThreads {
    fn on_thread<T: Send + 'static>(
        f: impl FnOnce() -> T + Send + 'static,
    ) -> impl Future<Output = T> + 'static {
        let job = monoio::spawn_blocking(f);
        async {
            job.await
                .unwrap_or_else(|_| unreachable!("it does not panic"))
        }
    }
}
