//! A listener for systems without signal pipes: a flag that is checked twenty times a second.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use signal_hook::flag;

use super::kind::SignalKind;
use crate::sys::disposition::ListenerGuard;
use crate::wait::until::Until;

const LOOK: Duration = Duration::from_millis(50);

pub(super) struct Listener {
    came: Arc<AtomicBool>,
    until: Until,
    _heard: ListenerGuard,
}

impl Listener {
    #[inline]
    pub(super) fn new(kind: SignalKind) -> io::Result<Self> {
        kind.check()?;
        let came = Arc::new(AtomicBool::new(false));
        let signal = kind.as_raw();
        let _heard = ListenerGuard::new(signal, || flag::register(signal, came.clone()))?;
        let until = Until::After(LOOK);
        Ok(Listener {
            came,
            until,
            _heard,
        })
    }

    /// Ready if a signal has come since the last time it was ready; several count as one.
    #[inline]
    pub(super) fn poll(&mut self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        while !self.came.swap(false, Ordering::Relaxed) {
            ready!(self.until.poll(cx));
            self.until = Until::After(LOOK);
        }
        Poll::Ready(Ok(()))
    }
}
