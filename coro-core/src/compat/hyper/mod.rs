//! hyper on this crate's loop: servers and clients of HTTP/1 and HTTP/2, and upgrades.
//!
//! [`serve_http`] makes a server of a function, of a service of hyper or of a service of tower, such
//! as axum's `Router`:
//!
//! ```
//! use coro::compat::hyper::serve_http;
//! use hyper::body::Incoming;
//! use hyper::{Request, Response};
//! use std::time::Duration;
//!
//! async fn hello(request: Request<Incoming>) -> Response<String> {
//!     Response::new(format!("hello, {}\n", request.uri().path()))
//! }
//!
//! coro::run(async {
//!     let server = serve_http("127.0.0.1:0", hello)?;
//!     println!("listening on {}", server.local_addr()?);
//!     server.shutdown(Duration::from_secs(5)).await; // finishes what has begun
//!     std::io::Result::Ok(())
//! })
//! # .unwrap();
//! ```
//!
//! For everything else that hyper does, there are its runtime traits: [`Io`] around a stream,
//! [`Timer`] and [`Executor`]; and for the pooled client of hyper-util, a [`Connector`]:
//!
//! ```
//! use coro::compat::hyper::{Connector, Executor, Timer};
//! use hyper_util::client::legacy::Client;
//!
//! let client: Client<_, String> = Client::builder(Executor)
//!     .pool_timer(Timer)
//!     .build(Connector::new());
//! ```

mod activity;
mod connection;
mod connector;
mod io;
mod plan;
mod runtime;
mod server;
mod service;
mod shared_stream;

pub use connector::{Connector, HttpStream};
pub use io::Io;
pub use runtime::{LoopExecutor as Executor, LoopTimer as Timer};
pub use server::{HttpListen, HttpServer, HttpServerBuilder, serve_http};
pub use service::{HttpAnswer, HttpService};
