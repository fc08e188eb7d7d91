//! The attributes of `coro`.
