//! Calls of the operating system: polling, wake-up, sockets, processes, error numbers.

mod accept;
mod cut;
mod described;
pub(crate) mod disposition;
mod edges;
mod explain;
#[cfg(unix)]
mod file_id;
mod home;
#[cfg(unix)]
mod message;
#[cfg(target_os = "linux")]
mod own_user;
#[cfg(unix)]
mod pipe;
#[cfg_attr(all(target_os = "linux", not(coro_portable)), path = "linux/mod.rs")]
#[cfg_attr(
    not(all(target_os = "linux", not(coro_portable))),
    path = "elsewhere/mod.rs"
)]
mod platform;
#[cfg(unix)]
pub(crate) mod process;
mod send_file;
pub(crate) mod sigint;
#[cfg(unix)]
mod signal_flag;
mod signals;
#[cfg(feature = "net")]
mod sock;
mod socket;
#[cfg(unix)]
mod standard;
mod wake;

pub(crate) use accept::{AcceptFailure, accept_failure};
pub(crate) use described::Described;
pub(crate) use edges::IS_EDGE_TRIGGERED;
#[cfg(unix)]
pub(crate) use explain::explain_leftover;
pub(crate) use explain::explain_register;
#[cfg(unix)]
pub(crate) use file_id::FileId;
pub(crate) use home::Home;
#[cfg(target_os = "linux")]
pub(crate) use message::peer_credentials;
#[cfg(unix)]
pub(crate) use message::{
    DESCRIPTORS_MAX, Received, ip_sender, is_no_listener, is_shut_for_receiving, recv_bytes,
    recv_datagram, recv_descriptors, send_descriptors, unix_sender,
};
#[cfg(target_os = "linux")]
pub(crate) use own_user::connect_to_own_user;
#[cfg(unix)]
pub(crate) use pipe::{is_broken, set_nonblocking};
#[cfg(unix)]
pub(crate) use platform::Pidfd;
pub(crate) use platform::{
    Poller, allowed_processors, is_main_thread, pin_to, send_file, thread_number,
};
pub(crate) use send_file::read_at;
#[cfg(unix)]
pub(crate) use signal_flag::{SIGQUIT, SignalFlag};
#[cfg(windows)]
pub(crate) use sock::Opened;
#[cfg(feature = "net")]
pub(crate) use sock::{SimulatedHost, Sock, receive, send};
#[cfg(feature = "net")]
use socket::has_empty_queue;
pub(crate) use socket::{begin_connect, is_connected, stream_socket};
#[cfg(unix)]
pub(crate) use standard::{Standard, Use as StandardUse};
pub(crate) use wake::{WAKE_TOKEN, WakeUp};

pub(crate) use crate::world::Readiness;
