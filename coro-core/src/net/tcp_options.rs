//! Options of TCP sockets, connected or not.

use std::io;
use std::time::Duration;

use socket2::SockRef;

/// The times at which an idle connection is probed, to see whether its other end still exists.
///
/// Times that are not set are the system's.
///
/// ```
/// use coro::net::{Keepalive, TcpSocket};
/// use std::time::Duration;
///
/// let socket = TcpSocket::new_v4()?;
/// let keepalive = Keepalive::new()
///     .with_time(Duration::from_secs(60))
///     .with_interval(Duration::from_secs(10))
///     .with_retries(3);
/// socket.set_keepalive(Some(keepalive))?;
/// assert!(socket.keepalive()?);
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keepalive {
    time: Option<Duration>,
    interval: Option<Duration>,
    retries: Option<u32>,
}

impl Keepalive {
    /// The system's times.
    pub fn new() -> Self {
        Self::default()
    }

    /// How long a connection is idle before the first probe, in whole seconds (`TCP_KEEPIDLE`).
    #[must_use]
    pub fn with_time(mut self, time: Duration) -> Self {
        self.time = Some(time);
        self
    }

    /// The time between two probes, in whole seconds (`TCP_KEEPINTVL`).
    #[must_use]
    pub fn with_interval(mut self, interval: Duration) -> Self {
        self.interval = Some(interval);
        self
    }

    /// How many probes stay unanswered before the connection is given up (`TCP_KEEPCNT`).
    #[must_use]
    pub fn with_retries(mut self, retries: u32) -> Self {
        self.retries = Some(retries);
        self
    }

    pub(super) fn set(keepalive: Option<Self>, socket: &SockRef<'_>) -> io::Result<()> {
        socket.set_keepalive(keepalive.is_some())?;
        match keepalive {
            Some(Keepalive {
                time: None,
                interval: None,
                retries: None,
            })
            | None => Ok(()),
            Some(keepalive) => socket.set_tcp_keepalive(&keepalive.into_system()),
        }
    }

    fn into_system(self) -> socket2::TcpKeepalive {
        let mut system = socket2::TcpKeepalive::new();
        if let Some(time) = self.time {
            system = system.with_time(time);
        }
        if let Some(interval) = self.interval {
            system = system.with_interval(interval);
        }
        if let Some(retries) = self.retries {
            system = system.with_retries(retries);
        }
        system
    }
}

/// Defines the options of one connection.
macro_rules! tcp_options {
    ($socket:ident) => {
        $crate::net::macros::buffer_sizes!($socket);
        $crate::net::macros::socket_options! { $socket:
            /// Whether small writes are sent at once, instead of being collected (`TCP_NODELAY`).
            nodelay, set_nodelay: bool { tcp_nodelay, set_tcp_nodelay }
            /// How long closing tries to send the remaining bytes (`SO_LINGER`).
            ///
            /// With zero, closing resets the connection. With `None`, the system sends them in the
            /// background.
            linger, set_linger: Option<std::time::Duration> { linger, set_linger }
        }

        impl $socket {
            /// Whether an idle connection is probed, to see whether its other end still exists
            /// (`SO_KEEPALIVE`).
            ///
            /// # Errors
            ///
            /// If the system fails to report it.
            pub fn keepalive(&self) -> std::io::Result<bool> {
                self.socket().keepalive()
            }

            /// Sets when an idle connection is probed; `None` turns probes off.
            ///
            /// # Errors
            ///
            /// If the system refuses.
            pub fn set_keepalive(
                &self,
                keepalive: Option<$crate::net::Keepalive>,
            ) -> std::io::Result<()> {
                $crate::net::Keepalive::set(keepalive, &self.socket())
            }

            /// How many routers a packet may pass (`IP_TTL`, or `IPV6_UNICAST_HOPS`).
            ///
            /// # Errors
            ///
            /// If the system fails to report it.
            pub fn ttl(&self) -> std::io::Result<u32> {
                $crate::net::tcp_options::ttl(&self.socket())
            }

            /// Sets how many routers a packet may pass.
            ///
            /// # Errors
            ///
            /// If the system refuses.
            pub fn set_ttl(&self, ttl: u32) -> std::io::Result<()> {
                $crate::net::tcp_options::set_ttl(&self.socket(), ttl)
            }
        }
    };
}

pub(super) use tcp_options;

pub(super) fn ttl(socket: &SockRef<'_>) -> io::Result<u32> {
    match is_v6(socket)? {
        true => socket.unicast_hops_v6(),
        false => socket.ttl_v4(),
    }
}

pub(super) fn set_ttl(socket: &SockRef<'_>, ttl: u32) -> io::Result<()> {
    match is_v6(socket)? {
        true => socket.set_unicast_hops_v6(ttl),
        false => socket.set_ttl_v4(ttl),
    }
}

fn is_v6(socket: &SockRef<'_>) -> io::Result<bool> {
    Ok(socket.local_addr()?.is_ipv6())
}
