//! Blocking calls, on threads beside the loop.
//!
//! What would block, and what computes for long, holds up everything else on the loop. [`to_thread`]
//! calls it on a thread instead, and gives a future of what it returns. The threads belong to the
//! loop: they are started when they are needed, and ended with it.
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
//! A job may take a [`RemoteHandle`](crate::event_loop::RemoteHandle) with it, to give the loop work, or to
//! [block](crate::event_loop::RemoteHandle::block_on) for what a future gives.
//!
//! # When the loop ends
//!
//! Closing a loop cancels the jobs that still wait for a thread, sets the [`CancelFlag`] of those
//! that run, and waits for these: for five minutes at the longest, as in asyncio, or what
//! [`join_threads`](crate::event_loop::Builder::join_threads) says. If that takes more than five seconds, the
//! exception handler is told which jobs it is that do not end. When the time is up they are left
//! behind.

pub use crate::pool::{CancelFlag, Executor, Job, ThreadPool, ThreadPoolBuilder};
pub use crate::wait::thread::ToThread;

/// Calls `f` on a thread of the loop's own, and gives a future of what it returns.
///
/// The job is handed over at once, before the future is first polled; jobs begin in the order in
/// which they were made. There are at most as many threads as [`ThreadPoolBuilder::max_threads`]
/// says, or the settings given to [`Builder::thread_pool`](crate::event_loop::Builder::thread_pool); further jobs
/// wait. See [`ToThread`] for what dropping the future means, and how a panic comes back.
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
pub fn to_thread<T, F>(f: F) -> ToThread<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    ToThread::of_loop(|_| f())
}

/// As [`to_thread`], for a closure that looks whether it is still wanted.
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

/// As [`to_thread`], on threads of an executor's.
///
/// The counterpart of `loop.run_in_executor`. When the loop is closed, its executor is left alone.
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
