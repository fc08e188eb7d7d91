//! Signals from outside the process.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Waits for a Ctrl-C: `SIGINT`, or its like on Windows.
///
/// One that comes after this call is not missed, however late the future is awaited. While any
/// such future exists, in any loop, Ctrl-C no longer ends the process by itself; when there is none
/// left it does again. So a program that has begun to shut down can still be ended by a second one.
/// Dropping the future loses nothing else. Awaited again after its end, it is still ready.
///
/// ```
/// # use coro_core as coro;
/// use std::time::Duration;
///
/// coro::run(async {
///     let stop = coro::signal::ctrl_c();
///     match coro::timeout(Duration::from_millis(1), stop).await {
///         Ok(pressed) => pressed.map(|()| println!("stopping")),
///         Err(_) => Ok(println!("nobody pressed it")),
///     }
/// })
/// # .unwrap();
/// ```
///
/// # Errors
///
/// If the handler could not be installed, awaiting the future tells so.
///
/// # Panics
///
/// Outside of a loop.
#[track_caller]
pub fn ctrl_c() -> CtrlC {
    CtrlC {
        listener: platform::Listener::new(),
        pressed: false,
    }
}

/// The future of [`ctrl_c`].
#[must_use = "it does nothing unless it is awaited, but keep Ctrl-C from ending the process"]
pub struct CtrlC {
    listener: io::Result<platform::Listener>,
    pressed: bool,
}

impl Future for CtrlC {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.pressed {
            return Poll::Ready(Ok(()));
        }
        let polled = match &mut self.listener {
            Ok(listener) => listener.poll(cx),
            Err(error) => Poll::Ready(Err(io::Error::new(error.kind(), error.to_string()))),
        };
        self.pressed = matches!(polled, Poll::Ready(Ok(())));
        polled
    }
}

impl fmt::Debug for CtrlC {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CtrlC")
            .field("pressed", &self.pressed)
            .finish_non_exhaustive()
    }
}

mod unheard {
    //! What Ctrl-C does while nobody listens: what it did before anybody had.

    use std::io;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex, PoisonError};

    use signal_hook::consts::SIGINT;
    use signal_hook::flag;

    struct Listeners {
        count: usize,
        /// Set while there is none; read by the handler, which then does what the system would.
        nobody: Option<Arc<AtomicBool>>,
    }

    static LISTENERS: Mutex<Listeners> = Mutex::new(Listeners {
        count: 0,
        nobody: None,
    });

    /// Somebody listens for as long as this lives.
    pub(super) struct Heard(());

    impl Heard {
        pub(super) fn new() -> io::Result<Self> {
            let mut listeners = LISTENERS.lock().unwrap_or_else(PoisonError::into_inner);
            match &listeners.nobody {
                Some(nobody) => nobody.store(false, Ordering::SeqCst),
                None => {
                    let nobody = Arc::new(AtomicBool::new(false));
                    flag::register_conditional_default(SIGINT, nobody.clone())?;
                    listeners.nobody = Some(nobody);
                }
            }
            listeners.count += 1;
            Ok(Heard(()))
        }
    }

    impl Drop for Heard {
        fn drop(&mut self) {
            let mut listeners = LISTENERS.lock().unwrap_or_else(PoisonError::into_inner);
            listeners.count -= 1;
            if let (0, Some(nobody)) = (listeners.count, &listeners.nobody) {
                nobody.store(true, Ordering::SeqCst);
            }
        }
    }
}

#[cfg(unix)]
mod platform {
    //! The handler writes a byte to a socket pair, which the loop waits for like any other.

    use std::io::{self, Read};
    use std::os::unix::net::UnixStream;
    use std::task::{Context, Poll};

    use signal_hook::SigId;
    use signal_hook::consts::SIGINT;
    use signal_hook::low_level::{pipe, unregister};

    use super::unheard::Heard;
    use crate::event_loop::{Direction, Wait};
    use crate::wait::ready::Ready;

    pub(super) struct Listener {
        ready: Ready<mio::net::UnixStream>,
        handler: SigId,
        _heard: Heard,
    }

    impl Listener {
        #[track_caller]
        pub(super) fn new() -> io::Result<Self> {
            let (receiver, sender) = UnixStream::pair()?;
            receiver.set_nonblocking(true)?;
            Ok(Listener {
                ready: Ready::new(mio::net::UnixStream::from_std(receiver))?,
                _heard: Heard::new()?,
                handler: pipe::register(SIGINT, sender)?,
            })
        }

        pub(super) fn poll(&mut self, cx: &Context<'_>) -> Poll<io::Result<()>> {
            let read = |mut receiver: &mio::net::UnixStream| receiver.read(&mut [0]);
            let polled = self.ready.poll_io(Direction::Read, Wait::UNNAMED, cx, read);
            polled.map_ok(drop)
        }
    }

    impl Drop for Listener {
        fn drop(&mut self) {
            unregister(self.handler);
        }
    }
}

#[cfg(not(unix))]
mod platform {
    //! The handler sets a flag, which is looked at twenty times a second.

    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::{Context, Poll, ready};
    use std::time::Duration;

    use signal_hook::SigId;
    use signal_hook::consts::SIGINT;
    use signal_hook::flag;
    use signal_hook::low_level::unregister;

    use super::unheard::Heard;
    use crate::wait::until::Until;

    const LOOK: Duration = Duration::from_millis(50);

    pub(super) struct Listener {
        pressed: Arc<AtomicBool>,
        handler: SigId,
        until: Until,
        _heard: Heard,
    }

    impl Listener {
        pub(super) fn new() -> io::Result<Self> {
            let pressed = Arc::new(AtomicBool::new(false));
            let _heard = Heard::new()?;
            let handler = flag::register(SIGINT, pressed.clone())?;
            let until = Until::After(LOOK);
            Ok(Listener {
                pressed,
                handler,
                until,
                _heard,
            })
        }

        pub(super) fn poll(&mut self, cx: &Context<'_>) -> Poll<io::Result<()>> {
            while !self.pressed.load(Ordering::Relaxed) {
                ready!(self.until.poll(cx));
                self.until = Until::After(LOOK);
            }
            Poll::Ready(Ok(()))
        }
    }

    impl Drop for Listener {
        fn drop(&mut self) {
            unregister(self.handler);
        }
    }
}
