//! Queues of items, for tasks that share work.

mod engine;
mod futures;
mod order;

use std::fmt;

pub(super) use self::engine::Got;
use self::engine::{AnyQueue, Engine, Joining};
pub(super) use self::futures::Getting;
pub use self::futures::{GetFuture, PutFuture};
pub(super) use self::order::{Fifo, Order};
use self::order::{Lifo, Priority};
use super::error::{TryRecvError, TrySendError};
use crate::wait::queue::Wait;

/// Defines a queue, whose items leave in the given order.
macro_rules! queue {
    ($(#[$doc:meta])* $Queue:ident $(: $bound:ident)? in $Order:ident) => {
        $(#[$doc])*
        pub struct $Queue<T $(: $bound)?>(Engine<$Order<T>>);

        impl<T $(: $bound)?> AnyQueue for $Queue<T> {
            type Order = $Order<T>;

            #[inline(always)]
            fn engine(&self) -> &Engine<$Order<T>> {
                &self.0
            }
        }

        impl<T $(: $bound)?> $Queue<T> {
            /// A queue with room for `maxsize` items.
            ///
            /// # Panics
            ///
            /// If `maxsize` is zero: no item could ever be put. Use [`unbounded`](Self::unbounded) for no
            /// limit.
            #[doc(alias = "maxsize")]
            #[inline]
            pub fn bounded(maxsize: usize) -> Self {
                assert!(
                    maxsize > 0,
                    "a queue needs room for one item at least: make it unbounded() for no limit"
                );
                Self(Engine::new(maxsize))
            }

            /// A queue with room for `maxsize` items, as `asyncio.Queue(maxsize)` is; as
            /// [`bounded`](Self::bounded).
            ///
            /// # Panics
            ///
            /// If `maxsize` is zero.
            #[track_caller]
            #[inline]
            pub fn new(maxsize: usize) -> Self {
                Self::bounded(maxsize)
            }

            /// A queue without a limit.
            #[inline]
            pub fn unbounded() -> Self {
                Self::bounded(usize::MAX)
            }

            /// Puts an item, once there is room. If there is room now, this does not suspend.
            ///
            /// Dropping the wait drops the item, unless it has been put already.
            ///
            /// # Errors
            ///
            /// The item, if the queue is shut down now, or while this waits.
            #[inline]
            pub fn put(&self, item: T) -> PutFuture<'_, Self> {
                PutFuture::new(self, item)
            }

            /// Puts an item, if there is room now.
            ///
            /// # Errors
            ///
            /// The item, with the reason.
            #[inline]
            pub fn try_put(&self, item: T) -> Result<(), TrySendError<T>> {
                let mut item = Some(item);
                self.0.accept(&mut item);
                match item {
                    None => Ok(()),
                    Some(item) if self.is_shut_down() => Err(TrySendError::Closed(item)),
                    Some(item) => Err(TrySendError::Full(item)),
                }
            }

            /// Gets the next item, once there is one. If there is one now, this does not suspend.
            ///
            /// Dropping the wait loses nothing: an item that it was already given goes to the next waiter,
            /// or back to its place in the queue, even if the queue is full.
            ///
            /// # Errors
            ///
            /// [`Closed`](crate::sync::Closed) if the queue was shut down and is empty.
            #[inline]
            pub fn get(&self) -> GetFuture<'_, Self> {
                GetFuture::new(self)
            }

            /// Gets the next item, if there is one now.
            ///
            /// # Errors
            ///
            /// Whether an item may still come.
            #[inline]
            pub fn try_get(&self) -> Result<T, TryRecvError> {
                match self.0.take() {
                    Some(item) => Ok(item),
                    None if self.is_shut_down() => Err(TryRecvError::Closed),
                    None => Err(TryRecvError::Empty),
                }
            }

            /// Marks one item that was got as done, for [`join`](Self::join).
            ///
            /// # Panics
            ///
            /// If it is called more often than items were put.
            #[track_caller]
            #[inline]
            pub fn task_done(&self) {
                assert!(
                    self.0.unfinished.get() > 0,
                    "task_done() was called more often than items were put: call it once for each"
                );
                self.0.finish(1);
            }

            /// Waits until every item that was put was marked by [`task_done`](Self::task_done). If all
            /// were, this does not suspend.
            ///
            /// Dropping the wait loses nothing.
            #[inline]
            pub async fn join(&self) {
                Wait::new(Joining(&self.0), ()).await;
            }

            /// Shuts the queue down: it takes no more items. Tasks that wait to put get their items back.
            /// Tasks that get receive the remaining items, and then [`Closed`](crate::sync::Closed).
            ///
            /// If `immediate`, the remaining items are dropped, and count as done.
            #[inline]
            pub fn shutdown(&self, immediate: bool) {
                self.0.shutdown(immediate);
            }

            /// Whether the queue was shut down.
            #[inline]
            pub fn is_shut_down(&self) -> bool {
                self.0.is_shut_down()
            }

            /// How many items can be got. An item that was given to a waiter does not count.
            #[inline]
            pub fn len(&self) -> usize {
                self.0.len()
            }

            /// Whether no item can be got.
            #[inline]
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// Whether there is no room.
            #[inline]
            pub fn is_full(&self) -> bool {
                self.0.is_full()
            }

            /// How many items there is room for in all; `None` if there is no limit.
            #[inline]
            pub fn maxsize(&self) -> Option<usize> {
                (self.0.maxsize < usize::MAX).then_some(self.0.maxsize)
            }
        }

        impl<T $(: $bound)?> fmt::Debug for $Queue<T> {
            #[inline]
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($Queue))
                    .field("len", &self.len())
                    .field("maxsize", &self.maxsize())
                    .field("getting", &self.0.getters.len())
                    .field("putting", &self.0.putters.len())
                    .field("unfinished", &self.0.unfinished.get())
                    .field("shut_down", &self.is_shut_down())
                    .finish()
            }
        }
    };
}

queue! {
    /// A queue whose items leave in the order in which they were put. The counterpart of
    /// `asyncio.Queue`.
    ///
    /// Any number of tasks put items, and any number get them. Waiting tasks are served in the order in
    /// which they came. An item that is put while tasks wait for one goes to the first of them, and no
    /// other task can get it. If that task is cancelled before it runs, the item goes to the next
    /// waiter, or back to its place.
    ///
    /// ```
    /// use coro::sync::Queue;
    /// use std::rc::Rc;
    ///
    /// coro::run(async {
    ///     let pages = Rc::new(Queue::bounded(2));
    ///     let worker = {
    ///         let pages = pages.clone();
    ///         coro::spawn(async move {
    ///             let mut fetched = Vec::new();
    ///             while let Ok(page) = pages.get().await {
    ///                 fetched.push(page);
    ///                 pages.task_done();
    ///             }
    ///             fetched
    ///         })
    ///     };
    ///     for page in ["/", "/about", "/contact"] {
    ///         pages.put(page).await.unwrap(); // waits while the queue is full
    ///     }
    ///     pages.join().await; // until all are done
    ///     pages.shutdown(false);
    ///     assert_eq!(worker.await.unwrap(), ["/", "/about", "/contact"]);
    /// });
    /// ```
    Queue in Fifo
}

queue! {
    /// A queue that gives its least item first, and of equal items the one that was put first. The
    /// counterpart of `asyncio.PriorityQueue`.
    ///
    /// Otherwise it is a [`Queue`]. Wrap items in [`std::cmp::Reverse`] to get the greatest first. The
    /// order of items must not change while they are in the queue. Items are compared when one is
    /// taken. A comparison that uses the queue finds it empty, and may put items, which come after
    /// those that are compared. The panic of a comparison goes to the caller, and only the item that
    /// was about to leave is dropped.
    ///
    /// ```
    /// use coro::sync::PriorityQueue;
    ///
    /// coro::run(async {
    ///     let jobs = PriorityQueue::unbounded();
    ///     for job in [(2, "sweep"), (1, "answer the phone"), (2, "dust")] {
    ///         jobs.put(job).await.unwrap();
    ///     }
    ///     assert_eq!(jobs.get().await, Ok((1, "answer the phone")));
    ///     assert_eq!(jobs.try_get(), Ok((2, "dust")));
    /// });
    /// ```
    PriorityQueue: Ord in Priority
}

queue! {
    /// A queue that gives its newest item first. The counterpart of `asyncio.LifoQueue`.
    ///
    /// Otherwise it is a [`Queue`].
    ///
    /// ```
    /// use coro::sync::LifoQueue;
    ///
    /// let free = LifoQueue::unbounded();
    /// free.try_put("cold").unwrap();
    /// free.try_put("warm").unwrap();
    /// assert_eq!(free.try_get(), Ok("warm"));
    /// ```
    LifoQueue in Lifo
}
