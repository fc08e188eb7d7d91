//! monoio on io_uring, with the feature that lets other threads wake its tasks.

use std::time::{Duration, Instant};

use monoio::{IoUringDriver, RuntimeBuilder};

use super::{Runtime, Timers};

pub(crate) struct Monoio;

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
