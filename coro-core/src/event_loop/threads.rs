//! The threads of a loop, in its pool.
//!
//! Closing a loop knows them as [`LoopThreads`] alone. So the library has no code of pools, and each
//! program compiles it that has jobs for threads.

use std::fmt::Write;
use std::panic::Location;
use std::time::Duration;

use super::Core;
use crate::pool::ThreadPool;
use crate::report::{ErrorReport, ReportKind};

/// How long the threads of a loop may take to end before that is reported.
const JOIN_QUIETLY: Duration = Duration::from_secs(5);

/// The pool of a loop.
pub(super) trait LoopThreads {
    fn pool(&self) -> &ThreadPool;
    /// Has the threads take no more jobs.
    fn begin_shutdown(&self);
    /// Waits for the threads, and reports the jobs that take long.
    fn join(&self, core: &Core);
}

impl LoopThreads for ThreadPool {
    #[inline]
    fn pool(&self) -> &ThreadPool {
        self
    }

    #[inline]
    fn begin_shutdown(&self) {
        self.begin_shutdown();
    }

    #[inline]
    fn join(&self, core: &Core) {
        let quietly = core.join_threads.min(JOIN_QUIETLY);
        let mut stuck = self.join(quietly);
        let left = core.join_threads - quietly;
        if !stuck.is_empty() && !left.is_zero() {
            let waiting = format!("waiting for {} s more", left.as_secs());
            core.report_stuck(&stuck, &waiting);
            stuck = self.join(left);
        }
        if !stuck.is_empty() {
            core.report_stuck(&stuck, "left behind");
        }
    }
}

impl Core {
    /// The loop's threads. While the loop closes they take no jobs.
    #[inline]
    pub(super) fn threads(&self) -> &ThreadPool {
        let threads = self.threads.get_or_init(|| {
            let pool = self.threads_wanted.clone().build();
            if !self.scheduler.is_open() {
                pool.begin_shutdown();
            }
            Box::new(pool)
        });
        threads.pool()
    }

    #[inline]
    fn report_stuck(&self, made_at: &[&'static Location<'static>], what_now: &str) {
        let mut message = format!("{what_now}: those made at ");
        for (at, place) in made_at.iter().enumerate() {
            let comma = if at > 0 { ", " } else { "" };
            let _ = write!(message, "{comma}{place}");
        }
        self.scheduler
            .report(ErrorReport::new(ReportKind::JobsStuck, message));
    }
}
