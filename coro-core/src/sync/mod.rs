//! What tasks of one thread share: locks, events, channels, queues.
//!
//! Everything here is local: it belongs to one thread, counts in plain cells, and is shared by
//! reference, in an `Rc`, or by handles that count themselves. None of it needs our loop: it works
//! under any executor. [`remote`] has the few that other threads may hold.
//!
//! The same rules hold for all of it:
//!
//! - **What can be had at once is had at once**: awaiting it does not suspend.
//! - **First come, first served.** A newcomer never overtakes one who waits. What is released is
//!   handed to the first in line directly, so that nobody can snatch it away before that task runs.
//! - **A wait may be dropped at any point** and loses nothing, unless its documentation says so: a
//!   lock, permit or item that was handed to it already goes to the next. Waits may be polled by
//!   foreign combinators and moved between tasks.
//! - **Waiting allocates nothing**: the places of a line are used again, so that it grows only to
//!   the longest that it has ever been.
//! - **Nothing is poisoned**: a panic while a lock is held releases it like any other end.
//!
//! A wait that is neither polled nor dropped keeps what it was handed, so a future that was begun
//! must not be set aside, or given to [`std::mem::forget`], while others wait behind it.

mod error;

mod barrier;
mod condition;
mod event;
mod lock;
mod once_cell;
mod rw_lock;
mod semaphore;

mod queue;

pub mod broadcast;
pub mod channel;
pub mod oneshot;
pub mod remote;
pub mod watch;

pub use barrier::{Barrier, BrokenBarrier};
pub use condition::Condition;
pub use error::{Closed, SendError, TryRecvError, TrySendError};
pub use event::{Event, EventFuture};
pub use lock::{Lock, LockFuture, LockGuard, OwnedLockGuard};
pub use once_cell::OnceCell;
pub use queue::{
    Fifo, GetFuture, Lifo, LifoQueue, Order, Priority, PriorityQueue, PutError, PutFuture, Queue,
    QueueOf, ShutDown, TryGetError, TryPutError,
};
pub use rw_lock::{ReadGuard, RwLock, WriteGuard};
pub use semaphore::{AcquireFuture, OwnedPermit, Permit, Semaphore};
