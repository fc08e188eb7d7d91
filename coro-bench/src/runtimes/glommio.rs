//! glommio, with `Placement::Unbound`, since the harness has bound the thread to a core.

use std::time::{Duration, Instant};

use glommio::timer::Timer;
use glommio::{LocalExecutorBuilder, Placement, Task};

use super::{Runtime, Timers};

pub(crate) struct Glommio;

impl Runtime for Glommio {
    const NAME: &'static str = "glommio";

    type Join<T: 'static> = Task<T>;

    fn run<T: 'static>(main: impl Future<Output = T> + 'static) -> Result<T, String> {
        let executor = LocalExecutorBuilder::new(Placement::Unbound).make();
        Ok(executor
            .map_err(|error| format!("no io_uring here: {error}"))?
            .run(main))
    }

    fn spawn<T: 'static>(task: impl Future<Output = T> + 'static) -> Self::Join<T> {
        glommio::spawn_local(task)
    }

    fn detach(task: impl Future<Output = ()> + 'static) {
        glommio::spawn_local(task).detach();
    }
}

impl Timers for Glommio {
    fn sleep(delay: Duration) -> impl Future + 'static {
        Timer::new(delay)
    }

    fn sleep_until(deadline: Instant) -> impl Future + 'static {
        Timer::new(deadline.saturating_duration_since(Instant::now()))
    }
}
