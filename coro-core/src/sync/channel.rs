//! Values, from any number of tasks to any number of others.
//!
//! ```
//! # use coro_core as coro;
//! use coro::sync::channel;
//!
//! coro::run(async {
//!     let (sender, mut receiver) = channel::bounded(1);
//!     coro::spawn(async move {
//!         for n in 1..=3 {
//!             if sender.send(n * n).await.is_err() {
//!                 break; // nobody receives any more
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
//! A channel is a [`Queue`] that closes by itself: when the last sender has gone, receivers are
//! given what is left, and then nothing; when the last receiver has gone, what is left is dropped,
//! and senders get their values back. Each value goes to one receiver; for all of them to get it
//! there is [`broadcast`](super::broadcast).

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures::Stream;
use futures::stream::FusedStream;

use super::error::{SendError, TryRecvError, TrySendError};
use super::queue::{Fifo, Getting, PutFuture, Queue, TryGetError, TryPutError};
use crate::wait::queue::Place;

/// Makes a channel that has room for so many values.
///
/// # Panics
///
/// If `capacity` is zero.
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(
        capacity > 0,
        "a channel needs room for one value at least; make it unbounded() for no limit"
    );
    let shared = Shared::new(Queue::bounded(capacity));
    (Sender(Sending::new(&shared)), Receiver::new(shared))
}

/// Makes a channel that has always room: sending never waits.
///
/// Mind that nothing holds a fast sender back from filling the memory.
pub fn unbounded<T>() -> (UnboundedSender<T>, Receiver<T>) {
    let shared = Shared::new(Queue::unbounded());
    (
        UnboundedSender(Sending::new(&shared)),
        Receiver::new(shared),
    )
}

struct Shared<T> {
    queue: Queue<T>,
    senders: Cell<usize>,
    receivers: Cell<usize>,
}

impl<T> Shared<T> {
    fn new(queue: Queue<T>) -> Rc<Self> {
        let (senders, receivers) = (Cell::new(0), Cell::new(0));
        Rc::new(Shared {
            queue,
            senders,
            receivers,
        })
    }
}

/// Counts one who sends.
struct Sending<T>(Rc<Shared<T>>);

impl<T> Sending<T> {
    fn new(shared: &Rc<Shared<T>>) -> Self {
        shared.senders.set(shared.senders.get() + 1);
        Sending(shared.clone())
    }
}

impl<T> Drop for Sending<T> {
    fn drop(&mut self) {
        self.0.senders.set(self.0.senders.get() - 1);
        if self.0.senders.get() == 0 {
            self.0.queue.shutdown(false);
        }
    }
}

/// The side that sends, of a channel with limited room.
pub struct Sender<T>(Sending<T>);

impl<T> Sender<T> {
    /// Sends a value, once there is room. If there is, this does not suspend.
    ///
    /// Dropping the wait drops the value, unless it has been sent already.
    ///
    /// # Errors
    ///
    /// The value back, if nobody is left to receive.
    #[inline]
    pub fn send(&self, value: T) -> SendFuture<'_, T> {
        SendFuture(self.queue().put(value))
    }

    /// Sends a value, if there is room.
    ///
    /// # Errors
    ///
    /// The value back, and why.
    #[inline]
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        self.queue()
            .try_put(value)
            .map_err(|refused| match refused {
                TryPutError::Full(value) => TrySendError::Full(value),
                TryPutError::ShutDown(value) => TrySendError::Closed(value),
            })
    }

    /// Whether nobody is left to receive.
    pub fn is_closed(&self) -> bool {
        self.queue().is_shut_down()
    }

    /// How many values are there to be received.
    pub fn len(&self) -> usize {
        self.queue().len()
    }

    /// Whether there is nothing to be received.
    pub fn is_empty(&self) -> bool {
        self.queue().is_empty()
    }

    /// How many values there is room for, full or not.
    pub fn capacity(&self) -> usize {
        self.queue().maxsize().unwrap_or(usize::MAX)
    }

    #[inline]
    fn queue(&self) -> &Queue<T> {
        &self.0.0.queue
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Sender(Sending::new(&self.0.0))
    }
}

/// Waits for room in a channel: what [`Sender::send`] gives.
#[must_use = "a value is sent by awaiting this"]
pub struct SendFuture<'a, T>(PutFuture<'a, Fifo<T>>);

impl<T> Future for SendFuture<'_, T> {
    type Output = Result<(), SendError<T>>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let put = Pin::new(&mut self.0).poll(cx);
        put.map_err(|refused| SendError(refused.0))
    }
}

/// The side that sends, of a channel without a limit.
pub struct UnboundedSender<T>(Sending<T>);

impl<T> UnboundedSender<T> {
    /// Sends a value, without waiting.
    ///
    /// # Errors
    ///
    /// The value back, if nobody is left to receive.
    #[inline]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        let put = self.0.0.queue.try_put(value);
        put.map_err(|refused| SendError(refused.into_inner()))
    }

    /// Whether nobody is left to receive.
    pub fn is_closed(&self) -> bool {
        self.0.0.queue.is_shut_down()
    }

    /// How many values are there to be received.
    pub fn len(&self) -> usize {
        self.0.0.queue.len()
    }

    /// Whether there is nothing to be received.
    pub fn is_empty(&self) -> bool {
        self.0.0.queue.is_empty()
    }
}

impl<T> Clone for UnboundedSender<T> {
    fn clone(&self) -> Self {
        UnboundedSender(Sending::new(&self.0.0))
    }
}

/// The side that receives; also a [`Stream`].
///
/// It can be cloned: each value then goes to one of the receivers, in the order in which they asked.
pub struct Receiver<T> {
    shared: Rc<Shared<T>>,
    /// Where it stands in line.
    place: Place,
}

impl<T> Receiver<T> {
    fn new(shared: Rc<Shared<T>>) -> Self {
        shared.receivers.set(shared.receivers.get() + 1);
        Receiver {
            shared,
            place: Place::OUTSIDE,
        }
    }

    /// Receives the next value, once there is one; `None` once the last sender has gone and nothing
    /// is left. If it is known this does not suspend.
    ///
    /// Dropping the wait loses nothing: a value that was handed to it goes to the next who waits, or
    /// back to the front.
    #[inline]
    pub fn recv(&mut self) -> RecvFuture<'_, T> {
        RecvFuture {
            receiver: self,
            waits: false,
        }
    }

    /// Receives the next value, if there is one.
    ///
    /// # Errors
    ///
    /// Whether one may still come.
    #[inline]
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        self.leave();
        self.shared.queue.try_get().map_err(|none| match none {
            TryGetError::Empty => TryRecvError::Empty,
            TryGetError::ShutDown => TryRecvError::Closed,
        })
    }

    /// Has the channel take no more values, for all receivers. What is in it can be received.
    pub fn close(&mut self) {
        self.shared.queue.shutdown(false);
    }

    /// How many values are there to be received.
    pub fn len(&self) -> usize {
        self.shared.queue.len()
    }

    /// Whether there is nothing to be received.
    pub fn is_empty(&self) -> bool {
        self.shared.queue.is_empty()
    }

    /// Gives up the place it has in line.
    #[inline]
    fn leave(&mut self) {
        self.place.leave(&Getting(&self.shared.queue));
    }
}

/// Waits for a value of a channel: what [`Receiver::recv`] gives.
#[must_use = "a value is received by awaiting this"]
pub struct RecvFuture<'a, T> {
    receiver: &'a mut Receiver<T>,
    /// Until then the place in line is the stream's.
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

    /// A value that is handed to the stream while it waits stays its own: the next poll or
    /// [`recv`](Receiver::recv) gives it. If the receiver is dropped, or asks by
    /// [`try_recv`](Receiver::try_recv), it goes to the next who waits, or back to the front.
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
        debug("Sender", self.queue(), f)
    }
}

impl<T> fmt::Debug for UnboundedSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug("UnboundedSender", &self.0.0.queue, f)
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug("Receiver", &self.shared.queue, f)
    }
}
