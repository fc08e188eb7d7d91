//! Channels for one value, from one task to another.
//!
//! The counterpart of a bare `asyncio.Future`, with which one task passes its result to another.
//!
//! ```
//! use coro::sync::oneshot;
//!
//! coro::run(async {
//!     let (answer, asked) = oneshot::channel();
//!     coro::spawn(async move { answer.send(6 * 7) });
//!     assert_eq!(asked.await, Ok(42));
//! });
//! ```

use std::cell::Cell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use super::error::{Closed, SendError, TryRecvError};
use crate::task::{Step, budget, looking};
use crate::wait::one::OneWaiter;

/// Makes a channel for one value.
///
/// ```
/// use coro::sync::oneshot;
///
/// coro::run(async {
///     let (sender, receiver) = oneshot::channel::<u32>();
///     drop(sender);
///     assert!(receiver.await.is_err()); // no value will come
/// });
/// ```
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let shared = Rc::new(OneshotShared {
        value: Cell::new(None),
        sent: Cell::new(false),
        closed: Cell::new(false),
        receiver: OneWaiter::default(),
        sender: OneWaiter::default(),
    });
    (Sender(shared.clone()), Receiver(shared))
}

struct OneshotShared<T> {
    value: Cell<Option<T>>,
    /// The sender has sent, or was dropped without sending.
    sent: Cell<bool>,
    /// The receiver was dropped or closed.
    closed: Cell<bool>,
    receiver: OneWaiter,
    sender: OneWaiter,
}

impl<T> OneshotShared<T> {
    /// Whether the state is final.
    #[inline]
    fn is_settled(&self) -> bool {
        self.sent.get() || self.closed.get()
    }
}

/// The sending side. Dropping it without sending tells the receiver that no value will come.
pub struct Sender<T>(Rc<OneshotShared<T>>);

impl<T> Sender<T> {
    /// Sends the value, without waiting.
    ///
    /// # Errors
    ///
    /// The value, if the receiver was dropped or closed.
    #[inline]
    pub fn send(self, value: T) -> Result<(), SendError<T>> {
        if self.0.closed.get() {
            return Err(SendError(value));
        }
        self.0.value.set(Some(value));
        Ok(())
    }

    /// Whether the receiver was dropped or closed, so that sending would fail.
    pub fn is_closed(&self) -> bool {
        self.0.closed.get()
    }

    /// Waits until the receiver is dropped or closed: a reason to stop working on the value.
    ///
    /// Dropping the future loses nothing.
    pub async fn closed(&mut self) {
        poll_fn(|cx| self.poll_closed(cx)).await;
    }

    /// As [`closed`](Self::closed), for hand-written futures.
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.0.closed.get() {
            self.0.sender.wait(cx);
        }
        if self.0.closed.get() {
            return Poll::Ready(());
        }
        if looking::is_looking() {
            report("the end of the receiver of a oneshot");
        }
        Poll::Pending
    }
}

impl<T> Drop for Sender<T> {
    #[inline]
    fn drop(&mut self) {
        self.0.sent.set(true);
        self.0.sender.forget();
        self.0.receiver.wake();
    }
}

/// The receiving side: a future of the value.
///
/// Dropping it closes the channel. A value that was sent and not yet taken is dropped with it;
/// await `&mut receiver` to keep it beyond that await.
#[must_use = "a value is received by awaiting the receiver"]
pub struct Receiver<T>(Rc<OneshotShared<T>>);

impl<T> Receiver<T> {
    /// The value, if it was sent.
    ///
    /// # Errors
    ///
    /// Whether the value may still come.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        match self.0.value.take() {
            Some(value) => Ok(value),
            None if self.0.is_settled() => Err(TryRecvError::Closed),
            None => Err(TryRecvError::Empty),
        }
    }

    /// Refuses the value, unless it was sent already: then it can still be received.
    pub fn close(&mut self) {
        if !self.0.closed.replace(true) {
            self.0.sender.wake();
        }
    }
}

#[cold]
#[track_caller]
#[inline]
fn report(of: &'static str) {
    looking::leaf_at(Step::Notice { of }, Location::caller(), "a oneshot");
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, Closed>;

    /// [`Closed`] if the sender was dropped without sending, the receiver was closed before that,
    /// or the value was already taken.
    #[inline]
    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if !self.0.is_settled() {
            self.0.receiver.wait(cx);
        }
        if !self.0.is_settled() {
            if looking::is_looking() {
                report("the value of a oneshot");
            }
            return Poll::Pending;
        }
        ready!(budget::poll(cx));
        Poll::Ready(self.try_recv().map_err(|_| Closed))
    }
}

impl<T> Drop for Receiver<T> {
    #[inline]
    fn drop(&mut self) {
        self.0.receiver.forget();
        self.close();
        drop(self.0.value.take());
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
            .field("sent", &self.0.sent.get())
            .finish_non_exhaustive()
    }
}
