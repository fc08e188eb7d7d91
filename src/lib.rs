//! *asyncio, as Rust would have it.*
#![forbid(unsafe_code)]

#[doc(hidden)]
pub use coro_core::macro_support as __private;
