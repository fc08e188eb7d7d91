//! An event for tasks or threads, of any loop.

use std::fmt;
use std::task::Waker;

use super::monitor::{Guarded, Monitor, RemoteWait, Request, block_on};
use crate::wait::wait_list::WaitList;

/// A flag that tasks of several loops, and plain threads, wait for. As
/// [`sync::Event`](crate::sync::Event), but `Send` and `Sync`.
///
/// ```
/// use coro::sync::remote::Event;
/// use std::{sync::Arc, thread};
///
/// let ready = Arc::new(Event::new());
/// let (here, there) = (ready.clone(), ready);
/// let thread = thread::spawn(move || there.blocking_wait());
/// coro::run(async move { here.set() });
/// thread.join().unwrap();
/// ```
pub struct Event(Monitor<Flag>);

struct Flag {
    set: bool,
    waiters: WaitList<()>,
}

impl Guarded for Flag {
    #[inline]
    fn next_to_wake(&mut self) -> Option<Waker> {
        self.waiters.next_to_wake()
    }
}

struct Set;

impl Request<Flag> for Set {
    type Entry = ();

    #[inline]
    fn line(flag: &mut Flag) -> &mut WaitList<()> {
        &mut flag.waiters
    }

    #[inline]
    fn would_serve(&self, flag: &mut Flag, (): &()) -> bool {
        flag.set
    }

    #[inline]
    fn try_serve(&self, flag: &mut Flag, (): &mut ()) -> bool {
        flag.set
    }
}

impl Event {
    /// An event that is not set.
    #[cfg(not(all(loom, test)))]
    #[inline]
    pub const fn new() -> Self {
        Event(Monitor::new(Flag {
            set: false,
            waiters: WaitList::new(),
        }))
    }

    /// The same: loom's locks are not made at compile time.
    #[cfg(all(loom, test))]
    #[inline]
    pub fn new() -> Self {
        Event(Monitor::new(Flag {
            set: false,
            waiters: WaitList::new(),
        }))
    }

    /// Waits until the event is set. If it is set now, this does not suspend.
    ///
    /// A task that waits when the event is set is woken, even if the event is cleared again at
    /// once. Dropping the wait loses nothing.
    #[inline]
    pub async fn wait(&self) {
        RemoteWait::new(Set, &self.0, ()).await;
    }

    /// As [`wait`](Self::wait), but blocks a plain thread.
    ///
    /// # Panics
    ///
    /// Inside of an event loop.
    #[track_caller]
    #[inline]
    pub fn blocking_wait(&self) {
        block_on("blocking_wait()", self.wait());
    }

    /// Sets the event, and wakes all waiters.
    #[inline]
    pub fn set(&self) {
        self.0.with(|flag| {
            flag.set = true;
            flag.waiters.serve_while(|()| true);
        });
    }

    /// Clears the event: later calls of [`wait`](Self::wait) wait again.
    #[inline]
    pub fn clear(&self) {
        self.0.with(|flag| flag.set = false);
    }

    /// Whether the event is set.
    #[inline]
    pub fn is_set(&self) -> bool {
        self.0.with(|flag| flag.set)
    }
}

impl Default for Event {
    #[inline]
    fn default() -> Self {
        Event::new()
    }
}

impl fmt::Debug for Event {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("set", &self.is_set())
            .finish_non_exhaustive()
    }
}
