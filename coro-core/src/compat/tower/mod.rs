//! Layers for services of tower whose time is that of the present loop.
//!
//! The layers of tower that wait take tokio's clock. These take the loop's, also if it is virtual, and
//! need no runtime of tokio. All other layers of tower work as they are.
//!
//! ```
//! use coro::Elapsed;
//! use coro::compat::tower::TimeoutLayer;
//! use std::time::Duration;
//! use tower_layer::Layer;
//! use tower_service::Service;
//! # use std::{future::Future, io, pin::Pin, task::{Context, Poll}};
//!
//! /// Answers after a minute.
//! struct Slow;
//!
//! impl Service<u32> for Slow {
//! #   type Response = u32;
//! #   type Error = io::Error;
//! #   type Future = Pin<Box<dyn Future<Output = io::Result<u32>>>>;
//! #
//! #   fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
//! #       Poll::Ready(Ok(()))
//! #   }
//! #
//!     // ...
//!     fn call(&mut self, request: u32) -> Self::Future {
//!         Box::pin(async move {
//!             coro::sleep(Duration::from_secs(60)).await;
//!             Ok(request)
//!         })
//!     }
//! }
//!
//! coro::run(async {
//!     let mut service = TimeoutLayer::new(Duration::from_millis(5)).layer(Slow);
//!     let error = service.call(7).await.unwrap_err();
//!     assert!(error.is::<Elapsed>());
//! });
//! ```

mod rate_limit;
mod timeout;

pub use rate_limit::{RateLimitLayer, RateLimited};
pub use timeout::{TimeLimited, TimeLimitedFuture, TimeoutLayer};
