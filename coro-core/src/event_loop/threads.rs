//! The threads of a loop, in its pool.

use std::fmt::Write;
use std::panic::Location;
use std::time::Duration;

use super::Core;
use crate::pool::ThreadPool;
use crate::report::{ErrorReport, ReportKind};

/// How long the threads of a loop may take to end before that is reported.
const JOIN_QUIETLY: Duration = Duration::from_secs(5);

impl Core {
    /// The loop's threads. While the loop closes they take no jobs.
    pub(super) fn threads(&self) -> &ThreadPool {
        self.threads.get_or_init(|| {
            let pool = self.threads_wanted.clone().build();
            if !self.scheduler.is_open() {
                pool.begin_shutdown();
            }
            pool
        })
    }

    /// Waits for the loop's threads, and reports the jobs that take long.
    pub(super) fn join_threads(&self) {
        let Some(pool) = self.threads.get() else {
            return;
        };
        let quietly = self.join_threads.min(JOIN_QUIETLY);
        let mut stuck = pool.join(quietly);
        let left = self.join_threads - quietly;
        if !stuck.is_empty() && !left.is_zero() {
            let waiting = format!("waiting for {} s more", left.as_secs());
            self.report_stuck(&stuck, &waiting);
            stuck = pool.join(left);
        }
        if !stuck.is_empty() {
            self.report_stuck(&stuck, "left behind");
        }
    }

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
