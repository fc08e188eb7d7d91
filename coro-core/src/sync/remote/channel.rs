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
use std::sync::Arc;
use std::task::Waker;

use super::monitor::{Guarded, Monitor, RemoteWait, Request, block_on};
use crate::sync::error::{SendError, TryRecvError, TrySendError};
use crate::sync::queue::{Fifo, Got, Order};
use crate::wait::wait_list::WaitList;

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
    let shared = Arc::new(Monitor::new(Buffer {
        values: Fifo::default(),
        capacity,
        number: 0,
        senders: 1,
        receivers: 1,
        getters: WaitList::new(),
        putters: WaitList::new(),
    }));
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

struct Buffer<T> {
    values: Fifo<T>,
    capacity: usize,
    number: u64,
    senders: usize,
    receivers: usize,
    getters: WaitList<Got<T>>,
    putters: WaitList<Option<T>>,
}

impl<T> Guarded for Buffer<T> {
    fn next_to_wake(&mut self) -> Option<Waker> {
        let getter = self.getters.next_to_wake();
        getter.or_else(|| self.putters.next_to_wake())
    }
}

impl<T> Buffer<T> {
    /// Whether a value can be sent now.
    fn has_room(&self) -> bool {
        let room = self.values.count() < self.capacity;
        self.receivers > 0 && (room || !self.getters.is_empty())
    }

    /// Takes the value out of `value`, if it can be sent now.
    fn accept(&mut self, value: &mut Option<T>) {
        if self.has_room() {
            let number = self.number;
            self.number += 1;
            self.store(number, value, Fifo::put);
        }
    }

    /// Gives a value to the first waiter; without a waiter, puts it among the other values.
    fn store(&mut self, number: u64, value: &mut Option<T>, put: fn(&mut Fifo<T>, u64, T)) {
        self.getters.serve_while(|got| {
            let value = value.take().map(|value| (number, value));
            let any = value.is_some();
            if any {
                *got = value;
            }
            any
        });
        if let Some(value) = value.take() {
            put(&mut self.values, number, value);
        }
    }

    fn take(&mut self) -> Option<T> {
        let value = self.values.take()?;
        self.putters.serve_while(|value| {
            let room = self.values.count() < self.capacity;
            if room && let Some(value) = value.take() {
                self.values.put(self.number, value);
                self.number += 1;
            }
            room
        });
        Some(value)
    }
}

struct Send;

impl<T> Request<Buffer<T>> for Send {
    /// The value, until it is sent.
    type Entry = Option<T>;

    fn line(buffer: &mut Buffer<T>) -> &mut WaitList<Option<T>> {
        &mut buffer.putters
    }

    fn would_serve(buffer: &Buffer<T>, _: &Option<T>) -> bool {
        buffer.has_room() || buffer.receivers == 0
    }

    fn try_serve(buffer: &mut Buffer<T>, value: &mut Option<T>) -> bool {
        buffer.accept(value);
        value.is_none() || buffer.receivers == 0
    }
}

struct Receive;

impl<T> Request<Buffer<T>> for Receive {
    type Entry = Got<T>;

    fn line(buffer: &mut Buffer<T>) -> &mut WaitList<Got<T>> {
        &mut buffer.getters
    }

    fn would_serve(buffer: &Buffer<T>, _: &Got<T>) -> bool {
        buffer.values.count() > 0 || buffer.senders == 0
    }

    fn try_serve(buffer: &mut Buffer<T>, got: &mut Got<T>) -> bool {
        *got = buffer.take().map(|value| (0, value)); // its number is not used: it is not handed on
        got.is_some() || buffer.senders == 0
    }

    fn abandoned(buffer: &mut Buffer<T>, got: Got<T>, _: bool) -> Option<Got<T>> {
        let (number, value) = got?;
        buffer.store(number, &mut Some(value), Fifo::put_back);
        None
    }
}

/// The sending side.
pub struct Sender<T>(Arc<Monitor<Buffer<T>>>);

impl<T> Sender<T> {
    /// Sends a value, once there is room. If there is room now, this does not suspend.
    ///
    /// Dropping the wait drops the value, unless it has been sent already.
    ///
    /// # Errors
    ///
    /// The value, if every receiver was dropped.
    pub async fn send(&self, value: T) -> Result<(), SendError<T>> {
        match RemoteWait::new(Send, &*self.0, Some(value)).await {
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
        let closed = self.0.with(|buffer| {
            buffer.accept(&mut value);
            buffer.receivers == 0
        });
        match value {
            None => Ok(()),
            Some(value) if closed => Err(TrySendError::Closed(value)),
            Some(value) => Err(TrySendError::Full(value)),
        }
    }

    /// Whether every receiver was dropped.
    pub fn is_closed(&self) -> bool {
        self.0.with(|buffer| buffer.receivers == 0)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.with(|buffer| buffer.senders += 1);
        Sender(self.0.clone())
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.with(|buffer| {
            buffer.senders -= 1;
            if buffer.senders == 0 {
                buffer.getters.serve_while(|_| true);
            }
        });
    }
}

/// The receiving side. It can be cloned: each value then goes to one of the receivers.
pub struct Receiver<T>(Arc<Monitor<Buffer<T>>>);

impl<T> Receiver<T> {
    /// Receives the next value, once there is one; `None` once the last sender was dropped and the
    /// channel is empty. If the result is known, this does not suspend.
    ///
    /// Dropping the wait loses nothing: a value that it was already given goes to the next waiter,
    /// or back to the front.
    pub async fn recv(&self) -> Option<T> {
        let got = RemoteWait::new(Receive, &*self.0, None).await;
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
        let (value, closed) = self.0.with(|buffer| (buffer.take(), buffer.senders == 0));
        match (value, closed) {
            (Some(value), _) => Ok(value),
            (None, true) => Err(TryRecvError::Closed),
            (None, false) => Err(TryRecvError::Empty),
        }
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.0.with(|buffer| buffer.receivers += 1);
        Receiver(self.0.clone())
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let unreceived = self.0.with(|buffer| {
            buffer.receivers -= 1;
            (buffer.receivers == 0).then(|| {
                buffer.putters.serve_while(|_| true);
                std::mem::take(&mut buffer.values)
            })
        });
        drop(unreceived);
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
            .field("len", &self.0.with(|buffer| buffer.values.count()))
            .finish()
    }
}
