//! Locks, events, channels for tasks of several loops, as well as for plain threads.
//!
//! These take a lock at every step, while those of [`sync`](super) cost next to nothing. Use them
//! only across threads. The same rules hold for them. Each operation that waits has a twin that
//! blocks a plain thread.

mod monitor;

mod event;

pub mod channel;
pub mod oneshot;

pub use event::Event;
