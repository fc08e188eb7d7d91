//! Integration tests, a module per subject.

mod examples;
mod layout;
mod lifecycle;
mod macro_shapes;
mod order;
mod remote;
mod support;
mod tasks;
mod time;
