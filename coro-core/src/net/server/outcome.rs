//! The output that the handler of a connection may end with.

use std::fmt::Display;

/// The output that the handler of a connection may end with: `()`, or a [`Result`] with any error
/// that can be displayed.
///
/// An error goes to the loop's exception handler, under the name of the connection.
#[diagnostic::on_unimplemented(
    message = "the handler of a connection cannot end with `{Self}`",
    label = "a handler ends with `()` or `Result<(), E>`",
    note = "no caller takes a value: end with `()`, or with a `Result<(), E>` whose error can be \
            displayed"
)]
pub trait HandlerOutput: sealed::Sealed {
    #[doc(hidden)]
    fn into_result(self) -> Result<(), String>;
}

mod sealed {
    pub trait Sealed {}

    impl Sealed for () {}
    impl<E> Sealed for Result<(), E> {}
}

impl HandlerOutput for () {
    fn into_result(self) -> Result<(), String> {
        Ok(())
    }
}

impl<E: Display> HandlerOutput for Result<(), E> {
    fn into_result(self) -> Result<(), String> {
        self.map_err(|error| error.to_string())
    }
}
