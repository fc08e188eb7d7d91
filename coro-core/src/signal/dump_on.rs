//! `Builder::dump_on`: a signal that has a loop write down its tasks.

use super::kind::SignalKind;
use crate::event_loop::Builder;

impl Builder {
    /// Has the loop take a dump of all its tasks whenever the process gets a signal of this kind.
    ///
    /// The [tree](crate::sight::TaskTree) is a report of the kind
    /// [`Dump`](crate::report::ReportKind::Dump): it goes to the exception handler, or is printed to
    /// standard error if there is none. It is taken after the present step, so a loop that is stuck in
    /// a step takes it when the step is over; [`watchdog`](Self::watchdog) tells of such a step.
    /// Signals that come before the dump count as one. In a process with several such loops each takes
    /// its own.
    ///
    /// On Linux, `coro pstree PID` sends the signal, and gets the tree instead of the exception
    /// handler if the program has the feature `ancillary`.
    ///
    /// The default action of the signal, as to end the process, is off from when the loop is built
    /// until the process ends: whether the loop still exists when a signal arrives, its sender cannot
    /// know. [Listeners](crate::signal) for the same signal hear it as well.
    ///
    /// ```
    /// use coro::signal::SignalKind;
    ///
    /// let signal = SignalKind::user_defined1();
    /// let mut event_loop = coro::EventLoop::builder().dump_on(signal).build()?;
    /// event_loop.run_until_complete(coro::yield_now()).unwrap(); // `kill -USR1` shows it at work
    /// # std::io::Result::Ok(())
    /// ```
    ///
    /// # Errors
    ///
    /// Building the loop fails if the signal cannot be listened for, as
    /// [`signal`](crate::signal::signal) does, or if no descriptor is free.
    #[doc(alias = "pstree")]
    #[doc(alias = "taskdump")]
    #[inline]
    pub fn dump_on(self, signal: SignalKind) -> Self {
        self.dump_on_number(signal.as_raw())
    }
}
