//! Tasks and callouts: what the loop runs.
//!
//! # Who may touch what, and when
//!
//! A task is one allocation: a header, then its future, later its output. Everything in it belongs
//! to the thread of the loop that owns it, its *owner*, but for four fields that other threads may
//! use: `remote` (their share of the reference count), `in_inbox` (whether the task already waits
//! in the inbox), `inbox` (which never changes) and `state`, of which they only ask whether the
//! task is done. The future and the output are polled, moved and dropped by the owner alone.
//!
//! **Counts.** There are handles, which never leave the owner's thread, and wakers, which may. A
//! handle counts in the plain cell `handles`, as does the loop itself while the task is unfinished.
//! A [`Waker`](std::task::Waker) has to be `Send + Sync`, yet nearly every clone, wake and drop of
//! one happens on the owner's thread, inside its loop. Those find themselves by comparing one
//! thread-local pointer with the task's inbox, whose address is the loop's identity, and count in
//! the plain cell `wakers`. All others count in the atomic `remote`. Either may go negative: a
//! waker that was cloned here can be dropped elsewhere, and only the sum means anything. While the
//! task is unfinished nobody needs to look at it, as the loop has its reference.
//!
//! When the task is done and both counts of wakers are zero, there is no waker from which another
//! could be made: handles remain, and the last of them frees the memory, without one atomic
//! operation in the life of the task. Otherwise the owner adds its counts into `remote`, its
//! handles as one, with a mark that this has happened; from then on every waker counts atomically,
//! and whoever brings the marked count to zero frees the memory. This is biased reference counting
//! (Choi, Shull, Torrellas, PACT 2018), merged at a moment when the owner is there anyway.
//!
//! **Memory.** What the owner frees it keeps for the next task of the same size (`block`).
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
//! A cancelled task is never polled again: its future is dropped when its turn comes, whether it was
//! woken before that or not. What it had been given as it waited, a lock or an item of a queue, goes
//! on to the next waiter: the destructor of the wait sees to that.
//!
//! **Unwinding.** Polling and dropping run foreign code, which may panic. Each such call is caught
//! where it is made, and what it leaves behind is reported once.

mod block;
pub(crate) mod budget;
mod callout;
mod cell;
pub(crate) mod context;
mod count;
pub(crate) mod current;
mod inbox;
mod join;
mod large;
#[cfg(all(test, unix, not(loom)))]
mod limits;
mod main_task;
mod queue;
mod reports;
mod scheduler;
mod state;
mod waker;

pub(crate) use crate::primitives::Arc as InboxArc;
pub(crate) use callout::Callout;
pub use context::{TaskLocal, WithValue};
pub(crate) use inbox::Inbox;
pub use join::{Task, TaskHandle, TaskId};
pub(crate) use large::{boxed, is_large};
pub(crate) use main_task::MainTask;
pub(crate) use queue::Ran;
pub(crate) use scheduler::Scheduler;
pub(crate) use waker::is_of_a_task;

#[cfg(all(loom, test))]
mod interleavings;
