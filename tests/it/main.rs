//! Integration tests, a module per subject.

mod examples;
mod layout;
mod macro_shapes;
mod order;
mod support;
mod tasks;
