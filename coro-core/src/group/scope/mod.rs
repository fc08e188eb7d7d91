//! Scopes: children that may borrow, and end before what they borrow does.
//!
//! A child that borrows may be polled only while something proves that what it borrows is still
//! there. Here that is the scope's own future: children are polled inside of its poll and nowhere
//! else, never by the loop. So a scope may be forgotten midway, which leaks it and no more.
//!
//! A [`Scope`] is borrowed by its children, which it owns: it borrows itself, for as long as its
//! name can be used. Safe Rust allows that to what has no destructor, so it stands in a
//! `ManuallyDrop`, and a guard beside it drains it however the scope ends: on success, by a panic,
//! when it is dropped midway.

mod body;
mod core;
mod task;
mod try_scope;

pub use body::{Scope, scope};
pub use task::ScopedTask;
pub use try_scope::{TryScope, try_scope};
