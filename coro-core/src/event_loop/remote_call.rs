//! `RemoteCallHandle`: a callout that another thread has registered, and may cancel.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::panics::unpoisoned;

/// A callout that [`RemoteHandle::call_soon`](super::RemoteHandle::call_soon) has registered. Any
/// thread may have it. Dropping it does not cancel the callout.
///
/// The counterpart of the handle that `loop.call_soon_threadsafe` gives.
pub struct RemoteCallHandle {
    call: Arc<dyn Cancel>,
}

impl RemoteCallHandle {
    /// Keeps the callout from being called, and drops its closure now, on this thread.
    ///
    /// It works up to the moment of the call, and does nothing after that or a second time. So
    /// either the closure is called, or [`is_cancelled`](Self::is_cancelled) is true from now on.
    pub fn cancel(&self) {
        self.call.cancel();
    }

    /// Whether the callout was cancelled before it was called.
    pub fn is_cancelled(&self) -> bool {
        self.call.is_cancelled()
    }
}

impl fmt::Debug for RemoteCallHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteCallHandle")
            .field("cancelled", &self.is_cancelled())
            .finish()
    }
}

/// A callout, without the type of its closure.
trait Cancel: Send + Sync {
    fn cancel(&self);
    fn is_cancelled(&self) -> bool;
}

/// The closure, for the thread that takes it first.
struct PendingCall<F> {
    f: Mutex<Option<F>>,
    is_cancelled: AtomicBool,
}

impl<F> PendingCall<F> {
    /// The lock is given up before the closure is called or dropped, as it is foreign code.
    fn take(&self) -> Option<F> {
        unpoisoned(self.f.lock()).take()
    }
}

impl<F: Send> Cancel for PendingCall<F> {
    fn cancel(&self) {
        let f = {
            let mut place = unpoisoned(self.f.lock());
            if place.is_some() {
                self.is_cancelled.store(true, Ordering::Relaxed);
            }
            place.take()
        };
        drop(f);
    }

    fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Relaxed)
    }
}

/// The end of the loop. Dropping it drops the closure, though a handle is still there.
struct Delivery<F>(Arc<PendingCall<F>>);

impl<F> Drop for Delivery<F> {
    fn drop(&mut self) {
        drop(self.0.take());
    }
}

/// The message for the loop, and the handle that cancels it.
pub(super) fn cancellable<F>(f: F) -> (Box<dyn FnOnce() + Send>, RemoteCallHandle)
where
    F: FnOnce() + Send + 'static,
{
    let call = Arc::new(PendingCall {
        f: Mutex::new(Some(f)),
        is_cancelled: AtomicBool::new(false),
    });
    let delivery = Delivery(call.clone());
    let deliver = move || {
        if let Some(f) = delivery.0.take() {
            f();
        }
    };
    (Box::new(deliver), RemoteCallHandle { call })
}
