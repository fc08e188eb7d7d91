//! The running task, and handles of tasks.

pub use coro_core::event_loop::current_task;
pub use coro_core::task::{TaskHandle, TaskId, WithValue};
