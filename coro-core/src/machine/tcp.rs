//! How TCP connections carry bytes: `receive`, `send`, `shut`, and the segments under way.

use std::io::{IoSlice, IoSliceMut};

use super::call_error::Answer;
use super::network::{Fate, Route};
use super::rules::PacketKind;
use super::tcp_end::{Reaction, Segment, TcpProgress};
use super::{Event, Kernel, SocketId};
use crate::choices::ChoiceKind;

/// The time between two pieces of bytes that arrive in fragments.
const BETWEEN_FRAGMENTS: u64 = 1_000;

/// The time after which a write that was cut short finds room again.
const SHORT_PAUSE: u64 = 1_000;

impl Kernel {
    /// Takes bytes that have arrived, or copies them.
    pub(crate) fn receive(
        &self,
        id: SocketId,
        buffers: &mut [IoSliceMut<'_>],
        peek: bool,
    ) -> Answer<usize> {
        self.interrupt(id)?;
        let (len, peer) = {
            let parts = &mut *self.parts.borrow_mut();
            let end = parts.sockets.tcp(id)?;
            (end.receive(buffers, peek)?, end.peer)
        };
        if let (Some(to), 1.., false) = (peer, len, peek) {
            let delay = self.way_back(self.route(id)?);
            self.after(delay, Event::Room { to, len });
        }
        Ok(len)
    }

    /// Sends as many of the bytes as there is room for.
    pub(crate) fn send(&self, id: SocketId, slices: &[IoSlice<'_>]) -> Answer<usize> {
        self.interrupt(id)?;
        let total = slices.iter().map(|slice| slice.len()).sum();
        let room = self.parts.borrow_mut().sockets.tcp(id)?.room_for(total);
        let most = self.shortened(id, room);
        let sent = self
            .parts
            .borrow_mut()
            .sockets
            .tcp(id)?
            .write(slices, most)?;
        if sent > 0 && sent < room {
            // There is room, so no peer will announce it.
            self.after(SHORT_PAUSE, Event::Room { to: id, len: 0 });
        }
        self.pump(id);
        Ok(sent)
    }

    /// The number of bytes that a write takes: all, or by a fault some.
    pub(super) fn shortened(&self, id: SocketId, len: usize) -> usize {
        if len < 2 || !self.chance_at(id, self.faults.get().short_writes) {
            return len;
        }
        self.part_of(id, len)
    }

    /// A number of at least 1, and below `len`; the plainest is the greatest.
    fn part_of(&self, id: SocketId, len: usize) -> usize {
        let of = u32::try_from(len - 1).unwrap_or(u32::MAX);
        let less = self
            .choices
            .choose(ChoiceKind::Fault, self.series_of(id), of);
        len - 1 - less as usize
    }

    /// Shuts down directions of a connection.
    pub(crate) fn shut(&self, id: SocketId, read: bool, write: bool) -> Answer<()> {
        self.parts.borrow_mut().sockets.tcp(id)?.shut(read, write)?;
        self.pump(id);
        self.tell(id);
        Ok(())
    }

    pub(super) fn close_tcp(&self, id: SocketId, abort: bool) {
        let resets = {
            let parts = &mut *self.parts.borrow_mut();
            let Ok(end) = parts.sockets.tcp(id) else {
                return;
            };
            let peer = end.peer;
            end.close(abort).then_some(peer).flatten()
        };
        if let (Some(peer), Ok(route)) = (resets, self.route(id)) {
            self.send_reset(id, peer, route);
        }
        self.pump(id);
        self.clear_up(id);
    }

    /// Forgets an end that is over.
    fn clear_up(&self, id: SocketId) {
        let parts = &mut *self.parts.borrow_mut();
        if parts.sockets.tcp(id).is_ok_and(|end| end.is_over()) {
            parts.sockets.remove(id);
        }
    }

    /// Sends a reset, which arrives after all that was sent before. It is not sent again if it is lost.
    fn send_reset(&self, from: SocketId, to: SocketId, route: Route) {
        let fate = self.send_packet(route, PacketKind::Reset, &[], 0);
        let Some(delay) = fate.delay else {
            return;
        };
        let at = self.now.get() + delay;
        let sent = self
            .parts
            .borrow_mut()
            .sockets
            .tcp(from)
            .map(|end| end.arrives);
        let segment = Segment::Reset;
        self.at(
            at.max(sent.unwrap_or(0)),
            Event::Arrive { to, from, segment },
        );
    }

    /// Sends what stands ready to be sent, until a packet is lost.
    fn pump(&self, id: SocketId) {
        while let Some((segment, peer, offset)) = self.next_segment(id) {
            let Ok(route) = self.route(id) else {
                return;
            };
            let (kind, bytes) = match &segment {
                Segment::Data(bytes) => (PacketKind::Data, bytes.as_slice()),
                Segment::End => (PacketKind::End, &[][..]),
                Segment::Reset => (PacketKind::Reset, &[][..]),
            };
            let fate = self.send_packet(route, kind, bytes, offset);
            match fate.delay {
                None => return self.lose(id, segment),
                Some(delay) => self.pass(id, peer, segment, delay, fate),
            }
        }
        self.clear_up(id);
    }

    fn next_segment(&self, id: SocketId) -> Option<(Segment, SocketId, u64)> {
        let parts = &mut *self.parts.borrow_mut();
        let end = parts.sockets.tcp(id).ok()?;
        if end.is_waiting || end.progress != TcpProgress::Open {
            return None;
        }
        let peer = end.peer?;
        Some((end.unsent.pop_front()?, peer, end.offset))
    }

    /// A segment was lost: it is sent again later, before those that follow it.
    fn lose(&self, id: SocketId, segment: Segment) {
        let wait = {
            let parts = &mut *self.parts.borrow_mut();
            let Ok(end) = parts.sockets.tcp(id) else {
                return;
            };
            if end.progress != TcpProgress::Open {
                return;
            }
            end.unsent.push_front(segment);
            if end.is_waiting {
                return;
            }
            end.lose()
        };
        self.after(wait, Event::SendAgain(id));
    }

    pub(super) fn send_again(&self, id: SocketId) {
        let gives_up = {
            let parts = &mut *self.parts.borrow_mut();
            parts.sockets.tcp(id).is_ok_and(|end| end.gives_up())
        };
        match gives_up {
            true => {
                self.tell(id);
                self.clear_up(id);
            }
            false => self.pump(id),
        }
    }

    /// Has a segment arrive, in pieces if a fault says so.
    fn pass(&self, id: SocketId, to: SocketId, segment: Segment, delay: u64, fate: Fate) {
        let Segment::Data(mut bytes) = segment else {
            return self.pass_piece(id, to, segment, 0, delay, fate.each);
        };
        if let Some(most) = fate.reset_after {
            bytes.truncate(most);
        }
        let fragments = self.faults.get().fragments;
        let mut delay = delay;
        while bytes.len() > 1 && self.chance_at(id, fragments) {
            let rest = bytes.split_off(self.part_of(id, bytes.len()));
            let len = bytes.len();
            self.pass_piece(id, to, Segment::Data(bytes), len, delay, fate.each);
            delay += BETWEEN_FRAGMENTS;
            bytes = rest;
        }
        let len = bytes.len();
        if len > 0 {
            self.pass_piece(id, to, Segment::Data(bytes), len, delay, fate.each);
        }
        if fate.reset_after.is_some() {
            let segment = Segment::Reset;
            self.pass_piece(id, to, segment.clone(), 0, delay, 0);
            self.after(
                delay,
                Event::Arrive {
                    to: id,
                    from: to,
                    segment,
                },
            );
        }
    }

    fn pass_piece(
        &self,
        from: SocketId,
        to: SocketId,
        segment: Segment,
        len: usize,
        delay: u64,
        each: u64,
    ) {
        let arrives = {
            let parts = &mut *self.parts.borrow_mut();
            let Ok(end) = parts.sockets.tcp(from) else {
                return;
            };
            end.pass(len, self.now.get() + delay, each)
        };
        self.at(arrives, Event::Arrive { to, from, segment });
    }

    pub(super) fn arrive(&self, to: SocketId, from: SocketId, segment: Segment) {
        let reaction = {
            let parts = &mut *self.parts.borrow_mut();
            parts.sockets.tcp(to).map(|end| end.arrive(segment.clone()))
        };
        match reaction {
            Ok(Reaction::Event) => self.tell(to),
            Ok(Reaction::Nothing) => {}
            Ok(Reaction::Reset) => {
                if let Ok(route) = self.route(to) {
                    self.send_reset(to, from, route);
                }
                self.tell(to);
            }
            Err(_) => self.arrives_nowhere(to, from, segment),
        }
        self.clear_up(to);
    }

    /// There is no such socket any more. A host that is up says so by a reset; for one that is off,
    /// the segment is lost.
    fn arrives_nowhere(&self, to: SocketId, from: SocketId, segment: Segment) {
        if segment == Segment::Reset {
            return;
        }
        let Ok(route) = self.route(from) else {
            return;
        };
        let back = Route {
            from: route.to.unwrap_or(route.from),
            to: Some(route.from),
            source: route.target,
            target: route.source,
            series: route.series.and(1),
        };
        let is_up = route.to.is_some_and(|host| self.is_up(host));
        match is_up {
            true => self.send_reset(to, from, back),
            false => self.lose(from, segment),
        }
    }

    pub(super) fn gain_room(&self, to: SocketId, len: usize) {
        let parts = &mut *self.parts.borrow_mut();
        if parts.sockets.tcp(to).is_ok_and(|end| end.gain_room(len)) {
            parts.tell(to);
        }
    }
}
