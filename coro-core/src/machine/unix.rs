//! Unix sockets: `unix_pair`, `unix_connect`, `unix_send`, their names, and datagrams.

use std::collections::VecDeque;
use std::io::IoSliceMut;
use std::rc::Rc;

use super::call_error::{Answer, CallError};
use super::hosts::HostNumber;
use super::sockets::SocketBody;
use super::unix_end::{
    Along, LETTER_MAX, UnixListening, UnixMailbox, UnixName, UnixPipe, UnixReceived,
};
use super::{Kernel, Parts, SocketId};
use crate::choices::Series;

/// The kind of these sockets, for the names of their decisions.
const UNIX: u64 = 3;

/// How many connections wait at a listener at most.
const QUEUE_MAX: usize = 4096;

impl Kernel {
    /// Two ends of a connection.
    pub(crate) fn unix_pair(&self, host: HostNumber) -> Answer<(SocketId, SocketId)> {
        let (one, other) = {
            let parts = &mut *self.parts.borrow_mut();
            let [one, other] =
                [0; 2].map(|_| parts.add_unix(host, SocketBody::Unix(UnixPipe::default())));
            parts.pipe(one)?.peer = Some(other);
            parts.pipe(other)?.peer = Some(one);
            (one, other)
        };
        self.check_descriptors(one)?;
        Ok((one, other))
    }

    pub(crate) fn unix_listen(&self, host: HostNumber, name: UnixName) -> Answer<SocketId> {
        let parts = &mut *self.parts.borrow_mut();
        let listening = UnixListening {
            queue: VecDeque::new(),
            limit: QUEUE_MAX,
            name: name.clone(),
        };
        let id = parts.add_unix(host, SocketBody::UnixListener(listening));
        parts.give_name(id, host, &name)?;
        Ok(id)
    }

    /// Connects to a listener with this name: at once, or not at all.
    pub(crate) fn unix_connect(&self, host: HostNumber, name: &UnixName) -> Answer<SocketId> {
        let (client, listener) = {
            let parts = &mut *self.parts.borrow_mut();
            let listener = parts.named(host, name).ok_or(CallError::Refused)?;
            let there = match &parts.sockets.get(listener)?.body {
                SocketBody::UnixListener(there) => there,
                _ => return Err(CallError::WrongType),
            };
            if there.queue.len() > there.limit {
                return Err(CallError::WouldBlock);
            }
            let its_name = there.name.clone();
            let its_host = parts.sockets.get(listener)?.host;
            let client = parts.add_unix(host, SocketBody::Unix(UnixPipe::default()));
            let server = parts.add_unix(its_host, SocketBody::Unix(UnixPipe::default()));
            let pipe = parts.pipe(client)?;
            pipe.peer = Some(server);
            pipe.peer_name = Some(its_name.clone());
            let pipe = parts.pipe(server)?;
            pipe.peer = Some(client);
            pipe.name = Some(its_name);
            if let SocketBody::UnixListener(there) = &mut parts.sockets.get(listener)?.body {
                there.queue.push_back(server);
            }
            (client, listener)
        };
        self.tell(listener);
        Ok(client)
    }

    /// Accepts a connection; its client has no name.
    pub(crate) fn unix_accept(&self, id: SocketId) -> Answer<SocketId> {
        self.interrupt(id)?;
        let parts = &mut *self.parts.borrow_mut();
        match &mut parts.sockets.get(id)?.body {
            SocketBody::UnixListener(listener) => {
                listener.queue.pop_front().ok_or(CallError::WouldBlock)
            }
            _ => Err(CallError::Invalid),
        }
    }

    /// Sends bytes, with descriptors along.
    pub(crate) fn unix_send(
        &self,
        id: SocketId,
        bytes: Vec<u8>,
        along: Option<Along>,
    ) -> Answer<usize> {
        self.interrupt(id)?;
        let room = self.parts.borrow_mut().pipe(id)?.room_for(bytes.len())?;
        let len = match along {
            Some(_) => room, // a few bytes that carry descriptors
            None => self.shortened(id, room),
        };
        let peer = {
            let parts = &mut *self.parts.borrow_mut();
            let peer = parts.pipe(id)?.peer.ok_or(CallError::NotConnected)?;
            let mut bytes = bytes;
            bytes.truncate(len);
            let there = parts.pipe(peer).map_err(|_| CallError::BrokenPipe)?;
            there.arrive(bytes, along)?;
            parts.pipe(id)?.sends(len, len < room);
            peer
        };
        self.tell(peer);
        if len < room {
            self.tell(id); // it was cut short by a fault: there is room
        }
        Ok(len)
    }

    pub(crate) fn unix_receive(
        &self,
        id: SocketId,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Answer<UnixReceived> {
        self.interrupt(id)?;
        let parts = &mut *self.parts.borrow_mut();
        let pipe = parts.pipe(id)?;
        let (received, cost) = pipe.receive(buffers)?;
        if let Some(peer) = pipe.peer
            && parts.pipe(peer).is_ok_and(|peer| peer.gain_room(cost))
        {
            parts.tell(peer);
        }
        Ok(received)
    }

    /// A socket for datagrams.
    pub(crate) fn unix_datagram(
        &self,
        host: HostNumber,
        name: Option<UnixName>,
    ) -> Answer<SocketId> {
        let id = {
            let parts = &mut *self.parts.borrow_mut();
            let mut mailbox = UnixMailbox::default();
            mailbox.name.clone_from(&name);
            let id = parts.add_unix(host, SocketBody::UnixDatagram(mailbox));
            if let Some(name) = name {
                parts.give_name(id, host, &name)?;
            }
            id
        };
        self.check_descriptors(id)
    }

    pub(crate) fn unix_datagram_pair(&self, host: HostNumber) -> Answer<(SocketId, SocketId)> {
        let one = self.unix_datagram(host, None)?;
        let other = self.unix_datagram(host, None)?;
        let parts = &mut *self.parts.borrow_mut();
        parts.mailbox(one)?.peer = Some(other);
        parts.mailbox(other)?.peer = Some(one);
        Ok((one, other))
    }

    pub(crate) fn unix_datagram_connect(&self, id: SocketId, name: &UnixName) -> Answer<()> {
        let parts = &mut *self.parts.borrow_mut();
        let host = parts.sockets.get(id)?.host;
        let there = parts.receiver(host, name)?;
        let their_peer = parts.mailbox(there)?.peer;
        if their_peer.is_some_and(|peer| peer != id) {
            return Err(CallError::NotPermitted);
        }
        parts.mailbox(id)?.peer = Some(there);
        Ok(())
    }

    /// Sends a datagram, to the socket's peer if no name is given.
    pub(crate) fn unix_send_datagram(
        &self,
        id: SocketId,
        bytes: &[u8],
        along: Option<Along>,
        to: Option<&UnixName>,
    ) -> Answer<usize> {
        self.interrupt(id)?;
        let there = self.parts.borrow_mut().send_letter(id, bytes, along, to)?;
        self.tell(there);
        Ok(bytes.len())
    }

    pub(crate) fn unix_receive_datagram(
        &self,
        id: SocketId,
        buffer: &mut [u8],
    ) -> Answer<UnixReceived> {
        self.interrupt(id)?;
        let parts = &mut *self.parts.borrow_mut();
        let received = parts.mailbox(id)?.receive(buffer)?;
        for sender in parts.blocked_at(id) {
            parts.tell(sender);
        }
        Ok(received)
    }

    /// Whether a socket was shut down for receiving.
    pub(crate) fn is_read_shut(&self, id: SocketId) -> bool {
        let parts = &mut *self.parts.borrow_mut();
        parts
            .mailbox(id)
            .is_ok_and(|mailbox| mailbox.is_read_shut())
    }

    /// Shuts down directions, also at the other end of a connection.
    pub(crate) fn unix_shut(&self, id: SocketId, read: bool, write: bool) -> Answer<()> {
        let peer = {
            let parts = &mut *self.parts.borrow_mut();
            match &mut parts.sockets.get(id)?.body {
                SocketBody::Unix(pipe) => {
                    pipe.shut(read, write);
                    let peer = pipe.peer;
                    if let Some(Ok(pipe)) = peer.map(|peer| parts.pipe(peer)) {
                        pipe.shut(write, read);
                    }
                    peer
                }
                SocketBody::UnixDatagram(mailbox) => {
                    mailbox.shut(read, write);
                    None
                }
                _ => return Err(CallError::NotSupported),
            }
        };
        self.tell(id);
        if let Some(peer) = peer {
            self.tell(peer);
        }
        Ok(())
    }

    /// The name of a socket, and that of its peer.
    pub(crate) fn unix_names(&self, id: SocketId) -> Answer<(Option<UnixName>, Option<UnixName>)> {
        let parts = &mut *self.parts.borrow_mut();
        let peer = match &parts.sockets.get(id)?.body {
            SocketBody::Unix(pipe) => return Ok((pipe.name.clone(), pipe.peer_name.clone())),
            SocketBody::UnixListener(listener) => return Ok((Some(listener.name.clone()), None)),
            SocketBody::UnixDatagram(mailbox) => mailbox.peer,
            _ => return Err(CallError::Invalid),
        };
        let own = parts.mailbox(id)?.name.clone();
        let theirs = peer.and_then(|peer| parts.mailbox(peer).ok()?.name.clone());
        Ok((own, theirs))
    }

    /// Whether a socket is connected.
    pub(crate) fn has_unix_peer(&self, id: SocketId) -> bool {
        let parts = &mut *self.parts.borrow_mut();
        match parts.sockets.get(id).map(|socket| &socket.body) {
            Ok(SocketBody::Unix(pipe)) => pipe.peer.is_some(),
            Ok(SocketBody::UnixDatagram(mailbox)) => mailbox.peer.is_some(),
            _ => false,
        }
    }

    /// Whether a socket has this name.
    pub(crate) fn has_unix_name(&self, host: HostNumber, name: &UnixName) -> bool {
        self.parts.borrow().named(host, name).is_some()
    }

    pub(super) fn close_unix(&self, id: SocketId, _abort: bool) {
        let closed = {
            let parts = &mut *self.parts.borrow_mut();
            parts.unix_names.retain(|_, named| *named != id);
            parts.sockets.remove(id)
        };
        match closed.map(|socket| socket.body) {
            Some(SocketBody::Unix(pipe)) => self.lose_unix_peer(pipe.peer, pipe.has_unread()),
            Some(SocketBody::UnixListener(listener)) => {
                for server in listener.queue {
                    let server = self.parts.borrow_mut().sockets.remove(server);
                    if let Some(SocketBody::Unix(pipe)) = server.map(|socket| socket.body) {
                        self.lose_unix_peer(pipe.peer, true);
                    }
                }
            }
            Some(SocketBody::UnixDatagram(_)) => {
                let blocked = self.parts.borrow_mut().blocked_at(id);
                blocked.into_iter().for_each(|sender| self.tell(sender));
            }
            _ => {}
        }
    }

    fn lose_unix_peer(&self, peer: Option<SocketId>, is_reset: bool) {
        let Some(peer) = peer else {
            return;
        };
        if let Ok(pipe) = self.parts.borrow_mut().pipe(peer) {
            pipe.lose_peer(is_reset);
        }
        self.tell(peer);
    }
}

impl Parts {
    fn add_unix(&mut self, host: HostNumber, body: SocketBody) -> SocketId {
        let beginning = Series::named(&self.hosts.name(host)).and(UNIX);
        let series = self.name_series(beginning);
        self.sockets.add(host, series, body)
    }

    fn pipe(&mut self, id: SocketId) -> Answer<&mut UnixPipe> {
        match &mut self.sockets.get(id)?.body {
            SocketBody::Unix(pipe) => Ok(pipe),
            _ => Err(CallError::Invalid),
        }
    }

    fn mailbox(&mut self, id: SocketId) -> Answer<&mut UnixMailbox> {
        match &mut self.sockets.get(id)?.body {
            SocketBody::UnixDatagram(mailbox) => Ok(mailbox),
            _ => Err(CallError::Invalid),
        }
    }

    /// A path is one for all hosts; an abstract name belongs to its host.
    fn key(host: HostNumber, name: &UnixName) -> (Option<HostNumber>, Rc<[u8]>) {
        (name.is_abstract().then_some(host), name.key.clone())
    }

    fn named(&self, host: HostNumber, name: &UnixName) -> Option<SocketId> {
        self.unix_names.get(&Self::key(host, name)).copied()
    }

    fn give_name(&mut self, id: SocketId, host: HostNumber, name: &UnixName) -> Answer<()> {
        if self.named(host, name).is_some() {
            self.sockets.remove(id);
            return Err(CallError::AddressInUse);
        }
        self.unix_names.insert(Self::key(host, name), id);
        Ok(())
    }

    /// The socket for datagrams with this name.
    fn receiver(&mut self, host: HostNumber, name: &UnixName) -> Answer<SocketId> {
        let there = self.named(host, name).ok_or(CallError::Refused)?;
        match self.mailbox(there) {
            Ok(_) => Ok(there),
            Err(_) => Err(CallError::WrongType),
        }
    }

    fn send_letter(
        &mut self,
        id: SocketId,
        bytes: &[u8],
        along: Option<Along>,
        to: Option<&UnixName>,
    ) -> Answer<SocketId> {
        let host = self.sockets.get(id)?.host;
        let peer = self.mailbox(id)?.peer;
        if bytes.len() > LETTER_MAX {
            return Err(CallError::MessageTooLong);
        }
        let there = match to {
            Some(name) => self.receiver(host, name)?,
            None => peer.ok_or(CallError::NotConnected)?,
        };
        if self.mailbox(there).is_err() {
            self.mailbox(id)?.peer = None; // it is told once
            return Err(CallError::Refused);
        }
        if self.mailbox(id)?.write_shut || self.mailbox(there)?.is_read_shut() {
            return Err(CallError::BrokenPipe);
        }
        let their_peer = self.mailbox(there)?.peer;
        if their_peer.is_some_and(|peer| peer != id) {
            return Err(CallError::NotPermitted);
        }
        if self.mailbox(there)?.is_full() {
            self.mailbox(id)?.is_blocked = peer == Some(there);
            return Err(CallError::WouldBlock);
        }
        let from = self.mailbox(id)?.name.clone();
        self.mailbox(there)?.arrive(from, bytes, along);
        Ok(there)
    }

    /// The sockets that found the queue of this one full; they are blocked no more.
    fn blocked_at(&mut self, id: SocketId) -> Vec<SocketId> {
        let mut found = Vec::new();
        for (sender, socket) in self.sockets.iter_mut() {
            if let SocketBody::UnixDatagram(mailbox) = &mut socket.body
                && mailbox.is_blocked
                && mailbox.peer == Some(id)
            {
                mailbox.is_blocked = false;
                found.push(sender);
            }
        }
        found
    }
}
