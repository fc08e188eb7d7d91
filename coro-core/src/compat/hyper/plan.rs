//! `HttpPlan`: the service and the settings of a server, for all its connections.

use std::rc::Rc;

use super::activity::TimeLimits;
use crate::sync::Event;

/// The versions of HTTP that a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Versions {
    Both,
    Http1,
    Http2,
}

/// The settings of connections.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) limits: TimeLimits,
    pub(super) versions: Versions,
}

/// All that the connections of a server have in common.
pub(super) struct HttpPlan<S> {
    pub(super) service: S,
    pub(super) settings: Settings,
    /// Set when connections are to end as soon as their requests are answered.
    pub(super) stopping: Rc<Event>,
}

impl<S> HttpPlan<S> {
    pub(super) fn new(service: S, settings: Settings, stopping: Rc<Event>) -> Rc<Self> {
        Rc::new(HttpPlan {
            service,
            settings,
            stopping,
        })
    }
}
