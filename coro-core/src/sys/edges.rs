//! Edges: whether the system's poller is edge-triggered, or mio imitates that.
//!
//! An imitation tells of a direction once. It looks at it again only after an operation has failed
//! with "would block", and has to be told of that (`Described::rearm`).

/// Whether epoll or kqueue is the poller. A transfer that came up short is followed by an event
/// there, without an operation that would block in between.
pub(crate) const IS_EDGE_TRIGGERED: bool = cfg!(all(
    not(mio_unsupported_force_poll_poll),
    any(
        target_os = "android",
        target_os = "dragonfly",
        target_os = "freebsd",
        target_os = "illumos",
        target_os = "linux",
        target_os = "netbsd",
        target_os = "openbsd",
        target_os = "redox",
        target_vendor = "apple",
    )
));
