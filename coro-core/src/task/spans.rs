//! Spans of `tracing`: one for each task and child of a scope, entered at each of its steps; and reports
//! as events.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
pub(super) use tracing::Span;
use tracing::level_filters::LevelFilter;
use tracing::{debug_span, error, field, warn};

use super::queue::Origin;
use crate::panics::drop_payload;
use crate::report::{ErrorReport, ReportKind};

/// A span as a task's header keeps it, which does not keep the span open.
pub(super) type WeakSpan = Weak<Span>;

/// Whether any subscriber listens: one load.
#[inline]
pub(crate) fn is_on() -> bool {
    LevelFilter::current() != LevelFilter::OFF
}

/// The span of a new task: its own, or the present one if no subscriber wants its own. `None` if there
/// is neither. The number of the task is asked for if its own span is wanted.
pub(super) fn of_new_task(origin: Origin, id: impl FnOnce() -> u64) -> Option<Arc<Span>> {
    let own = debug_span!(
        target: "coro::task",
        "task",
        id = id(),
        name = field::Empty,
        spawned.at = field::display(origin),
    );
    or_present(own)
}

/// As [`of_new_task`], for a child of a scope, which has no number.
pub(crate) fn of_new_child(origin: Origin) -> Option<Arc<Span>> {
    or_present(debug_span!(
        target: "coro::task",
        "child",
        spawned.at = field::display(origin),
    ))
}

fn or_present(own: Span) -> Option<Arc<Span>> {
    let span = match own.is_disabled() {
        true => Span::current(),
        false => own,
    };
    (!span.is_disabled()).then(|| Arc::new(span))
}

/// Gives a span the name that a task has got.
pub(super) fn record_name(span: &WeakSpan, name: &str) {
    if let Some(span) = span.upgrade() {
        span.record("name", name);
    }
}

pin_project! {
    /// A future that is polled and dropped inside of a span.
    pub(crate) struct Traced<F> {
        span: Arc<Span>,
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for Traced<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _inside = this.span.enter();
            this.future.set(None);
        }
    }
}

impl<F> Traced<F> {
    pub(crate) fn new(span: Arc<Span>, future: F) -> Self {
        Traced {
            span,
            future: Some(future),
        }
    }
}

impl<F: Future> Future for Traced<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _inside = this.span.enter();
        let future = this.future.as_pin_mut();
        future.expect("taken by drop alone").poll(cx)
    }
}

/// Wraps the closure of a callout, so that it is called in the present span.
pub(super) fn inherit(f: Box<dyn FnOnce()>) -> Box<dyn FnOnce()> {
    let span = Span::current();
    match span.is_disabled() {
        true => f,
        false => Box::new(move || span.in_scope(f)),
    }
}

/// Makes a report an event. A subscriber is foreign code, and may panic.
pub(crate) fn tell(report: &ErrorReport) {
    if !is_on() {
        return;
    }
    let told = catch_unwind(AssertUnwindSafe(|| {
        let (task, origin) = (report.task.as_deref(), report.origin);
        let origin = origin.map(field::display);
        match is_error(report.kind) {
            true => error!(
                target: "coro::report",
                kind = ?report.kind,
                task,
                spawned.at = origin,
                "{}",
                Text(report)
            ),
            false => warn!(
                target: "coro::report",
                kind = ?report.kind,
                task,
                spawned.at = origin,
                "{}",
                Text(report)
            ),
        }
    }));
    if let Err(payload) = told {
        drop_payload(payload); // the panic was printed; the report goes to the exception handler, too
    }
}

/// Whether the report tells of a failure, and not of a delay.
fn is_error(kind: ReportKind) -> bool {
    use ReportKind::{AcceptPaused, CleanUpCutShort, JobsStuck, SlowStep, Stuck, WriteIgnored};
    !matches!(
        kind,
        AcceptPaused | CleanUpCutShort | JobsStuck | SlowStep | Stuck | WriteIgnored
    )
}

/// The text of a report without the parts that are fields of the event.
struct Text<'a>(&'a ErrorReport);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.heading(), self.0.message)
    }
}
