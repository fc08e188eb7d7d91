//! compio on io_uring.

use std::time::{Duration, Instant};

use compio::runtime::{JoinHandle, Runtime as Loop};

use super::{Runtime, Timers};

pub(crate) struct Compio;

impl Runtime for Compio {
    const NAME: &'static str = "compio";

    type Join<T: 'static> = JoinHandle<T>;

    fn run<T: 'static>(main: impl Future<Output = T> + 'static) -> Result<T, String> {
        let runtime = Loop::new().map_err(|error| format!("no io_uring here: {error}"))?;
        Ok(runtime.block_on(main))
    }

    fn spawn<T: 'static>(task: impl Future<Output = T> + 'static) -> Self::Join<T> {
        compio::runtime::spawn(task)
    }

    fn detach(task: impl Future<Output = ()> + 'static) {
        compio::runtime::spawn(task).detach();
    }
}

impl Timers for Compio {
    fn sleep(delay: Duration) -> impl Future + 'static {
        compio::runtime::time::sleep(delay)
    }

    fn sleep_until(deadline: Instant) -> impl Future + 'static {
        compio::runtime::time::sleep_until(deadline)
    }
}
