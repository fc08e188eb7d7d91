//! How work comes into a scheduler: spawned tasks, and callouts.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
#[cfg(feature = "tracing")]
use std::sync::Arc;

use super::callout::Callout;
use super::context::{self, InContext};
#[cfg(feature = "simulation")]
use super::host::unless_ended;
use super::join::Task;
use super::large::{InBox, is_large};
use super::queue::Origin;
use super::scheduler::Scheduler;
#[cfg(feature = "tracing")]
use super::spans::{Span, Traced};
#[cfg(feature = "tracing")]
use super::waker;
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
        #[cfg(feature = "tracing")]
        if super::spans::is_on() {
            return self.spawn_heard(Box::pin(future), origin, eager);
        }
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
        #[cfg(feature = "simulation")]
        self.note_host(None);
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
        let task = cell::new_idle_task(self, self.next_id(), future, origin);
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

    /// Queues `ask`, which asks for a dump; the loop takes it right after. Other tasks are to be polled
    /// then, so the values of task-locals are not inherited.
    pub(crate) fn call_to_look(self: &Rc<Self>, origin: Origin, ask: impl FnOnce() + 'static) {
        if self.is_open() {
            Callout::to_look(origin, ask).enqueue(self);
        }
    }

    /// A callout that is not queued yet; while the loop closes it is cancelled at once.
    pub(crate) fn callout(self: &Rc<Self>, origin: Origin, f: impl FnOnce() + 'static) -> Callout {
        #[cfg(feature = "tracing")]
        if super::spans::is_on() {
            return self.callout_heard(origin, super::spans::inherit(Box::new(f)));
        }
        self.callout_unheard(origin, f)
    }

    fn callout_unheard(self: &Rc<Self>, origin: Origin, f: impl FnOnce() + 'static) -> Callout {
        let callout = match current::has_values() {
            false => Callout::new(origin, f),
            true => {
                let f: Box<dyn FnOnce()> = Box::new(f);
                #[cfg(feature = "simulation")]
                let f = unless_ended(f);
                Callout::new(origin, context::inherit(f))
            }
        };
        if !self.is_open() {
            self.contain_drop(|| callout.cancel(self));
        }
        callout
    }
}

/// Spawning while a subscriber of `tracing` listens. It is compiled for each type of output only.
#[cfg(feature = "tracing")]
impl Scheduler {
    #[cold]
    fn callout_heard(self: &Rc<Self>, origin: Origin, f: Box<dyn FnOnce()>) -> Callout {
        self.callout_unheard(origin, f)
    }

    #[cold]
    fn spawn_heard<T: 'static>(
        self: &Rc<Self>,
        future: Pin<Box<dyn Future<Output = T>>>,
        origin: Origin,
        eager: bool,
    ) -> Task<T> {
        let mut own_id = None;
        let span = super::spans::of_new_task(origin, || *own_id.insert(self.next_id()));
        let Some(span) = span else {
            return match current::has_values() {
                false => self.spawn_bare(future, origin, eager),
                true => self.spawn_inheriting(future, origin, eager),
            };
        };
        let future = match current::has_values() {
            false => future,
            true => {
                #[cfg(feature = "simulation")]
                self.note_host(own_id);
                Box::pin(InContext::inherit(future))
            }
        };
        match const { is_large::<T>() } {
            true => {
                Task::of_boxed(self.spawn_traced(own_id, span, InBox::new(future), origin, eager))
            }
            false => self.spawn_traced(own_id, span, future, origin, eager),
        }
    }

    /// Spawns a task in a span: its own, for which it was given a number, or that of its parent.
    fn spawn_traced<F: Future + 'static>(
        self: &Rc<Self>,
        own_id: Option<u64>,
        span: Arc<Span>,
        future: F,
        origin: Origin,
        eager: bool,
    ) -> Task<F::Output> {
        let own = own_id.map(|_| Arc::downgrade(&span));
        let id = own_id.unwrap_or_else(|| self.next_id());
        let task = cell::new_idle_task(self, id, Traced::new(span, future), origin);
        if let Some(own) = own {
            task.header().extra.set_span(own);
        }
        match self.is_open() {
            true if eager => cell::poll_first::<Traced<F>>(&task),
            true => waker::wake_here(task.as_ptr(), self),
            false => cell::end_unpolled::<Traced<F>>(&task),
        }
        Task::new(task)
    }
}
