//! `LoopHandle`, for the loop's own thread, and `ArmedTimer`.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::io;
use std::panic::Location;
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use super::call_handle::{CallHandle, TimerHandle};
#[cfg(feature = "poll")]
use super::reactor::Registration;
use super::{Core, RemoteHandle};
use crate::clock::nanos;
use crate::mix::mix;
use crate::pool::{LoopOfJob, ThreadPool};
use crate::report::{ErrorReport, ReportKind};
#[cfg(feature = "poll")]
use crate::sys::Described;
use crate::task::{Callout, Task, TaskHandle, is_large};
use crate::timers::{NEVER, TimerKey};

/// A loop, as seen from its own thread; it gives the loop work.
///
/// Get it with [`LoopHandle::current`] inside the loop, or with
/// [`EventLoop::handle`](crate::event_loop::EventLoop::handle) outside. It cannot be sent to other
/// threads; for those there is [`remote`](Self::remote). Keeping one keeps the loop's memory, but
/// not the loop open.
///
/// # If the compiler says ..
///
/// - "`Rc<..>` cannot be sent between threads safely", and "it appears within the type `LoopHandle`":
///   get a [`RemoteHandle`](crate::event_loop::RemoteHandle) from [`remote()`](Self::remote) before
///   the thread starts, and move that into the thread.
///
/// # Panics
///
/// Methods that ask for new work panic once the loop is closed. While it is being closed, work that
/// destructors ask for is refused quietly: the task or callout that they get is cancelled.
#[derive(Clone)]
#[doc(alias("get_running_loop", "get_event_loop", "Handle"))]
pub struct LoopHandle {
    core: Rc<Core>,
}

/// The action of a timer when it is due.
pub(super) enum Due {
    Wake(Waker),
    Call(Callout),
}

impl LoopHandle {
    pub(super) fn new(core: Rc<Core>) -> Self {
        LoopHandle { core }
    }

    pub(super) fn core(&self) -> &Rc<Core> {
        &self.core
    }

    #[track_caller]
    pub(crate) fn check_open(&self, what: &str) {
        assert!(
            !self.core.scheduler.is_closed(),
            "{what}() on an event loop that is closed: do it before the loop is closed, \
             or make another loop"
        );
    }

    /// The loop's time: the real present, or the virtual one of a loop made with
    /// [`virtual_time`](crate::event_loop::Builder::virtual_time).
    ///
    /// All deadlines are measured by it. It never goes backwards. Under a real clock it is the same
    /// as [`Instant::now`], which on Linux and macOS stands still while the machine is suspended:
    /// so do all timers, deadlines and time limits.
    #[doc(alias("now", "Instant", "monotonic"))]
    pub fn time(&self) -> Instant {
        self.core.clock.instant(self.core.clock.now())
    }

    /// The loop's time when it last looked at its timers, or the present if it has none, in
    /// nanoseconds since the loop was made.
    ///
    /// It costs no reading of the clock while there are timers.
    #[cfg_attr(
        not(feature = "hyper"),
        expect(dead_code, reason = "for servers of HTTP")
    )]
    pub(crate) fn turn_stamp(&self) -> u64 {
        match self.core.looked_at.get() {
            NEVER => self.core.clock.now(),
            at => at,
        }
    }

    /// The instant of a stamp of [`turn_stamp`](Self::turn_stamp).
    #[cfg_attr(
        not(feature = "hyper"),
        expect(dead_code, reason = "for servers of HTTP")
    )]
    pub(crate) fn stamped(&self, stamp: u64) -> Instant {
        self.core.clock.instant(stamp)
    }

    /// Has the loop call `f` in its next turn.
    ///
    /// The counterpart of `loop.call_soon`: first registered, first called, each once. Dropping the
    /// handle does not cancel it.
    ///
    /// # Panics
    ///
    /// If the loop is closed. A panic in `f` itself is caught and reported.
    #[track_caller]
    pub fn call_soon(&self, f: impl FnOnce() + 'static) -> CallHandle {
        self.check_open("call_soon");
        let callout = self.core.scheduler.call_soon(Location::caller(), f);
        CallHandle {
            callout,
            core: self.core.clone(),
        }
    }

    /// Has the loop call `f` when `delay` has passed, and never earlier.
    ///
    /// The counterpart of `loop.call_later`. A delay of zero means the loop's next look at its
    /// timers; one too long to be represented, such as [`Duration::MAX`], never comes. Callouts
    /// that are due at the same time are called in the order in which they were registered.
    ///
    /// # Panics
    ///
    /// If the loop is closed. A panic in `f` itself is caught and reported.
    #[track_caller]
    pub fn call_later(&self, delay: Duration, f: impl FnOnce() + 'static) -> TimerHandle {
        self.check_open("call_later");
        self.arm(
            self.core.clock.now().saturating_add(nanos(delay)),
            Location::caller(),
            f,
        )
    }

    /// Has the loop call `f` at `when`, measured by [`time`](Self::time), and never earlier.
    ///
    /// The counterpart of `loop.call_at`. An instant in the past means the loop's next look at its
    /// timers.
    ///
    /// # Panics
    ///
    /// If the loop is closed. A panic in `f` itself is caught and reported.
    #[track_caller]
    pub fn call_at(&self, when: Instant, f: impl FnOnce() + 'static) -> TimerHandle {
        self.check_open("call_at");
        self.arm(self.core.clock.nanos_at(when), Location::caller(), f)
    }

    fn arm(
        &self,
        deadline: u64,
        origin: &'static Location<'static>,
        f: impl FnOnce() + 'static,
    ) -> TimerHandle {
        let callout = self.core.scheduler.callout(origin, f);
        let key = self.core.scheduler.is_open().then(|| {
            self.core
                .timers
                .borrow_mut()
                .insert(deadline, Due::Call(callout.clone()))
        });
        TimerHandle {
            callout,
            core: self.core.clone(),
            key: Cell::new(key),
            deadline,
        }
    }

    /// Makes a task of `future`: the loop polls it first in its next turn.
    ///
    /// The counterpart of `asyncio.create_task`. Tasks start in the order in which they were
    /// spawned. The loop owns the task; dropping the handle detaches it, see [`Task`].
    ///
    /// # Panics
    ///
    /// If the loop is closed. A panic in the task itself is caught; awaiting the task gives it.
    #[track_caller]
    pub fn spawn<F: Future + 'static>(&self, future: F) -> Task<F::Output> {
        self.check_open("spawn");
        self.spawn_from(Location::caller(), future)
    }

    /// As [`spawn`](Self::spawn), for a task with another place of origin.
    pub(crate) fn spawn_from<F: Future + 'static>(
        &self,
        origin: &'static Location<'static>,
        future: F,
    ) -> Task<F::Output> {
        match const { is_large::<F>() } {
            true => self.core.scheduler.spawn(Box::pin(future), origin, false),
            false => self.core.scheduler.spawn(future, origin, false),
        }
    }

    /// Makes a task of `future` and polls it once, here and now.
    ///
    /// If that completes it, the task never stands in the queue. The counterpart of
    /// `asyncio.create_task(.., eager_start=True)`.
    ///
    /// # Panics
    ///
    /// As for [`spawn`](Self::spawn); and if the thread is not inside of this loop, where the
    /// future could not find it.
    #[track_caller]
    pub fn spawn_eager<F: Future + 'static>(&self, future: F) -> Task<F::Output> {
        self.check_open("spawn_eager");
        assert!(
            self.is_current(),
            "spawn_eager() outside of its event loop: use spawn(), or call it inside"
        );
        let origin = Location::caller();
        match const { is_large::<F>() } {
            true => self.core.scheduler.spawn(Box::pin(future), origin, true),
            false => self.core.scheduler.spawn(future, origin, true),
        }
    }

    /// Ends [`run_forever`](crate::event_loop::EventLoop::run_forever), or else
    /// [`run_until_complete`](crate::event_loop::EventLoop::run_until_complete), when the present
    /// turn is over.
    ///
    /// The tasks and callouts of this turn are still run; those that they make ready wait for the
    /// next run. Called while the loop does not run, it lets the next run take one turn.
    pub fn stop(&self) {
        self.core.stopping.set(true);
    }

    /// All tasks that are not finished, in the order in which they were spawned.
    ///
    /// The main future is not among them, as it is no task of the loop.
    pub fn all_tasks(&self) -> Vec<TaskHandle> {
        self.core.scheduler.tasks()
    }

    /// A handle of this loop for other threads.
    pub fn remote(&self) -> RemoteHandle {
        RemoteHandle::new(self.core.scheduler.inbox().clone())
    }

    /// Has `handler` called with every error that no caller can be given, instead of printing it to
    /// the standard error.
    ///
    /// The counterpart of `loop.set_exception_handler`. A handler that panics is itself reported to
    /// the standard error.
    ///
    /// It lives as long as the loop's memory, because the handle of a task may outlive the loop
    /// with an output to report. So let it find the loop by [`LoopHandle::try_current`]: a handler
    /// that owns a handle of its loop would keep itself and the loop for ever.
    pub fn set_exception_handler(&self, handler: impl Fn(&ErrorReport) + 'static) {
        self.core.scheduler.set_reporter(Rc::new(handler));
    }

    /// Turns the measuring of steps on or off; see [`debug`](crate::event_loop::Builder::debug).
    pub fn set_debug(&self, debug: bool) {
        self.core.scheduler.set_debug(debug);
    }

    /// From which duration on a step is reported as a slow one in debug mode; see
    /// [`slow_callback_duration`](crate::event_loop::Builder::slow_callback_duration).
    pub fn slow_callback_duration(&self) -> Duration {
        self.core.scheduler.slow_callback_duration().get()
    }

    /// Changes [`slow_callback_duration`](Self::slow_callback_duration), from the next step on.
    pub fn set_slow_callback_duration(&self, duration: Duration) {
        self.core.scheduler.slow_callback_duration().set(duration);
    }

    /// Whether the loop is closed, so that it takes no more work.
    pub fn is_closed(&self) -> bool {
        self.core.scheduler.is_closed()
    }

    /// The threads that belong to the loop.
    #[track_caller]
    #[inline]
    pub(crate) fn thread_pool(&self) -> ThreadPool {
        self.check_open("to_thread");
        self.core.threads().clone()
    }

    /// The loop, for the jobs that it waits for.
    pub(crate) fn home(&self) -> LoopOfJob {
        LoopOfJob::new(self.core.scheduler.inbox().clone())
    }

    /// The loop's time, as a distance from its beginning, if its clock is virtual.
    pub(crate) fn virtual_time(&self) -> Option<Duration> {
        let clock = &self.core.clock;
        clock
            .is_virtual()
            .then(|| Duration::from_nanos(clock.now()))
    }

    /// A random number of 64 bits; under a virtual clock it depends on the order of the calls alone,
    /// in a simulation on its seed and the present task.
    pub(crate) fn random(&self) -> u64 {
        #[cfg(feature = "simulation")]
        if let Some(simulation) = &self.core.simulation {
            return simulation.choices().random();
        }
        let chances = &self.core.chances;
        let state = chances.get();
        chances.set(state.wrapping_add(0x9E37_79B9_7F4A_7C15));
        mix(state)
    }

    /// A random number between 0 and 1, as [`random`](Self::random).
    pub(crate) fn chance(&self) -> f64 {
        (self.random() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Passes a report to the exception handler.
    pub(crate) fn report(&self, report: ErrorReport) {
        self.core.scheduler.report(report);
    }

    /// Calls foreign code; a panic is reported, and its text returned.
    pub(crate) fn contain<T>(&self, kind: ReportKind, f: impl FnOnce() -> T) -> Result<T, String> {
        self.core.scheduler.contain_call(kind, f)
    }

    /// The loop's own value of a type of a higher room, made when it is first asked for.
    pub(crate) fn kept<T: Default + 'static>(&self) -> Rc<T> {
        let mut kept = self.core.kept.borrow_mut();
        let known = kept.iter().find_map(|it| it.clone().downcast().ok());
        known.unwrap_or_else(|| {
            let made = Rc::<T>::default();
            kept.push(made.clone());
            made
        })
    }

    /// Calls a closure as a callout is called.
    #[cfg(unix)]
    pub(crate) fn call_now(&self, origin: &'static Location<'static>, f: impl FnOnce()) {
        self.core.scheduler.call_now(origin, f);
    }

    /// Whether this thread is inside of this loop.
    #[inline]
    pub(crate) fn is_current(&self) -> bool {
        self.core.scheduler.is_current()
    }

    /// Arms a timer that wakes the present task, `delay` after this step.
    #[inline(always)] // into the one poll that arms timers, however the compiler cuts the crate
    pub(crate) fn arm_after(self, delay: Duration, cx: &Context<'_>) -> ArmedTimer {
        let due = Due::Wake(cx.waker().clone());
        let key = self
            .core
            .timers
            .borrow_mut()
            .insert_fresh(nanos(delay), due);
        self.core.has_fresh.set(true);
        ArmedTimer {
            core: self.core,
            key,
        }
    }

    /// Arms a timer that wakes the present task at an instant.
    pub(crate) fn arm_at(self, when: Instant, cx: &Context<'_>) -> ArmedTimer {
        let due = Due::Wake(cx.waker().clone());
        let deadline = self.core.clock.nanos_at(when);
        let key = self.core.timers.borrow_mut().insert(deadline, due);
        ArmedTimer {
            core: self.core,
            key,
        }
    }
}

/// The descriptors of the loop.
#[cfg(feature = "poll")]
impl LoopHandle {
    pub(crate) fn register(&self, io: &mut dyn mio::event::Source) -> io::Result<Registration> {
        self.core.reactor.register(io)
    }

    /// Has a poller that only imitates edges look at a descriptor again.
    pub(crate) fn rearm(&self, io: &impl Described, of: &Registration) {
        self.core.reactor.rearm(io, of);
    }

    /// Has the next wait bring an event for a descriptor that is ready by then.
    #[cfg(unix)]
    pub(crate) fn register_again(
        &self,
        io: &mut dyn mio::event::Source,
        of: &Registration,
    ) -> io::Result<()> {
        self.core.reactor.register_again(io, of)
    }

    pub(crate) fn deregister(&self, io: &mut dyn mio::event::Source, of: &Registration) {
        self.core.reactor.deregister(io, of);
    }

    /// Forgets a descriptor that was closed already.
    #[cfg(unix)]
    pub(crate) fn forget_closed(&self, of: &Registration) {
        self.core.reactor.forget(of);
    }
}

impl Core {
    pub(super) fn fmt_as(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let closed = self.scheduler.is_closed();
        f.debug_struct(name)
            .field("ready", &self.scheduler.ready_len())
            .field("closed", &closed)
            .finish()
    }
}

impl PartialEq for LoopHandle {
    /// Whether both are handles of the same loop.
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.core, &other.core)
    }
}

impl Eq for LoopHandle {}

impl fmt::Debug for LoopHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.core.fmt_as("LoopHandle", f)
    }
}

/// A timer that will wake a task; dropping it disarms it.
pub(crate) struct ArmedTimer {
    core: Rc<Core>,
    key: TimerKey,
}

impl ArmedTimer {
    /// Whether the timer has fired; if not, it will wake the task of `cx`.
    pub(crate) fn has_fired(&self, cx: &Context<'_>) -> bool {
        let wakes_asker = |due: &mut Due| matches!(due, Due::Wake(w) if w.will_wake(cx.waker()));
        match self.with_due(wakes_asker) {
            None => return true,
            Some(true) => return false,
            Some(false) => {}
        }
        let waker = Due::Wake(cx.waker().clone()); // foreign code, as its drop is: not in a borrow
        let before = self.with_due(|due| std::mem::replace(due, waker));
        before.is_none()
    }

    /// When the timer will fire, if it was armed before the present dump.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.core.deadline_of(self.key)
    }

    fn with_due<T>(&self, f: impl FnOnce(&mut Due) -> T) -> Option<T> {
        self.core.timers.borrow_mut().get_mut(self.key).map(f)
    }

    /// Whether this thread is inside of the loop whose timer this is.
    pub(crate) fn is_of_current_loop(&self) -> bool {
        self.core.scheduler.is_current()
    }
}

impl Drop for ArmedTimer {
    fn drop(&mut self) {
        let due = self.core.timers.borrow_mut().cancel(self.key);
        drop(due);
    }
}
