//! Libraries that need the runtime of tokio, as guests of this crate's loop.
//!
//! Such a library asks, on the thread that calls it, for a runtime of tokio: for its timers, its
//! sockets, its threads. [`Runtime`] is one with a single thread in the background. While it is
//! entered on the thread of a loop, reqwest, `axum::serve`, tonic, sqlx, `tokio::fs`, `tokio::time` and
//! `tokio::spawn` work in every task of that loop. The shortest way is `#[coro::main(tokio)]`, and
//! `#[coro::test(tokio)]` for a test:
//!
//! ```
//! use std::time::Duration;
//!
//! #[coro::main(tokio)]
//! async fn main() {
//!     let beside = tokio::spawn(async { 1 + 2 });
//!     tokio::time::sleep(Duration::from_millis(1)).await;
//!     coro::sleep(Duration::from_millis(1)).await;
//!     assert_eq!(beside.await.unwrap(), 3);
//! }
//! ```
//!
//! A task that is made by `tokio::spawn` runs on the thread in the background, not in the order of
//! the loop; so it must be `Send`, and nothing of this crate's loop works in it. A task that is made
//! by [`spawn`](crate::event_loop::spawn) may wait for both. A wait for tokio takes a trip between two
//! threads: a timer of tokio is exact to a millisecond or two, and a socket of this crate is faster.
//! Time is real: the virtual clock of a test cannot see that tokio waits.
//!
//! With the same feature, the streams of this crate implement `tokio::io::AsyncRead` and
//! `tokio::io::AsyncWrite`, so that tokio-postgres, tokio-rustls and their like take them as they are.

mod io;

use std::fmt;
use std::future::IntoFuture;

use ::tokio::runtime::{Builder, EnterGuard, Handle, Runtime as TokioRuntime};

use crate::event_loop::Enter;

/// A runtime of tokio with one thread in the background, for libraries that need one.
///
/// The thread drives tokio's sockets and timers, and runs the tasks of `tokio::spawn`. Jobs that
/// block, as `tokio::fs` has them, run on more threads, which tokio starts when they are needed.
///
/// ```
/// use coro::EventLoop;
/// use coro::compat::tokio::Runtime;
///
/// let mut event_loop = EventLoop::builder().around(Runtime::new()?).build()?;
/// let sum = event_loop.run_until_complete(async {
///     tokio::spawn(async { 1 + 2 }).await.unwrap()
/// });
/// assert_eq!(sum, Ok(3));
/// # std::io::Result::Ok(())
/// ```
///
/// Dropping it ends its tasks at their next wait, and waits for jobs that block.
pub struct Runtime(TokioRuntime);

impl Runtime {
    /// Starts the runtime, with tokio's sockets and timers.
    ///
    /// # Errors
    ///
    /// If the system gives no poller or no thread.
    pub fn new() -> std::io::Result<Self> {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).thread_name("tokio").enable_all();
        builder.build().map(Runtime)
    }

    /// The handle of the runtime, by which other threads enter it.
    pub fn handle(&self) -> &Handle {
        self.0.handle()
    }

    /// Enters the runtime on this thread, until the guard is dropped.
    ///
    /// Drop guards in the reverse order, or tokio panics. [`run`], and a loop that is built with
    /// [`around`](crate::event_loop::Builder::around), see to that.
    pub fn enter(&self) -> EnterGuard<'_> {
        self.0.enter()
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Enter for Runtime {
    type Guard<'a> = EnterGuard<'a>;

    fn enter(&self) -> EnterGuard<'_> {
        self.0.enter()
    }
}

impl Enter for TokioRuntime {
    type Guard<'a> = EnterGuard<'a>;

    fn enter(&self) -> EnterGuard<'_> {
        TokioRuntime::enter(self)
    }
}

impl Enter for Handle {
    type Guard<'a> = EnterGuard<'a>;

    fn enter(&self) -> EnterGuard<'_> {
        Handle::enter(self)
    }
}

/// Makes a loop and runs `main` on it, as [`coro::run`](crate::run) does, inside of a [`Runtime`].
///
/// The runtime is entered before the loop begins, and left after its last task has ended; then it is
/// shut down. It is the body of `#[coro::main(tokio)]`.
///
/// # Panics
///
/// As [`coro::run`](crate::run); and if the runtime cannot be started.
#[track_caller]
pub fn run<F: IntoFuture>(main: F) -> F::Output {
    let runtime = started();
    let _entered = runtime.enter();
    crate::run(main)
}

#[track_caller]
pub(crate) fn started() -> Runtime {
    Runtime::new().unwrap_or_else(|error| panic!("a runtime of tokio cannot be started: {error}"))
}
