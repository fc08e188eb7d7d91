//! The output that the handler of a connection may end with.

use std::any::Any;
use std::error::Error;
use std::fmt::Display;
use std::io;

use super::is_hang_up;
use crate::net::ReadError;

/// The output that the handler of a connection may end with: `()`, or a [`Result`] with any error
/// that can be displayed.
///
/// An error goes to the loop's exception handler, under the name of the connection. An error that
/// says that the other end has gone is not reported ([`is_hang_up`]): clients that break off are no
/// failures of the server. It is recognised in an [`io::Error`], in a boxed `dyn Error` and in the
/// errors that these wrap. A handler with an error of another type asks [`is_hang_up`] itself.
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
    #[inline]
    fn into_result(self) -> Result<(), String> {
        Ok(())
    }
}

impl<E: Display + 'static> HandlerOutput for Result<(), E> {
    fn into_result(self) -> Result<(), String> {
        match self {
            Err(error) if !is_no_failure(&error) => Err(error.to_string()),
            _ => Ok(()),
        }
    }
}

/// Whether the error is of a known type, and says that the other end has gone.
#[inline]
fn is_no_failure(error: &dyn Any) -> bool {
    let mut known: Option<&(dyn Error + 'static)> = None;
    if let Some(error) = error.downcast_ref::<io::Error>() {
        known = Some(error);
    } else if let Some(error) = error.downcast_ref::<Box<dyn Error>>() {
        known = Some(&**error);
    } else if let Some(error) = error.downcast_ref::<Box<dyn Error + Send>>() {
        known = Some(&**error);
    } else if let Some(error) = error.downcast_ref::<Box<dyn Error + Send + Sync>>() {
        known = Some(&**error);
    } else if let Some(error) = error.downcast_ref::<ReadError>() {
        known = Some(error);
    }
    known.is_some_and(is_hang_up)
}
