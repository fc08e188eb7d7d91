//! Linux: the `Poller`, and the calls for which other systems have another way, or none.
//!
//! `elsewhere` has the same names, for all other systems. Both are compiled and tested on Linux: the
//! second with `--cfg coro_portable`.

#[cfg(feature = "affinity")]
mod affinity;
#[cfg(feature = "net")]
mod anew;
#[cfg(feature = "process")]
mod pidfd;
#[cfg(feature = "poll")]
mod poller;
mod precise;
#[cfg(feature = "net")]
mod transfer;

#[cfg(feature = "affinity")]
pub(crate) use affinity::{allowed_processors, pin_to};
#[cfg(feature = "net")]
pub(crate) use anew::open_anew;
#[cfg(feature = "process")]
pub(crate) use pidfd::Pidfd;
#[cfg(feature = "poll")]
pub(crate) use poller::Poller;
#[cfg(any(test, not(feature = "poll")))]
pub(crate) use precise::PreciseWaits;
pub(crate) use precise::thread_number;
#[cfg(feature = "net")]
pub(crate) use transfer::{nonblocking, receive, send, send_file};

/// Whether this is the process's first thread, which receives its signals; without `/proc`, as far as
/// its name tells.
#[cfg(feature = "signal")]
#[inline]
pub(crate) fn is_main_thread() -> bool {
    match thread_number() {
        0 => std::thread::current().name() == Some("main"),
        number => number == std::process::id(),
    }
}
