//! A dump of a loop: each task with its state, and the path to the thing that it waits for.
//!
//! The counterpart of asyncio's `ps` and `pstree`. A dump is taken
//!
//! - by [`LoopHandle::dump`](crate::event_loop::LoopHandle::dump), in a task or callout of the loop;
//! - by [`RemoteHandle::dump`](crate::event_loop::RemoteHandle::dump), on another thread;
//! - by [`EventLoop::dump`](crate::event_loop::EventLoop::dump), between two runs;
//! - by the loop itself, for the report of a deadlock or of a lost waker:
//!   [`report_deadlocks`](crate::event_loop::Builder::report_deadlocks).
//!
//! It costs nothing while none is taken, and needs no debug information: the lines are there in
//! optimised and stripped programs, too.
//!
//! ```
//! use std::rc::Rc;
//!
//! use coro::sync::Lock;
//!
//! #[coro::coroutine]
//! async fn work(lock: Rc<Lock<u32>>) {
//!     *lock.lock().await += 1;
//! }
//!
//! coro::run(async {
//!     let lock = Rc::new(Lock::new(0));
//!     let held = lock.clone().lock_owned().await;
//!     let working = coro::spawn(work(lock));
//!     coro::yield_now().await;
//!     let tree = coro::LoopHandle::current().dump().await;
//!     assert!(tree.to_string().contains("Lock, first in line, held by main"));
//!     drop(held);
//!     working.await.unwrap();
//! });
//! ```
//!
//! # How it is read
//!
//! ```text
//! connection #4  waits  spawned at src/main.rs:28:20 by main
//!   src/main.rs:19:17  awaits Timeout<demo::read_frame>
//!     timeout, of any
//!       src/main.rs:12:5  awaits futures_util::io::read_exact::ReadExact<TcpStream>
//!         fd 12 (TcpStream to 127.0.0.1:54146), to read
//!       a timer, due in 29.9 s
//! ```
//!
//! The first line is the task. Then comes each await, outermost first, with its place and the type
//! that is awaited. Last comes the thing that is waited for. Members of a group stand below the
//! group; `of any` means that one of them is enough. Tasks that differ only in numbers are shown
//! once: `x 2,000`. Before all tasks stand the circles of tasks that wait for one another.
//!
//! Awaits are shown of functions with an attribute: `yield_from!(..)`, and `.await` unless it stands
//! in the arguments of a macro other than `println!` and its like. A function without an attribute
//! is shown by its name where it is awaited. A future of another library is shown by its type.
//!
//! # How it is taken
//!
//! Nothing leads from a task to the place where it waits. So the loop polls each task that waits
//! once more, between two steps, and the futures of this library report meanwhile. For other
//! futures that is a poll without a wake-up, which every future has to allow; [`opaque`] is for one
//! that does not. A task that is ready all the same goes on, as in any step.

mod cycles;
mod dot;
mod json;
mod names;
mod opaque;
mod text;
mod tree;

pub use crate::task::Step;
pub use opaque::{Opaque, opaque};
pub(crate) use tree::TreeBuilder;
pub use tree::{TaskState, TaskTree, TaskView};
