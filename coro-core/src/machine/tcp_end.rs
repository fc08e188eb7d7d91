//! A `TcpEnd`: the state of one end of a TCP connection, with the answers of the kernel in it.
//!
//! It knows nothing of the network. The rules of Linux that programs depend on are here:
//!
//! - A read gives the bytes that have arrived, also after a reset or a local `shutdown`. Then an end
//!   of the peer's counts for more than an error that came after it.
//! - An error is told once. Afterwards reads give 0, and writes fail with "broken pipe".
//! - An event of an edge-triggered poller reports all that holds at its time.

use std::collections::VecDeque;
use std::io::{IoSlice, IoSliceMut};

use core::net::SocketAddr;

use super::SocketId;
use super::call_error::{Answer, CallError};
use crate::world::Readiness;

/// How many bytes may be under way or unread in one direction.
pub(super) const WINDOW: usize = 212_992;

/// A blocked writer is told of room only when there is this much.
const ROOM_MIN: usize = WINDOW / 3;

/// The first time after which a lost packet is sent again; it doubles, up to the last.
pub(super) const RETRANSMIT_MIN: u64 = 200_000_000;
const RETRANSMIT_MAX: u64 = 120_000_000_000;

/// A packet is sent again as often as this, over 15 minutes. Then the connection is given up.
const RETRANSMITS: u32 = 15;

/// What one end sends to the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    Data(Vec<u8>),
    End,
    Reset,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TcpProgress {
    Connecting,
    Open,
    /// Reset, refused or given up: nothing moves any more.
    Dead,
}

/// What an arrival leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reaction {
    /// The program may be told.
    Event,
    /// The other end is sent a reset; this end is dead.
    Reset,
    Nothing,
}

pub(super) struct TcpEnd {
    pub(super) peer_address: SocketAddr,
    /// The socket at the other end, as soon as there is one.
    pub(super) peer: Option<SocketId>,
    pub(super) progress: TcpProgress,
    pub(super) error: Option<CallError>,
    inbox: VecDeque<u8>,
    got_end: bool,
    read_shut: bool,
    write_shut: bool,
    /// The program has closed the descriptor. Bytes that it wrote before are still sent.
    closed: bool,
    room: usize,
    wants_room: bool,
    pub(super) unsent: VecDeque<Segment>,
    /// A lost packet is sent again at a time that is set.
    pub(super) is_waiting: bool,
    losses: u32,
    /// When the last packet that was sent arrives: no later one arrives before.
    pub(super) arrives: u64,
    /// How many bytes were sent.
    pub(super) offset: u64,
}

impl TcpEnd {
    pub(super) fn new(peer_address: SocketAddr, progress: TcpProgress) -> Self {
        TcpEnd {
            peer_address,
            peer: None,
            progress,
            error: None,
            inbox: VecDeque::new(),
            got_end: false,
            read_shut: false,
            write_shut: false,
            closed: false,
            room: WINDOW,
            wants_room: false,
            unsent: VecDeque::new(),
            is_waiting: false,
            losses: 0,
            arrives: 0,
            offset: 0,
        }
    }

    pub(super) fn readiness(&self) -> Readiness {
        if self.progress == TcpProgress::Connecting && self.error.is_none() {
            return Readiness::default();
        }
        let read_ended = self.got_end || self.read_shut;
        let broken = self.progress == TcpProgress::Dead
            || self.error.is_some()
            || read_ended && self.write_shut;
        Readiness {
            read: broken || read_ended || !self.inbox.is_empty(),
            read_closed: broken || read_ended,
            write: broken || self.write_shut || self.room >= ROOM_MIN,
            write_closed: broken,
        }
    }

    /// Takes bytes out, or with `peek` copies them.
    pub(super) fn receive(&mut self, buffers: &mut [IoSliceMut<'_>], peek: bool) -> Answer<usize> {
        if !self.inbox.is_empty() {
            let len = copy_out(&self.inbox, buffers);
            if !peek {
                self.inbox.drain(..len);
            }
            return Ok(len);
        }
        if self.got_end {
            return Ok(0);
        }
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        match self.read_shut || self.progress == TcpProgress::Dead {
            true => Ok(0),
            false => Err(CallError::WouldBlock),
        }
    }

    /// Takes as many bytes to send as there is room for, and at most `most`.
    pub(super) fn write(&mut self, slices: &[IoSlice<'_>], most: usize) -> Answer<usize> {
        if self.progress == TcpProgress::Connecting && self.error.is_none() {
            self.wants_room = true;
            return Err(CallError::WouldBlock);
        }
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        if self.write_shut || self.progress == TcpProgress::Dead {
            return Err(CallError::BrokenPipe);
        }
        let total: usize = slices.iter().map(|slice| slice.len()).sum();
        let len = total.min(self.room).min(most);
        self.wants_room = len < total;
        if len == 0 {
            return if total == 0 {
                Ok(0)
            } else {
                Err(CallError::WouldBlock)
            };
        }
        self.room -= len;
        let mut bytes = Vec::with_capacity(len);
        for slice in slices {
            bytes.extend_from_slice(&slice[..slice.len().min(len - bytes.len())]);
        }
        self.unsent.push_back(Segment::Data(bytes));
        Ok(len)
    }

    /// The other end has taken in this many bytes; whether the program is to be told.
    pub(super) fn gain_room(&mut self, len: usize) -> bool {
        self.room += len;
        self.wants_room && self.room >= ROOM_MIN && {
            self.wants_room = false;
            true
        }
    }

    /// How much a write of this many bytes can take.
    pub(super) fn room_for(&self, total: usize) -> usize {
        total.min(self.room)
    }

    /// Shuts down directions; an end is sent unless one was.
    pub(super) fn shut(&mut self, read: bool, write: bool) -> Answer<()> {
        if self.progress != TcpProgress::Open {
            return Err(CallError::NotConnected);
        }
        self.read_shut |= read;
        if write && !self.write_shut {
            self.write_shut = true;
            self.unsent.push_back(Segment::End);
        }
        Ok(())
    }

    /// The program closes the descriptor: whether the other end is sent a reset, at once.
    pub(super) fn close(&mut self, abort: bool) -> bool {
        self.closed = true;
        if self.progress == TcpProgress::Dead {
            return false;
        }
        if abort || !self.inbox.is_empty() {
            self.unsent.clear();
            self.progress = TcpProgress::Dead;
            return true;
        }
        let _ = self.shut(true, true); // fails if it is not open: then there is nothing to end
        false
    }

    /// Whether neither the program nor the network has to do with it any more.
    pub(super) fn is_over(&self) -> bool {
        let ended = self.got_end && self.unsent.is_empty();
        self.closed && (self.progress != TcpProgress::Open || ended)
    }

    pub(super) fn arrive(&mut self, segment: Segment) -> Reaction {
        if self.progress == TcpProgress::Dead {
            let is_reset = segment == Segment::Reset;
            return if is_reset {
                Reaction::Nothing
            } else {
                Reaction::Reset
            };
        }
        match segment {
            // Bytes for a program that has said it reads no more, and sends no more.
            Segment::Data(_) if self.closed || self.read_shut && self.write_shut => {
                self.fail(CallError::Reset);
                Reaction::Reset
            }
            Segment::Data(bytes) => {
                self.inbox.extend(bytes);
                Reaction::Event
            }
            Segment::End => {
                self.got_end = true;
                Reaction::Event
            }
            Segment::Reset => self.be_reset(),
        }
    }

    fn be_reset(&mut self) -> Reaction {
        let both_ended = self.got_end && self.write_shut && self.unsent.is_empty();
        if both_ended {
            return Reaction::Nothing; // the connection is over already
        }
        let only_peer_ended = self.got_end && !self.write_shut;
        self.fail(match only_peer_ended {
            true => CallError::BrokenPipe,
            false => CallError::Reset,
        });
        Reaction::Event
    }

    pub(super) fn fail(&mut self, error: CallError) {
        self.error = Some(error);
        self.progress = TcpProgress::Dead;
        self.unsent.clear();
    }

    /// A packet was lost, and stands at the head of `unsent` again. Gives the time until it is sent
    /// again, or the connection is given up.
    pub(super) fn lose(&mut self) -> u64 {
        let wait = (RETRANSMIT_MIN << self.losses).min(RETRANSMIT_MAX);
        self.losses += 1;
        self.is_waiting = true;
        wait
    }

    /// The time has come to send a packet again; whether the connection fails instead.
    pub(super) fn gives_up(&mut self) -> bool {
        self.is_waiting = false;
        let gives_up = self.losses > RETRANSMITS && self.progress == TcpProgress::Open;
        if gives_up {
            self.fail(CallError::TimedOut);
        }
        gives_up
    }

    /// A packet of this many bytes was sent, and arrives at this time or after those before it;
    /// sending its bytes takes `each` nanoseconds for each. Gives the time of its arrival.
    pub(super) fn pass(&mut self, len: usize, at: u64, each: u64) -> u64 {
        self.losses = 0;
        self.offset += len as u64;
        self.arrives = self.arrives.max(at) + each.saturating_mul(len as u64);
        self.arrives
    }
}

/// Copies bytes from the front into the buffers; gives their number.
pub(super) fn copy_out(inbox: &VecDeque<u8>, buffers: &mut [IoSliceMut<'_>]) -> usize {
    let (mut front, mut back) = inbox.as_slices();
    let mut copied = 0;
    for buffer in buffers {
        let mut at = 0;
        while at < buffer.len() && !(front.is_empty() && back.is_empty()) {
            if front.is_empty() {
                (front, back) = (back, &[]);
            }
            let len = front.len().min(buffer.len() - at);
            buffer[at..at + len].copy_from_slice(&front[..len]);
            front = &front[len..];
            at += len;
        }
        copied += at;
    }
    copied
}
