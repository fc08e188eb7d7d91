//! Callbacks for signals.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io;
use std::rc::Rc;

use super::kind::SignalKind;
use super::signals::signal;
use crate::event_loop::{LoopHandle, call_soon};
use crate::task::TaskHandle;

impl LoopHandle {
    /// Has the loop call `callback` each time a signal of this kind has come.
    ///
    /// The counterpart of `loop.add_signal_handler`. The callback is called as a callout, so it may
    /// do all that a callout may; several signals that come at once are one call. A panic is
    /// reported, and does not end the listening. Unlike asyncio's, a handler does not replace an
    /// earlier one for the same signal: both are called. A handler is removed by
    /// [`SignalHandle::remove`], or when the loop is closed. Until then a task of the loop listens
    /// for its signal.
    ///
    /// ```
    /// use coro::signal::SignalKind;
    /// use std::time::Duration;
    ///
    /// let mut event_loop = coro::EventLoop::new()?;
    /// let handle = event_loop.handle();
    /// event_loop.run_until_complete(async {
    ///     let stop = handle.clone();
    ///     let terminated = handle.add_signal_handler(SignalKind::terminate(), move || stop.stop())?;
    ///     assert!(terminated.remove());
    ///     std::io::Result::Ok(())
    /// }).unwrap()?;
    /// # std::io::Result::Ok(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`signal`](crate::signal::signal).
    ///
    /// # Panics
    ///
    /// If this thread is not inside of this loop, or if the loop is closed.
    #[track_caller]
    pub fn add_signal_handler(
        &self,
        kind: SignalKind,
        callback: impl FnMut() + 'static,
    ) -> io::Result<SignalHandle> {
        assert!(
            LoopHandle::try_current().as_ref() == Some(self),
            "add_signal_handler() outside of its event loop: call it inside"
        );
        let mut signals = signal(kind)?;
        let callback = Rc::new(RefCell::new(callback));
        let removed = Rc::new(Cell::new(false));
        let is_removed = removed.clone();
        let listening = self.spawn(async move {
            loop {
                signals.recv().await;
                let (callback, is_removed) = (callback.clone(), is_removed.clone());
                call_soon(move || {
                    if !is_removed.get() {
                        // Only callouts borrow it, and no callout runs inside of another.
                        (callback.borrow_mut())();
                    }
                });
            }
        });
        Ok(SignalHandle {
            listening: listening.handle(),
            removed,
            kind,
        })
    }
}

/// A handler for signals, added by [`LoopHandle::add_signal_handler`]. Dropping this does not remove
/// it.
#[derive(Clone)]
pub struct SignalHandle {
    listening: TaskHandle,
    removed: Rc<Cell<bool>>,
    kind: SignalKind,
}

impl SignalHandle {
    /// Keeps the callback from being called again, even for a signal that has come already. Gives
    /// whether the handler was still installed. The callback itself may call this.
    ///
    /// The counterpart of `loop.remove_signal_handler`.
    #[inline]
    pub fn remove(&self) -> bool {
        let was_there = !self.listening.is_finished() && !self.removed.replace(true);
        self.listening.cancel();
        was_there
    }
}

impl fmt::Debug for SignalHandle {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignalHandle")
            .field("kind", &self.kind)
            .field("removed", &self.removed.get())
            .finish_non_exhaustive()
    }
}
