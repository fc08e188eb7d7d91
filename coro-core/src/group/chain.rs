//! The trait `CoroExt`: combinators of futures, as methods.

use std::future::IntoFuture;
use std::pin::Pin;
use std::time::Duration;

use super::shield::{Shield, shield};
use super::token::{CancelOn, CancelToken};
use crate::event_loop::OnLoop;
use crate::time::{Timeout, timeout};

/// Combinators as methods, for every type that can be awaited.
///
/// No method has the name of a method of [`futures::FutureExt`], so both traits can be imported.
///
/// ```
/// use coro::group::CoroExt;
/// use std::time::Duration;
///
/// coro::run(async {
///     let token = coro::CancelToken::new();
///     let quick = async { 7 };
///     let value = quick.cancel_on(&token).timeout(Duration::from_secs(5)).await;
///     assert_eq!(value.unwrap().unwrap(), 7);
/// });
/// ```
pub trait CoroExt: IntoFuture + Sized {
    /// Awaits this for at most `duration`; see [`timeout`].
    fn timeout(self, duration: Duration) -> Timeout<Self::IntoFuture> {
        timeout(duration, self)
    }

    /// Runs this as a task, which continues if the task that awaits it is cancelled; see
    /// [`shield`].
    ///
    /// # Panics
    ///
    /// Outside of a loop.
    #[track_caller]
    fn shield(self) -> Shield<Self::Output>
    where
        Self::IntoFuture: 'static,
    {
        shield(self)
    }

    /// Awaits this until the token is cancelled; see [`CancelToken::run_until_cancelled`].
    fn cancel_on(self, token: &CancelToken) -> CancelOn<Self::IntoFuture> {
        token.run_until_cancelled(self)
    }

    /// Makes this `Send` and `Sync` for a library that asks for that, though only this loop's thread
    /// may poll it; see [`OnLoop`]. It is put on the heap.
    ///
    /// A future that borrows is wrapped by [`OnLoop::borrowing`].
    ///
    /// # Panics
    ///
    /// Outside of a loop. On another thread, polling it panics.
    #[track_caller]
    fn on_loop(self) -> OnLoop<Pin<Box<Self::IntoFuture>>>
    where
        Self::IntoFuture: 'static,
    {
        OnLoop::new(Box::pin(self.into_future()))
    }
}

impl<F: IntoFuture> CoroExt for F {}
