//! `CoreOutput`: the output that the main future of a core may end with.

use std::convert::Infallible;

use super::error::{CoreError, CoreFailure};

/// The output that the main future of a core may end with: `()`, or a [`Result`].
///
/// An error ends the run of all cores. A core that gives a value and cannot fail ends with
/// `Ok::<_, Infallible>(value)`.
#[diagnostic::on_unimplemented(
    message = "the main future of a core cannot end with `{Self}`",
    label = "a core ends with `()` or `Result<T, E>`",
    note = "an error ends the run of all cores: a value alone is \
            `Ok::<_, std::convert::Infallible>(value)`",
    note = "for a core that never ends, write `async |core| -> () {{ .. }}`"
)]
pub trait CoreOutput: sealed::Sealed {
    /// The value that the run gives for the core.
    type Value;
    /// The error that ends the run.
    type Error;

    #[doc(hidden)]
    fn into_result(self) -> Result<Self::Value, Self::Error>;

    /// The output of a `main` that ran on all cores.
    #[doc(hidden)]
    fn of_main(ran: Result<Vec<Self::Value>, CoreError<Self::Error>>) -> Self;
}

mod sealed {
    pub trait Sealed {}

    impl Sealed for () {}
    impl<T, E> Sealed for Result<T, E> {}
}

impl CoreOutput for () {
    type Value = ();
    type Error = Infallible;

    #[inline]
    fn into_result(self) -> Result<(), Infallible> {
        Ok(())
    }

    #[inline]
    fn of_main(ran: Result<Vec<()>, CoreError<Infallible>>) {
        let Ok(_) = ran.map_err(end);
    }
}

impl<T, E> CoreOutput for Result<T, E> {
    type Value = T;
    type Error = E;

    fn into_result(self) -> Result<T, E> {
        self
    }

    fn of_main(ran: Result<Vec<T>, CoreError<E>>) -> Self {
        match ran {
            Ok(values) => Ok(values
                .into_iter()
                .next()
                .expect("there is one core at least")),
            Err(error) => Err(end(error)),
        }
    }
}

/// The error that `main` ends with. `main` cannot name the core, so this does.
fn end<E>(error: CoreError<E>) -> E {
    let core = error.core();
    match error.into_failure() {
        CoreFailure::Error(error) => {
            eprintln!("core {core} ended with an error");
            error
        }
        CoreFailure::Panicked(panic) => std::panic::resume_unwind(panic.into_panic()),
        CoreFailure::NotStarted(error) => panic!("core {core} could not start: {error}"),
        CoreFailure::Stopped => panic!(
            "core {core} was stopped before its main future completed: let it return, or begin a \
             shutdown of all cores"
        ),
    }
}
