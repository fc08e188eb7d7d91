//! Signals from outside the process.
//!
//! Every listener receives every signal of its kind, in whichever loop it is. While a kind of
//! signal has a listener, its default action, such as ending the process, is off; after the last
//! listener is dropped, it is on again. If the program had installed a handler of its own before,
//! that handler is still called; a signal that was ignored before is ignored again.
//!
//! Signals are not counted: several that come before a listener is polled count as one. That is so
//! in every Unix, and in asyncio.
//!
//! On Windows there are Ctrl-C, which is `SIGINT`, and `SIGTERM`, which only the process itself can raise.
//! A listener looks for them twenty times a second there. A program cannot tell there whether another
//! handler was installed before: the listener is told in addition.
//!
//! ```
//! use coro::signal::{SignalKind, signal};
//! # #[cfg(unix)]
//! # fn main() -> std::io::Result<()> {
//!
//! coro::run(async {
//!     let mut hangups = signal(SignalKind::hangup())?;
//!     let reloads = coro::spawn(async move {
//!         loop {
//!             hangups.recv().await;
//!             println!("reading the configuration again");
//!         }
//!     });
//!     reloads.cancel();
//!     Ok(())
//! })
//! # }
//! # #[cfg(not(unix))]
//! # fn main() {}
//! ```

mod ctrl_c;
#[cfg(unix)]
mod dump_on;
mod handler;
pub(crate) mod interrupt;
mod kind;
#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(not(unix), path = "fallback.rs")]
mod platform;
mod signals;
mod termination;

pub use ctrl_c::{CtrlC, ctrl_c};
pub use handler::SignalHandle;
pub use kind::SignalKind;
pub use signals::{Signals, signal};
pub(crate) use termination::Termination;
