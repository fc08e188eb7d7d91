//! `Settings`: the arguments of the service, and its limits.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::time::Duration;

const USAGE: &str = "\
usage: service [--public ADDRESS] [--admin ADDRESS] [--connections N] [--bytes N] [--request-ms N]
               [--notice-ms N] [--linger-ms N] [--grace-ms N]
The addresses do not count if the process inherits its sockets.";

/// The limits of one process.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Limits {
    /// How many clients may be connected; the next ones wait in the system's queue.
    pub connections: usize,
    /// How many bytes the body of a request may have.
    pub bytes: usize,
    /// How long a request may take, with the receiving of its body.
    pub request: Duration,
}

/// The settings of a process, all of which have defaults.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// Where clients connect.
    pub public: SocketAddr,
    /// Where operators and monitors connect. It has connections of its own, so that a full house
    /// does not look like a dead one.
    pub admin: SocketAddr,
    /// The limits.
    pub limits: Limits,
    /// How long a process that is to stop still accepts clients after it has said that it is not
    /// ready: the time in which load balancers find out.
    pub notice: Duration,
    /// How long it serves the connections that it has accepted before it ends those without a
    /// request.
    pub linger: Duration,
    /// How long requests that have begun may take after that.
    pub grace: Duration,
    /// The arguments of this process, with which the next one is started.
    pub command: Vec<OsString>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            public: SocketAddr::from(([127, 0, 0, 1], 8080)),
            admin: SocketAddr::from(([127, 0, 0, 1], 8081)),
            limits: Limits {
                connections: 1_000,
                bytes: 1_000_000,
                request: Duration::from_secs(10),
            },
            notice: Duration::ZERO,
            linger: Duration::from_secs(1),
            grace: Duration::from_secs(30),
            command: Vec::new(),
        }
    }
}

impl Settings {
    /// The settings that the arguments of a process say; the first argument is its program.
    ///
    /// # Errors
    ///
    /// A text that says how to use the program, if an argument makes no sense.
    pub fn from_arguments(arguments: impl Iterator<Item = OsString>) -> Result<Self, String> {
        let command: Vec<OsString> = arguments.collect();
        let mut settings = Settings::default();
        let mut rest = command.iter().skip(1);
        while let Some(name) = rest.next() {
            let value = rest.next().and_then(|value| value.to_str());
            let both = name.to_str().zip(value);
            if both
                .and_then(|(name, value)| settings.set(name, value))
                .is_none()
            {
                return Err(format!("{}: this makes no sense\n{USAGE}", name.display()));
            }
        }
        settings.command = command;
        Ok(settings)
    }

    fn set(&mut self, name: &str, value: &str) -> Option<()> {
        let millis = || value.parse().ok().map(Duration::from_millis);
        match name {
            "--public" => self.public = value.parse().ok()?,
            "--admin" => self.admin = value.parse().ok()?,
            "--connections" => {
                self.limits.connections = value.parse().ok().filter(|limit| *limit > 0)?;
            }
            "--bytes" => self.limits.bytes = value.parse().ok()?,
            "--request-ms" => self.limits.request = millis()?,
            "--notice-ms" => self.notice = millis()?,
            "--linger-ms" => self.linger = millis()?,
            "--grace-ms" => self.grace = millis()?,
            _ => return None,
        }
        Some(())
    }
}
