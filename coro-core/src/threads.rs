//! Blocking calls, on threads beside the loop.
//!
//! A call that blocks or computes for long delays every task of the loop. [`to_thread`] makes the
//! call on another thread, and gives a future of its result. The threads belong to the loop: they
//! are started when they are needed, and ended with it.
//!
//! ```
//! use coro::threads::to_thread;
//!
//! # let path = "Cargo.toml";
//! let length = coro::run(async move {
//!     let text = to_thread(move || std::fs::read_to_string(path)).await.unwrap()?;
//!     std::io::Result::Ok(text.len())
//! });
//! # assert!(length.unwrap() > 0);
//! ```
//!
//! # From a thread to the loop
//!
//! A job may take a [`RemoteHandle`](crate::event_loop::RemoteHandle) with it, to give the loop
//! work, or to [block](crate::event_loop::RemoteHandle::block_on) until a future on the loop is
//! done.
//!
//! # When the loop ends
//!
//! Closing a loop cancels the jobs that still wait for a thread, sets the [`CancelFlag`] of the
//! running jobs, and waits for these: at most five minutes, as in asyncio, or the time set by
//! [`join_threads`](crate::event_loop::Builder::join_threads). After five seconds, the exception
//! handler is told which jobs are still running. Jobs that are still running in the end are
//! abandoned.

pub use crate::pool::{CancelFlag, Executor, Job, ThreadPool, ThreadPoolBuilder};
pub use crate::wait::thread::ToThread;

/// Calls `f` on a thread of the loop's own, and gives a future of its result.
///
/// The job is handed over at once, before the future is first polled; jobs begin in the order in
/// which they were made. There are at most as many threads as [`ThreadPoolBuilder::max_threads`]
/// allows, for the default pool or the settings given to
/// [`Builder::thread_pool`](crate::event_loop::Builder::thread_pool). Further jobs wait.
/// [`ToThread`] documents the effect of dropping the future, and how a panic comes back.
///
/// The counterpart of `asyncio.to_thread`.
///
/// ```
/// # use coro::threads::to_thread;
/// coro::run(async {
///     let sum = to_thread(|| (1..=1000).sum::<u64>()).await;
///     assert_eq!(sum.unwrap(), 500_500);
///
///     let failed = to_thread(|| panic!("no such luck")).await.unwrap_err();
///     assert!(failed.is_panic());
/// });
/// ```
///
/// # Panics
///
/// Outside of a loop.
#[track_caller]
#[doc(alias("spawn_blocking", "unblock"))]
pub fn to_thread<T, F>(f: F) -> ToThread<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    ToThread::of_loop(|_| f())
}

/// As [`to_thread`], for a closure that checks whether its result is still wanted.
///
/// ```
/// use coro::threads::to_thread_with;
/// use std::time::Duration;
///
/// coro::run(async {
///     let endless = to_thread_with(|cancel| {
///         while !cancel.is_cancelled() {
///             std::thread::sleep(Duration::from_millis(1));
///         }
///     });
///     let waited = coro::timeout(Duration::from_millis(5), endless).await;
///     assert!(waited.is_err()); // the future was dropped, and so the job has ended by now, or soon
/// });
/// ```
///
/// # Panics
///
/// Outside of a loop.
#[track_caller]
pub fn to_thread_with<T, F>(f: F) -> ToThread<T>
where
    F: FnOnce(&CancelFlag) -> T + Send + 'static,
    T: Send + 'static,
{
    ToThread::of_loop(f)
}

/// As [`to_thread`], on the threads of an executor.
///
/// The counterpart of `loop.run_in_executor`. Closing the loop does not shut the executor down.
///
/// ```
/// use coro::threads::{ThreadPool, run_in_executor};
///
/// let pool = ThreadPool::builder().max_threads(2).build();
/// let sum = coro::run(async { run_in_executor(&pool, || (1..=4).sum::<u32>()).await });
/// assert_eq!(sum.unwrap(), 10);
/// ```
///
/// `None` is no executor here: for the threads of the loop itself, as asyncio's
/// `run_in_executor(None, f)`, call [`to_thread`].
///
/// # Panics
///
/// Outside of a loop.
#[track_caller]
pub fn run_in_executor<T, F>(executor: &(impl Executor + ?Sized), f: F) -> ToThread<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    ToThread::new(executor, |_| f())
}
