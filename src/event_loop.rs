//! The parts of an event loop: its settings, its handles, its reports.
//!
//! The loop itself is [`EventLoop`](crate::EventLoop), and the present one is [`LoopHandle::current`](crate::LoopHandle::current).

#[cfg(all(unix, feature = "net"))]
pub use coro_core::FdWatch;
pub use coro_core::error::{LoopClosed, Stopped};
pub use coro_core::event_loop::{
    Builder, CallHandle, Dump, Enter, RemoteCallHandle, RemoteDump, RemoteHandle, RemoteTask,
    TimerHandle, call_at,
};
pub use coro_core::report::{ErrorReport, ReportKind};
