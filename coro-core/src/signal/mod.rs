//! Signals from outside the process.
//!
//! Every listener hears every signal of its kind, in whatever loop it is. While anybody listens for
//! a kind of signal, it no longer does by itself what it does by default, such as to end the process;
//! when nobody is left it does again. Where a program had a handler of its own before, that is called
//! all the same; what was ignored before is ignored again.
//!
//! Signals are not counted: several that come before a listener gets to look are one to it. So it is
//! in every Unix, and in asyncio.
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
mod handler;
pub(crate) mod interrupt;
mod kind;
#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(not(unix), path = "elsewhere.rs")]
mod platform;
mod signals;
mod unheard;

pub use ctrl_c::{CtrlC, ctrl_c};
pub use handler::SignalHandle;
pub use kind::SignalKind;
pub use signals::{Signals, signal};
