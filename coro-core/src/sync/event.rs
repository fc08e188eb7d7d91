//! An event: a flag that any number of tasks wait for.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::wait::queue::{Service, Wait, WaitQueue};

/// A flag that tasks wait for. The counterpart of `asyncio.Event`.
///
/// ```
/// use coro::sync::Event;
/// use std::rc::Rc;
///
/// coro::run(async {
///     let ready = Rc::new(Event::new());
///     let waiting = {
///         let ready = ready.clone();
///         coro::spawn(async move { ready.wait().await })
///     };
///     ready.set();
///     waiting.await.unwrap();
///     ready.wait().await; // at once: it is still set
/// });
/// ```
#[derive(Default)]
#[doc(alias = "Notify")]
pub struct Event {
    set: Cell<bool>,
    waiters: WaitQueue<()>,
}

impl Event {
    /// An event that is not set.
    #[inline]
    pub const fn new() -> Self {
        Event {
            set: Cell::new(false),
            waiters: WaitQueue::new(),
        }
    }

    /// Waits until the event is set. If it is set now, this does not suspend.
    ///
    /// A task that waits when the event is set is woken, even if the event is cleared again at
    /// once. Dropping the wait loses nothing.
    #[inline]
    pub fn wait(&self) -> EventFuture<'_> {
        EventFuture(Wait::new(self, ()))
    }

    /// Sets the event, and wakes all waiters in the order in which they came.
    #[inline]
    pub fn set(&self) {
        if !self.set.replace(true) {
            self.waiters.serve_while(|()| true);
        }
    }

    /// Clears the event: later calls of [`wait`](Self::wait) wait again.
    #[inline]
    pub fn clear(&self) {
        self.set.set(false);
    }

    /// Whether the event is set.
    #[inline]
    pub fn is_set(&self) -> bool {
        self.set.get()
    }
}

impl Service for Event {
    type Request = ();

    #[inline]
    fn queue(&self) -> &WaitQueue<()> {
        &self.waiters
    }

    #[inline]
    fn would_serve(&self, (): &()) -> bool {
        self.set.get()
    }

    #[inline]
    fn abandoned(&self, (): (), _: bool) {}
}

/// The future of [`Event::wait`].
#[derive(Debug)]
#[must_use = "an event is waited for by awaiting this"]
pub struct EventFuture<'a>(Wait<&'a Event>);

impl Future for EventFuture<'_> {
    type Output = ();

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl fmt::Debug for Event {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("set", &self.set.get())
            .field("waiting", &self.waiters.len())
            .finish()
    }
}
