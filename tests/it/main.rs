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
#[cfg(unix)]
mod process;
#[cfg(unix)]
mod process_faults;
#[cfg(target_os = "linux")]
mod process_injected;
#[cfg(unix)]
mod process_load;
#[cfg(unix)]
mod process_protocol;
mod remote;
mod stopping;
mod support;
mod tasks;
mod tcp;
mod threads;
mod threads_closing;
mod time;
mod watch;
