//! Integration tests, a module per subject.

mod layout;
mod macro_shapes;
