//! How TCP sockets come about: addresses, `connect`, `listen`, `accept`.

use std::collections::VecDeque;

use core::net::SocketAddr;

use super::call_error::{Answer, CallError};
use super::hosts::{HostNumber, is_near, takes};
use super::rules::PacketKind;
use super::sockets::{SocketBody, TcpListening};
use super::tcp_end::{TcpEnd, TcpProgress};
use super::{Event, Kernel, Parts, SocketId};
use crate::choices::Series;

/// The time of the first attempt to connect; each further one waits for twice the time.
const ATTEMPT: u64 = 1_000_000_000;

/// After this number of repetitions, and 127 s, an attempt to connect fails.
const ATTEMPTS: u32 = 6;

/// The time after which a host learns that none has an address of its network.
const UNREACHABLE: u64 = 3_000_000_000;

/// No host listens on more connections than this, as on Linux.
const QUEUE_MAX: usize = 4096;

/// The kinds of sockets, for the names of their decisions.
const TCP: u64 = 1;

impl Kernel {
    /// A TCP socket on a host.
    pub(crate) fn tcp_socket(&self, host: HostNumber) -> Answer<SocketId> {
        let id = {
            let parts = &mut *self.parts.borrow_mut();
            let series = Series::named(&parts.hosts.name(host)).and(TCP);
            parts.sockets.add(host, series, SocketBody::Fresh)
        };
        self.check_descriptors(id)
    }

    /// The socket, unless the system is out of descriptors.
    pub(super) fn check_descriptors(&self, id: SocketId) -> Answer<SocketId> {
        if self.chance_at(id, self.faults.get().out_of_descriptors) {
            self.parts.borrow_mut().sockets.remove(id);
            return Err(CallError::TooManyDescriptors);
        }
        Ok(id)
    }

    /// Gives a TCP or UDP socket an address.
    pub(crate) fn bind(&self, id: SocketId, at: SocketAddr, shares_port: bool) -> Answer<()> {
        let parts = &mut *self.parts.borrow_mut();
        let socket = parts.sockets.get(id)?;
        if socket.local.is_some() {
            return Err(CallError::Invalid);
        }
        let (host, is_udp) = (socket.host, matches!(socket.body, SocketBody::Udp(_)));
        if !parts.hosts.is_own(host, at.ip()) {
            return Err(CallError::AddressNotAvailable);
        }
        let mut at = at;
        if at.port() == 0 {
            at.set_port(parts.free_port(host)?);
        } else if parts.sockets.is_taken(host, at, is_udp, shares_port) {
            return Err(CallError::AddressInUse);
        }
        let socket = parts.sockets.get(id)?;
        socket.local = Some(at);
        socket.shares_port = shares_port;
        Ok(())
    }

    pub(crate) fn listen(&self, id: SocketId, queue: u32) -> Answer<()> {
        let parts = &mut *self.parts.borrow_mut();
        let socket = parts.sockets.get(id)?;
        let Some(local) = socket.local else {
            return Err(CallError::Invalid);
        };
        socket.series = socket.series.and(local.port().into());
        socket.body = SocketBody::TcpListener(TcpListening {
            queue: VecDeque::new(),
            limit: (queue as usize).min(QUEUE_MAX),
        });
        Ok(())
    }

    /// Begins to connect; [`is_connected`](Self::is_connected) tells the outcome.
    pub(crate) fn connect(&self, id: SocketId, to: SocketAddr) -> Answer<()> {
        self.interrupt(id)?;
        {
            let parts = &mut *self.parts.borrow_mut();
            match parts.sockets.get(id)?.body {
                SocketBody::Fresh => {}
                SocketBody::Tcp(_) => return Err(CallError::AlreadyConnected),
                _ => return Err(CallError::Invalid),
            }
            let mut to = to;
            if to.ip().is_unspecified() {
                to.set_ip(super::hosts::loopback_like(to.ip()));
            }
            parts.bind_to_connect(id, to)?;
            let socket = parts.sockets.get(id)?;
            let beginning = socket.series.and(to.port().into());
            socket.body = SocketBody::Tcp(TcpEnd::new(to, TcpProgress::Connecting));
            let series = parts.name_series(beginning);
            parts.sockets.get(id)?.series = series;
        }
        self.send_connect(id, 0);
        Ok(())
    }

    pub(super) fn send_connect(&self, from: SocketId, attempt: u32) {
        let Ok(route) = self.route(from) else {
            return; // closed meanwhile
        };
        if route.to.is_none() && is_near(route.target.ip()) {
            return self.after(UNREACHABLE, Event::Fails(from, CallError::HostUnreachable));
        }
        let fate = self.send_packet(route, PacketKind::Connect, &[], 0);
        match (fate.delay, fate.reset_after) {
            (None, _) => self.connect_later(from, attempt),
            (Some(delay), Some(_)) => {
                self.after(2 * delay, Event::Fails(from, CallError::Refused));
            }
            (Some(delay), None) => self.after(delay, Event::ConnectArrives { from, attempt }),
        }
    }

    fn connect_later(&self, from: SocketId, attempt: u32) {
        let wait = ATTEMPT << attempt;
        match attempt {
            ATTEMPTS.. => self.after(wait, Event::Fails(from, CallError::TimedOut)),
            _ => self.after(
                wait,
                Event::Connect {
                    from,
                    attempt: attempt + 1,
                },
            ),
        }
    }

    /// The attempt has come to the host: it is answered if a socket listens there.
    pub(super) fn connect_arrives(&self, from: SocketId, attempt: u32) {
        let Ok(mut route) = self.route(from) else {
            return;
        };
        let found = {
            let parts = &mut *self.parts.borrow_mut();
            let host = route.to.filter(|host| parts.hosts.is_up(*host));
            host.map(|host| (host, parts.listener_at(host, route.target)))
        };
        let Some((host, listener)) = found else {
            return self.connect_later(from, attempt);
        };
        (route.source, route.target) = (route.target, route.source);
        (route.from, route.to) = (host, Some(route.from));
        let Some((listener, has_room)) = listener else {
            let fate = self.send_packet(route, PacketKind::Reset, &[], 0);
            return match fate.delay {
                Some(delay) => self.after(delay, Event::Fails(from, CallError::Refused)),
                None => self.connect_later(from, attempt),
            };
        };
        if !has_room {
            return self.connect_later(from, attempt);
        }
        let fate = self.send_packet(route, PacketKind::Accepted, &[], 0);
        let Some(delay) = fate.delay else {
            return self.connect_later(from, attempt);
        };
        let server = self.parts.borrow_mut().add_server_end(
            from,
            host,
            route.source,
            self.now.get() + delay,
        );
        if let Ok(server) = server {
            self.after(
                delay,
                Event::Accepted {
                    client: from,
                    server,
                    listener,
                },
            );
        }
    }

    /// The answer has come to the client, which is connected from now on.
    pub(super) fn accepted(&self, client: SocketId, server: SocketId, listener: SocketId) {
        let open = |end: &mut TcpEnd| {
            end.progress = TcpProgress::Open;
            end.peer = Some(server);
        };
        let opened = self.parts.borrow_mut().sockets.tcp(client).map(open);
        let Ok(()) = opened else {
            // The client has given up. Its system would send a reset.
            self.parts.borrow_mut().sockets.remove(server);
            return;
        };
        let Ok(route) = self.route(client) else {
            return;
        };
        let back = self.way_back(route);
        if let Ok(end) = self.parts.borrow_mut().sockets.tcp(client) {
            end.arrives = self.now.get() + back;
        }
        self.after(back, Event::Established { server, listener });
        self.tell(client);
    }

    /// The connection has come to its listener's queue.
    pub(super) fn established(&self, server: SocketId, listener: SocketId) {
        let queued = {
            let parts = &mut *self.parts.borrow_mut();
            let listening = parts.sockets.tcp_listener(listener);
            listening.map(|it| it.queue.push_back(server))
        };
        match queued {
            Ok(()) => self.tell(listener),
            Err(_) => self.close_tcp(server, true),
        }
    }

    pub(crate) fn accept(&self, id: SocketId) -> Answer<(SocketId, SocketAddr)> {
        self.interrupt(id)?;
        let is_empty = {
            let parts = &mut *self.parts.borrow_mut();
            parts.sockets.tcp_listener(id)?.queue.is_empty()
        };
        if is_empty {
            return Err(CallError::WouldBlock);
        }
        if self.chance_at(id, self.faults.get().out_of_descriptors) {
            return Err(CallError::TooManyDescriptors);
        }
        let (server, peer) = {
            let parts = &mut *self.parts.borrow_mut();
            let next = parts.sockets.tcp_listener(id)?.queue.pop_front();
            let server = next.ok_or(CallError::WouldBlock)?;
            (server, parts.sockets.tcp(server)?.peer_address)
        };
        if self.chance_at(id, self.faults.get().accept_aborted) {
            self.close_tcp(server, true);
            return Err(CallError::Aborted);
        }
        Ok((server, peer))
    }

    pub(super) fn close_listener(&self, id: SocketId, _abort: bool) {
        let listener = self.parts.borrow_mut().sockets.remove(id);
        if let Some(SocketBody::TcpListener(listener)) = listener.map(|it| it.body) {
            for server in listener.queue {
                self.close_tcp(server, true);
            }
        }
    }

    /// Whether an attempt to connect has succeeded; it would block while it is undecided.
    pub(crate) fn is_connected(&self, id: SocketId) -> Answer<()> {
        let parts = &mut *self.parts.borrow_mut();
        let end = parts.sockets.tcp(id)?;
        match (end.error.take(), end.progress) {
            (Some(error), _) => Err(error),
            (None, TcpProgress::Open) => Ok(()),
            (None, _) => Err(CallError::WouldBlock),
        }
    }

    pub(crate) fn local_addr(&self, id: SocketId) -> Answer<SocketAddr> {
        let parts = &mut *self.parts.borrow_mut();
        parts.sockets.get(id)?.local.ok_or(CallError::Invalid)
    }

    pub(crate) fn peer_addr(&self, id: SocketId) -> Answer<SocketAddr> {
        let parts = &mut *self.parts.borrow_mut();
        match &parts.sockets.get(id)?.body {
            SocketBody::Tcp(end) if end.progress == TcpProgress::Open => Ok(end.peer_address),
            SocketBody::Udp(end) => end.peer.ok_or(CallError::NotConnected),
            _ => Err(CallError::NotConnected),
        }
    }

    /// The pending error of any socket, which is then cleared.
    pub(crate) fn take_error(&self, id: SocketId) -> Answer<Option<CallError>> {
        let parts = &mut *self.parts.borrow_mut();
        Ok(match &mut parts.sockets.get(id)?.body {
            SocketBody::Tcp(end) => end.error.take(),
            SocketBody::Udp(end) => end.error.take(),
            SocketBody::Unix(pipe) => pipe.error.take(),
            _ => None,
        })
    }

    /// An attempt to connect, or a datagram, has failed.
    pub(super) fn fails(&self, id: SocketId, failure: CallError) {
        {
            let parts = &mut *self.parts.borrow_mut();
            match parts.sockets.get(id).map(|socket| &mut socket.body) {
                Ok(SocketBody::Tcp(end)) => end.fail(failure),
                Ok(SocketBody::Udp(end)) => end.error = Some(failure),
                _ => return,
            }
        }
        self.tell(id);
    }
}

impl Parts {
    pub(super) fn free_port(&mut self, host: HostNumber) -> Answer<u16> {
        let sockets = &self.sockets;
        let free = |port| !sockets.has_port(host, port);
        self.hosts
            .free_port(host, free)
            .ok_or(CallError::AddressInUse)
    }

    /// Gives a socket that connects an address, as far as it has none.
    pub(super) fn bind_to_connect(&mut self, id: SocketId, to: SocketAddr) -> Answer<()> {
        let socket = self.sockets.get(id)?;
        let host = socket.host;
        let local = match socket.local {
            Some(local) if local.is_ipv4() != to.is_ipv4() => return Err(CallError::WrongFamily),
            Some(local) if local.ip().is_loopback() && !to.ip().is_loopback() => {
                return Err(CallError::Invalid); // no way leads there from this address
            }
            Some(local) if local.ip().is_unspecified() => {
                SocketAddr::new(self.hosts.source(host, to.ip()), local.port())
            }
            Some(local) => local,
            None => {
                let port = self.free_port(host)?;
                SocketAddr::new(self.hosts.source(host, to.ip()), port)
            }
        };
        self.sockets.get(id)?.local = Some(local);
        Ok(())
    }

    /// The listener of a host at an address, and whether its queue has room.
    fn listener_at(&mut self, host: HostNumber, at: SocketAddr) -> Option<(SocketId, bool)> {
        let listeners = self
            .sockets
            .iter_mut()
            .filter_map(|(id, socket)| match &socket.body {
                SocketBody::TcpListener(it) if socket.host == host => {
                    let has_room = it.queue.len() <= it.limit; // one more, as on Linux
                    takes(socket.local?, at).then_some((id, has_room, it.queue.len()))
                }
                _ => None,
            });
        // Of several that share the port, the one with the fewest connections in its queue.
        let best = listeners.min_by_key(|(_, _, queued)| *queued)?;
        Some((best.0, best.1))
    }

    fn add_server_end(
        &mut self,
        client: SocketId,
        host: HostNumber,
        local: SocketAddr,
        arrives: u64,
    ) -> Answer<SocketId> {
        let socket = self.sockets.get(client)?;
        let series = socket.series.and(1);
        let client_address = socket.local.ok_or(CallError::Invalid)?;
        let mut end = TcpEnd::new(client_address, TcpProgress::Open);
        end.peer = Some(client);
        end.arrives = arrives;
        let server = self.sockets.add(host, series, SocketBody::Tcp(end));
        self.sockets.get(server)?.local = Some(local);
        Ok(server)
    }
}
