//! `Termination`: a Ctrl-C or a `SIGTERM`, for programs that do not listen for it themselves.

use std::future::poll_fn;
use std::task::{Context, Poll};

use super::kind::SignalKind;
use super::signals::{Signals, signal};
use crate::sys::disposition::{is_default_unheard, listeners};
#[cfg(unix)]
use crate::sys::is_main_thread;

/// Listens for the signals that ask a process to end. After it is dropped, they end it.
pub(crate) struct Termination {
    signals: Vec<(SignalKind, Signals)>,
}

impl Termination {
    /// Listens to none on other threads than the main one, and to none that the program ignored or
    /// handled before. A signal that no listener can be made for keeps its default action.
    #[track_caller]
    #[inline]
    pub(crate) fn listen() -> Self {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate()];
        let kinds = kinds.into_iter().filter(|_| is_on_main_thread());
        let wanted = kinds.filter(|kind| is_default_unheard(kind.as_raw()).unwrap_or(false));
        let listening = |kind| Some((kind, signal(kind).ok()?));
        let signals = wanted.filter_map(listening).collect();
        Termination { signals }
    }

    /// Waits for the next of the signals that has no other listener in the process.
    #[inline]
    pub(crate) async fn asked(&mut self) -> SignalKind {
        poll_fn(|cx| self.poll_asked(cx)).await
    }

    #[inline]
    fn poll_asked(&mut self, cx: &mut Context<'_>) -> Poll<SignalKind> {
        for (kind, signals) in &mut self.signals {
            while signals.poll_recv(cx).is_ready() {
                if listeners(kind.as_raw()) == 1 {
                    return Poll::Ready(*kind);
                }
            }
        }
        Poll::Pending
    }
}

#[cfg(unix)]
#[inline]
fn is_on_main_thread() -> bool {
    is_main_thread()
}

/// There, a Ctrl-C comes on a thread of its own.
#[cfg(not(unix))]
#[inline]
fn is_on_main_thread() -> bool {
    true
}
