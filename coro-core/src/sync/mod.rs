//! Locks, events, channels, queues: shared state for the tasks of one thread.
//!
//! Everything here is local: it belongs to one thread, counts in plain cells, and is shared by
//! reference, in an `Rc`, or by counted handles. It needs no event loop of this crate: it works
//! under any executor. [`remote`] has a few types that other threads may share.
//!
//! The same rules hold for all of it:
//!
//! - **No needless suspension**: if a lock, permit or item is available, awaiting it does not
//!   suspend.
//! - **First come, first served.** A newcomer never overtakes a waiter. A released lock or a new
//!   item is given to the first waiter directly, so no other task can take it before that waiter
//!   runs.
//! - **A wait may be dropped at any point** and loses nothing, unless its documentation says so: a
//!   lock, permit or item that the waiter was already given goes to the next waiter. Waits may be
//!   polled by foreign combinators and moved between tasks.
//! - **Waiting allocates nothing**: the places of a line are reused, so its memory grows only to
//!   the longest that the line has ever been.
//! - **No poisoning**: a panic while a lock is held releases it like any other end.
//!
//! A wait that is neither polled nor dropped keeps the lock or item that it was given. So do not
//! set a future aside after polling it, nor pass it to [`std::mem::forget`], while others wait
//! behind it.

mod error;

mod barrier;
mod condition;
mod counted;
mod event;
mod lock;
mod once_cell;
mod rw_lock;
mod semaphore;

mod queue;

pub mod broadcast;
#[doc(alias = "mpsc")]
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
pub use queue::{GetFuture, LifoQueue, PriorityQueue, PutFuture, Queue};
pub use rw_lock::{ReadGuard, RwLock, WriteGuard};
pub use semaphore::{AcquireFuture, OwnedPermit, Permit, Semaphore};
