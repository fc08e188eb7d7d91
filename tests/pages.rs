//! The programs of the README and of the guide, which documentation tests run.
//!
//! They stand here because some use crates that coro itself does without.
#![forbid(unsafe_code)]

#[cfg(doctest)]
#[path = "../src/guide.rs"]
pub mod guide;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub mod readme {}
