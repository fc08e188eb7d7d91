//! `TimeoutLayer`: a time limit for each request to a service.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::error::Elapsed;
use crate::event_loop::OnLoop;
use crate::time::{Sleep, sleep};

/// Gives each request to a service a time limit, by the clock of the loop.
///
/// A request that takes longer is dropped, and its error is an [`Elapsed`] in a box. The counterpart
/// of `tower::timeout::TimeoutLayer`.
#[derive(Debug, Clone, Copy)]
pub struct TimeoutLayer(Duration);

impl TimeoutLayer {
    /// A layer with this limit; [`Duration::MAX`] is none.
    pub const fn new(limit: Duration) -> Self {
        TimeoutLayer(limit)
    }
}

impl<S> Layer<S> for TimeoutLayer {
    type Service = TimeLimited<S>;

    fn layer(&self, service: S) -> TimeLimited<S> {
        TimeLimited {
            service,
            limit: self.0,
        }
    }
}

/// A service whose requests have a time limit; see [`TimeoutLayer`].
#[derive(Debug, Clone)]
pub struct TimeLimited<S> {
    service: S,
    limit: Duration,
}

impl<S, R> Service<R> for TimeLimited<S>
where
    S: Service<R>,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Response = S::Response;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = TimeLimitedFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.service.poll_ready(cx).map_err(Into::into)
    }

    /// # Panics
    ///
    /// Outside of a loop.
    fn call(&mut self, request: R) -> Self::Future {
        TimeLimitedFuture {
            future: self.service.call(request),
            sleep: OnLoop::new(sleep(self.limit)),
        }
    }
}

pin_project! {
    /// The future of a request with a time limit.
    #[derive(Debug)]
    pub struct TimeLimitedFuture<F> {
        #[pin]
        future: F,
        #[pin]
        sleep: OnLoop<Sleep>,
    }
}

impl<F, T, E> Future for TimeLimitedFuture<F>
where
    F: Future<Output = Result<T, E>>,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    type Output = Result<T, Box<dyn Error + Send + Sync>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(result) = this.future.poll(cx) {
            return Poll::Ready(result.map_err(Into::into));
        }
        ready!(this.sleep.poll(cx));
        Poll::Ready(Err(Box::new(Elapsed)))
    }
}
