//! Calls of the operating system: polling, wake-up, sockets, processes, error numbers.

#[cfg(feature = "net")]
mod accept;
#[cfg(feature = "net")]
mod cut;
#[cfg(feature = "poll")]
mod described;
#[cfg(feature = "signal")]
pub(crate) mod disposition;
#[cfg(feature = "poll")]
mod edges;
#[cfg(feature = "poll")]
mod explain;
#[cfg(all(unix, feature = "net"))]
mod file_id;
mod home;
#[cfg(all(unix, feature = "ancillary"))]
mod message;
#[cfg(all(target_os = "linux", feature = "ancillary"))]
mod own_user;
#[cfg(any(test, not(feature = "poll")))]
mod parking;
#[cfg(all(unix, feature = "poll"))]
mod pipe;
#[cfg_attr(all(target_os = "linux", not(coro_portable)), path = "linux/mod.rs")]
#[cfg_attr(
    not(all(target_os = "linux", not(coro_portable))),
    path = "elsewhere/mod.rs"
)]
mod platform;
#[cfg(all(unix, feature = "process"))]
pub(crate) mod process;
#[cfg(feature = "net")]
mod send_file;
#[cfg(all(unix, feature = "net"))]
mod shut_down;
#[cfg(feature = "signal")]
pub(crate) mod sigint;
#[cfg(all(unix, feature = "signal"))]
mod signal_flag;
#[cfg(feature = "signal")]
mod signals;
#[cfg(feature = "net")]
mod sock;
#[cfg(feature = "net")]
mod socket;
#[cfg(all(unix, feature = "net"))]
mod standard;
mod thread;
#[cfg(feature = "poll")]
mod wake;

#[cfg(feature = "net")]
pub(crate) use accept::{AcceptFailure, accept_failure};
#[cfg(feature = "poll")]
pub(crate) use described::Described;
#[cfg(feature = "poll")]
pub(crate) use edges::IS_EDGE_TRIGGERED;
#[cfg(all(unix, feature = "net"))]
pub(crate) use explain::explain_leftover;
#[cfg(feature = "poll")]
pub(crate) use explain::explain_register;
#[cfg(all(unix, feature = "net"))]
pub(crate) use file_id::FileId;
pub(crate) use home::Home;
#[cfg(all(target_os = "linux", feature = "ancillary"))]
pub(crate) use message::peer_credentials;
#[cfg(all(unix, feature = "ancillary"))]
pub(crate) use message::{
    DESCRIPTORS_MAX, Received, recv_bytes, recv_datagram, recv_descriptors, send_descriptors,
    unix_sender,
};
#[cfg(all(target_os = "linux", feature = "ancillary"))]
pub(crate) use own_user::connect_to_own_user;
#[cfg(not(feature = "poll"))]
pub(crate) use parking::{ParkedWake as WakeUp, Parking as Poller};
#[cfg(all(unix, feature = "poll"))]
pub(crate) use pipe::{is_broken, set_nonblocking};
#[cfg(all(unix, feature = "process"))]
pub(crate) use platform::Pidfd;
#[cfg(feature = "poll")]
pub(crate) use platform::Poller;
#[cfg(feature = "signal")]
pub(crate) use platform::is_main_thread;
#[cfg(feature = "net")]
pub(crate) use platform::send_file;
pub(crate) use platform::thread_number;
#[cfg(feature = "affinity")]
pub(crate) use platform::{allowed_processors, pin_to};
#[cfg(feature = "net")]
pub(crate) use send_file::read_at;
#[cfg(all(unix, feature = "net"))]
pub(crate) use shut_down::{is_no_listener, is_shut_for_receiving};
#[cfg(all(unix, feature = "signal"))]
pub(crate) use signal_flag::{SIGQUIT, SignalFlag};
#[cfg(all(windows, feature = "net"))]
pub(crate) use sock::Opened;
#[cfg(feature = "net")]
pub(crate) use sock::{SimulatedHost, Sock, receive, send};
#[cfg(feature = "net")]
pub(crate) use socket::{begin_connect, is_connected, stream_socket};
#[cfg(feature = "net")]
use socket::{has_empty_queue, stop_listening};
#[cfg(all(unix, feature = "net"))]
pub(crate) use standard::{Standard, Use as StandardUse};
pub(crate) use thread::start_thread;
#[cfg(feature = "poll")]
pub(crate) use wake::{WAKE_TOKEN, WakeUp};

pub(crate) use crate::world::Readiness;
