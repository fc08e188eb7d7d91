//! Reports on their way: what they say of an output, where they are printed if nobody takes them.

use std::any::Any;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::{Elapsed, JoinError};
use crate::panics::drop_payload;
use crate::report::ErrorReport;

/// A report on its way to a loop: printed, if that is closed first.
pub(super) struct Undelivered(pub(super) Option<ErrorReport>);

impl Drop for Undelivered {
    fn drop(&mut self) {
        if let Some(report) = self.0.take() {
            print(&report);
        }
    }
}

/// Says it on the standard error, or nowhere if that is closed: `eprintln` would panic.
pub(super) fn print(report: &ErrorReport) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| eprintln!("coro: {report}"))) {
        drop_payload(payload);
    }
}

/// The text of the error, if the output is a `Result<(), E>` with one of the error types that
/// programs use at their ends. Stable Rust cannot ask whether any other type is an error.
pub(super) fn failure(output: &dyn Any) -> Option<String> {
    fn text<E: Display + 'static>(output: &dyn Any) -> Option<String> {
        let error = output.downcast_ref::<Result<(), E>>()?.as_ref().err()?;
        let text = catch_unwind(AssertUnwindSafe(|| error.to_string()));
        Some(text.unwrap_or_else(|payload| {
            drop_payload(payload);
            String::from("(an error whose text panics)")
        }))
    }
    type Boxed = Box<dyn std::error::Error>;
    type SharedError = Box<dyn std::error::Error + Send + Sync>;
    text::<std::io::Error>(output)
        .or_else(|| text::<Boxed>(output))
        .or_else(|| text::<SharedError>(output))
        .or_else(|| text::<String>(output))
        .or_else(|| text::<&'static str>(output))
        .or_else(|| text::<JoinError>(output))
        .or_else(|| text::<Elapsed>(output))
}
