//! Channels that broadcast: each value goes to every receiver.
//!
//! A sender never waits for a slow receiver. The channel keeps a limited number of values; a
//! receiver that has not received a value before it makes room for a newer one is told how many it
//! missed.
//!
//! ```
//! use coro::sync::broadcast::{self, RecvError};
//!
//! coro::run(async {
//!     let (news, mut keen) = broadcast::channel(2);
//!     let mut slow = news.subscribe();
//!     for text in ["one", "two", "three"] {
//!         news.send(text).unwrap();
//!         if text == "two" {
//!             assert_eq!(keen.recv().await, Ok("one"));
//!         }
//!     }
//!     assert_eq!(keen.recv().await, Ok("two"));
//!     assert_eq!(slow.recv().await, Err(RecvError::Lagged(1)));
//!     assert_eq!(slow.recv().await, Ok("two"));
//! });
//! ```

mod ring;

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_core::stream::FusedStream;

use self::ring::{NextItem, Ring};
use super::counted::{Counted, HasSenders};
use super::error::SendError;
use crate::task::budget;
use crate::wait::queue::{Service, Wait, WaitQueue, WaitState};

/// Makes a channel that keeps at most `capacity` values for receivers that have not received them.
///
/// ```
/// use coro::sync::broadcast;
///
/// coro::run(async {
///     let (news, mut first) = broadcast::channel(8);
///     let mut second = news.subscribe();
///     news.send("hello").unwrap();
///     assert_eq!(first.recv().await, Ok("hello"));
///     assert_eq!(second.recv().await, Ok("hello"));
/// });
/// ```
///
/// # Panics
///
/// If `capacity` is zero.
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(
        capacity > 0,
        "a broadcast channel keeps one value at least: give it room"
    );
    let shared = Rc::new(BroadcastShared {
        ring: RefCell::new(Ring::new(capacity)),
        senders: Cell::new(0),
        waiting: WaitQueue::new(),
    });
    let sender = Sender(Counted::new(shared));
    let receiver = sender.subscribe();
    (sender, receiver)
}

struct BroadcastShared<T> {
    ring: RefCell<Ring<T>>,
    senders: Cell<usize>,
    waiting: WaitQueue<()>,
}

impl<T> HasSenders for BroadcastShared<T> {
    fn senders(&self) -> &Cell<usize> {
        &self.senders
    }

    fn close(&self) {
        self.waiting.serve_while(|()| true);
    }
}

/// The sending side.
pub struct Sender<T>(Counted<BroadcastShared<T>>);

impl<T> Sender<T> {
    /// Sends a value to all present receivers, without waiting, and gives their number.
    ///
    /// If there is no room, the oldest value is dropped. Each value is put in an `Rc`, one
    /// allocation.
    ///
    /// # Errors
    ///
    /// The value, if there is no receiver.
    pub fn send(&self, value: T) -> Result<usize, SendError<T>> {
        let receivers = self.receiver_count();
        if receivers == 0 {
            return Err(SendError(value));
        }
        let gone = self.0.ring.borrow_mut().push(Rc::new(value));
        self.0.waiting.serve_while(|()| true);
        drop(gone);
        Ok(receivers)
    }

    /// Makes another receiver, for values that are sent from now on.
    pub fn subscribe(&self) -> Receiver<T> {
        Receiver {
            next: self.0.ring.borrow_mut().subscribe(),
            shared: self.0.shared().clone(),
            place: WaitState::OUTSIDE,
        }
    }

    /// How many receivers exist.
    pub fn receiver_count(&self) -> usize {
        self.0.ring.borrow().receivers()
    }

    /// How many values are kept for receivers that have not received them.
    pub fn len(&self) -> usize {
        self.0.ring.borrow().len()
    }

    /// Whether every receiver has received every value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Sender(self.0.clone())
    }
}

/// The receiving side; also a [`Stream`], which continues after a [`Lagged`].
pub struct Receiver<T> {
    shared: Rc<BroadcastShared<T>>,
    /// The number of the value that it receives next.
    next: u64,
    /// Its place in line as a stream.
    place: WaitState,
}

impl<T: Clone> Receiver<T> {
    /// Receives the next value, once there is one. If there is one now, this does not suspend.
    ///
    /// The last receiver of a value gets the value itself, the others get clones. Dropping the wait
    /// loses nothing.
    ///
    /// # Errors
    ///
    /// [`RecvError::Lagged`] if this receiver has missed values: the next call gives the oldest
    /// value that is kept. [`RecvError::Closed`] once the last sender has been dropped and its last
    /// value has been received.
    pub async fn recv(&mut self) -> Result<T, RecvError> {
        let arrival = NewMessage {
            of: &*self.shared,
            after: self.next,
        };
        Wait::new(arrival, ()).await;
        match self.try_recv() {
            Ok(value) => Ok(value),
            Err(TryRecvError::Lagged(n)) => Err(RecvError::Lagged(n)),
            Err(TryRecvError::Empty | TryRecvError::Closed) => Err(RecvError::Closed),
        }
    }

    /// Receives the next value, if there is one now.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv), and [`TryRecvError::Empty`] if a value may still come.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let next = self.shared.ring.borrow_mut().next(&mut self.next);
        match next {
            NextItem::Value(value) => Ok(Rc::unwrap_or_clone(value)),
            NextItem::Lost(n) => Err(TryRecvError::Lagged(n)),
            NextItem::Nothing if self.shared.senders.get() == 0 => Err(TryRecvError::Closed),
            NextItem::Nothing => Err(TryRecvError::Empty),
        }
    }
}

impl<T> Receiver<T> {
    /// Makes another receiver, for values that are sent from now on.
    pub fn resubscribe(&self) -> Receiver<T> {
        Receiver {
            next: self.shared.ring.borrow_mut().subscribe(),
            shared: self.shared.clone(),
            place: WaitState::OUTSIDE,
        }
    }

    /// How many values were sent that this receiver has not received, including missed ones.
    pub fn len(&self) -> usize {
        (self.shared.ring.borrow().end() - self.next) as usize
    }

    /// Whether this receiver has received every value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T: Clone> Stream for Receiver<T> {
    type Item = Result<T, Lagged>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.next != this.shared.ring.borrow().end() {
            ready!(budget::poll(cx));
        }
        loop {
            match this.try_recv() {
                Ok(value) => return Poll::Ready(Some(Ok(value))),
                Err(TryRecvError::Lagged(n)) => return Poll::Ready(Some(Err(Lagged(n)))),
                Err(TryRecvError::Closed) => return Poll::Ready(None),
                Err(TryRecvError::Empty) => {}
            }
            let arrival = NewMessage {
                of: &*this.shared,
                after: this.next,
            };
            ready!(this.place.poll(&arrival, &mut Some(()), cx));
        }
    }
}

impl<T: Clone> FusedStream for Receiver<T> {
    fn is_terminated(&self) -> bool {
        self.is_empty() && self.shared.senders.get() == 0
    }
}

impl<T> Unpin for Receiver<T> {}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let arrival = NewMessage {
            of: &*self.shared,
            after: self.next,
        };
        self.place.leave(&arrival);
        let gone = self.shared.ring.borrow_mut().unsubscribe(self.next);
        drop(gone);
    }
}

struct NewMessage<'a, T> {
    of: &'a BroadcastShared<T>,
    after: u64,
}

impl<T> Service for NewMessage<'_, T> {
    type Request = ();

    fn queue(&self) -> &WaitQueue<()> {
        &self.of.waiting
    }

    fn would_serve(&self, (): &()) -> bool {
        self.of.ring.borrow().end() != self.after || self.of.senders.get() == 0
    }

    fn abandoned(&self, (): (), _: bool) {}

    fn name(&self) -> &'static str {
        "a message of a broadcast"
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("len", &self.len())
            .field("receivers", &self.receiver_count())
            .finish()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("len", &self.len())
            .finish()
    }
}

/// The receiver has missed this many values, because it was too slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lagged(pub u64);

impl fmt::Display for Lagged {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the receiver was too slow for {} values", self.0)
    }
}

impl Error for Lagged {}

/// The reason why there is no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecvError {
    /// The receiver has missed this many values, because it was too slow.
    Lagged(u64),
    /// The last sender was dropped, and its last value has been received.
    Closed,
}

impl fmt::Display for RecvError {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecvError::Lagged(n) => Lagged(*n).fmt(f),
            RecvError::Closed => super::error::TryRecvError::Closed.fmt(f),
        }
    }
}

impl Error for RecvError {}

/// The reason why there is no value now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TryRecvError {
    /// There is no value now.
    Empty,
    /// The receiver has missed this many values, because it was too slow.
    Lagged(u64),
    /// The last sender was dropped, and its last value has been received.
    Closed,
}

impl fmt::Display for TryRecvError {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TryRecvError::Empty => super::error::TryRecvError::Empty.fmt(f),
            TryRecvError::Lagged(n) => Lagged(*n).fmt(f),
            TryRecvError::Closed => super::error::TryRecvError::Closed.fmt(f),
        }
    }
}

impl Error for TryRecvError {}
