//! `Watchdog`: a thread that names the task which holds the loop for too long.

use std::io;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::report::{ErrorReport, ReportKind};
use crate::sys::start_thread;
use crate::task::{Beat, BusyWith, Inbox, InboxArc, Pulse, Scheduler, print};

/// How often the watchdog looks within its limit. So a step that has held the loop for one and a half
/// times the limit is always seen.
const LOOKS: u32 = 4;

const SHORTEST_PAUSE: Duration = Duration::from_millis(1);

/// The thread, from the side of its loop.
pub(super) struct Watchdog {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Watchdog {
    #[inline]
    pub(super) fn start(
        limit: Duration,
        pulse: Arc<Pulse>,
        inbox: InboxArc<Inbox>,
    ) -> io::Result<Self> {
        let is_over = Arc::new(AtomicBool::new(false));
        let watch = WatchThread {
            limit,
            pause: (limit / LOOKS).max(SHORTEST_PAUSE),
            pulse,
            inbox,
            is_over: is_over.clone(),
        };
        let name = String::from("coro-watchdog");
        let thread = start_thread(thread::Builder::new().name(name), Box::new(|| watch.run()))?;
        Ok(Watchdog { is_over, thread })
    }

    /// Ends the thread. A process that was forked from the loop's own does not have it.
    #[inline]
    pub(super) fn stop(self, has_threads: bool) {
        if !has_threads {
            return mem::forget(self.thread); // detaching it would touch the memory of its stack
        }
        self.is_over.store(true, Ordering::Release);
        self.thread.thread().unpark();
        let _ = self.thread.join(); // it reports its own panics
    }
}

/// The thread's own side.
struct WatchThread {
    limit: Duration,
    pause: Duration,
    pulse: Arc<Pulse>,
    inbox: InboxArc<Inbox>,
    is_over: Arc<AtomicBool>,
}

/// A step for as long as the watchdog has seen it.
struct Seen {
    beat: Beat,
    /// It has held the loop for at least this long.
    held: Duration,
    is_told: bool,
}

impl WatchThread {
    #[inline]
    fn run(self) {
        let mut seen = self.look();
        let mut looked = Instant::now();
        while !self.is_over.load(Ordering::Acquire) {
            match seen.beat.holder {
                BusyWith::Asleep => self.pulse.park_while_asleep(),
                _ => thread::park_timeout(self.pause),
            }
            // A process that is stopped, or gets no processor, has not run its step for that long.
            let passed = looked.elapsed().min(self.pause * 2);
            looked = Instant::now();
            if self.pulse.read() != seen.beat {
                self.step_is_over(&seen);
                seen = self.look();
                continue;
            }
            seen.held += passed;
            if seen.held >= self.limit && !seen.is_told && seen.beat.holder != BusyWith::Asleep {
                seen.is_told = true;
                let report = seen.report("it has held the loop for", "and still does");
                print(&report);
                #[cfg(feature = "tracing")]
                crate::task::spans::tell(&report);
            }
        }
        self.step_is_over(&seen);
    }

    #[inline]
    fn look(&self) -> Seen {
        Seen {
            beat: self.pulse.read(),
            held: Duration::ZERO,
            is_told: false,
        }
    }

    /// Hands the report to the loop, which can take it now.
    #[inline]
    fn step_is_over(&self, seen: &Seen) {
        if seen.is_told {
            let report = seen.report("it held the loop for", "or a little longer");
            let task = match seen.beat.holder {
                BusyWith::Task(id) => Some(id),
                _ => None,
            };
            Scheduler::report_of_task_to(&self.inbox, task, report);
        }
    }
}

impl Seen {
    #[inline]
    fn report(&self, held: &str, so_far: &str) -> ErrorReport {
        let who = match self.beat.holder {
            BusyWith::Asleep | BusyWith::Task(_) => "",
            BusyWith::Callout => "a callout: ",
            BusyWith::Loop => "the loop between two steps, as when it wakes a waker that blocks: ",
        };
        let message = format!("{who}{held} {} ms {so_far}", self.held.as_millis());
        let mut report = ErrorReport::new(ReportKind::Stuck, message);
        report.origin = self.beat.origin;
        report.task = match self.beat.holder {
            BusyWith::Task(0) => Some("main".into()),
            BusyWith::Task(id) => Some(format!("Task-{id}")),
            _ => None,
        };
        report
    }
}
