//! *asyncio, as Rust would have it.*
#![forbid(unsafe_code)]

#[doc(hidden)]
pub use coro_core::macro_support as __private;
pub use coro_core::{yield_, yield_from};
pub use coro_macros::{coroutine, coroutines, main, test};
