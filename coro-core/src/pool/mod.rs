//! Threads that run closures.

mod home;
mod job;
mod queue;

use std::fmt;
use std::io;
use std::panic::Location;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

pub(crate) use home::Home;
pub use job::{CancelFlag, Job};
pub(crate) use job::{Failure, Outcome, new as new_job};
use queue::{Next, Queue};

/// How long a thread waits for another job before it ends.
const IDLE: Duration = Duration::from_secs(10);

/// Something that runs jobs, such as a [`ThreadPool`], or a pool of some other library's.
///
/// ```
/// use coro::threads::{Executor, Job, run_in_executor};
///
/// /// A thread for each.
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
pub trait Executor {
    /// Has the job run, sooner or later, on another thread; it must not be waited for here.
    ///
    /// An executor that cannot calls [`Job::refuse`]; a job that is dropped is cancelled.
    fn execute(&self, job: Job);
}

/// A pool of threads, for [`run_in_executor`](crate::threads::run_in_executor).
///
/// Clones are the same pool, and may be used by several loops, on several threads. Threads are
/// started when jobs need them, up to a maximum, and end when they have had nothing to do for a
/// while. When the last clone is dropped, jobs that were handed over are still run, and then the
/// threads end; nobody waits for them.
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
pub struct ThreadPool {
    handle: Arc<Handle>,
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

/// What the clones of a pool share; the threads share only what is in it.
struct Handle(Arc<Shared>);

struct Shared {
    queue: Mutex<Queue>,
    /// A thread has ended while the pool is being closed.
    ended: Condvar,
    settings: ThreadPoolBuilder,
}

impl Default for ThreadPoolBuilder {
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
    /// The most threads that the pool may have at once: 4 more than there are processors by
    /// default, but no more than 32, as in Python.
    ///
    /// # Panics
    ///
    /// If it is zero: such a pool would run nothing.
    #[track_caller]
    pub fn max_threads(mut self, threads: usize) -> Self {
        assert!(
            threads > 0,
            "a pool of no threads runs nothing: allow at least one"
        );
        self.max_threads = threads;
        self
    }

    /// What the threads are called: this, a hyphen and a number. The default is `coro-pool`.
    ///
    /// # Panics
    ///
    /// If there is a zero byte in it.
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
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// The size of each thread's stack in bytes; by default what [`std::thread::Builder`] gives.
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.stack_size = Some(bytes);
        self
    }

    /// Makes the pool. No thread is started yet.
    pub fn build(self) -> ThreadPool {
        let shared = Arc::new(Shared {
            queue: Mutex::new(Queue::new()),
            ended: Condvar::new(),
            settings: self,
        });
        ThreadPool {
            handle: Arc::new(Handle(shared)),
        }
    }
}

impl ThreadPool {
    /// Makes a pool with the default settings.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Settings for a pool that is different from what [`new`](Self::new) makes.
    pub fn builder() -> ThreadPoolBuilder {
        ThreadPoolBuilder::default()
    }

    /// How many threads there are now.
    pub fn thread_count(&self) -> usize {
        self.handle.0.lock().workers.len()
    }

    /// Takes no more jobs, cancels those that wait for a thread, and asks those that run to end.
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

    /// After [`begin_shutdown`](Self::begin_shutdown), blocks until all threads have ended, but not
    /// for longer than `limit`; where the jobs were made that still run then.
    pub(crate) fn join(&self, limit: Duration) -> Vec<&'static Location<'static>> {
        let shared = &self.handle.0;
        let begun = Instant::now();
        let mut queue = shared.lock();
        while queue.workers.iter().any(|worker| !worker.has_ended) {
            let left = limit.saturating_sub(begun.elapsed());
            if left.is_zero() {
                break;
            }
            let waited = shared.ended.wait_timeout(queue, left);
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let (ended, stuck) = std::mem::take(&mut queue.workers)
            .into_iter()
            .partition::<Vec<_>, _>(|worker| worker.has_ended);
        queue.workers = stuck;
        let running = queue.workers.iter().filter_map(|w| w.running.as_ref());
        let origins = running.map(|job| job.origin()).collect();
        drop(queue);
        for worker in ended {
            let _ = worker.thread.join(); // a worker catches what its jobs panic with
        }
        origins
    }
}

impl Executor for ThreadPool {
    fn execute(&self, job: Job) {
        self.handle.0.submit(job);
    }
}

impl Default for ThreadPool {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ThreadPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPool")
            .field("threads", &self.thread_count())
            .field("settings", &self.handle.0.settings)
            .finish()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let sleepers = self.0.lock().retire();
        sleepers.iter().for_each(Thread::unpark);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        // No foreign code runs under the lock, so what a panic left behind is whole.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

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
            Ok(sleeper) => sleeper.iter().for_each(Thread::unpark),
            Err(error) => unserved
                .into_iter()
                .for_each(|job| job.refuse(copy_of(&error))),
        }
    }

    /// Starts the thread of a worker. The lock is held meanwhile, so that there is no moment at which
    /// others count on a thread that there will not be.
    fn start(self: &Arc<Self>, id: usize) -> io::Result<JoinHandle<()>> {
        let mut builder = thread::Builder::new().name(format!("{}-{id}", self.settings.name));
        if let Some(bytes) = self.settings.stack_size {
            builder = builder.stack_size(bytes);
        }
        let shared = self.clone();
        builder.spawn(move || shared.work(id))
    }

    /// The life of a worker.
    fn work(self: &Arc<Self>, id: usize) {
        let max = self.settings.max_threads;
        let mut last = None;
        loop {
            let next = self.lock().next(id, max, &|id| self.start(id));
            drop(last.take()); // kept until here, so that none is ever freed under the lock
            match next {
                Next::Run(job, sleeper) => {
                    sleeper.iter().for_each(Thread::unpark);
                    job.run();
                    last = Some(job);
                }
                Next::Sleep if self.sleep(id) => {}
                Next::Sleep | Next::End => break,
            }
        }
        self.ended.notify_all();
    }

    /// Sleeps until there is something to do; `false` if that took too long.
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

/// Errors cannot be cloned; that of a thread which could not be started is a number.
fn copy_of(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}
