//! The floor: boxed futures in a queue, polled in turn until they are done.
//!
//! It neither wakes nor joins a task, so no real loop can be expected to be faster.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Waker};

pub(crate) const NAME: &str = "floor";

#[derive(Default)]
pub(crate) struct Floor(VecDeque<Pin<Box<dyn Future<Output = ()>>>>);

impl Floor {
    pub(crate) fn spawn(&mut self, task: impl Future<Output = ()> + 'static) {
        self.0.push_back(Box::pin(task));
    }

    /// Polls the tasks in turn until all are done.
    pub(crate) fn run(&mut self) {
        let mut cx = Context::from_waker(Waker::noop());
        while let Some(mut task) = self.0.pop_front() {
            if task.as_mut().poll(&mut cx).is_pending() {
                self.0.push_back(task);
            }
        }
    }
}
