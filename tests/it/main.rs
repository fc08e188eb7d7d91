//! Integration tests, a module per subject.

mod macro_shapes;
