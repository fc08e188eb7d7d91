//! `coro`, the runtime that is measured.

use std::time::{Duration, Instant};

use super::{Runtime, Threads, Timers};
use crate::harness::Role;

pub(crate) struct Coro;

impl Runtime for Coro {
    const NAME: &'static str = "coro";
    const ROLE: Role = Role::Coro;

    type Join<T: 'static> = coro::Task<T>;

    fn run<T: 'static>(main: impl Future<Output = T> + 'static) -> Result<T, String> {
        Ok(coro::run(main))
    }

    fn spawn<T: 'static>(task: impl Future<Output = T> + 'static) -> Self::Join<T> {
        coro::spawn(task)
    }
}

impl Timers for Coro {
    fn sleep(delay: Duration) -> impl Future + 'static {
        coro::sleep(delay)
    }

    fn sleep_until(deadline: Instant) -> impl Future + 'static {
        coro::time::sleep_until(deadline)
    }
}

impl Threads for Coro {
    fn on_thread<T: Send + 'static>(
        f: impl FnOnce() -> T + Send + 'static,
    ) -> impl Future<Output = T> + 'static {
        let job = coro::threads::to_thread(f);
        async { job.await.expect("it does not panic") }
    }
}
