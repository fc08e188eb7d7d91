//! The machine behind `coro`: generators, tasks, the event loop and what is built on it.
#![cfg_attr(not(feature = "std"), no_std)]

#[cfg(feature = "alloc")]
extern crate alloc;

pub mod generator;
#[doc(hidden)]
pub mod macro_support;
