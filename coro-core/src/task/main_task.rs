//! The stand-in for a main future: it takes turns like a task, but its caller polls it.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Instant;

use super::cell::{self, TaskRef};
use super::owner::Owner;
use super::state::Suspend;
use super::{current, waker};

pub(crate) struct MainTask {
    task: TaskRef,
    owner: Rc<Owner>,
}

impl MainTask {
    /// Makes the stand-in; its first turn is the next.
    pub(crate) fn new(owner: &Rc<Owner>, origin: &'static Location<'static>) -> Self {
        let task = cell::new_main(owner, origin);
        task.header().set_name("main".into());
        waker::wake_here(task.as_ptr(), owner);
        MainTask {
            task,
            owner: owner.clone(),
        }
    }

    /// Polls the main future, now that its turn has come.
    pub(crate) fn poll<F: Future>(&self, future: Pin<&mut F>) -> Poll<F::Output> {
        let begun = self.owner.is_debug().then(Instant::now);
        let running = current::enter_task(self.task.as_ptr());
        let waker = waker::of(&self.task);
        let polled = future.poll(&mut Context::from_waker(&waker));
        drop(running);
        let header = self.task.header();
        if let Some(begun) = begun {
            self.owner
                .report_slow(begun.elapsed(), Some(header.name()), header.origin);
        }
        if polled.is_pending() && header.node.state.suspend() == Suspend::Enqueue {
            waker::requeue(&self.task, &self.owner);
        }
        polled
    }
}

impl Drop for MainTask {
    fn drop(&mut self) {
        cell::end_main(&self.task);
    }
}
