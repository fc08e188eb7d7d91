//! Integration tests, a module per subject.

mod group;
mod lifecycle;
mod macro_shapes;
mod misuse;
mod order;
mod remote;
mod support;
mod tasks;
mod tcp;
mod time;
