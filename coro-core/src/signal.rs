//! Signals from outside the process.

use std::io;

/// Waits for the next Ctrl-C: `SIGINT`, or its like on Windows.
///
/// From the first call on, Ctrl-C no longer ends the process by itself. One that comes while
/// nobody waits is not kept. Dropping the wait loses nothing but the wait.
///
/// # Errors
///
/// If the handler cannot be installed.
///
/// # Panics
///
/// When polled outside of a loop.
pub async fn ctrl_c() -> io::Result<()> {
    wait::ctrl_c().await
}

#[cfg(unix)]
mod wait {
    //! The handler writes a byte to a socket pair, which the loop waits for like any other.

    use std::io::{self, Read};
    use std::os::unix::net::UnixStream;

    use signal_hook::SigId;
    use signal_hook::consts::SIGINT;
    use signal_hook::low_level::{pipe, unregister};

    use crate::event_loop::Direction;
    use crate::wait::ready::Ready;

    /// The handler for as long as somebody waits.
    struct Installed(SigId);

    impl Drop for Installed {
        fn drop(&mut self) {
            unregister(self.0);
        }
    }

    pub(super) async fn ctrl_c() -> io::Result<()> {
        let (receiver, sender) = UnixStream::pair()?;
        receiver.set_nonblocking(true)?;
        let ready = Ready::new(mio::net::UnixStream::from_std(receiver))?;
        let _installed = Installed(pipe::register(SIGINT, sender)?);
        ready
            .io(Direction::Read, |mut receiver| receiver.read(&mut [0]))
            .await?;
        Ok(())
    }
}

#[cfg(not(unix))]
mod wait {
    //! The handler sets a flag, which is looked at twenty times a second.

    use std::future::poll_fn;
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use signal_hook::consts::SIGINT;
    use signal_hook::flag;
    use signal_hook::low_level::unregister;

    use crate::wait::until::Until;

    pub(super) async fn ctrl_c() -> io::Result<()> {
        let pressed = Arc::new(AtomicBool::new(false));
        let installed = flag::register(SIGINT, pressed.clone())?;
        while !pressed.load(Ordering::Relaxed) {
            let mut until = Until::After(Duration::from_millis(50));
            poll_fn(|cx| until.poll(cx)).await;
        }
        unregister(installed);
        Ok(())
    }
}
