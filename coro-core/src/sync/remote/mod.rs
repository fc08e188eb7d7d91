//! What tasks share with other threads, and with tasks of other loops.
//!
//! These cost a lock at every step, where those of [`sync`](super) cost next to nothing: they are
//! for crossing from one thread to another, and for nothing else. The same rules hold for them.
//! Each operation that waits has a twin that blocks a plain thread.

mod monitor;

mod event;

pub mod channel;
pub mod oneshot;

pub use event::Event;
