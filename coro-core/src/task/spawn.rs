//! How work comes into a scheduler: spawned tasks, and callouts.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use super::callout::Callout;
use super::context::{self, InContext};
use super::host::unless_ended;
use super::join::Task;
use super::large::{InBox, is_large};
use super::queue::Origin;
use super::scheduler::Scheduler;
use super::{cell, current};

impl Scheduler {
    /// Makes a task, which inherits the values of task-locals; while the loop closes it is cancelled
    /// at once, without being polled.
    #[inline]
    pub(crate) fn spawn<F>(
        self: &Rc<Self>,
        future: F,
        origin: Origin,
        eager: bool,
    ) -> Task<F::Output>
    where
        F: Future + 'static,
    {
        match current::has_values() {
            false => self.spawn_bare(future, origin, eager),
            true => self.spawn_inheriting(Box::pin(future), origin, eager),
        }
    }

    /// As [`spawn`](Self::spawn), but the task inherits nothing.
    #[inline]
    fn spawn_bare<F>(self: &Rc<Self>, future: F, origin: Origin, eager: bool) -> Task<F::Output>
    where
        F: Future + 'static,
    {
        match const { is_large::<F::Output>() } {
            true => Task::of_boxed(self.spawn_cell(InBox::new(future), origin, eager)),
            false => self.spawn_cell(future, origin, eager),
        }
    }

    /// Makes a task that begins with the present values. That is rare, so it is compiled for each
    /// type of output only, not of future.
    #[cold]
    fn spawn_inheriting<T: 'static>(
        self: &Rc<Self>,
        future: Pin<Box<dyn Future<Output = T>>>,
        origin: Origin,
        eager: bool,
    ) -> Task<T> {
        self.note_host();
        self.spawn_bare(InContext::inherit(future), origin, eager)
    }

    #[inline]
    fn spawn_cell<F>(self: &Rc<Self>, future: F, origin: Origin, eager: bool) -> Task<F::Output>
    where
        F: Future + 'static,
    {
        if !self.is_open() || eager {
            return self.spawn_now(future, origin);
        }
        Task::new(cell::new_queued_task(self, future, origin))
    }

    /// Makes a task and polls it at once; or drops its future at once, if the loop is closing.
    fn spawn_now<F>(self: &Rc<Self>, future: F, origin: Origin) -> Task<F::Output>
    where
        F: Future + 'static,
    {
        let task = cell::new_idle_task(self, future, origin);
        match self.is_open() {
            true => cell::poll_first::<F>(&task),
            false => cell::end_unpolled::<F>(&task),
        }
        Task::new(task)
    }

    #[inline]
    pub(crate) fn call_soon(
        self: &Rc<Self>,
        origin: Origin,
        f: impl FnOnce() + 'static,
    ) -> Callout {
        let callout = self.callout(origin, f);
        if self.is_open() {
            callout.clone().enqueue(self);
        }
        callout
    }

    /// A callout that is not queued yet; while the loop closes it is cancelled at once.
    pub(crate) fn callout(self: &Rc<Self>, origin: Origin, f: impl FnOnce() + 'static) -> Callout {
        let callout = match current::has_values() {
            false => Callout::new(origin, f),
            true => Callout::new(origin, context::inherit(unless_ended(Box::new(f)))),
        };
        if !self.is_open() {
            self.contain_drop(|| callout.cancel(self));
        }
        callout
    }
}
