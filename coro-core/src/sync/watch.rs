//! Watches: channels that keep only the latest value, for any number of receivers.
//!
//! ```
//! use coro::sync::watch;
//!
//! coro::run(async {
//!     let (speed, mut dial) = watch::channel(0);
//!     let watching = coro::spawn(async move {
//!         let mut seen = Vec::new();
//!         while dial.changed().await.is_ok() {
//!             seen.push(*dial.borrow());
//!         }
//!         seen
//!     });
//!     coro::yield_now().await;
//!     speed.send(50).unwrap();
//!     coro::yield_now().await;
//!     speed.send(70).unwrap();
//!     speed.send(80).unwrap(); // 70 is never seen
//!     drop(speed);
//!     assert_eq!(watching.await.unwrap(), [50, 80]);
//! });
//! ```

use std::cell::{Cell, Ref, RefCell, RefMut};
use std::fmt;
use std::future::poll_fn;
use std::rc::Rc;

use super::counted::{Counted, HasSenders};
use super::error::{Closed, SendError};
use crate::task::budget;
use crate::wait::queue::{Service, Wait, WaitQueue};

/// Makes a watch. The receiver has seen the initial value.
pub fn channel<T>(initial: T) -> (Sender<T>, Receiver<T>) {
    let shared = Rc::new(WatchShared {
        value: RefCell::new(initial),
        version: Cell::new(0),
        senders: Cell::new(0),
        receivers: Cell::new(1),
        watching: WaitQueue::new(),
        sending: WaitQueue::new(),
    });
    let sender = Sender(Counted::new(shared.clone()));
    (sender, Receiver { shared, seen: 0 })
}

struct WatchShared<T> {
    value: RefCell<T>,
    /// How often a value was sent.
    version: Cell<u64>,
    senders: Cell<usize>,
    receivers: Cell<usize>,
    /// Tasks that wait for a change.
    watching: WaitQueue<()>,
    /// Tasks that wait until the last receiver is dropped.
    sending: WaitQueue<()>,
}

impl<T> HasSenders for WatchShared<T> {
    fn senders(&self) -> &Cell<usize> {
        &self.senders
    }

    fn close(&self) {
        self.watching.serve_while(|()| true);
    }
}

impl<T> WatchShared<T> {
    #[track_caller]
    fn value_mut(&self) -> RefMut<'_, T> {
        match self.value.try_borrow_mut() {
            Ok(value) => value,
            Err(_) => panic!(
                "a watched value was sent while it is borrowed: drop what borrow() gave first"
            ),
        }
    }

    #[track_caller]
    fn value(&self) -> Ref<'_, T> {
        match self.value.try_borrow() {
            Ok(value) => value,
            Err(_) => panic!("a watched value was borrowed by the very closure that changes it"),
        }
    }

    fn announce(&self) {
        self.version.set(self.version.get() + 1);
        self.watching.serve_while(|()| true);
    }

    fn receiver(self: &Rc<Self>, seen: u64) -> Receiver<T> {
        self.receivers.set(self.receivers.get() + 1);
        let shared = self.clone();
        Receiver { shared, seen }
    }
}

/// The sending side. When the last sender is dropped, receivers learn that no more values will
/// come.
pub struct Sender<T>(Counted<WatchShared<T>>);

impl<T> Sender<T> {
    /// Replaces the value, and wakes all tasks that wait for a change.
    ///
    /// # Errors
    ///
    /// The value, if there is no receiver.
    ///
    /// # Panics
    ///
    /// If the value is borrowed.
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        if self.is_closed() {
            return Err(SendError(value));
        }
        drop(self.send_replace(value));
        Ok(())
    }

    /// Replaces the value, even if there is no receiver, and gives the previous value.
    ///
    /// # Panics
    ///
    /// If the value is borrowed.
    #[track_caller]
    pub fn send_replace(&self, value: T) -> T {
        let before = std::mem::replace(&mut *self.0.value_mut(), value);
        self.0.announce();
        before
    }

    /// Changes the value in place, even if there is no receiver.
    ///
    /// # Panics
    ///
    /// If the value is borrowed, as it is while another `change` runs. If `change` panics,
    /// receivers are not notified of its changes.
    #[track_caller]
    pub fn send_modify(&self, change: impl FnOnce(&mut T)) {
        change(&mut self.0.value_mut());
        self.0.announce();
    }

    /// The value now. It cannot be sent while it is borrowed, so do not await meanwhile.
    #[track_caller]
    pub fn borrow(&self) -> Ref<'_, T> {
        self.0.value()
    }

    /// Makes another receiver, which has seen the present value.
    pub fn subscribe(&self) -> Receiver<T> {
        self.0.shared().receiver(self.0.version.get())
    }

    /// Whether there is no receiver.
    pub fn is_closed(&self) -> bool {
        self.0.receivers.get() == 0
    }

    /// Waits until there is no receiver. Dropping the wait loses nothing.
    pub async fn closed(&self) {
        Wait::new(Unwatched(&self.0), ()).await;
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Sender(self.0.clone())
    }
}

/// The receiving side. A clone has seen the same value as the original.
pub struct Receiver<T> {
    shared: Rc<WatchShared<T>>,
    seen: u64,
}

impl<T> Receiver<T> {
    /// Waits until there is a value that this receiver has not seen, and marks it as seen. If there
    /// is one now, this does not suspend. If several values come meanwhile, only the last can be
    /// seen.
    ///
    /// Dropping the wait loses nothing.
    ///
    /// # Errors
    ///
    /// [`Closed`] once the last sender has been dropped and its last value has been seen.
    pub async fn changed(&mut self) -> Result<(), Closed> {
        let change = ValueChange {
            of: &*self.shared,
            since: self.seen,
        };
        Wait::new(change, ()).await;
        match self.has_changed() {
            true => {
                self.seen = self.shared.version.get();
                Ok(())
            }
            false => Err(Closed),
        }
    }

    /// Waits until `predicate` holds of the value, and marks the value as seen: at once if it holds
    /// now.
    ///
    /// Dropping the wait loses nothing.
    ///
    /// # Errors
    ///
    /// [`Closed`] once the last sender has been dropped, if `predicate` does not hold of its last
    /// value.
    ///
    /// # Panics
    ///
    /// If `predicate` panics.
    pub async fn wait_for(
        &mut self,
        mut predicate: impl FnMut(&T) -> bool,
    ) -> Result<Ref<'_, T>, Closed> {
        poll_fn(budget::poll).await;
        while !predicate(&self.shared.value()) {
            self.changed().await?;
        }
        Ok(self.borrow_and_update())
    }

    /// The value now. It cannot be sent while it is borrowed, so do not await meanwhile.
    #[track_caller]
    pub fn borrow(&self) -> Ref<'_, T> {
        self.shared.value()
    }

    /// The value now, marked as seen.
    #[track_caller]
    pub fn borrow_and_update(&mut self) -> Ref<'_, T> {
        self.seen = self.shared.version.get();
        self.shared.value()
    }

    /// Whether there is a value that this receiver has not seen.
    pub fn has_changed(&self) -> bool {
        self.shared.version.get() != self.seen
    }

    /// Whether the last sender has been dropped.
    pub fn is_closed(&self) -> bool {
        self.shared.senders.get() == 0
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.shared.receiver(self.seen)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let left = self.shared.receivers.get() - 1;
        self.shared.receivers.set(left);
        if left == 0 {
            self.shared.sending.serve_while(|()| true);
        }
    }
}

struct ValueChange<'a, T> {
    of: &'a WatchShared<T>,
    since: u64,
}

impl<T> Service for ValueChange<'_, T> {
    type Request = ();

    fn queue(&self) -> &WaitQueue<()> {
        &self.of.watching
    }

    fn would_serve(&self, (): &()) -> bool {
        self.of.version.get() != self.since || self.of.senders.get() == 0
    }

    fn abandoned(&self, (): (), _: bool) {}

    fn name(&self) -> &'static str {
        "a change of a watch"
    }
}

struct Unwatched<'a, T>(&'a WatchShared<T>);

impl<T> Service for Unwatched<'_, T> {
    type Request = ();

    fn queue(&self) -> &WaitQueue<()> {
        &self.0.sending
    }

    fn would_serve(&self, (): &()) -> bool {
        self.0.receivers.get() == 0
    }

    fn abandoned(&self, (): (), _: bool) {}

    fn name(&self) -> &'static str {
        "the end of all receivers of a watch"
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("version", &self.0.version.get())
            .field("receivers", &self.0.receivers.get())
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("changed", &self.has_changed())
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
