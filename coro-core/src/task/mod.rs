//! Tasks and callouts: everything that the loop runs.
//!
//! # Who may touch what, and when
//!
//! A task is one allocation: a header, then its future, later its output. It belongs to one
//! `Scheduler`, which is its loop's, and that belongs to one thread. This is *the owner's thread*.
//! Everything in the task is used on the owner's thread only, except four fields that other threads
//! may use: `remote` (their share of the reference count), `in_inbox` (whether the task already waits
//! in the inbox), `inbox` (which never changes) and `state`, of which they only ask whether the task
//! is done. The future and the output are polled, moved and dropped on the owner's thread alone.
//!
//! **Counts.** A task is referenced by handles, which never leave the owner's thread, and by wakers,
//! which may. Handles count in the plain cell `handles`, as does the loop itself while the task is
//! unfinished. A [`Waker`](std::task::Waker) has to be `Send + Sync`, yet nearly every clone, wake and
//! drop of one happens on the owner's thread, inside its loop. Such an operation finds that out by
//! comparing one thread-local pointer with the task's inbox, whose address is the loop's identity. It
//! then counts in the plain cell `wakers`. All other operations count in the atomic `remote`. Either
//! count may go negative: a waker that was cloned here can be dropped elsewhere, and only the sum
//! means anything. While the task is unfinished the sum is not needed, as the loop has its reference.
//!
//! When the task is done and both counts of wakers are zero, there is no waker from which another
//! could be cloned. Only handles remain, and the last of them frees the memory. If no waker has left
//! the owner's thread, not one count in the life of the task was atomic. Otherwise the owner's thread
//! adds its counts into `remote`, its handles as one, with a mark that this has happened. From then on
//! every waker counts atomically, and the thread that brings the marked count to zero frees the
//! memory. This is biased reference counting (Choi, Shull, Torrellas, PACT 2018), merged at a moment
//! when the owner's thread works on the task anyway. A count at its limit aborts the process, before
//! it can wrap.
//!
//! **Memory.** The memory that is freed on the owner's thread is kept for the next task of the same
//! size (`block`), or for the child of a scope (`pooled`). The future and the output share one place.
//! The state says which of them is there: until the task is done the future; afterwards the output,
//! for as long as there is a handle that can take it and has not done so. A future or an output that is large is put in a box before it gets here, so that
//! it is not copied from one stack frame to the next (`large`).
//!
//! **States.** Transitions are methods of `State` that return a duty, the one thing that the caller
//! now has to do:
//!
//! ```text
//!             wake, cancel                begin
//!      idle ───────────────▶ queued ─────────────────▶ running ──┐ wake: remembered
//!       ▲                      ▲                          │      │ cancel: remembered
//!       │                      │ woken or cancelled       │ ◀────┘
//!       │                      └───────── suspend ────────┤
//!       └──────────────────────────────── suspend ────────┤
//!                                                         │ ready, panicked,
//!                      done ◀─────────────────────────────┘ or cancelled
//! ```
//!
//! A task that is spawned eagerly goes from idle to running at once. A loop that closes ends its
//! tasks from any state.
//!
//! A cancelled task is never polled again: its future is dropped when its turn comes, whether it was
//! woken before that or not. If a wait of the task was served already, with a lock or an item of a
//! queue, that goes on to the next waiter: the destructor of the wait does this.
//!
//! **Budget.** A step ends by itself when the task waits. A task whose waits are always ready would
//! keep the loop from its other work. So every wait that may be ready at once takes one unit from the
//! budget of the step, and is refused when that is used up (`budget`).
//!
//! **Other threads** reach the loop through its `inbox` alone. When the loop is closed, the inbox
//! gives up the descriptor that wakes the poller, and refuses all messages: wakers may live on.
//!
//! **Unwinding.** Polling and dropping run foreign code, which may panic. The panic of a poll goes up
//! to the loop, which ends the task with it. All other calls of foreign code are caught where they
//! are made. A panic is given to the handle that awaits the task, or else reported, once.

mod block;
pub(crate) mod budget;
mod callout;
mod cell;
#[cfg(feature = "simulation")]
mod choosing;
mod collector;
pub(crate) mod context;
mod count;
pub(crate) mod current;
mod extra;
#[cfg(feature = "simulation")]
mod host;
mod id;
mod inbox;
mod join;
mod large;
#[cfg(all(test, unix, not(loom)))]
mod limits;
pub(crate) mod looking;
mod main_task;
mod outside;
mod pooled;
mod pulse;
mod queue;
mod reports;
mod scheduler;
#[cfg(feature = "tracing")]
pub(crate) mod spans;
mod spawn;
mod state;
mod step;
mod waker;

pub(crate) use crate::primitives::Arc as InboxArc;
pub(crate) use callout::Callout;
#[cfg(feature = "simulation")]
pub(crate) use choosing::ReadyNode;
pub(crate) use collector::{Holder, Look};
pub use context::{TaskLocal, WithValue};
#[cfg(feature = "simulation")]
pub(crate) use host::{HOST, HostLife};
pub use id::TaskId;
pub(crate) use inbox::Inbox;
pub use join::{Task, TaskHandle};
pub(crate) use large::{boxed, is_large};
pub(crate) use main_task::MainTask;
pub(crate) use outside::Listed;
pub(crate) use pooled::{Half, PooledBox, PooledFuture, halves, pooled};
pub(crate) use pulse::{Beat, BusyWith, Pulse};
pub(crate) use queue::Ran;
pub(crate) use reports::print;
pub(crate) use scheduler::{SLOW, Scheduler};
pub(crate) use state::TaskPhase;
pub use step::Step;
pub(crate) use waker::{is_of_a_task, prefetch};

#[cfg(all(loom, test))]
mod interleavings;
