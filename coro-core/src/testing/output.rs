//! `TestOutput`: whether the output of a test says that it failed.

use std::fmt::Debug;

/// The output of a test: nothing, or a result.
///
/// A simulation runs a test many times, so it must be able to look at the output.
#[diagnostic::on_unimplemented(
    message = "a simulated test returns nothing or a `Result`, not `{Self}`",
    label = "the simulation must see whether the test failed"
)]
pub trait TestOutput {
    /// The text of the failure, if it is one.
    fn failure(&self) -> Option<String>;
}

impl TestOutput for () {
    fn failure(&self) -> Option<String> {
        None
    }
}

impl<T, E: Debug> TestOutput for Result<T, E> {
    fn failure(&self) -> Option<String> {
        let error = self.as_ref().err()?;
        Some(format!("the test gave the error {error:?}"))
    }
}
