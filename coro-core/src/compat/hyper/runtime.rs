//! `Executor`, `Timer`: the loop, as hyper sees it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::rt;

use crate::event_loop::{LoopHandle, OnLoop, spawn};
use crate::time::{Sleep, sleep, sleep_until};

/// Has the present loop run the tasks of hyper.
///
/// # Panics
///
/// Executing a future outside of a loop.
#[derive(Debug, Clone, Copy, Default)]
pub struct LoopExecutor;

impl<F: Future + 'static> rt::Executor<F> for LoopExecutor {
    fn execute(&self, future: F) {
        spawn(async move {
            future.await;
        });
    }
}

/// The clock of the present loop, for the time limits of hyper. Under a virtual clock they are
/// virtual too.
///
/// # Panics
///
/// Making a sleep outside of a loop.
#[derive(Debug, Clone, Copy, Default)]
pub struct LoopTimer;

impl rt::Timer for LoopTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn rt::Sleep>> {
        Box::pin(LoopSleep(OnLoop::new(sleep(duration))))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn rt::Sleep>> {
        Box::pin(LoopSleep(OnLoop::new(sleep_until(deadline))))
    }

    fn now(&self) -> Instant {
        LoopHandle::try_current().map_or_else(Instant::now, |handle| handle.time())
    }

    fn reset(&self, sleep: &mut Pin<Box<dyn rt::Sleep>>, deadline: Instant) {
        match sleep.as_mut().downcast_mut_pin::<LoopSleep>() {
            Some(own) => *own.get_mut().0 = sleep_until(deadline),
            None => *sleep = self.sleep_until(deadline),
        }
    }
}

struct LoopSleep(OnLoop<Sleep>);

impl Future for LoopSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl rt::Sleep for LoopSleep {}
