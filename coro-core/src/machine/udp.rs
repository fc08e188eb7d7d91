//! UDP sockets: `connect_udp`, `send_to`, `receive_from`, groups, and the datagrams under way.

use std::rc::Rc;

use core::net::{IpAddr, SocketAddr};

use super::call_error::{Answer, CallError};
use super::datagrams::{DATAGRAM_MAX, UdpEnd};
use super::hosts::{HostNumber, takes};
use super::network::Route;
use super::rules::PacketKind;
use super::sockets::SocketBody;
use super::{Event, Kernel, Parts, SocketId};
use crate::choices::Series;

/// The kind of these sockets, for the names of their decisions.
const UDP: u64 = 2;

impl Kernel {
    /// A UDP socket on a host, at an address; port 0 has the machine choose one.
    pub(crate) fn udp_socket(&self, host: HostNumber, at: SocketAddr) -> Answer<SocketId> {
        let id = {
            let parts = &mut *self.parts.borrow_mut();
            let beginning = Series::named(&parts.hosts.name(host))
                .and(UDP)
                .and(at.port().into());
            let series = parts.name_series(beginning);
            parts
                .sockets
                .add(host, series, SocketBody::Udp(UdpEnd::default()))
        };
        self.check_descriptors(id)?;
        match self.bind(id, at, false) {
            Ok(()) => Ok(id),
            Err(failure) => {
                self.parts.borrow_mut().sockets.remove(id);
                Err(failure)
            }
        }
    }

    /// Has the socket send to this address, and receive from it, only.
    pub(crate) fn connect_udp(&self, id: SocketId, to: SocketAddr) -> Answer<()> {
        let parts = &mut *self.parts.borrow_mut();
        let mut to = to;
        if to.ip().is_unspecified() {
            to.set_ip(super::hosts::loopback_like(to.ip()));
        }
        parts.bind_to_connect(id, to)?;
        parts.sockets.udp(id)?.peer = Some(to);
        Ok(())
    }

    /// Sends a datagram, to the socket's peer if no address is given.
    pub(crate) fn send_to(
        &self,
        id: SocketId,
        bytes: &[u8],
        to: Option<SocketAddr>,
    ) -> Answer<usize> {
        self.interrupt(id)?;
        let (routes, target) = self.parts.borrow_mut().datagram_routes(id, bytes, to)?;
        for route in routes {
            self.send_datagram(id, route, target, bytes);
        }
        Ok(bytes.len())
    }

    fn send_datagram(&self, id: SocketId, route: Route, to: SocketAddr, bytes: &[u8]) {
        let Some(host) = route.to else {
            return; // no host is there to hear of it
        };
        let fate = self.send_packet(route, PacketKind::Datagram, bytes, 0);
        let Some(delay) = fate.delay.filter(|_| fate.reset_after.is_none()) else {
            return;
        };
        let bytes: Rc<[u8]> = bytes.into();
        let delay = delay + fate.each.saturating_mul(bytes.len() as u64);
        for nth in 0..=u64::from(fate.twice) {
            self.after(
                delay * (nth + 1),
                Event::Datagram {
                    from: route.source,
                    to,
                    sender: id,
                    host,
                    bytes: bytes.clone(),
                },
            );
        }
    }

    pub(super) fn datagram_arrives(
        &self,
        from: SocketAddr,
        to: SocketAddr,
        sender: SocketId,
        host: HostNumber,
        bytes: Rc<[u8]>,
    ) {
        if !self.is_up(host) {
            return;
        }
        let receivers = self.parts.borrow_mut().receivers(host, from, to);
        for id in &receivers {
            let arrived = {
                let parts = &mut *self.parts.borrow_mut();
                let end = parts.sockets.udp(*id);
                end.is_ok_and(|end| end.arrive(from, bytes.to_vec()))
            };
            if arrived {
                self.tell(*id);
            }
        }
        if receivers.is_empty() && !to.ip().is_multicast() {
            self.refuse_datagram(sender, to);
        }
    }

    /// No socket is at the address. A sender that is connected to it learns so.
    fn refuse_datagram(&self, sender: SocketId, to: SocketAddr) {
        let back = {
            let parts = &mut *self.parts.borrow_mut();
            let Ok(socket) = parts.sockets.get(sender) else {
                return;
            };
            let is_peer = matches!(&socket.body, SocketBody::Udp(end) if end.peer == Some(to));
            let Some(source) = socket.local.filter(|_| is_peer) else {
                return;
            };
            Route {
                from: socket.host,
                to: parts.hosts.at(to.ip(), socket.host),
                source,
                target: to,
                series: socket.series,
            }
        };
        self.after(
            self.way_back(back),
            Event::Fails(sender, CallError::Refused),
        );
    }

    /// Copies a datagram that has arrived; gives the length that fitted, its sender, whether its end
    /// was cut.
    pub(crate) fn receive_from(
        &self,
        id: SocketId,
        buffer: &mut [u8],
        peek: bool,
    ) -> Answer<(usize, SocketAddr, bool)> {
        self.interrupt(id)?;
        self.parts
            .borrow_mut()
            .sockets
            .udp(id)?
            .receive(buffer, peek)
    }

    /// Joins or leaves a multicast group.
    pub(crate) fn set_group(&self, id: SocketId, group: IpAddr, joins: bool) -> Answer<()> {
        let parts = &mut *self.parts.borrow_mut();
        let groups = &mut parts.sockets.udp(id)?.groups;
        let at = groups.iter().position(|it| *it == group);
        match (at, joins) {
            (None, true) if group.is_multicast() => groups.push(group),
            (Some(at), false) => drop(groups.remove(at)),
            (None, true) => return Err(CallError::Invalid),
            (Some(_), true) => return Err(CallError::AddressInUse),
            (None, false) => return Err(CallError::AddressNotAvailable),
        }
        Ok(())
    }
}

impl Parts {
    /// The ways of a datagram, to more than one host if it goes to a group; and its target.
    fn datagram_routes(
        &mut self,
        id: SocketId,
        bytes: &[u8],
        to: Option<SocketAddr>,
    ) -> Answer<(Vec<Route>, SocketAddr)> {
        let end = self.sockets.udp(id)?;
        if let Some(error) = end.error.take() {
            return Err(error);
        }
        let mut target = to.or(end.peer).ok_or(CallError::NoDestination)?;
        if bytes.len() > DATAGRAM_MAX {
            return Err(CallError::MessageTooLong);
        }
        if target.port() == 0 {
            return Err(CallError::Invalid);
        }
        if target.ip().is_unspecified() {
            target.set_ip(super::hosts::loopback_like(target.ip()));
        }
        let socket = self.sockets.get(id)?;
        let (host, series) = (socket.host, socket.series);
        let mut source = socket.local.ok_or(CallError::Invalid)?;
        if source.is_ipv4() != target.is_ipv4() {
            return Err(CallError::WrongFamily);
        }
        if source.ip().is_unspecified() {
            source.set_ip(self.hosts.source(host, target.ip()));
        }
        let hosts = match target.ip().is_multicast() {
            true => self.hosts.all().map(Some).collect(),
            false => vec![self.hosts.at(target.ip(), host)],
        };
        let route = |to| Route {
            from: host,
            to,
            source,
            target,
            series,
        };
        Ok((hosts.into_iter().map(route).collect(), target))
    }

    /// The sockets of a host that take a datagram: one, or all members of a group.
    fn receivers(&mut self, host: HostNumber, from: SocketAddr, to: SocketAddr) -> Vec<SocketId> {
        let to_group = to.ip().is_multicast();
        let mut found = Vec::new();
        for (id, socket) in self.sockets.iter_mut() {
            let (SocketBody::Udp(end), Some(local)) = (&socket.body, socket.local) else {
                continue;
            };
            let at = match to_group {
                true => end.groups.contains(&to.ip()) && local.port() == to.port(),
                false => takes(local, to),
            };
            if socket.host == host && at && end.peer.is_none_or(|peer| peer == from) {
                found.push((end.peer.is_none(), id));
            }
        }
        found.sort_unstable(); // a socket that is connected to the sender comes first
        let most = if to_group { found.len() } else { 1 };
        found.into_iter().take(most).map(|(_, id)| id).collect()
    }
}
