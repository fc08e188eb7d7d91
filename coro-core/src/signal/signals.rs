//! A stream of signals.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_core::stream::FusedStream;

use super::kind::SignalKind;
use super::platform::Listener;
use crate::event_loop::LoopHandle;
use crate::task::{Step, looking};

/// Listens for a kind of signal.
///
/// Signals after this call are not missed, even if the stream is polled late; but several may
/// arrive as one. A kind may have any number of listeners, and each receives its signals.
///
/// ```
/// use coro::signal::{SignalKind, signal};
///
/// coro::run(async {
///     let mut terminations = signal(SignalKind::terminate())?;
///     let deadline = std::time::Duration::from_millis(1);
///     assert!(coro::timeout(deadline, terminations.recv()).await.is_err());
///     std::io::Result::Ok(())
/// })
/// # .unwrap();
/// ```
///
/// # Errors
///
/// For `SIGKILL`, `SIGSTOP`, `SIGSEGV`, `SIGILL` and `SIGFPE`, which cannot be listened for; for a
/// number that is no signal; and if no descriptor is free.
///
/// # Panics
///
/// Outside of a loop, and in a [simulation](crate::testing).
#[track_caller]
#[inline]
pub fn signal(kind: SignalKind) -> io::Result<Signals> {
    LoopHandle::refuse_in_simulation("signal");
    let listener = Listener::new(kind)?;
    Ok(Signals { listener, kind })
}

/// The signals of a kind, made by [`signal`]: a stream that never ends.
///
/// It belongs to the loop in which it was made. Dropping it ends the listening, and loses nothing
/// else.
///
/// # Panics
///
/// If polled in another loop than the one in which it was made.
#[must_use = "it does nothing unless it is polled, but keep the signal from doing what it does by default"]
pub struct Signals {
    listener: Listener,
    kind: SignalKind,
}

impl Signals {
    /// Waits for the next signal. Dropping the future loses nothing.
    #[inline]
    pub async fn recv(&mut self) {
        poll_fn(|cx| self.poll_recv(cx)).await;
    }

    /// Ready if a signal has come since the last time it was ready.
    #[inline]
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // Reading the socket pair does not fail.
        let kind = self.kind;
        let refused = |error| panic!("cannot listen for {kind}: {error}");
        let step = || Step::Signal {
            kind: kind.to_string().into(),
        };
        let listener = &mut self.listener;
        looking::under(step, || listener.poll(cx)).map(|heard| heard.unwrap_or_else(refused))
    }
}

impl Stream for Signals {
    type Item = ();

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<()>> {
        self.poll_recv(cx).map(Some)
    }
}

impl FusedStream for Signals {
    #[inline]
    fn is_terminated(&self) -> bool {
        false
    }
}

impl fmt::Debug for Signals {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signals")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}
