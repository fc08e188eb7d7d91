//! A `Step`: one line of the path from a task to the thing that it waits for.

use std::net::SocketAddr;
use std::panic::Location;
use std::time::Instant;

use super::id::TaskId;

/// One line of the path from a task to the thing that it waits for.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Step {
    /// An await, in a function with an attribute of ours or at a future of ours.
    At {
        /// The place in the source.
        location: &'static Location<'static>,
        /// The name of the type that is awaited; for an `async fn`, its path.
        awaits: &'static str,
    },
    /// Futures that are awaited together.
    Together {
        /// The function that joins them, such as `gather` or `scope`.
        group: &'static str,
        /// Whether the first of them to end may end the wait.
        any: bool,
    },
    /// One of several futures that are awaited together.
    Member {
        /// Its place among the others, from zero.
        number: usize,
        /// The place that spawned it, if it was spawned.
        spawned_at: Option<&'static Location<'static>>,
    },
    /// A part of an operation of ours, such as the look-up of a host.
    During {
        /// The part.
        operation: &'static str,
        /// The thing that it is done to.
        object: Box<str>,
    },
    /// An instant.
    Timer {
        /// The instant. `None` if the timer was armed while the dump was taken.
        due: Option<Instant>,
    },
    /// Bytes, a connection or a datagram to read from a descriptor.
    Readable {
        /// The number of the descriptor.
        fd: i64,
        /// The type of the object that owns it.
        kind: &'static str,
        /// The address of the other end, if the descriptor is a connected socket.
        peer: Option<Box<SocketAddr>>,
    },
    /// Room to write to a descriptor.
    Writable {
        /// The number of the descriptor.
        fd: i64,
        /// The type of the object that owns it.
        kind: &'static str,
        /// The address of the other end, if the descriptor is a connected socket.
        peer: Option<Box<SocketAddr>>,
    },
    /// The end of a task.
    Task {
        /// The task that is awaited.
        id: TaskId,
        /// The place that spawned it.
        spawned_at: &'static Location<'static>,
    },
    /// A turn at a primitive of [`sync`](crate::sync): a lock, an item, a permit.
    Line {
        /// The primitive.
        primitive: &'static str,
        /// How many waiters come first.
        ahead: usize,
        /// The task that was given the lock last, and still has it.
        held_by: Option<TaskId>,
    },
    /// A change that another task of this loop announces.
    Notice {
        /// The change.
        of: &'static str,
    },
    /// A job on a thread.
    Job {
        /// The place that made the job.
        made_at: &'static Location<'static>,
    },
    /// The end of a process.
    Child {
        /// The number of the process.
        pid: u32,
    },
    /// A signal of the system.
    Signal {
        /// Its name.
        kind: Box<str>,
    },
    /// Another thread, which may be anywhere.
    OtherThread {
        /// The object that joins the threads.
        object: &'static str,
    },
    /// A future that does not report.
    Foreign {
        /// The name of its type.
        name: &'static str,
    },
}
