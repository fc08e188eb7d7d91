//! *asyncio, as Rust would have it.*
#![forbid(unsafe_code)]

pub use coro_core::{
    Builder, CallHandle, Elapsed, ErrorReport, EventLoop, Gather, Interval, JoinError, LoopClosed,
    LoopHandle, Race, RemoteHandle, RemoteTask, ReportKind, Shield, Sleep, Stopped, Task,
    TaskHandle, TaskId, Timeout, TimerHandle, YieldNow, call_at, call_later, call_soon,
    current_task, gather, interval, net, race, run, shield, signal, sleep, sleep_until, spawn,
    timeout, timeout_at, yield_now,
};

pub use coro_core::generator::{
    self, AsyncCoroutine, AsyncGenerator, Coroutine, CoroutineState, Generator, ResumeError, Status,
};

#[doc(hidden)]
pub use coro_core::macro_support as __private;
pub use coro_core::{yield_, yield_from};
pub use coro_macros::{coroutine, coroutines, main, test};
