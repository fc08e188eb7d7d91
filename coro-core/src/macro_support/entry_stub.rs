//! A minimal executor for `main` functions.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// The clock that a test runs on.
#[derive(Clone, Copy, Debug)]
pub enum TestClock {
    Virtual,
    Real,
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs `main` to its end.
pub fn run_main<F: Future>(main: F) -> F::Output {
    let mut main = pin!(main);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match main.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Runs a test to its end.
pub fn run_test<F: Future>(_clock: TestClock, test: F) -> F::Output {
    run_main(test)
}
