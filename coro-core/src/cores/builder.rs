//! `CoresBuilder`, public as `Builder`: the settings of a run on several cores.

use std::io;
use std::panic::Location;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, Scope};

use super::core_handle::CoreHandle;
use super::error::{CoreError, CoreFailure};
#[cfg(not(feature = "signal"))]
use super::no_signal as interrupt;
use super::output::CoreOutput;
use super::supervisor::{RunVerdict, Supervisor};
use super::team::Team;
use super::worker::{CoreStart, CoreWorker};
use crate::event_loop::{self, EventLoop, LoopHandle, RemoteHandle};
use crate::run::new_loop;
#[cfg(feature = "signal")]
use crate::signal::interrupt;
use crate::sync::remote::channel;
#[cfg(feature = "affinity")]
use crate::sys::allowed_processors;

/// The end of a run; an error, if it did not begin.
type Judged<O> = Result<
    RunVerdict<<O as CoreOutput>::Value, <O as CoreOutput>::Error>,
    CoreError<<O as CoreOutput>::Error>,
>;

/// Settings for a run on several cores: a loop on each, with a thread of its own.
///
/// ```
/// use std::time::Duration;
///
/// let ran = coro::cores::Builder::new()
///     .threads(2)
///     .event_loop(|settings| settings.watchdog(Duration::from_secs(1)))
///     .run(async |core| {
///         coro::sleep(Duration::from_millis(1)).await;
///         std::io::Result::Ok(core.index() * 10)
///     });
/// assert_eq!(ran.unwrap(), [0, 10]);
/// ```
#[derive(Debug, Clone)]
#[must_use = "it runs nothing before `run` is called"]
#[doc(alias(
    "worker_threads",
    "multi_thread",
    "thread_per_core",
    "new_multi_thread"
))]
pub struct CoresBuilder {
    threads: Option<usize>,
    #[cfg(feature = "affinity")]
    pin: bool,
    settings: event_loop::Builder,
}

impl Default for CoresBuilder {
    #[inline]
    fn default() -> Self {
        Self::new()
    }
}

impl CoresBuilder {
    /// As many cores as the process may use, which are not pinned, with loops as
    /// [`run`](crate::run) makes one.
    #[inline]
    pub fn new() -> Self {
        CoresBuilder {
            threads: None,
            #[cfg(feature = "affinity")]
            pin: false,
            settings: EventLoop::builder(),
        }
    }

    /// The number of cores, each with a thread and a loop. By default it is
    /// [`available_parallelism`](std::thread::available_parallelism), or one if the system does not
    /// tell that.
    ///
    /// It may be greater than the number of processors: then some threads share one.
    ///
    /// # Panics
    ///
    /// If it is zero.
    #[track_caller]
    #[doc(alias("worker_threads", "workers"))]
    #[inline]
    pub fn threads(mut self, threads: usize) -> Self {
        assert!(
            threads > 0,
            "a run on 0 cores would run nothing: leave the number out for as many as there are"
        );
        self.threads = Some(threads);
        self
    }

    /// Has each thread run on one processor only, so that the system does not move it.
    ///
    /// The threads take turns at the processors that the calling thread may run on, from the lowest
    /// number on: a process that was started by `taskset` or in a container keeps to its own. Threads
    /// that a core starts, such as those of [`to_thread`](crate::threads::to_thread), stay on its
    /// processor, too. It is off by default, and helps if nothing else runs on the machine. On other
    /// systems than Linux it does nothing.
    ///
    /// It needs the feature `affinity`, which is off by default.
    ///
    /// ```
    /// let ran = coro::cores::Builder::new()
    ///     .threads(2)
    ///     .pin(true)
    ///     .run(async |core| std::io::Result::Ok(core.index()));
    /// assert_eq!(ran.unwrap(), [0, 1]);
    /// ```
    #[cfg(feature = "affinity")]
    #[cfg_attr(docsrs, doc(cfg(feature = "affinity")))]
    #[doc(alias("affinity", "taskset", "core_affinity"))]
    #[inline]
    pub fn pin(mut self, pin: bool) -> Self {
        self.pin = pin;
        self
    }

    /// The settings of the loops, the same for each. `change` is given the settings so far, and gives
    /// the new ones.
    ///
    /// A [virtual clock](event_loop::Builder::virtual_time) does not jump here, because the cores have
    /// handles of one another.
    pub fn event_loop(
        mut self,
        change: impl FnOnce(event_loop::Builder) -> event_loop::Builder,
    ) -> Self {
        self.settings = change(self.settings);
        self
    }

    /// Starts the cores, has each run `main`, and gives the values in the order of their indices.
    ///
    /// The calling thread waits. `main` may borrow from it; its futures stay on their threads, so they
    /// need not be `Send`. No core begins before all loops are made. A core whose main future is done
    /// goes on running its tasks, and those that other cores spawn on it, until the last main future
    /// is done. Then the remaining tasks are cancelled, and the loops closed, as [`run`](crate::run)
    /// does with one.
    ///
    /// ```
    /// use std::convert::Infallible;
    ///
    /// let words = ["a", "b"];
    /// let ran = coro::cores::Builder::new()
    ///     .threads(2)
    ///     .run(async |core| Ok::<_, Infallible>(words[core.index()].to_uppercase()));
    /// assert_eq!(ran.unwrap(), ["A", "B"]);
    /// ```
    ///
    /// # Errors
    ///
    /// The first main future that ends with an error or panics cancels the others: they are dropped
    /// at the end of the present turn of their loops, with all tasks. When all loops are closed, the
    /// error comes out with the index of its core; the panic is one too, with its message. So it is
    /// if the system gives no thread, no poller or not the processor for a core. A panic in a task
    /// goes to the task that awaits it, or to the exception handler of its loop, as ever.
    ///
    /// # Ctrl-C
    ///
    /// On the main thread of a process, a Ctrl-C (`SIGINT`) and a `SIGTERM` reach all cores.
    ///
    /// - A core that has asked for its shutdown token, by [`Core::shutdown`](super::Core::shutdown),
    ///   finds it cancelled, and ends by itself: a server shuts down, and its main future returns.
    /// - The main future of any other core is dropped, which cancels it.
    ///
    /// The loops go on until each main future is done or dropped. If all of them return, so does
    /// `run`. If one of them was dropped, the process ends as the signal would have ended it. A second
    /// signal ends the process at once. A signal does none of this while the program listens for it
    /// itself, by the module `signal`, nor if the process ignored it before, or had a handler for it.
    ///
    /// # Panics
    ///
    /// - Inside of a loop, where it would block: call it in a plain `main`, or on another thread.
    /// - In a [simulation](crate::testing), which is one thread: give the parts of the program a loop
    ///   each by [`Sim::host`](crate::testing::Sim::host).
    /// - If the operating system gives no poller for the loop of the calling thread, which waits for
    ///   signals.
    #[track_caller]
    pub fn run<F, O>(self, main: F) -> Result<Vec<O::Value>, CoreError<O::Error>>
    where
        F: AsyncFn(CoreHandle) -> O + Sync,
        O: CoreOutput,
        O::Value: Send,
        O::Error: Send,
    {
        refuse_inside();
        let supervising = new_loop(EventLoop::new());
        let origin = Location::caller();
        let verdict = thread::scope(|scope| self.run_in(scope, &main, supervising, origin))?;
        match verdict {
            RunVerdict::Values(values) => Ok(values),
            RunVerdict::Failed(error) => Err(error),
            RunVerdict::Interrupted(signal) => interrupt::end_process(signal),
        }
    }

    fn run_in<'scope, F, O>(
        &self,
        scope: &'scope Scope<'scope, '_>,
        main: &'scope F,
        mut supervising: EventLoop,
        origin: &'static Location<'static>,
    ) -> Judged<O>
    where
        F: AsyncFn(CoreHandle) -> O + Sync,
        O: CoreOutput + 'scope,
        O::Value: Send + 'scope,
        O::Error: Send + 'scope,
    {
        let (outcomes, received) = channel::unbounded();
        let processors = self.processors();
        let mut starting = Vec::new();
        for index in 0..self.count() {
            let worker = CoreWorker::<O> {
                index,
                settings: self.settings.clone(),
                processor: nth_of(&processors, index),
                outcomes: outcomes.clone(),
            };
            let named = thread::Builder::new().name(format!("core-{index}"));
            let (ours, start) = Starting::new();
            let started = named.spawn_scoped(scope, move || worker.work(start, main));
            started.map_err(|error| not_started(index, error))?;
            starting.push(ours);
        }
        let team = meet(starting)?;
        let _release = ReleaseOnDrop(team.clone());
        let supervisor = Supervisor::new(team, received, origin);
        let verdict = supervising.run_until_complete(supervisor.supervise());
        drop(outcomes);
        Ok(verdict.expect("only its own code could stop this loop"))
    }

    #[inline]
    fn count(&self) -> usize {
        let available = || thread::available_parallelism().map_or(1, usize::from);
        self.threads.unwrap_or_else(available)
    }

    /// Those that the threads are pinned to; none if they are not.
    #[inline]
    fn processors(&self) -> Vec<usize> {
        #[cfg(feature = "affinity")]
        if self.pin {
            return allowed_processors();
        }
        Vec::new()
    }
}

#[inline]
fn nth_of(processors: &[usize], index: usize) -> Option<usize> {
    processors.iter().cycle().nth(index).copied()
}

#[track_caller]
#[inline]
fn refuse_inside() {
    LoopHandle::refuse_in_simulation("thread for another core");
    assert!(
        LoopHandle::try_current().is_none(),
        "cores::Builder::run() on a thread that is running an event loop, which it would block: call \
         it outside of any loop, or on another thread"
    );
}

/// A core that is being started, as the calling thread sees it.
struct Starting {
    made: Receiver<io::Result<RemoteHandle>>,
    team: Sender<Arc<Team>>,
}

impl Starting {
    #[inline]
    fn new() -> (Starting, CoreStart) {
        let (tell_made, made) = mpsc::sync_channel(1);
        let (tell_team, team) = mpsc::channel();
        let start = CoreStart {
            made: tell_made,
            team,
        };
        let ours = Starting {
            made,
            team: tell_team,
        };
        (ours, start)
    }
}

/// Waits until all loops are made, and has the cores begin. If one could not be made, all end.
fn meet<E>(starting: Vec<Starting>) -> Result<Arc<Team>, CoreError<E>> {
    let mut loops = Vec::with_capacity(starting.len());
    for (index, core) in starting.iter().enumerate() {
        let ended = |_| {
            Err(io::Error::other(
                "its thread panicked while it made the loop",
            ))
        };
        let made = core.made.recv().unwrap_or_else(ended);
        loops.push(made.map_err(|error| not_started(index, error))?);
    }
    let team = Team::new(loops);
    for core in &starting {
        let _ = core.team.send(team.clone()); // refused, the thread has panicked, which is its outcome
    }
    Ok(team)
}

fn not_started<E>(index: usize, error: io::Error) -> CoreError<E> {
    CoreError::new(index, CoreFailure::NotStarted(error))
}

/// Has the cores end in any case: the threads are waited for.
struct ReleaseOnDrop(Arc<Team>);

impl Drop for ReleaseOnDrop {
    #[inline]
    fn drop(&mut self) {
        self.0.release();
    }
}
