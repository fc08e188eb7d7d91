//! Channels for values, with any number of senders or receivers.
//!
//! ```
//! use coro::sync::channel;
//!
//! coro::run(async {
//!     let (sender, mut receiver) = channel::bounded(1);
//!     coro::spawn(async move {
//!         for n in 1..=3 {
//!             if sender.send(n * n).await.is_err() {
//!                 break; // the receiver is gone
//!             }
//!         }
//!     });
//!     let mut squares = Vec::new();
//!     while let Some(square) = receiver.recv().await {
//!         squares.push(square);
//!     }
//!     assert_eq!(squares, [1, 4, 9]);
//! });
//! ```
//!
//! A channel is a [`Queue`] that closes by itself. When the last sender is dropped, the receivers
//! get the remaining values, and then `None`. When the last receiver is dropped, the remaining
//! values are dropped, and senders get their values back. Each value goes to one receiver;
//! [`broadcast`](super::broadcast) gives each value to all of them.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_core::stream::FusedStream;

use super::counted::{Counted, HasSenders};
use super::error::{SendError, TryRecvError, TrySendError};
use super::queue::{Getting, PutFuture, Queue};
use crate::wait::queue::WaitState;

/// Makes a channel with room for `capacity` values.
///
/// ```
/// use coro::sync::channel;
/// use coro::sync::TrySendError;
///
/// let (sender, mut receiver) = channel::bounded(1);
/// assert_eq!(sender.try_send("a"), Ok(()));
/// assert_eq!(sender.try_send("b"), Err(TrySendError::Full("b")));
/// assert_eq!(receiver.try_recv(), Ok("a"));
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
    let shared = Rc::new(ChannelShared {
        queue: Queue::bounded(capacity),
        senders: Cell::new(0),
        receivers: Cell::new(0),
    });
    (Sender(Counted::new(shared.clone())), Receiver::new(shared))
}

/// Makes a channel without a limit: sending never waits, so
/// [`try_send`](Sender::try_send) is enough where nothing can be awaited.
///
/// A fast sender can fill the memory.
///
/// ```
/// use coro::sync::channel;
///
/// coro::run(async {
///     let (sender, mut receiver) = channel::unbounded();
///     for n in 0..1000 {
///         sender.try_send(n).unwrap();
///     }
///     drop(sender);
///     let mut sum = 0;
///     while let Some(n) = receiver.recv().await {
///         sum += n;
///     }
///     assert_eq!(sum, 499_500);
/// });
/// ```
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    bounded(usize::MAX)
}

struct ChannelShared<T> {
    queue: Queue<T>,
    senders: Cell<usize>,
    receivers: Cell<usize>,
}

impl<T> HasSenders for ChannelShared<T> {
    fn senders(&self) -> &Cell<usize> {
        &self.senders
    }

    fn close(&self) {
        self.queue.shutdown(false);
    }
}

/// The sending side of a channel.
pub struct Sender<T>(Counted<ChannelShared<T>>);

impl<T> Sender<T> {
    /// Sends a value, once there is room. If there is room now, this does not suspend.
    ///
    /// Dropping the wait drops the value, unless it has been sent already.
    ///
    /// # Errors
    ///
    /// The value, if every receiver has been dropped, or a receiver has closed the channel.
    #[inline]
    pub fn send(&self, value: T) -> SendFuture<'_, T> {
        SendFuture(self.0.queue.put(value))
    }

    /// Sends a value, if there is room now.
    ///
    /// # Errors
    ///
    /// The value, with the reason.
    #[inline]
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        self.0.queue.try_put(value)
    }

    /// Whether sending fails: every receiver has been dropped, or one has closed the channel.
    pub fn is_closed(&self) -> bool {
        self.0.queue.is_shut_down()
    }

    /// How many values wait to be received.
    pub fn len(&self) -> usize {
        self.0.queue.len()
    }

    /// Whether no value waits to be received.
    pub fn is_empty(&self) -> bool {
        self.0.queue.is_empty()
    }

    /// How many values the channel holds at most.
    pub fn capacity(&self) -> usize {
        self.0.queue.maxsize().unwrap_or(usize::MAX)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Sender(self.0.clone())
    }
}

/// The future of [`Sender::send`]: waits for room in a channel.
#[derive(Debug)]
#[must_use = "a value is sent by awaiting this"]
pub struct SendFuture<'a, T>(PutFuture<'a, Queue<T>>);

impl<T> Future for SendFuture<'_, T> {
    type Output = Result<(), SendError<T>>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx)
    }
}

/// The receiving side; also a [`Stream`].
///
/// It can be cloned. Each value then goes to one of the receivers, in the order in which they
/// asked.
pub struct Receiver<T> {
    shared: Rc<ChannelShared<T>>,
    /// Its place in line.
    place: WaitState,
}

impl<T> Receiver<T> {
    fn new(shared: Rc<ChannelShared<T>>) -> Self {
        shared.receivers.set(shared.receivers.get() + 1);
        Receiver {
            shared,
            place: WaitState::OUTSIDE,
        }
    }

    /// Receives the next value, once there is one; `None` once the channel is closed and empty. If
    /// the result is known, this does not suspend.
    ///
    /// Dropping the wait loses nothing: a value that it was already given goes to the next waiter,
    /// or back to the front.
    #[inline]
    pub fn recv(&mut self) -> RecvFuture<'_, T> {
        RecvFuture {
            receiver: self,
            waits: false,
        }
    }

    /// Receives the next value, if there is one now.
    ///
    /// # Errors
    ///
    /// Whether a value may still come.
    #[inline]
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        self.leave();
        self.shared.queue.try_get()
    }

    /// Closes the channel, for all receivers: it takes no more values. The values in it can still
    /// be received.
    pub fn close(&mut self) {
        self.shared.queue.shutdown(false);
    }

    /// How many values wait to be received.
    pub fn len(&self) -> usize {
        self.shared.queue.len()
    }

    /// Whether no value waits to be received.
    pub fn is_empty(&self) -> bool {
        self.shared.queue.is_empty()
    }

    /// Gives up its place in line.
    #[inline]
    fn leave(&mut self) {
        self.place.leave(&Getting(&self.shared.queue));
    }
}

/// The future of [`Receiver::recv`]: waits for a value of a channel.
#[derive(Debug)]
#[must_use = "a value is received by awaiting this"]
pub struct RecvFuture<'a, T> {
    receiver: &'a mut Receiver<T>,
    /// Whether the place in line belongs to this future; otherwise it belongs to the stream.
    waits: bool,
}

impl<T> Future for RecvFuture<'_, T> {
    type Output = Option<T>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let received = Pin::new(&mut *self.receiver).poll_next(cx);
        self.waits = received.is_pending();
        received
    }
}

impl<T> Drop for RecvFuture<'_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        if self.waits {
            self.receiver.leave();
        }
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        Receiver::new(self.shared.clone())
    }
}

impl<T> Stream for Receiver<T> {
    type Item = T;

    /// A value that the stream was given while it waited stays with the stream: the next poll or
    /// [`recv`](Receiver::recv) gives it. If the receiver is dropped, or calls
    /// [`try_recv`](Receiver::try_recv), the value goes to the next waiter, or back to the front.
    #[inline(always)]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let Receiver { shared, place } = self.get_mut();
        let got = place.poll(&Getting(&shared.queue), &mut Some(None), cx);
        got.map(|got| got.map(|(_, value)| value))
    }
}

impl<T> FusedStream for Receiver<T> {
    fn is_terminated(&self) -> bool {
        self.place.is_outside() && self.is_empty() && self.shared.queue.is_shut_down()
    }
}

impl<T> Unpin for Receiver<T> {}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let left = self.shared.receivers.get() - 1;
        self.shared.receivers.set(left);
        if left == 0 {
            self.shared.queue.shutdown(true);
        }
        self.leave();
    }
}

fn debug<T>(name: &str, queue: &Queue<T>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.debug_struct(name)
        .field("len", &queue.len())
        .field("closed", &queue.is_shut_down())
        .finish()
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug("Sender", &self.0.queue, f)
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug("Receiver", &self.shared.queue, f)
    }
}
