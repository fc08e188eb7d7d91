//! A dump of a loop: each task with its state, and the path to the thing that it waits for.
//!
//! [`LoopHandle::dump`](crate::event_loop::LoopHandle::dump) takes one.

mod cycles;
mod dot;
mod json;
mod names;
mod opaque;
mod text;
mod tree;

pub use crate::task::Step;
pub use opaque::{Opaque, opaque};
pub(crate) use tree::TreeBuilder;
pub use tree::{TaskState, TaskTree, TaskView};
