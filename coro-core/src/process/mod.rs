//! Subprocesses.
//!
//! A [`Command`] has the methods of the standard library's, and starts a [`Child`]. The pipes of a
//! child implement the traits of [`futures::io`], and its end can be awaited.
//!
//! For Unix: on Windows there is no such module. A program starts children by [`std::process`] there,
//! and has their output collected on a [thread](crate::threads::to_thread).
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
//! # How the end of a child is noticed
//!
//! On Linux the loop waits for a pidfd, as for any other descriptor. On systems without pidfds, a
//! thread waits for each child. `SIGCHLD` is not used, so other handlers of it are not disturbed,
//! and several loops each have children of their own.
//!
//! No child remains a zombie. A child whose [`Child`] was dropped, by hand or with its loop, is
//! reaped when it ends, by a thread that lives as long as there are such children. A child that was
//! started when descriptors ran out cannot be waited for: it is killed and reaped, and the error
//! says so.
//!
//! Other code in the program may take the exit status of such a child, by waiting for any child or
//! by ignoring `SIGCHLD`. Then waiting for it gives an error and does not hang.
//!
//! # Inheritance
//!
//! As with the standard library's commands, a child inherits the environment, the directory and the
//! standard streams, unless they are set otherwise. It inherits no other descriptor of this crate.
//! `SIGPIPE`, which Rust programs ignore, has its default action in children, so that pipelines end
//! as they do in a shell.
//!
//! Children are started by `posix_spawn`, whose time does not depend on the memory of this process.
//! A `pre_exec` hook, `uid`, `gid` or a `PATH` for the child alone need the standard library's
//! slower way, which takes tens of milliseconds in a process with a gigabyte of memory.

mod child;
mod command;
mod orphans;
mod pipes;
mod protocol;
mod running;
mod start;
mod subprocess;
mod transport;

pub use child::Child;
pub use command::Command;
pub use pipes::{ChildStderr, ChildStdin, ChildStdout};
pub use protocol::SubprocessProtocol;
pub use start::{subprocess_exec, subprocess_shell};
pub use transport::{PipeTransport, SubprocessTransport};
