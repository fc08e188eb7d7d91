//! A child of a scope, with the handle that gives its value.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use pin_project_lite::pin_project;

use super::core::{ScopeCore, report};
use crate::panics::Payload;
use crate::task::context::InContext;
#[cfg(feature = "tracing")]
use crate::task::spans;
use crate::task::{Half, budget, current, halves, is_large, pooled};
use crate::task::{Step, looking};

/// The handle of a child of a scope, and the future of its value.
///
/// Awaiting it gives the value that the child returns, without an error to unwrap. If the child
/// ends without a value, because it failed or was cancelled, a body or child that awaits it ends
/// with it, as the scope's [`Policy`](crate::group::Policy) says.
///
/// Dropping the handle loses only the value: the child continues, and its scope waits for it.
/// Dropping an `.await` of `&mut handle` loses nothing: the handle can be awaited again.
///
/// # Panics
///
/// Polling it again after it gave its value panics.
pub struct ScopedTask<'scope, T> {
    core: &'scope ScopeCore<'scope>,
    seat: Option<usize>,
    slot: Half<OutputSlot<T>>,
}

/// The place in which a child leaves its value.
struct OutputSlot<T> {
    value: RefCell<ChildValue<T>>,
    waiter: Cell<ChildWaiter>,
}

/// The future that awaits the value.
#[derive(Default)]
enum ChildWaiter {
    #[default]
    Absent,
    /// The body or a child of the same scope. Its seat wakes it, without a counted waker.
    InSeat(usize),
    Elsewhere(Waker),
}

enum ChildValue<T> {
    Awaited,
    There(T),
    Panicked(Payload),
    Taken,
    /// The child has ended without a value.
    Never,
}

impl<T> OutputSlot<T> {
    /// A slot for a child and its handle.
    fn pair() -> (Half<Self>, Half<Self>) {
        halves(OutputSlot {
            value: RefCell::new(ChildValue::Awaited),
            waiter: Cell::default(),
        })
    }

    fn is_awaited(&self) -> bool {
        matches!(*self.value.borrow(), ChildValue::Awaited)
    }

    fn settle(&self, value: ChildValue<T>, core: &ScopeCore<'_>) {
        self.value.replace(value);
        match self.waiter.take() {
            ChildWaiter::Absent => {}
            ChildWaiter::InSeat(seat) => core.wake(seat),
            ChildWaiter::Elsewhere(waker) => waker.wake(),
        }
    }

    /// Takes the value, if the child has left it. Also says whether it never will.
    fn take(&self) -> ChildValue<T> {
        let mut value = self.value.borrow_mut();
        let next = match *value {
            ChildValue::Awaited => return ChildValue::Awaited,
            ChildValue::Never => ChildValue::Never,
            _ => ChildValue::Taken,
        };
        std::mem::replace(&mut *value, next)
    }
}

impl<T> Drop for OutputSlot<T> {
    fn drop(&mut self) {
        if let ChildValue::Panicked(payload) = self.value.replace(ChildValue::Taken) {
            report(payload);
        }
    }
}

pin_project! {
    /// The future that the scope polls.
    struct Child<'s, F: Future> {
        #[pin]
        future: F,
        slot: Half<OutputSlot<F::Output>>,
        core: &'s ScopeCore<'s>,
    }

    impl<F: Future> PinnedDrop for Child<'_, F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if this.slot.is_awaited() {
                this.slot.settle(ChildValue::Never, this.core);
            }
        }
    }
}

impl<F: Future> Future for Child<'_, F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let polled = match this.core.isolates().get() {
            false => Ok(this.future.poll(cx)),
            true => catch_unwind(AssertUnwindSafe(|| this.future.poll(cx))),
        };
        let value = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(value)) => ChildValue::There(value),
            Err(payload) => ChildValue::Panicked(payload),
        };
        this.slot.settle(value, this.core);
        Poll::Ready(())
    }
}

impl<'scope, T: 'scope> ScopedTask<'scope, T> {
    #[track_caller]
    pub(super) fn spawn<F: Future<Output = T> + 'scope>(
        core: &'scope ScopeCore<'scope>,
        future: F,
    ) -> Self {
        match const { is_large::<F>() } {
            true => Self::spawn_here(core, Box::pin(future)),
            false => Self::spawn_here(core, future),
        }
    }

    #[track_caller]
    fn spawn_here(
        core: &'scope ScopeCore<'scope>,
        future: impl Future<Output = T> + 'scope,
    ) -> Self {
        #[cfg(feature = "tracing")]
        if spans::is_on() {
            return Self::spawn_heard(core, Box::pin(future), Location::caller());
        }
        Self::spawn_at(core, future, Location::caller())
    }

    fn spawn_at(
        core: &'scope ScopeCore<'scope>,
        future: impl Future<Output = T> + 'scope,
        origin: &'static Location<'static>,
    ) -> Self {
        let (slot, of_child) = OutputSlot::pair();
        let child = Child {
            future,
            slot: of_child,
            core,
        };
        let seat = match current::has_values() {
            false => core.spawn(pooled(child), origin),
            true => core.spawn(pooled(InContext::inherit(child)), origin),
        };
        ScopedTask { core, seat, slot }
    }

    /// Spawns while a subscriber of `tracing` listens. It is compiled for each type of output only.
    #[cfg(feature = "tracing")]
    #[cold]
    fn spawn_heard(
        core: &'scope ScopeCore<'scope>,
        future: Pin<Box<dyn Future<Output = T> + 'scope>>,
        origin: &'static Location<'static>,
    ) -> Self {
        match spans::of_new_child(origin) {
            Some(span) => Self::spawn_at(core, spans::Traced::new(span, future), origin),
            None => Self::spawn_at(core, future, origin),
        }
    }

    /// Drops the child at once, if it is not done. A child that cancels itself is dropped when it
    /// next waits.
    pub fn cancel(self) {
        if let Some(seat) = self.seat
            && self.slot.is_awaited()
        {
            self.core.cancel(seat);
        }
    }

    /// Whether the child has ended, with a value or without.
    pub fn is_finished(&self) -> bool {
        !self.slot.is_awaited()
    }
}

impl<T> Unpin for ScopedTask<'_, T> {}

impl<T> Future for ScopedTask<'_, T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        if matches!(*self.slot.value.borrow(), ChildValue::There(_)) {
            ready!(budget::poll(cx));
        }
        match self.slot.take() {
            ChildValue::There(value) => {
                self.core.asked_with_success();
                return Poll::Ready(value);
            }
            ChildValue::Panicked(payload) => resume_unwind(payload),
            ChildValue::Taken => panic!("a child was polled again after it gave its value"),
            ChildValue::Never => self.core.asked_in_vain(),
            ChildValue::Awaited => {
                let step = Step::Notice {
                    of: "the end of a child of a scope",
                };
                let waiter = match self.core.running_by(cx.waker()) {
                    Some(seat) => ChildWaiter::InSeat(seat),
                    None => ChildWaiter::Elsewhere(cx.waker().clone()),
                };
                match &waiter {
                    _ if !looking::is_looking() => {}
                    ChildWaiter::Elsewhere(_) => looking::leaf(step),
                    _ => looking::leaf_without_waker(step),
                }
                let before = self.slot.waiter.replace(waiter);
                drop(before);
            }
        }
        Poll::Pending
    }
}

impl<T> Drop for ScopedTask<'_, T> {
    fn drop(&mut self) {
        let waiter = self.slot.waiter.take();
        drop(waiter);
    }
}

impl<T> fmt::Debug for ScopedTask<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let finished = !self.slot.is_awaited();
        f.debug_struct("ScopedTask")
            .field("finished", &finished)
            .finish()
    }
}
