//! `Unseen`: the failures of a test that no part of it has taken.

use std::cell::RefCell;
use std::rc::Rc;

use crate::event_loop::EventLoop;
use crate::report::{ErrorReport, ReportKind};

/// The reports of a loop while it runs a test.
#[derive(Default)]
pub(super) struct Unseen(Rc<RefCell<Vec<ErrorReport>>>);

impl Unseen {
    /// Keeps the reports of a loop.
    pub(super) fn watch(&self, event_loop: &EventLoop) {
        let unseen = self.0.clone();
        event_loop
            .handle()
            .set_exception_handler(move |report| unseen.borrow_mut().push(report.clone()));
    }

    /// All reports that are failures, as one text.
    pub(super) fn failure(&self) -> Option<String> {
        let reports = self.0.take();
        let failures = reports.iter().filter(|report| is_failure(report.kind));
        let texts: Vec<String> = failures.map(ToString::to_string).collect();
        (!texts.is_empty()).then(|| format!("the test left failures unseen: {}", texts.join("; ")))
    }
}

fn is_failure(kind: ReportKind) -> bool {
    !matches!(kind, ReportKind::AcceptPaused | ReportKind::SlowStep)
}
