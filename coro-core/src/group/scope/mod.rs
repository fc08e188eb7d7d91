//! Scopes: their children may borrow, but end before the borrowed values do.
//!
//! A child that borrows may be polled only while the borrowed values provably exist. The scope's
//! own future proves that: children are polled inside of its poll and nowhere else, never by the
//! loop. So a scope may be forgotten midway, which leaks it and has no other effect.
//!
//! A [`Scope`] owns its children, and they borrow it: it borrows itself, for as long as its name
//! can be used. Safe Rust allows that only for a type without destructor, so the scope stands in a
//! `ManuallyDrop`. A guard beside it drains it however it ends: on success, by a panic, or when it
//! is dropped midway.

mod body;
mod core;
mod seats;
mod task;
mod try_scope;

pub use body::{Scope, scope};
pub use task::ScopedTask;
pub use try_scope::{TryScope, try_scope};
