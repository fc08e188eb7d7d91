//! `Sockets`: the sockets of all simulated hosts.

use std::collections::{BTreeMap, VecDeque};

use core::net::SocketAddr;

use super::SocketId;
use super::call_error::{Answer, CallError};
use super::datagrams::UdpEnd;
use super::hosts::{HostNumber, conflict};
use super::tcp_end::TcpEnd;
use super::unix_end::{UnixListening, UnixMailbox, UnixPipe};
use crate::choices::Series;
use crate::world::Readiness;

pub(super) struct OneSocket {
    pub(super) host: HostNumber,
    /// The registration with the loop's reactor.
    pub(super) token: Option<usize>,
    pub(super) local: Option<SocketAddr>,
    /// Other sockets that ask for this too may have the same address.
    pub(super) shares_port: bool,
    /// The decisions on its calls, and on its packets.
    pub(super) series: Series,
    pub(super) body: SocketBody,
}

pub(super) enum SocketBody {
    /// A TCP socket that neither listens nor connects.
    Fresh,
    TcpListener(TcpListening),
    Tcp(TcpEnd),
    Udp(UdpEnd),
    UnixListener(UnixListening),
    Unix(UnixPipe),
    UnixDatagram(UnixMailbox),
}

/// A TCP listener: the connections that wait to be accepted.
pub(super) struct TcpListening {
    pub(super) queue: VecDeque<SocketId>,
    pub(super) limit: usize,
}

#[derive(Default)]
pub(super) struct Sockets {
    sockets: BTreeMap<SocketId, OneSocket>,
    made: SocketId,
}

impl Sockets {
    pub(super) fn add(&mut self, host: HostNumber, series: Series, body: SocketBody) -> SocketId {
        self.made += 1;
        let socket = OneSocket {
            host,
            token: None,
            local: None,
            shares_port: false,
            series,
            body,
        };
        self.sockets.insert(self.made, socket);
        self.made
    }

    pub(super) fn get(&mut self, id: SocketId) -> Answer<&mut OneSocket> {
        self.sockets.get_mut(&id).ok_or(CallError::BadDescriptor)
    }

    pub(super) fn remove(&mut self, id: SocketId) -> Option<OneSocket> {
        self.sockets.remove(&id)
    }

    pub(super) fn tcp(&mut self, id: SocketId) -> Answer<&mut TcpEnd> {
        match &mut self.get(id)?.body {
            SocketBody::Tcp(end) => Ok(end),
            SocketBody::Fresh => Err(CallError::NotConnected),
            _ => Err(CallError::Invalid),
        }
    }

    pub(super) fn tcp_listener(&mut self, id: SocketId) -> Answer<&mut TcpListening> {
        match &mut self.get(id)?.body {
            SocketBody::TcpListener(listener) => Ok(listener),
            _ => Err(CallError::Invalid),
        }
    }

    pub(super) fn udp(&mut self, id: SocketId) -> Answer<&mut UdpEnd> {
        match &mut self.get(id)?.body {
            SocketBody::Udp(end) => Ok(end),
            _ => Err(CallError::Invalid),
        }
    }

    pub(super) fn of_host(&self, host: HostNumber) -> Vec<SocketId> {
        let all = self.sockets.iter();
        all.filter(|(_, socket)| socket.host == host)
            .map(|(id, _)| *id)
            .collect()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (SocketId, &mut OneSocket)> {
        self.sockets.iter_mut().map(|(id, socket)| (*id, socket))
    }

    /// Whether a socket of the host has an address that this one cannot have besides.
    pub(super) fn is_taken(
        &self,
        host: HostNumber,
        at: SocketAddr,
        is_udp: bool,
        shares_port: bool,
    ) -> bool {
        self.sockets.values().any(|socket| {
            let same_kind = match socket.body {
                SocketBody::Udp(_) => is_udp,
                SocketBody::TcpListener(_) | SocketBody::Fresh => !is_udp,
                _ => false,
            };
            let both_share = socket.shares_port && shares_port;
            same_kind
                && socket.host == host
                && !both_share
                && socket.local.is_some_and(|local| conflict(local, at))
        })
    }

    /// Whether a socket of the host has this port.
    pub(super) fn has_port(&self, host: HostNumber, port: u16) -> bool {
        let mut all = self.sockets.values();
        all.any(|socket| socket.host == host && socket.local.is_some_and(|it| it.port() == port))
    }
}

impl OneSocket {
    /// All that holds now, as an event of an edge-triggered poller tells it.
    pub(super) fn readiness(&self) -> Readiness {
        match &self.body {
            SocketBody::Fresh => super::BROKEN, // as a socket of Linux that is not connected
            SocketBody::TcpListener(listener) => readable(!listener.queue.is_empty()),
            SocketBody::Tcp(end) => end.readiness(),
            SocketBody::Udp(end) if end.error.is_some() => super::BROKEN,
            SocketBody::Udp(end) => Readiness {
                write: true,
                ..readable(end.has_datagram())
            },
            SocketBody::UnixListener(listener) => readable(!listener.queue.is_empty()),
            SocketBody::Unix(pipe) => pipe.readiness(),
            SocketBody::UnixDatagram(mailbox) => mailbox.readiness(),
        }
    }
}

fn readable(read: bool) -> Readiness {
    Readiness {
        read,
        ..Readiness::default()
    }
}
