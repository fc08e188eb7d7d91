//! Queues of items, for tasks that share work.

mod error;
mod futures;
mod order;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::mem;
use std::thread;

pub use error::{PutError, ShutDown, TryGetError, TryPutError};
pub(super) use futures::Getting;
pub use futures::{GetFuture, PutFuture};
pub use order::{Fifo, Lifo, Order, Priority};

use crate::wait::queue::{Service, Wait, WaitQueue};

/// A queue whose items leave in the order in which they were put. The counterpart of
/// `asyncio.Queue`; its methods are those of [`QueueOf`].
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
pub type Queue<T> = QueueOf<Fifo<T>>;

/// A queue that gives its least item first, and of equal items the one that was put first. The
/// counterpart of `asyncio.PriorityQueue`; its methods are those of [`QueueOf`].
///
/// Wrap items in [`std::cmp::Reverse`] to get the greatest first. The order of items must not
/// change while they are in the queue. Items are compared when one is taken. A comparison that uses
/// the queue finds it empty, and may put items, which come after those that are compared. The panic
/// of a comparison goes to the caller, and only the item that was about to leave is dropped.
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
pub type PriorityQueue<T> = QueueOf<Priority<T>>;

/// A queue that gives its newest item first. The counterpart of `asyncio.LifoQueue`; its methods
/// are those of [`QueueOf`].
///
/// ```
/// use coro::sync::LifoQueue;
///
/// let free = LifoQueue::unbounded();
/// free.try_put("cold").unwrap();
/// free.try_put("warm").unwrap();
/// assert_eq!(free.try_get(), Ok("warm"));
/// ```
pub type LifoQueue<T> = QueueOf<Lifo<T>>;

/// A queue for any number of tasks that put items, and any number that get them, in one of three
/// orders: [`Queue`], [`PriorityQueue`] or [`LifoQueue`].
///
/// Waiting tasks are served in the order in which they came. An item that is put while tasks wait
/// for one goes to the first of them, and no other task can get it. If that task is cancelled
/// before it runs, the item goes to the next waiter, or back to its place.
pub struct QueueOf<O: Order> {
    items: RefCell<O>,
    maxsize: usize,
    /// How many items were put so far.
    number: Cell<u64>,
    /// How many items were put and are not done.
    unfinished: Cell<usize>,
    state: Cell<QueueState>,
    getters: WaitQueue<Got<O::Item>>,
    putters: WaitQueue<Option<O::Item>>,
    joiners: WaitQueue<()>,
}

/// An item that a waiter was given, with its number.
pub(super) type Got<T> = Option<(u64, T)>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum QueueState {
    Open,
    /// Takes no more items, but gives the remaining ones.
    Draining,
    /// Neither takes nor gives items.
    Discarded,
}

impl<O: Order> QueueOf<O> {
    /// A queue with room for `maxsize` items.
    ///
    /// # Panics
    ///
    /// If `maxsize` is zero: no item could ever be put. Use [`unbounded`](Self::unbounded) for no
    /// limit.
    pub fn bounded(maxsize: usize) -> Self {
        assert!(
            maxsize > 0,
            "a queue needs room for one item at least: make it unbounded() for no limit"
        );
        QueueOf {
            items: RefCell::default(),
            maxsize,
            number: Cell::new(0),
            unfinished: Cell::new(0),
            state: Cell::new(QueueState::Open),
            getters: WaitQueue::new(),
            putters: WaitQueue::new(),
            joiners: WaitQueue::new(),
        }
    }

    /// A queue without a limit.
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
    pub fn put(&self, item: O::Item) -> PutFuture<'_, O> {
        PutFuture::new(self, item)
    }

    /// Puts an item, if there is room now.
    ///
    /// # Errors
    ///
    /// The item, with the reason.
    #[inline]
    pub fn try_put(&self, item: O::Item) -> Result<(), TryPutError<O::Item>> {
        let mut item = Some(item);
        self.accept(&mut item);
        match item {
            None => Ok(()),
            Some(item) if self.is_shut_down() => Err(TryPutError::ShutDown(item)),
            Some(item) => Err(TryPutError::Full(item)),
        }
    }

    /// Gets the next item, once there is one. If there is one now, this does not suspend.
    ///
    /// Dropping the wait loses nothing: an item that it was already given goes to the next waiter,
    /// or back to its place in the queue, even if the queue is full.
    ///
    /// # Errors
    ///
    /// [`ShutDown`] if the queue was shut down and is empty.
    #[inline]
    pub fn get(&self) -> GetFuture<'_, O> {
        GetFuture::new(self)
    }

    /// Gets the next item, if there is one now.
    ///
    /// # Errors
    ///
    /// Whether an item may still come.
    #[inline]
    pub fn try_get(&self) -> Result<O::Item, TryGetError> {
        match self.take() {
            Some(item) => Ok(item),
            None if self.is_shut_down() => Err(TryGetError::ShutDown),
            None => Err(TryGetError::Empty),
        }
    }

    /// Marks one item that was got as done, for [`join`](Self::join).
    ///
    /// # Panics
    ///
    /// If it is called more often than items were put.
    #[track_caller]
    pub fn task_done(&self) {
        assert!(
            self.unfinished.get() > 0,
            "task_done() was called more often than items were put: call it once for each"
        );
        self.finish(1);
    }

    /// Waits until every item that was put was marked by [`task_done`](Self::task_done). If all
    /// were, this does not suspend.
    ///
    /// Dropping the wait loses nothing.
    pub async fn join(&self) {
        Wait::new(Joining(self), ()).await;
    }

    /// Shuts the queue down: it takes no more items. Tasks that wait to put get their items back.
    /// Tasks that get receive the remaining items, and then [`ShutDown`].
    ///
    /// If `immediate`, the remaining items are dropped, and count as done.
    pub fn shutdown(&self, immediate: bool) {
        let mut discarded = O::default();
        if immediate {
            self.state.set(QueueState::Discarded);
            discarded = self.items.take();
        } else if !self.is_shut_down() {
            self.state.set(QueueState::Draining);
        }
        self.putters.serve_while(|_| true);
        self.getters.serve_while(|_| true);
        self.finish(discarded.count());
    }

    /// Whether the queue was shut down.
    pub fn is_shut_down(&self) -> bool {
        self.state.get() != QueueState::Open
    }

    /// How many items can be got. An item that was given to a waiter does not count.
    pub fn len(&self) -> usize {
        self.items.borrow().count()
    }

    /// Whether no item can be got.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is no room.
    pub fn is_full(&self) -> bool {
        self.len() >= self.maxsize
    }

    /// How many items there is room for in all; `None` if there is no limit.
    pub fn maxsize(&self) -> Option<usize> {
        (self.maxsize < usize::MAX).then_some(self.maxsize)
    }

    /// Whether an item can be put now.
    #[inline(always)]
    fn has_room(&self) -> bool {
        self.state.get() == QueueState::Open && (!self.getters.is_empty() || !self.is_full())
    }

    /// Takes the item out of `item`, if it can be put now.
    #[inline(always)]
    fn accept(&self, item: &mut Option<O::Item>) {
        if !self.has_room() {
            return;
        }
        let number = self.count();
        let handed = self.getters.serve(|got| {
            *got = item.take().map(|item| (number, item));
            true
        });
        if !handed && let Some(item) = item.take() {
            self.items.borrow_mut().put(number, item);
        }
    }

    /// Counts an item that is put now, and gives its number.
    #[inline]
    fn count(&self) -> u64 {
        self.unfinished.set(self.unfinished.get() + 1);
        let number = self.number.get();
        self.number.set(number + 1);
        number
    }

    #[inline(always)]
    fn take(&self) -> Option<O::Item> {
        let item = match O::COMPARES {
            false => self.items.borrow_mut().take()?,
            true => self.take_away().items.take()?,
        };
        if !self.putters.is_empty() {
            self.refill();
        }
        Some(item)
    }

    /// The items, away from the queue while they are compared, as that is foreign code.
    fn take_away(&self) -> Away<'_, O> {
        Away {
            items: self.items.take(),
            of: self,
        }
    }

    /// Takes the items of tasks that wait to put, as long as there is room.
    fn refill(&self) {
        self.putters.serve_while(|item| {
            let mut items = self.items.borrow_mut();
            let room = items.count() < self.maxsize;
            if room && let Some(item) = item.take() {
                items.put(self.count(), item);
            }
            room
        });
    }

    fn finish(&self, n: usize) {
        let left = self.unfinished.get().saturating_sub(n); // an item may be done before it is got
        self.unfinished.set(left);
        if left == 0 {
            self.joiners.serve_while(|()| true);
        }
    }

    /// Passes on an item that a dropped waiter was given.
    fn hand_on(&self, number: u64, item: O::Item) {
        if self.state.get() == QueueState::Discarded {
            return self.finish(1);
        }
        let mut got = Some((number, item));
        self.getters.serve(|next| {
            *next = got.take();
            true
        });
        if let Some((number, item)) = got {
            self.items.borrow_mut().put_back(number, item);
        }
    }
}

/// The items of a queue, which is empty meanwhile; however comparing them ends, they come back.
struct Away<'a, O: Order> {
    items: O,
    of: &'a QueueOf<O>,
}

impl<O: Order> Drop for Away<'_, O> {
    fn drop(&mut self) {
        let mut items = mem::take(&mut self.items);
        if thread::panicking() {
            // A comparison has panicked, so they may be in disorder: all are compared again.
            let out_of_order = mem::take(&mut items);
            items.append(out_of_order);
        }
        if self.of.state.get() == QueueState::Discarded {
            let count = items.count();
            drop(items);
            return self.of.finish(count);
        }
        let came = self.of.items.replace(items);
        self.of.items.borrow_mut().append(came);
    }
}

struct Joining<'a, O: Order>(&'a QueueOf<O>);

impl<O: Order> Service for Joining<'_, O> {
    type Request = ();

    fn queue(&self) -> &WaitQueue<()> {
        &self.0.joiners
    }

    fn would_serve(&self, (): &()) -> bool {
        self.0.unfinished.get() == 0
    }

    fn abandoned(&self, (): (), _: bool) {}
}

impl<O: Order> fmt::Debug for QueueOf<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("len", &self.len())
            .field("maxsize", &self.maxsize())
            .field("getting", &self.getters.len())
            .field("putting", &self.putters.len())
            .field("unfinished", &self.unfinished.get())
            .field("shut_down", &self.is_shut_down())
            .finish()
    }
}
