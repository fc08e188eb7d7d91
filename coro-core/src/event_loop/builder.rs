//! `Builder`: the settings of an `EventLoop`, before it is made.

use std::cell::{Cell, OnceCell, RefCell};
use std::env;
#[cfg(all(unix, feature = "signal"))]
use std::ffi::c_int;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::alarms::Alarms;
use super::around::{Enter, Surroundings};
use super::blocked::WhenBlocked;
use super::dump::Dumps;
#[cfg(all(unix, feature = "signal"))]
use super::dump_signal::DumpSignal;
use super::short_wait::ShortWaits;
#[cfg(feature = "simulation")]
use super::simulation::Simulation;
use super::watchdog::Watchdog;
use super::{Core, EventLoop, Reactor};
use crate::clock::{Clock, nanos};
use crate::pool::{ThreadPool, ThreadPoolBuilder};
#[cfg(all(unix, feature = "signal"))]
use crate::sys::SIGQUIT;
use crate::sys::{Poller, WakeUp};
use crate::task::{Listed, Pulse, SLOW, Scheduler};
use crate::timers::{NEVER, Timers};

/// How long a loop waits for its threads when it is closed, as in asyncio.
const JOIN_THREADS: Duration = Duration::from_secs(300);

/// Settings of an [`EventLoop`], made by [`EventLoop::builder`].
#[derive(Debug, Clone)]
#[must_use]
pub struct Builder {
    virtual_time: bool,
    #[cfg(feature = "simulation")]
    seed: Option<u64>,
    debug: bool,
    busy_poll: Duration,
    thread_pool: ThreadPoolBuilder,
    join_threads: Duration,
    around: Surroundings,
    slow_callback_duration: Duration,
    /// The limit, and the function that starts the thread: programs without one do not compile it.
    watchdog: Option<(Duration, StartWatchdog)>,
    #[cfg(all(unix, feature = "signal"))]
    dump_signal: Option<c_int>,
    report_deadlocks: Option<bool>,
    end_deadlocks: bool,
    measure_waits: bool,
}

impl Default for Builder {
    fn default() -> Self {
        Builder {
            virtual_time: false,
            #[cfg(feature = "simulation")]
            seed: None,
            debug: false,
            busy_poll: Duration::ZERO,
            thread_pool: ThreadPool::builder(),
            join_threads: JOIN_THREADS,
            around: Surroundings::default(),
            slow_callback_duration: SLOW,
            watchdog: None,
            #[cfg(all(unix, feature = "signal"))]
            dump_signal: None,
            report_deadlocks: None,
            end_deadlocks: false,
            measure_waits: false,
        }
    }
}

impl Builder {
    /// Gives the loop a virtual clock: time stands still while anything is ready, and jumps to the
    /// next deadline when nothing is.
    ///
    /// So a test of a thousand hours takes a moment and always has the same order. While anything
    /// real is outstanding, time flows as it really does, so that no timer overtakes it.
    /// Real is a descriptor that is waited for, a job on another thread, a
    /// [`RemoteHandle`](crate::event_loop::RemoteHandle) that is still alive, and a wait at a primitive of [`sync::remote`](crate::sync::remote), whose other
    /// end may be anywhere. The idea is that of Trio's `MockClock` with its autojump.
    ///
    /// The loop cannot know of anything else that may wake a task from outside: a thread with a
    /// channel of another library, a runtime of its own. A timeout around such a wait elapses at
    /// once, unless one of the above is outstanding; a test of that wants the real clock, as
    /// `#[coro::test(real)]` has it.
    pub fn virtual_time(mut self) -> Self {
        self.virtual_time = true;
        self
    }

    /// Has the loop measure each step, and report those that hold it up for
    /// [`slow_callback_duration`](Self::slow_callback_duration) or more. Deadlocks and lost wakers are
    /// [reported](Self::report_deadlocks), too.
    ///
    /// The environment variable `CORO_DEBUG` turns debug mode on for every loop of a program, as
    /// `PYTHONASYNCIODEBUG` does in asyncio, unless it is empty or `0`. On Unix it also has a loop
    /// print its tasks when the process gets a `SIGQUIT`, which is Ctrl-\ in a terminal, if the loop
    /// was not made to do so on another signal.
    pub fn debug(mut self, debug: bool) -> Self {
        self.debug = debug;
        self
    }

    /// From which duration on a step is reported as a slow one in [`debug`](Self::debug) mode: 100 ms
    /// by default, as in asyncio.
    ///
    /// The duration is that of the real clock, also under a virtual one. It can be changed at run
    /// time, by [`set_slow_callback_duration`](crate::event_loop::LoopHandle::set_slow_callback_duration).
    pub fn slow_callback_duration(mut self, duration: Duration) -> Self {
        self.slow_callback_duration = duration;
        self
    }

    /// Has a thread watch the loop, and name the task or callout that holds it for longer than
    /// `limit`, while it still does.
    ///
    /// A task that computes for long, or that calls a function which blocks, holds up all others. A
    /// loop that is held up cannot report it. So the thread prints a line to standard error at once:
    /// the number of the task, the place where it was spawned, and for how long it has held the loop
    /// so far. When the step is over, the loop's
    /// [exception handler](crate::event_loop::LoopHandle::set_exception_handler) gets a report of the
    /// kind [`Stuck`](crate::report::ReportKind::Stuck), on the loop's own thread, with the name of
    /// the task if the task is not finished, and with the whole duration; without a handler that is
    /// printed, too. Each step is told of once. The line comes when the step has held the loop for
    /// between one and one and a half times the limit, on a machine that has a processor to spare.
    ///
    /// It costs the loop three stores a step, and no look at a clock. The thread looks four times
    /// within the limit while the loop is awake, and sleeps while the loop does. It ends when the
    /// loop is closed, and a process that is forked from this one has none. A loop with a virtual
    /// clock has none either: its time stands still while a task runs. A limit below 4 ms is looked
    /// at each millisecond. Without this option nothing is watched.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let limit = Duration::from_millis(500);
    /// let mut event_loop = coro::EventLoop::builder().watchdog(limit).build()?;
    /// event_loop.run_until_complete(coro::sleep(Duration::from_millis(1))).unwrap();
    /// # std::io::Result::Ok(())
    /// ```
    #[doc(alias = "blocked")]
    #[doc(alias = "stall")]
    #[inline]
    pub fn watchdog(mut self, limit: Duration) -> Self {
        self.watchdog = Some((limit, watch));
        self
    }

    /// Has the loop report deadlocks and lost wakers to the exception handler, or not.
    ///
    /// A *deadlock* is looked for when the loop is about to sleep though no timer, descriptor, job,
    /// process, signal or remote handle is outstanding: a [dump](crate::event_loop::LoopHandle::dump)
    /// shows whether each task waits for another one of this loop. Then none will ever go on, and the
    /// report has the tree of all tasks. A *lost waker* is that of a task which waits while no waker of
    /// it exists any more.
    ///
    /// By default they are reported in builds with debug assertions, and in [debug](Self::debug) mode.
    /// If a future of another library may be woken from outside of the loop, a deadlock is only
    /// probable: that is reported in debug mode, and after `report_deadlocks(true)`. A task that awaits
    /// [`std::future::pending`] waits for ever by intent, and is no reason for a report.
    pub fn report_deadlocks(mut self, report: bool) -> Self {
        self.report_deadlocks = Some(report);
        self
    }

    /// Has a certain deadlock end the run.
    pub(crate) fn end_deadlocks(mut self) -> Self {
        self.end_deadlocks = true;
        self
    }

    /// Has the loop note when each task begins to wait, so that a
    /// [dump](crate::event_loop::LoopHandle::dump) can say for how long it has waited.
    ///
    /// That costs a look at the clock in each step. The time counts from the beginning of the task's
    /// last step.
    pub fn measure_waits(mut self, measure: bool) -> Self {
        self.measure_waits = measure;
        self
    }

    /// Has the signal with this number ask the loop for a dump.
    #[cfg(all(unix, feature = "signal"))]
    pub(crate) fn dump_on_number(mut self, signal: c_int) -> Self {
        self.dump_signal = Some(signal);
        self
    }

    /// Has the loop look for descriptors and messages again and again for `duration` before it goes
    /// to sleep.
    ///
    /// Being woken by the system takes tens of microseconds; a loop that is still looking hears at
    /// once. It costs a whole core while nothing happens, for `duration` at a time. The default is
    /// zero, which is not to. Under a virtual clock it does nothing.
    ///
    /// Without it, too, a loop stays awake for the few microseconds until its next timer if its sleeps
    /// were later than that before, and at most 25: a sleep would take as much of the core, and the
    /// timer would be late.
    pub fn busy_poll(mut self, duration: Duration) -> Self {
        self.busy_poll = duration;
        self
    }

    /// The settings of the pool of threads that the loop makes when it first needs one, for
    /// [`to_thread`](crate::threads::to_thread).
    pub fn thread_pool(mut self, settings: ThreadPoolBuilder) -> Self {
        self.thread_pool = settings;
        self
    }

    /// For how long at most closing the loop waits for jobs that still run on its threads: five
    /// minutes by default, as in asyncio.
    ///
    /// Jobs that take longer are reported, and left behind: they go on, and end with the process.
    pub fn join_threads(mut self, limit: Duration) -> Self {
        self.join_threads = limit;
        self
    }

    /// Has the loop run those that are ready in an order drawn from `seed`, instead of first come,
    /// first served.
    ///
    /// So a test meets orders that the events of other days may bring. Each turn still runs exactly
    /// those that were ready when it began. The order depends on the seed alone as long as the
    /// program does the same. Descriptors, threads and the clock are as real as they are without it.
    #[cfg(feature = "simulation")]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Makes a loop that is run in a simulation, in which nothing real takes part.
    #[cfg(feature = "simulation")]
    pub(crate) fn build_simulated(self, simulation: Rc<Simulation>) -> io::Result<EventLoop> {
        self.virtual_time().build_in(Some(simulation))
    }

    /// Has the loop run inside of something: `enter` is called before the loop begins, and its guard
    /// is dropped after the loop has stopped.
    ///
    /// So another runtime, or a span of tracing, is entered for all
    /// tasks of the loop. The loop enters anew for each of its runs, for the cancelling of the tasks
    /// that are left over at the end of [`run`](crate::run), and for its closing: between runs the
    /// thread is as it was, and several loops may take turns on one thread. Called several times,
    /// the first is the outermost.
    ///
    /// Take a closure that returns a guard. A type whose guard borrows from it implements
    /// [`Enter`](crate::event_loop::Enter); with the feature `tokio` a `tokio::runtime::Handle`, a `tokio::runtime::Runtime` and
    /// `compat::tokio::Runtime` do. `enter` is dropped with the loop and its last handle.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
    ///
    /// static INSIDE: AtomicBool = AtomicBool::new(false);
    ///
    /// struct Left;
    ///
    /// impl Drop for Left {
    ///     fn drop(&mut self) {
    ///         INSIDE.store(false, Relaxed);
    ///     }
    /// }
    ///
    /// let mut event_loop = coro::EventLoop::builder()
    ///     .around(|| {
    ///         INSIDE.store(true, Relaxed);
    ///         Left
    ///     })
    ///     .build()?;
    /// let inside = event_loop.run_until_complete(async { INSIDE.load(Relaxed) });
    /// assert_eq!(inside, Ok(true));
    /// assert!(!INSIDE.load(Relaxed));
    /// # std::io::Result::Ok(())
    /// ```
    pub fn around<E: Enter + Send + Sync + 'static>(mut self, enter: E) -> Self {
        self.around.add(enter);
        self
    }

    /// Makes the loop.
    ///
    /// # Errors
    ///
    /// If the operating system gives no poller, as when the process has no descriptors left, or no
    /// thread for a [`watchdog`](Self::watchdog).
    pub fn build(self) -> io::Result<EventLoop> {
        #[cfg(feature = "simulation")]
        let simulation = self.seed.map(Simulation::of_order);
        self.build_in(
            #[cfg(feature = "simulation")]
            simulation,
        )
    }

    fn build_in(
        mut self,
        #[cfg(feature = "simulation")] simulation: Option<Rc<Simulation>>,
    ) -> io::Result<EventLoop> {
        let debugged = is_debugged();
        self.debug |= debugged;
        let poller = Poller::new()?;
        let wake_up = WakeUp::new(poller.registry())?;
        let clock = if self.virtual_time {
            Clock::virtual_time()
        } else {
            Clock::real()
        };
        let scheduler = Scheduler::new(wake_up, self.debug, self.measure_waits);
        scheduler
            .slow_callback_duration()
            .set(self.slow_callback_duration);
        let watchdog = match self.watchdog {
            Some((limit, start)) if !self.virtual_time => Some(start(&scheduler, limit)?),
            _ => None,
        };
        let core = Core {
            listed: Listed::new(&scheduler),
            scheduler,
            clock,
            timers: RefCell::new(Timers::new()),
            has_fresh: Cell::new(false),
            looked_at: Cell::new(NEVER),
            reactor: Reactor::new(poller)?,
            when_blocked: WhenBlocked::default(),
            #[cfg(feature = "simulation")]
            simulation,
            stopping: Cell::new(false),
            interrupted: Cell::new(None),
            busy_poll: nanos(self.busy_poll),
            short_waits: ShortWaits::default(),
            chances: Cell::new(match self.virtual_time {
                true => 0,
                false => RandomState::new().build_hasher().finish(), // every one begins with other keys
            }),
            read_buffer: Cell::default(),
            kept: RefCell::default(),
            threads: OnceCell::new(),
            threads_wanted: self.thread_pool,
            join_threads: self.join_threads,
            around: self.around,
            watchdog: Cell::new(watchdog),
            #[cfg(all(unix, feature = "signal"))]
            dump_signal: OnceCell::new(),
            dumps: Dumps::new(Alarms::new(self.report_deadlocks, self.end_deadlocks)),
            has_main: Cell::new(false),
        };
        let event_loop = EventLoop {
            core: Rc::new(core),
        };
        #[cfg(all(unix, feature = "signal"))]
        match self.dump_signal {
            Some(signal) => DumpSignal::install(&event_loop, signal)?,
            // The program did not ask for this, and must run without it as well.
            None if debugged => drop(DumpSignal::install(&event_loop, SIGQUIT)),
            None => {}
        }
        Ok(event_loop)
    }
}

/// Whether the environment asks for debug mode: `CORO_DEBUG` is there, and neither empty nor `0`.
fn is_debugged() -> bool {
    env::var_os("CORO_DEBUG").is_some_and(|value| !value.is_empty() && value != "0")
}

type StartWatchdog = fn(&Scheduler, Duration) -> io::Result<Watchdog>;

/// Starts the thread that watches a loop.
#[inline]
fn watch(scheduler: &Scheduler, limit: Duration) -> io::Result<Watchdog> {
    let pulse = Arc::<Pulse>::default();
    let watchdog = Watchdog::start(limit, pulse.clone(), scheduler.inbox().clone())?;
    scheduler.begin_pulse(pulse);
    Ok(watchdog)
}
