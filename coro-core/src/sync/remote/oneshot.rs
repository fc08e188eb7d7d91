//! Channels for one value, between threads.
//!
//! As [`sync::oneshot`](crate::sync::oneshot), but each side may be in a task of any loop or on any
//! thread.
//!
//! ```
//! use coro::sync::remote::oneshot;
//! use std::thread;
//!
//! coro::run(async {
//!     let (answer, asked) = oneshot::channel();
//!     thread::spawn(move || answer.send(6 * 7));
//!     assert_eq!(asked.await, Ok(42));
//! });
//! ```

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::monitor::{Guarded, Monitor, RemoteWait, Request, block_on};
use crate::sync::error::{Closed, SendError};
use crate::wait::wait_list::WaitList;

/// Makes a channel for one value.
///
/// ```
/// use coro::sync::remote::oneshot;
///
/// let (sender, receiver) = oneshot::channel();
/// let thread = std::thread::spawn(move || receiver.blocking_recv());
/// sender.send("done").unwrap();
/// assert_eq!(thread.join().unwrap(), Ok("done"));
/// ```
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Monitor::new(HandOver {
        value: None,
        sent: false,
        closed: false,
        receiver: WaitList::new(),
        sender: WaitList::new(),
    }));
    let receiver = Receiver(RemoteWait::new(Sent, shared.clone(), None));
    (Sender(shared), receiver)
}

struct HandOver<T> {
    value: Option<T>,
    /// The sender has sent, or was dropped without sending.
    sent: bool,
    /// The receiver was dropped.
    closed: bool,
    receiver: WaitList<Option<T>>,
    sender: WaitList<()>,
}

impl<T> Guarded for HandOver<T> {
    fn next_to_wake(&mut self) -> Option<Waker> {
        let receiver = self.receiver.next_to_wake();
        receiver.or_else(|| self.sender.next_to_wake())
    }
}

struct Sent;

impl<T> Request<HandOver<T>> for Sent {
    type Entry = Option<T>;

    fn line(slot: &mut HandOver<T>) -> &mut WaitList<Option<T>> {
        &mut slot.receiver
    }

    fn would_serve(&self, slot: &mut HandOver<T>, _: &Option<T>) -> bool {
        slot.sent
    }

    fn try_serve(&self, slot: &mut HandOver<T>, value: &mut Option<T>) -> bool {
        if slot.sent {
            *value = slot.value.take();
        }
        slot.sent
    }
}

struct Unwanted;

impl<T> Request<HandOver<T>> for Unwanted {
    type Entry = ();

    fn line(slot: &mut HandOver<T>) -> &mut WaitList<()> {
        &mut slot.sender
    }

    fn would_serve(&self, slot: &mut HandOver<T>, (): &()) -> bool {
        slot.closed
    }

    fn try_serve(&self, slot: &mut HandOver<T>, (): &mut ()) -> bool {
        slot.closed
    }
}

/// The sending side. Dropping it without sending tells the receiver that no value will come.
pub struct Sender<T>(Arc<Monitor<HandOver<T>>>);

impl<T> Sender<T> {
    /// Sends the value, without waiting.
    ///
    /// # Errors
    ///
    /// The value, if the receiver was dropped.
    pub fn send(self, value: T) -> Result<(), SendError<T>> {
        let refused = self.0.with(|slot| match slot.closed {
            true => Some(value),
            false => {
                slot.value = Some(value);
                None
            }
        });
        refused.map_or(Ok(()), |value| Err(SendError(value)))
    }

    /// Whether the receiver was dropped.
    pub fn is_closed(&self) -> bool {
        self.0.with(|slot| slot.closed)
    }

    /// Waits until the receiver is dropped: a reason to stop working on the value.
    ///
    /// Dropping the wait loses nothing.
    pub async fn closed(&mut self) {
        RemoteWait::new(Unwanted, &*self.0, ()).await;
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.with(|slot| {
            slot.sent = true;
            let value = &mut slot.value;
            slot.receiver.serve_while(|received| {
                *received = value.take();
                true
            });
        });
    }
}

/// The receiving side: a future of the value.
///
/// Dropping it closes the channel, and drops a value that was sent and not received.
#[must_use = "a value is received by awaiting the receiver"]
pub struct Receiver<T>(RemoteWait<Arc<Monitor<HandOver<T>>>, HandOver<T>, Sent>);

impl<T> Receiver<T> {
    /// Receives the value; blocks a plain thread until it comes.
    ///
    /// # Errors
    ///
    /// [`Closed`] if the sender was dropped without sending.
    ///
    /// # Panics
    ///
    /// Inside of an event loop.
    #[track_caller]
    pub fn blocking_recv(self) -> Result<T, Closed> {
        block_on("blocking_recv()", self)
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, Closed>;

    /// [`Closed`] if the sender was dropped without sending.
    ///
    /// # Panics
    ///
    /// If it was ready before.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let received = Pin::new(&mut self.0).poll(cx);
        received.map(|value| value.ok_or(Closed))
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let value = self.0.monitor().with(|slot| {
            slot.closed = true;
            slot.sender.serve_while(|()| true);
            slot.value.take()
        });
        drop(value);
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
            .field("sent", &self.0.monitor().with(|slot| slot.sent))
            .finish()
    }
}
