//! Calls of the operating system: polling, wake-up, sockets, processes, error numbers.

mod accept;
mod cut;
mod described;
pub(crate) mod disposition;
mod edges;
mod explain;
#[cfg(all(unix, feature = "net"))]
mod file_id;
mod home;
#[cfg(all(unix, feature = "ancillary"))]
mod message;
#[cfg(all(target_os = "linux", feature = "ancillary"))]
mod own_user;
#[cfg(unix)]
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
pub(crate) mod sigint;
#[cfg(unix)]
mod signal_flag;
mod signals;
#[cfg(feature = "net")]
mod sock;
#[cfg(feature = "net")]
mod socket;
#[cfg(all(unix, feature = "net"))]
mod standard;
mod wake;

pub(crate) use accept::{AcceptFailure, accept_failure};
pub(crate) use described::Described;
pub(crate) use edges::IS_EDGE_TRIGGERED;
#[cfg(unix)]
pub(crate) use explain::explain_leftover;
pub(crate) use explain::explain_register;
#[cfg(all(unix, feature = "net"))]
pub(crate) use file_id::FileId;
pub(crate) use home::Home;
#[cfg(all(target_os = "linux", feature = "ancillary"))]
pub(crate) use message::peer_credentials;
#[cfg(all(unix, feature = "ancillary"))]
pub(crate) use message::{
    DESCRIPTORS_MAX, Received, recv_bytes, recv_descriptors, send_descriptors,
};
#[cfg(all(target_os = "linux", feature = "ancillary"))]
pub(crate) use own_user::connect_to_own_user;
#[cfg(unix)]
pub(crate) use pipe::{is_broken, set_nonblocking};
#[cfg(all(unix, feature = "process"))]
pub(crate) use platform::Pidfd;
#[cfg(feature = "net")]
pub(crate) use platform::send_file;
pub(crate) use platform::{Poller, is_main_thread, thread_number};
#[cfg(feature = "affinity")]
pub(crate) use platform::{allowed_processors, pin_to};
#[cfg(feature = "net")]
pub(crate) use send_file::read_at;
#[cfg(all(unix, feature = "net"))]
pub(crate) use shut_down::{is_no_listener, is_shut_for_receiving};
#[cfg(unix)]
pub(crate) use signal_flag::{SIGQUIT, SignalFlag};
#[cfg(windows)]
pub(crate) use sock::Opened;
#[cfg(feature = "net")]
pub(crate) use sock::{SimulatedHost, Sock, receive, send};
#[cfg(feature = "net")]
pub(crate) use socket::{begin_connect, is_connected, stream_socket};
#[cfg(feature = "net")]
use socket::{has_empty_queue, stop_listening};
#[cfg(all(unix, feature = "net"))]
pub(crate) use standard::{Standard, Use as StandardUse};
pub(crate) use wake::{WAKE_TOKEN, WakeUp};

pub(crate) use crate::world::Readiness;
