//! Channels for values, between threads.
//!
//! As [`sync::channel`](crate::sync::channel), but each side may be anywhere: in a task of any
//! loop, or on a plain thread.
//!
//! ```
//! use coro::sync::remote::channel;
//! use std::thread;
//!
//! coro::run(async {
//!     let (sender, receiver) = channel::bounded(2);
//!     let thread = thread::spawn(move || (1..=9).try_for_each(|n| sender.blocking_send(n)));
//!     let mut sum = 0;
//!     while let Some(n) = receiver.recv().await {
//!         sum += n;
//!     }
//!     assert_eq!(sum, 45);
//!     thread.join().unwrap().unwrap();
//! });
//! ```

use std::fmt;

use super::monitor::{RemoteWait, block_on};
use super::two_locks::{Receive, Send, TwoLockQueue};
use crate::primitives::Arc;
use crate::sync::error::{SendError, TryRecvError, TrySendError};

/// Makes a channel with room for `capacity` values.
///
/// ```
/// use coro::sync::remote::channel;
///
/// coro::run(async {
///     let (sender, receiver) = channel::bounded(1);
///     std::thread::spawn(move || sender.blocking_send("from a thread"));
///     assert_eq!(receiver.recv().await, Some("from a thread"));
/// });
/// ```
///
/// # Panics
///
/// If `capacity` is zero.
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(
        capacity > 0,
        "a channel needs room for one value at least; make it unbounded() for no limit"
    );
    let shared = Arc::new(TwoLockQueue::new(capacity));
    (Sender(shared.clone()), Receiver(shared))
}

/// Makes a channel without a limit: sending never waits.
///
/// A fast sender can fill the memory.
///
/// ```
/// use coro::sync::remote::channel;
///
/// let (sender, receiver) = channel::unbounded();
/// sender.try_send(1).unwrap();
/// sender.try_send(2).unwrap();
/// assert_eq!(receiver.blocking_recv(), Some(1));
/// assert_eq!(receiver.blocking_recv(), Some(2));
/// ```
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    bounded(usize::MAX)
}

/// The sending side.
pub struct Sender<T>(Arc<TwoLockQueue<T>>);

impl<T> Sender<T> {
    /// Sends a value, once there is room. If there is room now, this does not suspend.
    ///
    /// Dropping the wait drops the value, unless it has been sent already.
    ///
    /// # Errors
    ///
    /// The value, if every receiver was dropped.
    pub async fn send(&self, value: T) -> Result<(), SendError<T>> {
        match RemoteWait::new(Send(&self.0), &self.0.back.0, Some(value)).await {
            None => Ok(()),
            Some(value) => Err(SendError(value)),
        }
    }

    /// As [`send`](Self::send), but blocks a plain thread.
    ///
    /// # Errors
    ///
    /// The value, if every receiver was dropped.
    ///
    /// # Panics
    ///
    /// Inside of an event loop.
    #[track_caller]
    pub fn blocking_send(&self, value: T) -> Result<(), SendError<T>> {
        block_on("blocking_send()", self.send(value))
    }

    /// Sends a value, if there is room now.
    ///
    /// # Errors
    ///
    /// The value, with the reason.
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        let mut value = Some(value);
        let is_open = self.0.try_send(&mut value);
        match value {
            None => Ok(()),
            Some(value) if is_open => Err(TrySendError::Full(value)),
            Some(value) => Err(TrySendError::Closed(value)),
        }
    }

    /// Whether every receiver was dropped.
    pub fn is_closed(&self) -> bool {
        self.0.back.0.with(|back| back.receivers == 0)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.back.0.with(|back| back.senders += 1);
        Sender(self.0.clone())
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.back.0.with(|back| {
            back.senders -= 1;
            if back.senders == 0 {
                back.getters.serve_while(|_| true);
            }
        });
    }
}

/// The receiving side. It can be cloned: each value then goes to one of the receivers.
pub struct Receiver<T>(Arc<TwoLockQueue<T>>);

impl<T> Receiver<T> {
    /// Receives the next value, once there is one; `None` once the last sender was dropped and the
    /// channel is empty. If the result is known, this does not suspend.
    ///
    /// Dropping the wait loses nothing: a value that it was already given goes to the next waiter,
    /// or back to the front.
    pub async fn recv(&self) -> Option<T> {
        let got = RemoteWait::new(Receive(&self.0), &self.0.back.0, None).await;
        got.map(|(_, value)| value)
    }

    /// As [`recv`](Self::recv), but blocks a plain thread.
    ///
    /// # Panics
    ///
    /// Inside of an event loop.
    #[track_caller]
    pub fn blocking_recv(&self) -> Option<T> {
        block_on("blocking_recv()", self.recv())
    }

    /// Receives the next value, if there is one now.
    ///
    /// # Errors
    ///
    /// Whether a value may still come.
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.0.try_receive().map_err(|is_open| match is_open {
            true => TryRecvError::Empty,
            false => TryRecvError::Closed,
        })
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.0.back.0.with(|back| back.receivers += 1);
        Receiver(self.0.clone())
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        drop(self.0.remove_receiver());
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("closed", &self.is_closed())
            .finish()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("len", &self.0.len())
            .finish()
    }
}
