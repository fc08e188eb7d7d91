//! What tasks share with other threads, and with tasks of other loops.
//!
//! These cost a lock at every step, where those of [`sync`](super) cost next to nothing: they are
//! for crossing from one thread to another, and for nothing else. The same rules hold for them.
//! Each operation that waits has a twin that blocks a plain thread.
//!
//! Under a [virtual clock](crate::Builder::virtual_time) time flows as it really does while a task
//! waits here, as the other end may be on another thread; also if it is not.

mod monitor;

mod event;

pub mod channel;
pub mod oneshot;

pub use event::Event;
