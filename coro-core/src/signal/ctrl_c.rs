//! Waiting for one Ctrl-C.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::kind::SignalKind;
use super::platform::Listener;
use crate::error::duplicate;
use crate::event_loop::LoopHandle;

/// Waits for a Ctrl-C: `SIGINT`, or its like on Windows.
///
/// A Ctrl-C after this call is not missed, even if the future is awaited late. While such a future
/// exists in any loop, Ctrl-C neither ends the process nor interrupts [`run`](crate::run). When the
/// last one is dropped it does so again. So a second Ctrl-C can still end a program that is
/// shutting down. Dropping the future loses nothing else. A future that has completed stays ready.
///
/// ```
/// use std::time::Duration;
///
/// coro::run(async {
///     let stop = coro::signal::ctrl_c();
///     match coro::timeout(Duration::from_millis(1), stop).await {
///         Ok(pressed) => pressed.map(|()| println!("stopping")),
///         Err(_) => Ok(println!("not pressed")),
///     }
/// })
/// # .unwrap();
/// ```
///
/// # Errors
///
/// If the handler could not be installed, awaiting the future gives the error.
///
/// # Panics
///
/// Outside of a loop, and in a [simulation](crate::testing).
#[track_caller]
#[inline]
pub fn ctrl_c() -> CtrlC {
    LoopHandle::refuse_in_simulation("signal");
    CtrlC {
        listener: Listener::new(SignalKind::interrupt()),
        pressed: false,
    }
}

/// The future of [`ctrl_c`].
#[must_use = "it does nothing unless it is awaited, but keep Ctrl-C from ending the process"]
pub struct CtrlC {
    listener: io::Result<Listener>,
    pressed: bool,
}

impl Future for CtrlC {
    type Output = io::Result<()>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.pressed {
            return Poll::Ready(Ok(()));
        }
        let polled = match &mut self.listener {
            Ok(listener) => listener.poll(cx),
            Err(error) => Poll::Ready(Err(duplicate(error))),
        };
        self.pressed = matches!(polled, Poll::Ready(Ok(())));
        polled
    }
}

impl fmt::Debug for CtrlC {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CtrlC")
            .field("pressed", &self.pressed)
            .finish_non_exhaustive()
    }
}
