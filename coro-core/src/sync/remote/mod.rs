//! Locks, events, channels for tasks of several loops, as well as for plain threads.
//!
//! These take a lock at every step, and a channel has one for each side, while those of [`sync`](super) cost next to nothing. Use them
//! only across threads. The same rules hold for them. Each operation that waits has a twin that
//! blocks a plain thread.
//!
//! Under a [virtual clock](crate::event_loop::Builder::virtual_time) time flows as it really does while a task
//! waits here, since the other end may be on another thread; this is so even if it is not.

#[cfg(all(loom, test))]
mod interleavings;
mod monitor;
mod two_locks;

mod event;

pub mod channel;
pub mod oneshot;

pub use event::Event;
