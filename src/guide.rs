//! A guide to coro: a book of pages, with programs that can be copied whole.
//!
//! The pages are the Markdown files of `docs/guide`, which can be read there too. Each is a module
//! without code, so that its names are links.
//!
#![doc = include_str!("../docs/guide/names.md")]
#![doc = include_str!("../docs/guide/README.md")]

/// Coroutines, the loop and its turns, tasks, timers, callouts.
///
#[doc = include_str!("../docs/guide/names.md")]
#[doc = include_str!("../docs/guide/tasks.md")]
pub mod tasks {}

/// Dropped futures, `timeout`, `shield`, clean-up, tokens; questions and answers.
///
#[doc = include_str!("../docs/guide/names.md")]
#[doc = include_str!("../docs/guide/cancelling.md")]
pub mod cancelling {}

/// `gather`, `race`, `scope`, `TaskGroup`, `as_completed`, limits, retries.
///
#[doc = include_str!("../docs/guide/names.md")]
#[doc = include_str!("../docs/guide/many.md")]
pub mod many {}

/// Cells, locks, queues, channels.
///
#[doc = include_str!("../docs/guide/names.md")]
#[doc = include_str!("../docs/guide/sharing.md")]
pub mod sharing {}

/// Where an error goes, and where a panic goes.
///
#[doc = include_str!("../docs/guide/names.md")]
#[doc = include_str!("../docs/guide/errors.md")]
pub mod errors {}

/// Streams, clients, servers with shared state, draining shutdown, lines, proxies.
///
#[doc = include_str!("../docs/guide/names.md")]
#[doc = include_str!("../docs/guide/sockets.md")]
pub mod sockets {}

/// Callbacks instead of coroutines, as in asyncio.
///
#[doc = include_str!("../docs/guide/names.md")]
#[doc = include_str!("../docs/guide/protocols.md")]
pub mod protocols {}

/// Clients, servers, upgrades of plain text.
///
#[doc = include_str!("../docs/guide/names.md")]
#[cfg_attr(feature = "tls", doc = include_str!("../docs/guide/names_tls.md"))]
#[doc = include_str!("../docs/guide/tls.md")]
pub mod tls {}

/// Commands, pipes, Ctrl-C, forks.
///
#[doc = include_str!("../docs/guide/names.md")]
#[doc = include_str!("../docs/guide/processes.md")]
pub mod processes {}

/// Tracing, lints, macros, traits.
///
#[doc = include_str!("../docs/guide/names.md")]
#[doc = include_str!("../docs/guide/attribute.md")]
pub mod attribute {}

/// The virtual clock.
///
#[doc = include_str!("../docs/guide/names.md")]
#[doc = include_str!("../docs/guide/testing.md")]
pub mod testing {}

/// Dumps of all tasks, deadlocks, signals, `coro ps`, the watchdog, tracing.
///
#[doc = include_str!("../docs/guide/names.md")]
#[doc = include_str!("../docs/guide/sight.md")]
pub mod sight {}

/// Simulations, seeds, cancelling and crashing at each step.
///
#[doc = include_str!("../docs/guide/names.md")]
#[doc = include_str!("../docs/guide/simulation.md")]
pub mod simulation {}

/// Blocking calls, handles for other threads.
///
#[doc = include_str!("../docs/guide/names.md")]
#[cfg_attr(feature = "tls", doc = include_str!("../docs/guide/names_tls.md"))]
#[doc = include_str!("../docs/guide/threads.md")]
pub mod threads {}

/// A loop on each core, a server on all, state in parts.
///
#[doc = include_str!("../docs/guide/names.md")]
#[doc = include_str!("../docs/guide/cores.md")]
pub mod cores {}

/// When to use what, and a queue between machines.
///
#[doc = include_str!("../docs/guide/names.md")]
#[doc = include_str!("../docs/guide/machines.md")]
pub mod machines {}

/// Health, draining, sockets that outlive a process, restarts, limits, metrics.
///
#[doc = include_str!("../docs/guide/names.md")]
#[doc = include_str!("../docs/guide/operations.md")]
pub mod operations {}

/// Iterators, streams and two-way coroutines.
///
#[doc = include_str!("../docs/guide/names.md")]
#[doc = include_str!("../docs/guide/generators.md")]
pub mod generators {}

/// A table of names, and the differences.
///
#[doc = include_str!("../docs/guide/names.md")]
#[cfg_attr(feature = "tls", doc = include_str!("../docs/guide/names_tls.md"))]
#[doc = include_str!("../docs/guide/from_asyncio.md")]
pub mod from_asyncio {}

/// A table of names, and the differences.
///
#[doc = include_str!("../docs/guide/names.md")]
#[doc = include_str!("../docs/guide/from_tokio.md")]
pub mod from_tokio {}

/// Tables of names, and the differences.
///
#[doc = include_str!("../docs/guide/names.md")]
#[doc = include_str!("../docs/guide/from_async_trait.md")]
pub mod from_async_trait {}

/// A line for each of fifty libraries, and the five ways in which a library comes in.
///
#[doc = include_str!("../docs/guide/names.md")]
#[doc = include_str!("../docs/guide/libraries.md")]
pub mod libraries {}

/// Twenty recipes.
///
#[doc = include_str!("../docs/guide/names.md")]
#[doc = include_str!("../docs/guide/cookbook.md")]
pub mod cookbook {}
