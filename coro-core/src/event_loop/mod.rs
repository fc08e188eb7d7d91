//! The event loop: one thread, one queue, one order.

mod alarms;
mod around;
mod blocked;
mod buffer;
mod builder;
mod call_handle;
mod current;
mod dump;
#[cfg(all(unix, feature = "signal"))]
mod dump_signal;
mod handle;
#[cfg(not(feature = "poll"))]
mod no_reactor;
#[cfg(not(feature = "simulation"))]
mod no_simulation;
mod on_loop;
#[cfg(feature = "poll")]
mod reactor;
mod remote;
mod remote_call;
mod short_wait;
#[cfg(feature = "simulation")]
mod simulated;
#[cfg(feature = "simulation")]
mod simulation;
#[cfg(feature = "poll")]
mod source;
mod threads;
mod turn;
mod watchdog;

use std::any::type_name;
use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::future::Future;
use std::io;
#[cfg(all(unix, feature = "signal"))]
use std::os::fd::BorrowedFd;
use std::panic::Location;
use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::AtomicBool;
use std::task::Poll;
use std::time::Duration;

pub use around::Enter;
pub use builder::Builder;
pub use call_handle::{CallHandle, TimerHandle};
pub use current::{call_at, call_later, call_soon, current_task, spawn};
pub use dump::{Dump, RemoteDump};
pub(crate) use handle::ArmedTimer;
pub use handle::LoopHandle;
pub use on_loop::OnLoop;
#[cfg(feature = "poll")]
pub(crate) use reactor::Registration;
pub use remote::{RemoteHandle, RemoteTask};
pub use remote_call::RemoteCallHandle;
#[cfg(feature = "simulation")]
pub(crate) use simulation::Simulation;
#[cfg(feature = "poll")]
pub use source::Direction;
#[cfg(feature = "poll")]
pub(crate) use source::WaitId;

use crate::clock::Clock;
use crate::error::Stopped;
use crate::pool::ThreadPoolBuilder;
use crate::sight::TaskTree;
use crate::task::{Listed, MainTask, Scheduler, current as inside, is_large};
use crate::timers::Timers;
use around::{Surroundings, Within};
use dump::Dumps;
#[cfg(all(unix, feature = "signal"))]
use dump_signal::DumpSignal;
use handle::Due;
#[cfg(not(feature = "poll"))]
use no_reactor::NoReactor as Reactor;
#[cfg(feature = "poll")]
use reactor::Reactor;
use short_wait::ShortWaits;
use threads::LoopThreads;
use turn::{Advance, Turn};
use watchdog::Watchdog;

/// An event loop: it runs tasks and callouts, one at a time, on the thread it was made on.
///
/// The counterpart of asyncio's loop. Most programs never name one, as [`run`](crate::run) makes
/// it, runs a coroutine on it and closes it; make one yourself to run it several times, to stop and
/// resume it, or to give it a [virtual clock](Builder::virtual_time).
///
/// ```
/// use std::time::Duration;
///
/// let mut event_loop = coro::EventLoop::new()?;
/// let handle = event_loop.handle();
/// handle.call_later(Duration::from_millis(5), || println!("a callout"));
/// let answer = event_loop.run_until_complete(async {
///     coro::sleep(Duration::from_millis(10)).await;
///     42
/// });
/// assert_eq!(answer, Ok(42));
/// # std::io::Result::Ok(())
/// ```
///
/// # The order of things
///
/// Tasks that were woken and callouts that are due stand in one queue, first come, first served. A
/// *turn* runs exactly those that stood there when it began; tasks that become ready meanwhile wait
/// for the next. The loop looks at its descriptors, its timers and its messages from other threads
/// whenever the queue runs dry, and after at most 64 steps. The tasks and callouts that these make
/// ready join the end of the queue: calls from other threads, then descriptors, then timers in the
/// order of their deadlines, equal deadlines in the order in which they were made. So everything
/// that is ready before a turn is run in it. Under the real clock at most 64 timers fire at one
/// look. If more are due, the next look comes after the steps of those: so a loop that is late
/// catches up in small pieces.
///
/// # The budget of a step
///
/// A step is one poll of a task, or one call of a callout. Of the waits that a task makes in one
/// step, at most 128 may be ready at once; accepting a connection counts as eight. The next wait
/// takes nothing, wakes its task and suspends. So the task goes on at the end of the queue, in the
/// next turn, and the loop looks at its descriptors and timers before that. Therefore a task that
/// is always ready delays the others by no more than one such step in each turn, as long as it
/// waits at all, and at waits of this library: at descriptors, locks, queues, channels, events and
/// the rest of [`sync`](crate::sync), at tasks and other threads. A loop that only computes, or
/// that polls futures of other libraries which are always ready, calls
/// [`yield_now`](crate::time::yield_now) now and then.
///
/// The main future counts as a task. Futures that a task awaits together, in a `scope`, a `gather`
/// or a `select`, share its budget. A group of ours that has its members' turns in order goes on
/// with the next member in the next step. Elsewhere a future that is polled in the same step after
/// a wait was refused has half of the budget, then half of that, and one wait at least, so that an
/// event which ends a busy arm is heard; after 256 refusals none is left. Methods that do not wait,
/// such as `try_recv`, and waits in other executors have no budget. A wait that is polled by hand
/// may therefore be pending though it could end.
///
/// A panic in a task or callout is caught and does not stop the loop.
///
/// # Closing
///
/// [`close`](Self::close), or dropping the loop, drops every task in the order in which they were
/// spawned, and all callouts, without running them. Work that their destructors ask for is refused:
/// tasks spawned then are cancelled at once. Then the loop waits for its
/// [threads](crate::threads). A closed loop refuses work: a [`LoopHandle`] panics,
/// [`run_until_complete`](Self::run_until_complete) and every [`RemoteHandle`] give an error.
///
/// # Forks
///
/// A process that is forked without executing another program has copies of the loop's descriptors,
/// but both share the kernel's list of descriptors that the loop waits for. The copy may be dropped
/// there, in any order: that takes nothing away from the parent, stops none of its threads and
/// kills none of its processes. It must not be run: that panics. A loop that is made after the fork
/// is free of all this. A loop that is forked from within one of its own tasks goes on in the child,
/// and panics within the next 64 times that it waits, in which it may take events from the parent's
/// loop; leave the process, or execute another program, before that. A signal that the child gets and that the parent listens for is told to the parent.
#[doc(alias("Runtime", "LocalSet", "new_event_loop"))]
pub struct EventLoop {
    core: Rc<Core>,
}

/// The parts of a loop.
pub(crate) struct Core {
    /// Its place among the loops that other processes can see; the first to be dropped.
    listed: Listed,
    pub(crate) scheduler: Rc<Scheduler>,
    clock: Clock,
    timers: RefCell<Timers<Due>>,
    /// A relative timer was armed in the present step.
    has_fresh: Cell<bool>,
    /// When the loop last looked at its timers; `NEVER` if there was none then.
    looked_at: Cell<u64>,
    reactor: Reactor,
    when_blocked: blocked::WhenBlocked,
    #[cfg(feature = "simulation")]
    simulation: Option<Rc<Simulation>>,
    stopping: Cell<bool>,
    /// Set by a signal handler when the run is to stop.
    interrupted: Cell<Option<&'static AtomicBool>>,
    /// How long to poll before sleeping, in nanoseconds.
    busy_poll: u64,
    short_waits: ShortWaits,
    /// The state of [`LoopHandle::chance`].
    chances: Cell<u64>,
    /// The buffer into which connections read, one after another; away while it is lent.
    read_buffer: Cell<Option<Box<[u8]>>>,
    /// Values of higher rooms, one of a type; see [`LoopHandle::kept`].
    kept: RefCell<Vec<Rc<dyn std::any::Any>>>,
    /// Made when it is first needed.
    threads: OnceCell<Box<dyn LoopThreads>>,
    threads_wanted: ThreadPoolBuilder,
    join_threads: Duration,
    watchdog: Cell<Option<Watchdog>>,
    #[cfg(all(unix, feature = "signal"))]
    dump_signal: OnceCell<DumpSignal>,
    dumps: Dumps,
    around: Surroundings,
    /// A main future is being run.
    has_main: Cell<bool>,
}

impl EventLoop {
    /// Makes a loop with the real clock.
    ///
    /// # Errors
    ///
    /// As for [`Builder::build`].
    pub fn new() -> io::Result<Self> {
        Self::builder().build()
    }

    /// Settings for a loop other than the one that [`new`](Self::new) makes.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The handle by which the loop is given work from its own thread.
    pub fn handle(&self) -> LoopHandle {
        LoopHandle::new(self.core.clone())
    }

    /// Runs the loop until `future` completes, and gives its output.
    ///
    /// The future need not be `'static` or `Send`. The turn in which it completes is run to its
    /// end; other tasks are left as they are, and go on with the next run.
    ///
    /// # Errors
    ///
    /// [`Stopped`] if [`stop`](LoopHandle::stop) was called before, or if the loop is closed. A
    /// future that was passed by reference (`&mut future`) can be run on afterwards.
    ///
    /// # Panics
    ///
    /// If this thread is inside of a loop already, if the operating system's poller fails, and with
    /// the panic of `future`.
    #[track_caller]
    pub fn run_until_complete<F: Future>(&mut self, future: F) -> Result<F::Output, Stopped> {
        if self.core.scheduler.is_closed() {
            return Err(Stopped { closed: true });
        }
        match const { is_large::<F>() } {
            true => self.run_main(Box::pin(future)),
            false => self.run_main(future),
        }
    }

    #[track_caller]
    fn run_main<F: Future>(&self, future: F) -> Result<F::Output, Stopped> {
        let _running = self.enter();
        let main = MainTask::new(&self.core.scheduler, Location::caller());
        self.core.has_main.set(true);
        let mut future = pin!(future);
        let mut turn = Turn::default();
        let mut look = None;
        loop {
            match self.core.advance(&mut turn) {
                Advance::Stopped => return Err(Stopped { closed: false }),
                Advance::Main => {}
                Advance::Look => {
                    look = self.core.begin_main_look(&main, type_name::<F>());
                    if look.is_none() {
                        continue;
                    }
                }
            }
            let polled = main.poll(future.as_mut());
            self.core.stamp_timers();
            if let Some(look) = look.take() {
                let waits = polled.is_pending();
                self.core
                    .end_main_look(look, &main, type_name::<F>(), waits);
            }
            if let Poll::Ready(output) = polled {
                drop(main);
                self.core.finish(&mut turn);
                return Ok(output);
            }
        }
    }

    /// Runs the loop until [`stop`](LoopHandle::stop) is called.
    ///
    /// If that has happened before, the loop takes exactly one turn, without waiting.
    ///
    /// # Panics
    ///
    /// If the loop is closed, if this thread is inside of a loop already, if this process was
    /// forked from the loop's own, or if the operating system's poller fails.
    #[track_caller]
    pub fn run_forever(&mut self) {
        assert!(
            !self.core.scheduler.is_closed(),
            "run_forever() on an event loop that is closed"
        );
        let _running = self.enter();
        let mut turn = Turn::default();
        loop {
            match self.core.advance(&mut turn) {
                Advance::Stopped => return,
                Advance::Look => self.core.dump_without_main(),
                Advance::Main => {}
            }
        }
    }

    /// Has the loop stop its run when `flag` is set, and look at it when `wake` becomes readable.
    #[cfg(all(unix, feature = "signal"))]
    pub(crate) fn interrupt_by(
        &self,
        flag: &'static AtomicBool,
        wake: BorrowedFd<'_>,
    ) -> io::Result<()> {
        self.core.reactor.wake_by(wake)?;
        self.core.interrupted.set(Some(flag));
        Ok(())
    }

    /// Has a flag interrupt the loop, which looks at it some twenty times a second.
    #[cfg(all(not(unix), feature = "signal"))]
    pub(crate) fn interrupt_by(&self, flag: &'static AtomicBool) {
        self.core.interrupted.set(Some(flag));
    }

    /// The tree of the deadlock that has ended the last run.
    pub(crate) fn take_deadlock(&mut self) -> Option<Box<TaskTree>> {
        self.core.dumps.alarms.take_deadlock()
    }

    /// Cancels all tasks, and runs the loop until they are done and their callbacks were called.
    pub(crate) fn drain(&mut self) {
        let _running = self.enter();
        let mut turn = Turn::default();
        while self.core.scheduler.has_tasks() {
            for task in self.core.scheduler.tasks() {
                task.cancel();
            }
            self.core.take_turn(&mut turn);
        }
        self.core.take_turn(&mut turn);
    }

    /// Ends the loop: drops its tasks in the order in which they were spawned, and its callouts.
    ///
    /// Nothing is run; a panic in a destructor is reported. Closing a closed loop does nothing, and
    /// dropping the loop closes it.
    pub fn close(&mut self) {
        if self.core.scheduler.is_closed() {
            return;
        }
        let _within = self.core.around.enter();
        let _inside = inside::enter(&self.core.scheduler, self.core.clone());
        // A forked process has no threads but the one that forked.
        let has_threads = self.core.reactor.is_at_home();
        self.core.listed.open_door(0);
        #[cfg(all(unix, feature = "signal"))]
        if let Some(signal) = self.core.dump_signal.get() {
            signal.close();
        }
        if let Some(watchdog) = self.core.watchdog.take() {
            watchdog.stop(has_threads);
        }
        if let Some(threads) = self.core.threads.get().filter(|_| has_threads) {
            threads.begin_shutdown();
        }
        self.core.scheduler.begin_close();
        self.core.drop_timers();
        if let Some(threads) = self.core.threads.get().filter(|_| has_threads) {
            threads.join(&self.core);
        }
        self.core.scheduler.end_close();
        self.core.listed.withdraw();
    }

    #[track_caller]
    fn enter(&self) -> (RunGuard, Within<'_>) {
        assert!(
            !inside::is_inside(),
            "cannot run an event loop on a thread that is running one: await the future there, \
             or run this loop on another thread"
        );
        self.core.reactor.assert_at_home();
        if let Some(pulse) = self.core.scheduler.pulse() {
            pulse.wake();
        }
        let within = self.core.around.enter();
        let running = RunGuard {
            core: self.core.clone(),
            _inside: inside::enter(&self.core.scheduler, self.core.clone()),
        };
        (running, within) // dropped in this order
    }
}

/// One run of the loop. However it ends, a `stop` that came during it does not stop the next.
struct RunGuard {
    core: Rc<Core>,
    _inside: inside::Entered,
}

impl Drop for RunGuard {
    fn drop(&mut self) {
        self.core.stopping.set(false);
        self.core.reactor.end_waits();
        if let Some(pulse) = self.core.scheduler.pulse() {
            pulse.fall_asleep();
        }
        self.core.has_main.set(false);
    }
}

impl Drop for EventLoop {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for EventLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.core.fmt_as("EventLoop", f)
    }
}

impl Core {
    /// Disarms all timers: also those that destructors arm meanwhile.
    fn drop_timers(&self) {
        let next = || self.timers.borrow_mut().pop();
        while let Some(due) = next() {
            self.scheduler.contain_drop(|| match due {
                Due::Wake(waker) => drop(waker),
                Due::Call(callout) => callout.cancel(&self.scheduler),
            });
        }
    }
}
