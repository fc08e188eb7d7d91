//! Integration tests, a module per subject.

mod generator;
mod generator_async;
mod generator_bad_use;
mod generator_delegation;
mod generator_model;
mod macro_shapes;
