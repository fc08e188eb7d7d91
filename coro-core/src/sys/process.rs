//! Processes: signals to them, waits that leave them to be reaped.

use std::io;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};

pub(crate) use pidfd::Pidfd;

/// The signal that asks a process to end, then the signal that ends it.
pub(crate) const TERMINATE: i32 = Signal::TERM.as_raw();
pub(crate) const KILL: i32 = Signal::KILL.as_raw();

/// Sends a signal by process id; the caller must know that the process was not reaped.
pub(crate) fn send_signal(id: u32, signal: i32) -> io::Result<()> {
    Ok(rustix::process::kill_process(pid(id)?, named(signal)?)?)
}

/// Sends a signal to a process and to all others of the group that it leads.
pub(crate) fn send_signal_to_group(id: u32, signal: i32) -> io::Result<()> {
    Ok(rustix::process::kill_process_group(
        pid(id)?,
        named(signal)?,
    )?)
}

/// Blocks until a child has ended, or was reaped elsewhere.
pub(crate) fn wait_until_ended(id: u32) -> io::Result<()> {
    let leave_it = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    loop {
        match waitid(WaitId::Pid(pid(id)?), leave_it) {
            Err(rustix::io::Errno::INTR) => {}
            other => return Ok(other.map(drop)?),
        }
    }
}

pub(crate) fn is_no_such_process(error: &io::Error) -> bool {
    rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::SRCH)
}

fn pid(id: u32) -> io::Result<Pid> {
    let raw = i32::try_from(id).ok().and_then(Pid::from_raw);
    raw.ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

fn named(signal: i32) -> io::Result<Signal> {
    Signal::from_named_raw(signal).ok_or_else(|| {
        let message = format!("{signal} is not the number of a signal that has a name");
        io::Error::new(io::ErrorKind::InvalidInput, message)
    })
}

#[cfg(target_os = "linux")]
mod pidfd {
    //! A descriptor that names one process for good, and is readable once the process has ended.

    use std::io;
    use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

    use mio::event::Source;
    use mio::unix::SourceFd;
    use mio::{Interest, Registry, Token};
    use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};

    pub(crate) struct Pidfd(OwnedFd);

    impl Pidfd {
        /// The process must be a child that was not reaped.
        pub(crate) fn open(id: u32) -> io::Result<Self> {
            Ok(Pidfd(pidfd_open(super::pid(id)?, PidfdFlags::NONBLOCK)?))
        }

        pub(crate) fn send_signal(&self, signal: i32) -> io::Result<()> {
            Ok(pidfd_send_signal(&self.0, super::named(signal)?)?)
        }
    }

    impl AsFd for Pidfd {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.0.as_fd()
        }
    }

    impl Source for Pidfd {
        fn register(&mut self, registry: &Registry, token: Token, on: Interest) -> io::Result<()> {
            SourceFd(&self.0.as_raw_fd()).register(registry, token, on)
        }

        fn reregister(
            &mut self,
            registry: &Registry,
            token: Token,
            on: Interest,
        ) -> io::Result<()> {
            SourceFd(&self.0.as_raw_fd()).reregister(registry, token, on)
        }

        fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
            SourceFd(&self.0.as_raw_fd()).deregister(registry)
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod pidfd {
    //! A stand-in: this system has no such descriptor.

    use std::io;

    use mio::event::Source;
    use mio::{Interest, Registry, Token};

    pub(crate) enum Pidfd {}

    impl Pidfd {
        pub(crate) fn open(_: u32) -> io::Result<Self> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(crate) fn send_signal(&self, _: i32) -> io::Result<()> {
            match *self {}
        }
    }

    impl Source for Pidfd {
        fn register(&mut self, _: &Registry, _: Token, _: Interest) -> io::Result<()> {
            match *self {}
        }

        fn reregister(&mut self, _: &Registry, _: Token, _: Interest) -> io::Result<()> {
            match *self {}
        }

        fn deregister(&mut self, _: &Registry) -> io::Result<()> {
            match *self {}
        }
    }
}
