//! `Keepalive`: when an idle TCP connection is probed.

use std::io;
use std::time::Duration;

use socket2::SockRef;

/// The times at which an idle connection is probed, to see whether its other end still exists.
///
/// Times that are not set are the system's.
///
/// ```
/// use coro::net::{Keepalive, TcpListener, TcpStream};
/// use std::time::Duration;
///
/// coro::run(async {
///     let listener = TcpListener::bind("127.0.0.1:0")?;
///     let stream = TcpStream::connect(listener.local_addr()?).await?;
///     let keepalive = Keepalive::new()
///         .with_time(Duration::from_secs(60))
///         .with_interval(Duration::from_secs(10))
///         .with_retries(3);
///     stream.set_keepalive(Some(keepalive))?;
///     assert!(stream.keepalive()?);
///     std::io::Result::Ok(())
/// })
/// # .unwrap();
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keepalive {
    time: Option<Duration>,
    interval: Option<Duration>,
    retries: Option<u32>,
}

impl Keepalive {
    /// The system's times.
    #[inline]
    pub fn new() -> Self {
        Self::default()
    }

    /// How long a connection is idle before the first probe, in whole seconds (`TCP_KEEPIDLE`).
    #[must_use]
    #[inline]
    pub fn with_time(mut self, time: Duration) -> Self {
        self.time = Some(time);
        self
    }

    /// The time between two probes, in whole seconds (`TCP_KEEPINTVL`).
    #[must_use]
    #[inline]
    pub fn with_interval(mut self, interval: Duration) -> Self {
        self.interval = Some(interval);
        self
    }

    /// How many probes stay unanswered before the connection is given up (`TCP_KEEPCNT`).
    #[must_use]
    #[inline]
    pub fn with_retries(mut self, retries: u32) -> Self {
        self.retries = Some(retries);
        self
    }

    #[inline]
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

    #[inline]
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
