//! Monitors: states that several threads share, with waiters.

use std::future::Future;
use std::mem;
use std::ops::Deref;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use crate::event_loop::{LoopHandle, RemoteHandle};
use crate::panics::unpoisoned;
use crate::primitives::{Mutex, MutexGuard};
use crate::task::{Step, budget, looking};
use crate::wait::queue::wake_each;
use crate::wait::wait_list::{Key, WaitList};

/// The state in a [`Monitor`]: it serves the waiters in its lines, and tells which waker is to be
/// called.
pub(super) trait Guarded {
    fn next_to_wake(&mut self) -> Option<Waker>;
}

/// A state behind a lock. A waiter that is served under the lock is woken after the lock is
/// released.
pub(super) struct Monitor<S>(Mutex<S>);

impl<S: Guarded> Monitor<S> {
    #[cfg(not(all(loom, test)))]
    pub(super) const fn new(state: S) -> Self {
        Monitor(Mutex::new(state))
    }

    #[cfg(all(loom, test))]
    pub(super) fn new(state: S) -> Self {
        Monitor(Mutex::new(state))
    }

    /// Changes the state. `change` must run no foreign code.
    pub(super) fn with<R>(&self, change: impl FnOnce(&mut S) -> R) -> R {
        let mut state = self.lock();
        let result = change(&mut state);
        let mut first = state.next_to_wake();
        drop(state);
        if first.is_some() {
            wake_each(|| first.take().or_else(|| self.lock().next_to_wake()));
        }
        result
    }

    fn lock(&self) -> MutexGuard<'_, S> {
        unpoisoned(self.0.lock())
    }
}

/// A request of waiters: as [`Service`](crate::wait::queue::Service), but under the lock of a
/// state.
pub(super) trait Request<S> {
    type Entry;

    fn line(state: &mut S) -> &mut WaitList<Self::Entry>;

    fn would_serve(&self, state: &mut S, entry: &Self::Entry) -> bool;

    fn try_serve(&self, state: &mut S, entry: &mut Self::Entry) -> bool;

    /// As [`try_serve`](Self::try_serve), before the lock is taken.
    #[inline]
    fn try_unlocked(&self, _: &mut Self::Entry) -> bool {
        false
    }

    /// As [`try_serve`](Self::try_serve), right before the waiter enters the line.
    fn try_last(&self, state: &mut S, entry: &mut Self::Entry) -> bool {
        self.try_serve(state, entry)
    }

    /// A wait was dropped. The entry that this gives back is dropped after the lock is released.
    fn abandoned(&self, _: &mut S, entry: Self::Entry, _served: bool) -> Option<Self::Entry> {
        Some(entry)
    }
}

enum RemoteWaitState<T> {
    Outside(T),
    Inside(Key),
    Gone,
}

/// The future of a wait, which owns or borrows its monitor.
pub(super) struct RemoteWait<M, S, Q>
where
    M: Deref<Target = Monitor<S>>,
    S: Guarded,
    Q: Request<S>,
{
    monitor: M,
    place: RemoteWaitState<Q::Entry>,
    /// While it waits in a loop: what may serve it may be outside, at its own real time.
    of: Option<RemoteHandle>,
    request: Q,
}

impl<M, S, Q> RemoteWait<M, S, Q>
where
    M: Deref<Target = Monitor<S>>,
    S: Guarded,
    Q: Request<S>,
{
    pub(super) fn new(request: Q, monitor: M, entry: Q::Entry) -> Self {
        RemoteWait {
            monitor,
            place: RemoteWaitState::Outside(entry),
            of: None,
            request,
        }
    }

    pub(super) fn monitor(&self) -> &Monitor<S> {
        &self.monitor
    }

    fn is_ready(&self) -> bool {
        let mut state = self.monitor.lock();
        match &self.place {
            RemoteWaitState::Outside(entry) => self.request.would_serve(&mut state, entry),
            RemoteWaitState::Inside(key) => Q::line(&mut state).is_served(*key),
            RemoteWaitState::Gone => false,
        }
    }

    #[inline]
    fn begin(&mut self, mut entry: Q::Entry, waker: &Waker) -> Poll<Q::Entry> {
        let request = &self.request;
        let served = request.try_unlocked(&mut entry)
            || (self.monitor).with(|state| request.try_serve(state, &mut entry));
        match served {
            true => Poll::Ready(entry),
            false => self.enter(entry, waker.clone()), // may be foreign code, so not under the lock
        }
    }

    fn enter(&mut self, mut entry: Q::Entry, waker: Waker) -> Poll<Q::Entry> {
        let mut waker = Some(waker); // dropped after the lock is released, if it is not needed
        let entered = self.monitor.with(|state| {
            let admitted = self.request.try_last(state, &mut entry);
            match waker.take_if(|_| !admitted) {
                Some(waker) => Err(Q::line(state).enter(entry, waker)),
                None => Ok(entry),
            }
        });
        match entered {
            Ok(entry) => Poll::Ready(entry),
            Err(key) => {
                self.of = LoopHandle::try_current().map(|current| current.remote());
                self.place = RemoteWaitState::Inside(key);
                Poll::Pending
            }
        }
    }

    fn go_on(&mut self, key: Key, waker: &Waker) -> Poll<Q::Entry> {
        let mut waker = waker.clone(); // may be foreign code, so not under the lock
        let left = self.monitor.with(|state| {
            let line = Q::line(state);
            if line.is_served(key) {
                return Ok(line.leave(key));
            }
            if let Some(before) = line.waker(key) {
                mem::swap(before, &mut waker);
            }
            Err(key)
        });
        match left {
            Ok(left) => {
                self.of = None;
                Poll::Ready(left.request)
            }
            Err(key) => {
                self.place = RemoteWaitState::Inside(key);
                Poll::Pending
            }
        }
    }
}

impl<M, S, Q> Future for RemoteWait<M, S, Q>
where
    M: Deref<Target = Monitor<S>>,
    S: Guarded,
    Q: Request<S>,
{
    type Output = Q::Entry;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Q::Entry> {
        let this = self.get_mut();
        let taken = budget::take();
        if !taken && this.is_ready() && budget::refuse(cx.waker()) {
            return Poll::Pending;
        }
        let polled = match mem::replace(&mut this.place, RemoteWaitState::Gone) {
            RemoteWaitState::Outside(entry) => this.begin(entry, cx.waker()),
            RemoteWaitState::Inside(key) => this.go_on(key, cx.waker()),
            RemoteWaitState::Gone => panic!("a wait was polled again after it was over"),
        };
        if polled.is_pending() && looking::is_looking() {
            let object = std::any::type_name::<S>();
            looking::outside(Step::OtherThread { object });
        }
        if taken && polled.is_pending() {
            budget::give_back();
        }
        polled
    }
}

/// No field is pinned.
impl<M, S, Q> Unpin for RemoteWait<M, S, Q>
where
    M: Deref<Target = Monitor<S>>,
    S: Guarded,
    Q: Request<S>,
{
}

impl<M, S, Q> Drop for RemoteWait<M, S, Q>
where
    M: Deref<Target = Monitor<S>>,
    S: Guarded,
    Q: Request<S>,
{
    fn drop(&mut self) {
        if let RemoteWaitState::Inside(key) = mem::replace(&mut self.place, RemoteWaitState::Gone) {
            let dropped = self.monitor.with(|state| {
                let left = Q::line(state).leave(key);
                let returned = self.request.abandoned(state, left.request, left.served);
                (returned, left.waker)
            });
            drop(dropped);
        }
    }
}

/// Blocks this thread until `future` is ready.
///
/// # Panics
///
/// Inside of an event loop, which it would stop.
#[track_caller]
pub(super) fn block_on<F: Future>(what: &str, future: F) -> F::Output {
    assert!(
        LoopHandle::try_current().is_none(),
        "{what} inside of an event loop would stop all its tasks: await the waiting form there"
    );
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    #[inline]
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
