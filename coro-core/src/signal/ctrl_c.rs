//! Waiting for one Ctrl-C.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::kind::SignalKind;
use super::platform::Listener;

/// Waits for a Ctrl-C: `SIGINT`, or its like on Windows.
///
/// One that comes after this call is not missed, however late the future is awaited. While any
/// such future exists, in any loop, Ctrl-C no longer ends the process by itself, nor does it
/// interrupt [`run`](crate::run); when there is none left it does again. So a program that has begun
/// to shut down can still be ended by another one. Dropping the future loses nothing else. Awaited
/// again after its end, it is still ready.
///
/// ```
/// use std::time::Duration;
///
/// coro::run(async {
///     let stop = coro::signal::ctrl_c();
///     match coro::timeout(Duration::from_millis(1), stop).await {
///         Ok(pressed) => pressed.map(|()| println!("stopping")),
///         Err(_) => Ok(println!("nobody pressed it")),
///     }
/// })
/// # .unwrap();
/// ```
///
/// # Errors
///
/// If the handler could not be installed, awaiting the future tells so.
///
/// # Panics
///
/// Outside of a loop.
#[track_caller]
pub fn ctrl_c() -> CtrlC {
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

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.pressed {
            return Poll::Ready(Ok(()));
        }
        let polled = match &mut self.listener {
            Ok(listener) => listener.poll(cx),
            Err(error) => Poll::Ready(Err(io::Error::new(error.kind(), error.to_string()))),
        };
        self.pressed = matches!(polled, Poll::Ready(Ok(())));
        polled
    }
}

impl fmt::Debug for CtrlC {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CtrlC")
            .field("pressed", &self.pressed)
            .finish_non_exhaustive()
    }
}
