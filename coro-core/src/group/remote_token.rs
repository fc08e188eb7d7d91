//! `RemoteCancelToken`: a cancel token for other threads.

use std::fmt;
use std::panic::Location;
use std::sync::{Arc, OnceLock};
use std::task::{Wake, Waker};

use crate::error::Cancelled;
use crate::sync::remote::Event;

/// A [`CancelToken`](super::CancelToken) for other threads, made by
/// [`CancelToken::remote`](super::CancelToken::remote).
///
/// It is `Send` and `Sync`; clones are the same token. A thread, or a task of another loop or
/// runtime, can cancel it, ask whether it was cancelled, and wait for that. Cancelling it cancels the
/// token that it was made of, with its children, and the other way round:
///
/// - [`CancelToken::cancel`](super::CancelToken::cancel) is seen here at once, also if the thread of
///   the loop is busy afterwards.
/// - [`cancel`](Self::cancel) is seen by other threads at once, and in the loop when that next looks
///   at messages.
///
/// If both happen at the same time, each side may keep its own reason. When the loop is closed, the
/// token is cancelled here, so that no thread waits for ever.
///
/// While one is alive, time of a [virtual clock](crate::event_loop::Builder::virtual_time) flows as
/// it really does, as it does for a [`RemoteHandle`](crate::event_loop::RemoteHandle).
///
/// ```
/// use coro::threads::to_thread;
/// use std::time::Duration;
///
/// coro::run(async {
///     let token = coro::CancelToken::new();
///     let remote = token.remote();
///     let job = to_thread(move || {
///         let mut rounds = 0;
///         while !remote.is_cancelled() {
///             std::thread::sleep(Duration::from_millis(1));
///             rounds += 1;
///         }
///         rounds
///     });
///     coro::sleep(Duration::from_millis(5)).await;
///     token.cancel("enough");
///     assert!(job.await.unwrap() > 0);
/// });
/// ```
#[derive(Clone)]
pub struct RemoteCancelToken {
    life: Arc<RemoteLife>,
}

impl RemoteCancelToken {
    /// Cancels the token, here and in its loop. Only the first call counts.
    ///
    /// # Panics
    ///
    /// With the first panic of a waker, after all other waiters were woken.
    #[track_caller]
    pub fn cancel(&self, reason: impl Into<Box<str>>) {
        if !self.is_cancelled() {
            let cancelled = Cancelled::new(reason.into(), Location::caller());
            self.life.0.cancel(cancelled);
        }
    }

    /// Whether the token was cancelled.
    #[inline]
    pub fn is_cancelled(&self) -> bool {
        self.life.0.reason.get().is_some()
    }

    /// The reason and place of the cancellation, if the token was cancelled.
    #[inline]
    pub fn reason(&self) -> Option<Cancelled> {
        self.life.0.reason.get().cloned()
    }

    /// Waits, in a task of any loop or runtime, until the token is cancelled. Dropping the wait loses
    /// nothing.
    #[inline]
    pub async fn cancelled(&self) -> Cancelled {
        self.life.0.told.wait().await;
        self.reason().expect("the reason is set before the event")
    }

    /// As [`cancelled`](Self::cancelled), but blocks a plain thread.
    ///
    /// # Panics
    ///
    /// Inside of an event loop.
    #[track_caller]
    #[inline]
    pub fn blocking_cancelled(&self) -> Cancelled {
        self.life.0.told.blocking_wait();
        self.reason().expect("the reason is set before the event")
    }
}

impl fmt::Debug for RemoteCancelToken {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteCancelToken")
            .field("cancelled", &self.reason())
            .finish()
    }
}

/// The remote side of a token, as its loop sees it.
pub(super) struct RemoteSide {
    reason: OnceLock<Cancelled>,
    /// Set after the reason, or when there is no remote token any more.
    told: Event,
}

/// Owned by all remote tokens of one token. The loop's side owns only the [`RemoteSide`], so it
/// learns when the last of them is dropped.
pub(super) struct RemoteLife(Arc<RemoteSide>);

impl RemoteCancelToken {
    /// A remote token, cancelled or not, with its other side.
    #[inline]
    pub(super) fn new(reason: Option<Cancelled>) -> (Self, Arc<RemoteSide>) {
        let side = Arc::new(RemoteSide {
            reason: OnceLock::new(),
            told: Event::new(),
        });
        if let Some(reason) = reason {
            side.cancel(reason);
        }
        let life = Arc::new(RemoteLife(side.clone()));
        (RemoteCancelToken { life }, side)
    }

    #[inline]
    pub(super) fn of_life(life: Arc<RemoteLife>) -> Self {
        RemoteCancelToken { life }
    }

    #[inline]
    pub(super) fn life(&self) -> &Arc<RemoteLife> {
        &self.life
    }
}

impl RemoteLife {
    /// Cancels the remote side, and gives the waker that wakes its waiters.
    #[inline]
    pub(super) fn cancel_later(&self, cancelled: &Cancelled) -> Option<Waker> {
        let is_first = self.0.reason.set(cancelled.clone()).is_ok();
        is_first.then(|| Waker::from(self.0.clone()))
    }
}

impl Drop for RemoteLife {
    #[inline]
    fn drop(&mut self) {
        self.0.told.set();
    }
}

impl RemoteSide {
    #[inline]
    pub(super) fn cancel(&self, cancelled: Cancelled) {
        if self.reason.set(cancelled).is_ok() {
            self.told.set();
        }
    }

    /// Waits until a thread has cancelled the token, and gives the reason; `None` once there is no
    /// remote token any more.
    #[inline]
    pub(super) async fn told(&self) -> Option<Cancelled> {
        self.told.wait().await;
        self.reason.get().cloned()
    }
}

impl Wake for RemoteSide {
    #[inline]
    fn wake(self: Arc<Self>) {
        self.told.set();
    }
}
