//! Thread pools, which run jobs: closures, or blocking calls.

mod home;
mod job;
mod queue;

use std::fmt;
use std::io;
use std::panic::Location;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

pub(crate) use home::LoopOfJob;
pub use job::{CancelFlag, Job};
pub(crate) use job::{Failure, Outcome, new as new_job};
use queue::{JobQueue, NextJob};

use crate::error::duplicate;
use crate::panics::unpoisoned;
use crate::sys::start_thread;

/// How long a thread waits for another job before it ends.
const IDLE: Duration = Duration::from_secs(10);

/// Runs jobs on other threads: a [`ThreadPool`], or a pool of another library.
///
/// ```
/// use coro::threads::{Executor, Job, run_in_executor};
///
/// /// Starts a thread for each job.
/// struct Threads;
///
/// impl Executor for Threads {
///     fn execute(&self, job: Job) {
///         std::thread::spawn(|| job.run());
///     }
/// }
///
/// let sum = coro::run(async { run_in_executor(&Threads, || 1 + 2).await });
/// assert_eq!(sum.unwrap(), 3);
/// ```
///
/// A closure that takes a job is an executor, too. So the pool of another library needs one line:
///
/// ```
/// use coro::threads::{Job, run_in_executor};
///
/// let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
/// let on_rayon = |job: Job| pool.spawn(move || job.run());
/// let sum = coro::run(async { run_in_executor(&on_rayon, || 1 + 2).await });
/// assert_eq!(sum.unwrap(), 3);
/// ```
pub trait Executor {
    /// Runs the job on another thread, now or later. Must not wait for the job.
    ///
    /// If no thread can run it, call [`Job::refuse`]; a job that is dropped is cancelled.
    fn execute(&self, job: Job);
}

/// A pool of threads, for [`run_in_executor`](crate::threads::run_in_executor).
///
/// Clones share one pool, and may be used by several loops, on several threads. Threads are started
/// when jobs need them, up to a maximum, and end when they have been idle for a while. When the
/// last clone is dropped, the jobs that were handed over are still run. Then the threads end;
/// dropping does not wait for them.
///
/// The counterpart of `concurrent.futures.ThreadPoolExecutor`.
///
/// ```
/// use coro::threads::{ThreadPool, run_in_executor};
///
/// let pool = ThreadPool::builder().max_threads(2).name("hash").build();
/// coro::run(async {
///     let name = || std::thread::current().name().map(str::to_owned);
///     let name = run_in_executor(&pool, name).await.unwrap();
///     assert_eq!(name.as_deref(), Some("hash-1"));
/// });
/// ```
#[derive(Clone)]
#[doc(alias = "ThreadPoolExecutor")]
pub struct ThreadPool {
    handle: Arc<PoolHandle>,
}

/// Settings of a [`ThreadPool`], made by [`ThreadPool::builder`].
#[derive(Debug, Clone)]
#[must_use]
pub struct ThreadPoolBuilder {
    max_threads: usize,
    name: String,
    idle_timeout: Duration,
    stack_size: Option<usize>,
}

/// Owned by all clones of a pool; the threads share only the `PoolShared` inside, so dropping the last
/// clone is noticed.
struct PoolHandle(Arc<PoolShared>);

struct PoolShared {
    queue: Mutex<JobQueue>,
    /// Notified when a thread ends, for `join`.
    ended: Condvar,
    settings: ThreadPoolBuilder,
}

impl Default for ThreadPoolBuilder {
    #[inline]
    fn default() -> Self {
        let cpus = thread::available_parallelism().map_or(1, usize::from);
        ThreadPoolBuilder {
            max_threads: usize::min(32, cpus + 4),
            name: String::from("coro-pool"),
            idle_timeout: IDLE,
            stack_size: None,
        }
    }
}

impl ThreadPoolBuilder {
    /// The most threads that the pool may have at once. Default: 4 more than there are processors,
    /// and no more than 32, as in Python.
    ///
    /// # Panics
    ///
    /// If it is zero: such a pool would run nothing.
    #[track_caller]
    #[inline]
    pub fn max_threads(mut self, threads: usize) -> Self {
        assert!(
            threads > 0,
            "a pool of no threads runs nothing: allow at least one"
        );
        self.max_threads = threads;
        self
    }

    /// The name of the threads: each is called this name, a hyphen and a number. Default:
    /// `coro-pool`.
    ///
    /// # Panics
    ///
    /// If the name contains a zero byte.
    #[track_caller]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        assert!(
            !self.name.contains('\0'),
            "the name of a thread cannot have a zero byte"
        );
        self
    }

    /// How long a thread waits for another job before it ends: 10 seconds by default.
    #[inline]
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// The size of each thread's stack in bytes. Default: that of [`std::thread::Builder`].
    #[inline]
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.stack_size = Some(bytes);
        self
    }

    /// Makes the pool. No thread is started yet.
    #[inline]
    pub fn build(self) -> ThreadPool {
        let shared = Arc::new(PoolShared {
            queue: Mutex::new(JobQueue::new()),
            ended: Condvar::new(),
            settings: self,
        });
        ThreadPool {
            handle: Arc::new(PoolHandle(shared)),
        }
    }
}

impl ThreadPool {
    /// Makes a pool with the default settings. For a number of threads, as asyncio's
    /// `ThreadPoolExecutor(4)` has, write `ThreadPool::builder().max_threads(4).build()`.
    #[inline]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Settings for a pool, to change the defaults of [`new`](Self::new).
    #[inline]
    pub fn builder() -> ThreadPoolBuilder {
        ThreadPoolBuilder::default()
    }

    /// How many threads the pool has now.
    #[inline]
    pub fn thread_count(&self) -> usize {
        self.handle.0.lock().workers.len()
    }

    /// Takes no more jobs, cancels the queued jobs, and asks the running jobs to end.
    #[inline]
    pub(crate) fn begin_shutdown(&self) {
        let shared = &self.handle.0;
        let (queued, sleepers) = {
            let mut queue = shared.lock();
            let queued = queue.close();
            let running = queue.workers.iter().filter_map(|w| w.running.as_ref());
            running.for_each(|job| job.cancel_flag().cancel());
            (queued, queue.retire())
        };
        drop(queued);
        sleepers.iter().for_each(Thread::unpark);
    }

    /// After [`begin_shutdown`](Self::begin_shutdown), blocks until all threads have ended, but at
    /// most for `limit`. Gives the origins of the jobs that still run.
    #[inline]
    pub(crate) fn join(&self, limit: Duration) -> Vec<&'static Location<'static>> {
        let shared = &self.handle.0;
        let begun = Instant::now();
        let mut queue = shared.lock();
        while queue.workers.iter().any(|worker| !worker.has_ended) {
            let left = limit.saturating_sub(begun.elapsed());
            if left.is_zero() {
                break;
            }
            (queue, _) = unpoisoned(shared.ended.wait_timeout(queue, left));
        }
        let mut ended = Vec::new();
        let mut at = 0;
        while let Some(worker) = queue.workers.get(at) {
            match worker.has_ended {
                true => ended.push(queue.workers.remove(at)),
                false => at += 1,
            }
        }
        let running = queue.workers.iter().filter_map(|w| w.running.as_ref());
        let origins = running.map(|job| job.origin()).collect();
        drop(queue);
        for worker in ended {
            let _ = worker.thread.join(); // a worker catches the panics of its jobs
        }
        origins
    }
}

impl<F: Fn(Job) + ?Sized> Executor for F {
    fn execute(&self, job: Job) {
        self(job);
    }
}

impl Executor for ThreadPool {
    #[inline]
    fn execute(&self, job: Job) {
        self.handle.0.submit(job);
    }
}

impl Default for ThreadPool {
    #[inline]
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ThreadPool {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPool")
            .field("threads", &self.thread_count())
            .field("settings", &self.handle.0.settings)
            .finish()
    }
}

impl Drop for PoolHandle {
    #[inline]
    fn drop(&mut self) {
        let sleepers = self.0.lock().retire();
        sleepers.iter().for_each(Thread::unpark);
    }
}

impl PoolShared {
    #[inline]
    fn lock(&self) -> MutexGuard<'_, JobQueue> {
        unpoisoned(self.queue.lock())
    }

    #[inline]
    fn submit(self: &Arc<Self>, job: Job) {
        let mut queue = self.lock();
        if !queue.is_open() {
            drop(queue);
            return drop(job);
        }
        queue.push(job);
        let dead = queue.sweep();
        let reinforced = queue.reinforce(self.settings.max_threads, &|id| self.start(id));
        let unserved = match &reinforced {
            Err(_) if queue.workers.is_empty() => queue.take_jobs(),
            _ => Default::default(),
        };
        drop(queue);
        drop(dead);
        match reinforced {
            Ok(Some(sleeper)) => sleeper.unpark(),
            Ok(None) => {}
            Err(error) => {
                for job in unserved {
                    job.refuse(duplicate(&error));
                }
            }
        }
    }

    /// Starts the thread of a worker. The lock is held meanwhile: otherwise other threads could
    /// count on a worker that fails to start.
    #[inline]
    fn start(self: &Arc<Self>, id: usize) -> io::Result<JoinHandle<()>> {
        let mut builder = thread::Builder::new().name(format!("{}-{id}", self.settings.name));
        if let Some(bytes) = self.settings.stack_size {
            builder = builder.stack_size(bytes);
        }
        let shared = self.clone();
        start_thread(builder, Box::new(move || shared.work(id)))
    }

    /// The loop of a worker's thread.
    #[inline]
    fn work(self: &Arc<Self>, id: usize) {
        let max = self.settings.max_threads;
        let mut last = None;
        loop {
            let next = self.lock().next(id, max, &|id| self.start(id));
            drop(last.take()); // kept until here, so that none is ever freed under the lock
            match next {
                NextJob::Run(job, sleeper) => {
                    if let Some(sleeper) = sleeper {
                        sleeper.unpark();
                    }
                    job.run();
                    last = Some(job);
                }
                NextJob::Sleep if self.sleep(id) => {}
                NextJob::Sleep | NextJob::End => break,
            }
        }
        self.ended.notify_all();
    }

    /// Sleeps until there is work; `false` if the idle timeout came first.
    #[inline]
    fn sleep(&self, id: usize) -> bool {
        let begun = Instant::now();
        loop {
            let left = self.settings.idle_timeout.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return !self.lock().give_up(id);
            }
            thread::park_timeout(left);
            if self.lock().is_asked(id) {
                return true;
            }
        }
    }
}
