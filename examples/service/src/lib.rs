//! A service over HTTP, as it is run: by itself, or under systemd.
//!
//! ```text
//! $ cargo run -p service -- --public 127.0.0.1:8080 --admin 127.0.0.1:8081
//! $ curl 127.0.0.1:8080/             # hello from process ..
//! $ curl 127.0.0.1:8081/metrics      # and /live, /ready
//! $ kill -USR1 PID                   # its tasks, on standard error
//! $ kill -USR2 PID                   # the next process takes its place, and no client is refused
//! $ kill PID                         # finishes what has begun
//! ```
//!
//! [`run`] is the whole course of a process: it takes over or opens the [`Sockets`], serves the
//! [`App`], tells that it is ready, waits for a signal, hands over if it was asked to, and drains.

mod admin;
mod app;
mod drain;
mod handover;
mod notify;
mod settings;
mod sockets;

pub use app::App;
pub use drain::run;
pub use settings::{Limits, Settings};
pub use sockets::Sockets;
