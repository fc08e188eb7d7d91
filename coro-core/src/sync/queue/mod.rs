//! Queues of work.

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
/// # use coro_core as coro;
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
///         pages.put(page).await.unwrap(); // waits while two others are there
///     }
///     pages.join().await; // until all are done
///     pages.shutdown(false);
///     assert_eq!(worker.await.unwrap(), ["/", "/about", "/contact"]);
/// });
/// ```
pub type Queue<T> = QueueOf<Fifo<T>>;

/// A queue that the least item leaves first, and of equal ones the one that was put first. The
/// counterpart of `asyncio.PriorityQueue`; its methods are those of [`QueueOf`].
///
/// Wrap items in [`std::cmp::Reverse`] to have the greatest first. How they compare must not change
/// while they are in the queue. They are compared as one is taken; a comparison that uses the queue
/// finds it empty, and may put items, which come after it. The panic of a comparison goes to the
/// caller, and only the item that was about to leave is dropped.
///
/// ```
/// # use coro_core as coro;
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

/// A queue that the last item leaves first. The counterpart of `asyncio.LifoQueue`; its methods are
/// those of [`QueueOf`].
///
/// ```
/// # use coro_core as coro;
/// use coro::sync::LifoQueue;
///
/// let free = LifoQueue::unbounded();
/// free.try_put("cold").unwrap();
/// free.try_put("warm").unwrap();
/// assert_eq!(free.try_get(), Ok("warm"));
/// ```
pub type LifoQueue<T> = QueueOf<Lifo<T>>;

/// A queue between any number of tasks that put, and any number that get, in one of three orders:
/// [`Queue`], [`PriorityQueue`] or [`LifoQueue`].
///
/// Tasks that wait are served in the order in which they came. An item that is put while tasks wait
/// for one goes to the first of them, and no other can get it; if that task is cancelled before it
/// runs, the item goes to the next, or back to its place.
pub struct QueueOf<O: Order> {
    items: RefCell<O>,
    maxsize: usize,
    /// How many were put so far.
    number: Cell<u64>,
    /// How many were put and are not done.
    unfinished: Cell<usize>,
    state: Cell<State>,
    getters: WaitQueue<Got<O::Item>>,
    putters: WaitQueue<Option<O::Item>>,
    joiners: WaitQueue<()>,
}

/// An item that was handed to one who waits, and its number.
pub(super) type Got<T> = Option<(u64, T)>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// Takes nothing any more, but gives what is left.
    Draining,
    /// Neither takes nor gives.
    Discarded,
}

impl<O: Order> QueueOf<O> {
    /// A queue that has room for so many items.
    ///
    /// # Panics
    ///
    /// If `maxsize` is zero: nothing could ever be put. For no limit make it
    /// [`unbounded`](Self::unbounded).
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
            state: Cell::new(State::Open),
            getters: WaitQueue::new(),
            putters: WaitQueue::new(),
            joiners: WaitQueue::new(),
        }
    }

    /// A queue that has always room.
    pub fn unbounded() -> Self {
        Self::bounded(usize::MAX)
    }

    /// Puts an item, once there is room. If there is, this does not suspend.
    ///
    /// Dropping the wait drops the item, unless it has been put already.
    ///
    /// # Errors
    ///
    /// The item back, if the queue was shut down, before or meanwhile.
    #[inline]
    pub fn put(&self, item: O::Item) -> PutFuture<'_, O> {
        PutFuture::new(self, item)
    }

    /// Puts an item, if there is room.
    ///
    /// # Errors
    ///
    /// The item back, and why.
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

    /// Gets the next item, once there is one. If there is, this does not suspend.
    ///
    /// Dropping the wait loses nothing: an item that was handed to it goes to the next who waits, or
    /// back to its place in the queue, even if that has no room.
    ///
    /// # Errors
    ///
    /// [`ShutDown`] if the queue was shut down, and nothing is left in it.
    #[inline]
    pub fn get(&self) -> GetFuture<'_, O> {
        GetFuture::new(self)
    }

    /// Gets the next item, if there is one.
    ///
    /// # Errors
    ///
    /// Whether one may still come.
    #[inline]
    pub fn try_get(&self) -> Result<O::Item, TryGetError> {
        match self.take() {
            Some(item) => Ok(item),
            None if self.is_shut_down() => Err(TryGetError::ShutDown),
            None => Err(TryGetError::Empty),
        }
    }

    /// Says that the work on an item that was got is done, which is what [`join`](Self::join)
    /// counts.
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

    /// Waits until every item that was put is done, by [`task_done`](Self::task_done). If all are,
    /// this does not suspend.
    ///
    /// Dropping the wait loses nothing.
    pub async fn join(&self) {
        Wait::new(Joining(self), ()).await;
    }

    /// Has the queue take no more items. Whoever waits to put gets the item back; whoever gets is
    /// given what is left, and then [`ShutDown`].
    ///
    /// If `immediate`, what is left is dropped, and counts as done.
    pub fn shutdown(&self, immediate: bool) {
        let mut discarded = O::default();
        if immediate {
            self.state.set(State::Discarded);
            discarded = self.items.take();
        } else if !self.is_shut_down() {
            self.state.set(State::Draining);
        }
        self.putters.serve_while(|_| true);
        self.getters.serve_while(|_| true);
        self.finish(discarded.count());
    }

    /// Whether the queue was shut down.
    pub fn is_shut_down(&self) -> bool {
        self.state.get() != State::Open
    }

    /// How many items are there to be got. One that was handed to a task which waited is not.
    pub fn len(&self) -> usize {
        self.items.borrow().count()
    }

    /// Whether there is nothing to be got.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is no room.
    pub fn is_full(&self) -> bool {
        self.len() >= self.maxsize
    }

    /// How many items there is room for; none if there is no limit.
    pub fn maxsize(&self) -> Option<usize> {
        (self.maxsize < usize::MAX).then_some(self.maxsize)
    }

    /// Whether an item can be put now.
    #[inline(always)]
    fn has_room(&self) -> bool {
        self.state.get() == State::Open && (!self.getters.is_empty() || !self.is_full())
    }

    /// Takes the item, if it can be put now.
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

    /// The number of an item that is put now.
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

    /// Takes in the items of those who wait to put, for as long as there is room.
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
        let left = self.unfinished.get().saturating_sub(n); // some were called done before
        self.unfinished.set(left);
        if left == 0 {
            self.joiners.serve_while(|()| true);
        }
    }

    /// An item that was handed to one who has gone.
    fn hand_on(&self, number: u64, item: O::Item) {
        if self.state.get() == State::Discarded {
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
        if self.of.state.get() == State::Discarded {
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

    fn would_admit(&self, (): &()) -> bool {
        self.0.unfinished.get() == 0
    }

    fn left(&self, (): (), _: bool) {}
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
