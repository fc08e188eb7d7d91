//! `NoSignal`, a stand-in where the feature `signal` is left out: none asks a run to end.

use std::future::pending;

/// There is none.
#[derive(Clone, Copy, Debug)]
pub(super) enum NoSignal {}

impl std::fmt::Display for NoSignal {
    #[inline]
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {}
    }
}

/// Listens for no signal.
pub(super) struct NoTermination(());

impl NoTermination {
    #[inline]
    pub(super) fn listen() -> Self {
        NoTermination(())
    }

    #[inline]
    pub(super) async fn asked(&mut self) -> NoSignal {
        pending().await
    }
}

#[inline]
pub(super) fn end_process(by: NoSignal) -> ! {
    match by {}
}
