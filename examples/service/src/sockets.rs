//! `Sockets`: opened by this process, or inherited from systemd or from the process before.

use std::io;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;

use listenfd::ListenFd;

use crate::settings::Settings;

/// The first descriptor that a process inherits, as systemd has it.
pub(crate) const FIRST: i32 = 3;

/// The listening sockets of a process. Every process that has a copy of one can accept from it, and
/// the system refuses no client while a copy is left.
#[derive(Debug)]
pub struct Sockets {
    public: TcpListener,
    admin: TcpListener,
    /// The line to the process before, which waits for this one to be ready.
    before: Option<UnixDatagram>,
}

impl Sockets {
    /// The sockets that this process was started with, in this order: the public one, that of the
    /// operators, and from a process that hands over also a line to it. `None` if there are none.
    ///
    /// This is the protocol of systemd's socket activation: the variable `LISTEN_FDS` says how many
    /// descriptors there are from number 3 on. It is taken out of the environment, so call this
    /// before the process has other threads.
    ///
    /// # Errors
    ///
    /// If the descriptors are not two listening sockets.
    pub fn inherited() -> io::Result<Option<Sockets>> {
        let mut inherited = ListenFd::from_env();
        if inherited.len() == 0 {
            return Ok(None);
        }
        let missing = || io::Error::other("LISTEN_FDS has fewer than two sockets");
        Ok(Some(Sockets {
            public: inherited.take_tcp_listener(0)?.ok_or_else(missing)?,
            admin: inherited.take_tcp_listener(1)?.ok_or_else(missing)?,
            before: inherited.take_unix_datagram(2)?,
        }))
    }

    /// Opens the sockets at the addresses of the settings.
    ///
    /// # Errors
    ///
    /// If an address cannot be listened on.
    ///
    /// # Panics
    ///
    /// Outside of a loop.
    pub fn open(settings: &Settings) -> io::Result<Sockets> {
        // The loop's listeners have a longer queue of clients than those of the standard library.
        Ok(Sockets {
            public: coro::net::TcpListener::bind(settings.public)?.into_std(),
            admin: coro::net::TcpListener::bind(settings.admin)?.into_std(),
            before: None,
        })
    }

    /// Copies of the listeners for this process's own servers: the public one, and the operators'.
    pub(crate) fn listeners(&self) -> io::Result<[coro::net::TcpListener; 2]> {
        Ok([
            self.public.try_clone()?.try_into()?,
            self.admin.try_clone()?.try_into()?,
        ])
    }

    /// Copies for the next process, in the order of [`inherited`](Self::inherited).
    pub(crate) fn for_the_next(&self) -> io::Result<[OwnedFd; 2]> {
        Ok([
            self.public.try_clone()?.into(),
            self.admin.try_clone()?.into(),
        ])
    }

    /// Tells the process before that this one serves; `false` if there was none.
    pub(crate) fn tell_ready(&mut self, word: &str) -> io::Result<bool> {
        match self.before.take() {
            Some(before) => before.send(word.as_bytes()).map(|_| true),
            None => Ok(false),
        }
    }
}
