//! Subprocesses.
//!
//! A [`Command`] is that of the standard library, and what it starts is a [`Child`], whose pipes
//! speak the traits of [`futures::io`] and whose end can be awaited.
//!
//! ```
//! use coro::process::Command;
//!
//! coro::run(async {
//!     let output = Command::new("echo").arg("hello").output().await?;
//!     assert!(output.status.success());
//!     assert_eq!(output.stdout, b"hello\n");
//!     std::io::Result::Ok(())
//! })
//! # .unwrap();
//! ```
//!
//! # How an end is heard of
//!
//! On Linux by a pidfd, which the loop waits for as for any other descriptor; where there is none,
//! by a thread a child. Nothing handles `SIGCHLD`, so that nothing is disturbed that does, and
//! several loops each have children of their own.
//!
//! No child is left a zombie. One whose [`Child`] was dropped, by hand or with its loop, is reaped
//! when it ends by a thread that lives for as long as there are such children. One that was started
//! when descriptors ran out, so that it cannot be waited for, is killed and reaped, and the error
//! says so.
//!
//! If something else in the program takes the status of our children, by waiting for any child
//! there is or by having `SIGCHLD` ignored, waiting for one gives an error and does not hang.
//!
//! # What children inherit
//!
//! What std's commands hand on: the environment, the directory, and the standard streams unless
//! they are set otherwise. No other descriptor of this crate's is handed on. `SIGPIPE`, which Rust
//! programs ignore, has its default action in children, so that pipelines end as they do in a
//! shell.
//!
//! Children are made by `posix_spawn`, which takes the same time however much memory this process
//! has, unless what only std's slower way can do is asked for: a `pre_exec` hook, `uid`, `gid`, or
//! a `PATH` for the child alone. With a gigabyte of memory that way takes tens of milliseconds.

mod child;
mod command;
mod driver;
mod orphans;
mod pipes;
mod protocol;
mod running;
mod transport;

pub use child::Child;
pub use command::Command;
pub use pipes::{ChildStderr, ChildStdin, ChildStdout};
pub use protocol::{SubprocessProtocol, subprocess_exec, subprocess_shell};
pub use transport::{PipeTransport, SubprocessTransport};
