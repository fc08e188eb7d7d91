//! A `Trace` of a simulation: its steps, its messages and the fates of its hosts, in order.

use std::rc::Rc;

/// One line of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TraceLine {
    /// The number of the step before which, or in which, it happened.
    pub(crate) step: u64,
    /// Virtual time in nanoseconds.
    pub(crate) now: u64,
    pub(crate) event: TraceEvent,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TraceEvent {
    /// A task or callout runs.
    Step {
        /// Its name, under which the chart has a lane for it.
        name: Rc<str>,
        /// The line that spawned it.
        origin: String,
        /// How many were ready.
        ready: usize,
        /// The lag that it was given when it became ready.
        lag: u32,
    },
    /// A host sends a message; one without `arrives` is lost.
    Message {
        from: Rc<str>,
        to: Rc<str>,
        label: String,
        arrives: Option<u64>,
    },
    /// Something befalls one lane of the chart, such as a crash.
    At { lane: Rc<str>, label: String },
    /// Something befalls the whole simulation, such as a partition.
    Note(String),
}
