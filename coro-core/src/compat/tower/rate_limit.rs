//! `RateLimitLayer`: at most some number of requests in a period.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tower_layer::Layer;
use tower_service::Service;

use crate::event_loop::{LoopHandle, OnLoop};
use crate::time::{Sleep, sleep_until};

/// Lets at most some number of requests to a service begin in each period, by the clock of the loop.
///
/// The first request begins a period; when its number is used up, the service is not ready until the
/// period is over. The counterpart of `tower::limit::RateLimitLayer`, but a service of this layer can
/// be cloned: its clones share the limit.
#[derive(Debug, Clone, Copy)]
pub struct RateLimitLayer {
    number: u64,
    period: Duration,
}

impl RateLimitLayer {
    /// A layer with this number of requests in each period.
    ///
    /// # Panics
    ///
    /// If the number is zero, with which no request would ever begin.
    #[track_caller]
    pub const fn new(number: u64, period: Duration) -> Self {
        assert!(
            number > 0,
            "a limit of 0 requests in a period would let none begin: make it 1 at least"
        );
        RateLimitLayer { number, period }
    }
}

impl<S> Layer<S> for RateLimitLayer {
    type Service = RateLimited<S>;

    /// # Panics
    ///
    /// Outside of a loop.
    fn layer(&self, service: S) -> RateLimited<S> {
        RateLimited {
            service,
            allowance: OnLoop::new(Rc::new(Allowance {
                limit: *self,
                left: Cell::new(0),
                until: Cell::new(None),
            })),
            has_permit: false,
            sleep: None,
        }
    }
}

/// The requests that may still begin in the present period.
#[derive(Debug)]
struct Allowance {
    limit: RateLimitLayer,
    left: Cell<u64>,
    until: Cell<Option<Instant>>,
}

impl Allowance {
    /// Takes one request, or gives the time when there are more.
    fn take(&self) -> Result<(), Instant> {
        let now = LoopHandle::current().time();
        match self.until.get() {
            Some(until) if until > now => {}
            _ => {
                self.until.set(now.checked_add(self.limit.period));
                self.left.set(self.limit.number);
            }
        }
        match (self.left.get(), self.until.get()) {
            (0, Some(until)) => Err(until),
            (left, _) => {
                self.left.set(left.saturating_sub(1));
                Ok(())
            }
        }
    }
}

/// A service whose requests are limited in number; see [`RateLimitLayer`].
#[derive(Debug)]
pub struct RateLimited<S> {
    service: S,
    allowance: OnLoop<Rc<Allowance>>,
    /// Whether one request was taken from the allowance for the next call.
    has_permit: bool,
    sleep: Option<OnLoop<Sleep>>,
}

impl<S> RateLimited<S> {
    fn poll_permit(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while !self.has_permit {
            if let Some(sleep) = &mut self.sleep {
                ready!(Pin::new(sleep).poll(cx));
                self.sleep = None;
            }
            match self.allowance.take() {
                Ok(()) => self.has_permit = true,
                Err(until) => self.sleep = Some(OnLoop::new(sleep_until(until))),
            }
        }
        Poll::Ready(())
    }
}

impl<S: Clone> Clone for RateLimited<S> {
    fn clone(&self) -> Self {
        RateLimited {
            service: self.service.clone(),
            allowance: self.allowance.clone(),
            has_permit: false,
            sleep: None,
        }
    }
}

impl<S> Drop for RateLimited<S> {
    /// Gives a permit back that was not used.
    fn drop(&mut self) {
        if self.has_permit && self.allowance.is_here() {
            let left = &self.allowance.left;
            left.set(self.allowance.limit.number.min(left.get() + 1));
        }
    }
}

impl<S, R> Service<R> for RateLimited<S>
where
    S: Service<R>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    /// # Panics
    ///
    /// Outside of a loop.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        ready!(self.poll_permit(cx));
        self.service.poll_ready(cx)
    }

    /// # Panics
    ///
    /// If the service was not [ready](Service::poll_ready) before.
    fn call(&mut self, request: R) -> S::Future {
        assert!(
            std::mem::take(&mut self.has_permit),
            "call() on a rate-limited service that is not ready: await `ready()` before each call"
        );
        self.service.call(request)
    }
}
