//! *asyncio, as Rust would have it.*
#![forbid(unsafe_code)]

pub use coro_core::generator::{
    AsyncCoroutine, AsyncGenerator, BoxAsyncGenerator, BoxGenerator, Coroutine, CoroutineState,
    Generator, IntoIter, Iter, Resume, ResumeError, ResumedWith, SendBoxAsyncGenerator,
    SendBoxGenerator, Status,
};
#[doc(hidden)]
pub use coro_core::macro_support as __private;
pub use coro_core::{yield_, yield_from};
pub use coro_macros::{coroutine, coroutines, main, test};
