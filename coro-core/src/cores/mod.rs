//! A loop on each core: `Builder`, `Core`, and values that live on one of the cores.
//!
//! A loop is one thread. [`Builder::run`] starts several, each with a loop of its own, and gives each
//! the same main future. The tasks of one core share [`Rc`](std::rc::Rc)s and cells as on any loop;
//! nothing moves to another core unless the program sends it there:
//!
//! | to | use |
//! |---|---|
//! | run a task on another core, or on each | [`Core::spawn_on`], [`Core::each`] |
//! | send values to another core | any channel of [`sync::remote`](crate::sync::remote) |
//! | serve one port by all cores | [`SharedPort`] |
//! | split the state of the program by keys | [`Sharded`] |
//! | end all cores in order | [`Core::shutdown`], [`Core::shut_down`] |
//! | see the tasks of all cores | [`Core::dump`] |
//!
//! ```
//! use coro::cores;
//!
//! let ran = cores::Builder::new().threads(2).run(async |core| {
//!     if core.index() == 0 {
//!         let there = core.spawn_on(1, || async { std::thread::current().name().map(str::to_owned) });
//!         assert_eq!(there.await.unwrap().as_deref(), Some("core-1"));
//!     }
//! });
//! ran.unwrap();
//! ```
//!
//! A channel between cores is made before they begin, and borrowed by all:
//!
//! ```
//! use coro::sync::remote::channel;
//!
//! let (letters, boxes): (Vec<_>, Vec<_>) = (0..2).map(|_| channel::bounded(16)).unzip();
//! let ran = coro::cores::Builder::new().threads(2).run(async |core| {
//!     let (me, next) = (core.index(), (core.index() + 1) % core.count());
//!     letters[next].send(format!("from core {me}")).await.unwrap();
//!     assert_eq!(boxes[me].recv().await, Some(format!("from core {next}")));
//! });
//! ran.unwrap();
//! ```
//!
//! A wake-up of another loop costs one write to it if it sleeps, and nothing if it is awake: all that
//! was sent meanwhile is taken at once.

mod builder;
mod core_handle;
mod error;
#[cfg(not(feature = "signal"))]
mod no_signal;
mod output;
#[cfg(feature = "net")]
mod round_robin;
mod sharded;
#[cfg(feature = "net")]
mod shared_port;
mod supervisor;
mod team;
mod tree;
mod worker;

pub use builder::CoresBuilder as Builder;
pub use core_handle::CoreHandle as Core;
pub use error::{CoreError, CoreFailure};
pub use output::CoreOutput;
pub use sharded::Sharded;
#[cfg(feature = "net")]
pub use shared_port::SharedPort;
pub use tree::CoresTree;
