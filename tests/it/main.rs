//! Integration tests, a module per subject.

mod busy_poll;
mod cancelling;
mod closing;
mod descriptors;
mod examples;
mod failures;
mod generator;
mod generator_async;
mod generator_bad_use;
mod generator_delegation;
mod generator_examples;
mod generator_model;
mod group;
mod layout;
mod lifecycle;
mod macro_shapes;
mod misuse;
mod order;
mod remote;
mod stopping;
mod support;
mod sync_harness;
mod sync_locks;
mod tasks;
mod tcp;
mod threads;
mod threads_closing;
mod time;
#[cfg(feature = "tls")]
mod tls;
mod watch;
