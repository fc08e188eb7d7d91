//! The trait `CoroExt`: combinators of futures, as methods.

use std::borrow::Cow;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;

use super::shield::{Shield, shield};
use super::token::{CancelOn, CancelToken};
use crate::event_loop::current_task;
use crate::time::{Timeout, timeout, timeout_at};

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
///
///     let task = coro::spawn(async { coro::task::current_task().unwrap().name() }.named("fetcher"));
///     assert_eq!(task.await.unwrap(), "fetcher");
/// });
/// ```
pub trait CoroExt: IntoFuture + Sized {
    /// Awaits this for at most `duration`; see [`timeout`].
    fn timeout(self, duration: Duration) -> Timeout<Self::IntoFuture> {
        timeout(duration, self)
    }

    /// Awaits this until `deadline` at the latest; see [`timeout_at`].
    fn timeout_at(self, deadline: Instant) -> Timeout<Self::IntoFuture> {
        timeout_at(deadline, self)
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

    /// Names the task that polls this first. Meant for a future that is about to be spawned.
    fn named(self, name: impl Into<Cow<'static, str>>) -> Named<Self::IntoFuture> {
        Named {
            name: Some(name.into()),
            future: self.into_future(),
        }
    }
}

impl<F: IntoFuture> CoroExt for F {}

pin_project! {
    /// The future of [`CoroExt::named`].
    #[must_use = "futures do nothing unless they are awaited"]
    pub struct Named<F> {
        name: Option<Cow<'static, str>>,
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for Named<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        if let Some(name) = this.name.take()
            && let Some(task) = current_task()
        {
            task.set_name(name);
        }
        this.future.poll(cx)
    }
}

impl<F> fmt::Debug for Named<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Named")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
