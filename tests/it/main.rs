//! Integration tests, a module per subject.

mod macro_shapes;
mod order;
mod support;
mod tasks;
