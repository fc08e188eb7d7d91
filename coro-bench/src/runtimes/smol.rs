//! smol's parts: async-executor's local executor, driven by async-io.

use std::cell::Cell;
use std::time::{Duration, Instant};

use async_executor::{LocalExecutor, Task};
use async_io::Timer;

use super::{Runtime, Threads, Timers};

pub(crate) struct Smol;

thread_local! {
    static CURRENT: Cell<Option<&'static LocalExecutor<'static>>> = const { Cell::new(None) };
}

fn current() -> &'static LocalExecutor<'static> {
    CURRENT.get().expect("only called inside of the executor")
}

impl Runtime for Smol {
    const NAME: &'static str = "async-executor";

    type Join<T: 'static> = Task<T>;

    fn run<T: 'static>(main: impl Future<Output = T> + 'static) -> Result<T, String> {
        // A sample's process makes only one loop, so leaking it is harmless.
        let executor: &LocalExecutor<'_> = Box::leak(Box::default());
        CURRENT.set(Some(executor));
        Ok(async_io::block_on(executor.run(main)))
    }

    fn spawn<T: 'static>(task: impl Future<Output = T> + 'static) -> Self::Join<T> {
        current().spawn(task)
    }

    fn detach(task: impl Future<Output = ()> + 'static) {
        current().spawn(task).detach();
    }
}

impl Timers for Smol {
    fn sleep(delay: Duration) -> impl Future + 'static {
        Timer::after(delay)
    }

    fn sleep_until(deadline: Instant) -> impl Future + 'static {
        Timer::at(deadline)
    }
}

impl Threads for Smol {
    fn on_thread<T: Send + 'static>(
        f: impl FnOnce() -> T + Send + 'static,
    ) -> impl Future<Output = T> + 'static {
        blocking::unblock(f)
    }
}
