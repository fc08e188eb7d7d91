//! The `SimulatedWorld`: the world of a simulation beyond its tasks, such as hosts with their network.

#[cfg(feature = "simulation")]
use std::any::Any;
#[cfg(feature = "simulation")]
use std::rc::Rc;

/// The readiness that an event reports of a descriptor.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Readiness {
    pub(crate) read: bool,
    pub(crate) write: bool,
    /// The peer will send no more: reading stays ready from now on.
    pub(crate) read_closed: bool,
    /// Nothing more can be sent: writing stays ready from now on.
    pub(crate) write_closed: bool,
}

/// Instants are nanoseconds of the loop's virtual clock.
#[cfg(feature = "simulation")]
pub(crate) trait SimulatedWorld: Any {
    /// The instant of the next event that is under way.
    fn next_event(&self) -> Option<u64>;

    /// Performs every event that is due by `now`.
    fn advance(&self, now: u64);

    /// The next event of a descriptor, by the token of its registration.
    fn take_ready(&self) -> Option<(usize, Readiness)>;

    /// The world as its own type, which a higher room asks for.
    fn into_any(self: Rc<Self>) -> Rc<dyn Any>;
}
