//! The ends of Unix sockets: a `UnixPipe`, a `UnixMailbox`, the listener's queue.
//!
//! Nothing is under way between them: the bytes that one end sends are at the other at once, as on a
//! real system.

use std::any::Any;
use std::collections::VecDeque;
use std::io::IoSliceMut;
use std::rc::Rc;

use super::SocketId;
use super::call_error::{Answer, CallError};
use super::tcp_end::copy_out;
use crate::world::Readiness;

/// The descriptors that are sent along with bytes. Their type belongs to a higher row.
pub(crate) type Along = Box<dyn Any>;

/// How much one socket may have sent that was not received; each message counts for more than its
/// bytes.
const SENT_MAX: usize = 212_992;
const EACH: usize = 768;

/// How many datagrams wait at one socket, as on Linux.
const LETTERS_MAX: usize = 10;

/// The longest datagram.
pub(super) const LETTER_MAX: usize = SENT_MAX - 32;

/// A name that a Unix socket has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnixName {
    /// Two names with one key are of one socket, as two paths of one file.
    pub(crate) key: Rc<[u8]>,
    /// The name as the program gave it; an abstract one begins with a zero byte.
    pub(crate) shown: Rc<[u8]>,
}

impl UnixName {
    pub(super) fn is_abstract(&self) -> bool {
        self.shown.first() == Some(&0)
    }
}

/// What a receive has got.
pub(crate) struct UnixReceived {
    pub(crate) len: usize,
    pub(crate) along: Option<Along>,
    pub(crate) from: Option<UnixName>,
    /// The rest of the datagram is lost.
    pub(crate) is_cut: bool,
}

/// The connections that wait at a listener.
pub(super) struct UnixListening {
    pub(super) queue: VecDeque<SocketId>,
    pub(super) limit: usize,
    pub(super) name: UnixName,
}

struct UnixBytes {
    bytes: VecDeque<u8>,
    along: Option<Along>,
    cost: usize,
}

/// One end of a connection.
#[derive(Default)]
pub(super) struct UnixPipe {
    pub(super) peer: Option<SocketId>,
    pub(super) name: Option<UnixName>,
    pub(super) peer_name: Option<UnixName>,
    pub(super) error: Option<CallError>,
    inbox: VecDeque<UnixBytes>,
    read_shut: bool,
    write_shut: bool,
    sent: usize,
    wants_room: bool,
}

impl UnixPipe {
    pub(super) fn readiness(&self) -> Readiness {
        let broken = self.error.is_some() || self.read_shut && self.write_shut;
        Readiness {
            read: broken || self.read_shut || !self.inbox.is_empty(),
            read_closed: broken || self.read_shut,
            write: broken || self.has_room(),
            write_closed: broken,
        }
    }

    fn has_room(&self) -> bool {
        self.sent * 4 <= SENT_MAX
    }

    /// The number of bytes, of `total`, that this end can send now.
    pub(super) fn room_for(&mut self, total: usize) -> Answer<usize> {
        if self.write_shut {
            return Err(CallError::BrokenPipe);
        }
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        let room = SENT_MAX.saturating_sub(self.sent + EACH);
        self.wants_room = room < total;
        match (room, total) {
            (0, 1..) => Err(CallError::WouldBlock),
            _ => Ok(total.min(room)),
        }
    }

    /// A message of this end has been taken in by the other end; `is_short`: by a fault, though there was
    /// room for more.
    pub(super) fn sends(&mut self, len: usize, is_short: bool) {
        self.wants_room |= is_short; // there may be too little room for an event at once
        self.sent += len + EACH;
    }

    /// The peer has received; whether the program is to be told.
    pub(super) fn gain_room(&mut self, cost: usize) -> bool {
        self.sent -= cost;
        self.wants_room && self.has_room() && {
            self.wants_room = false;
            true
        }
    }

    pub(super) fn arrive(&mut self, bytes: Vec<u8>, along: Option<Along>) -> Answer<()> {
        if self.read_shut {
            return Err(CallError::BrokenPipe);
        }
        let cost = bytes.len() + EACH;
        self.inbox.push_back(UnixBytes {
            bytes: bytes.into(),
            along,
            cost,
        });
        Ok(())
    }

    /// Takes bytes out. It ends with the message that descriptors were sent along with. Gives the
    /// cost of the messages that are gone as well.
    pub(super) fn receive(
        &mut self,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Answer<(UnixReceived, usize)> {
        let mut received = UnixReceived {
            len: 0,
            along: None,
            from: None,
            is_cut: false,
        };
        if self.inbox.is_empty() {
            if let Some(error) = self.error.take() {
                return Err(error);
            }
            return match self.read_shut {
                true => Ok((received, 0)),
                false => Err(CallError::WouldBlock),
            };
        }
        let mut cost = 0;
        for buffer in buffers {
            let mut at = 0;
            while at < buffer.len() && received.along.is_none() {
                let Some(chunk) = self.inbox.front_mut() else {
                    break;
                };
                let len = copy_out(&chunk.bytes, &mut [IoSliceMut::new(&mut buffer[at..])]);
                chunk.bytes.drain(..len);
                received.along = chunk.along.take();
                at += len;
                if chunk.bytes.is_empty() {
                    cost += chunk.cost;
                    self.inbox.pop_front();
                }
            }
            received.len += at;
        }
        Ok((received, cost))
    }

    pub(super) fn shut(&mut self, read: bool, write: bool) {
        self.read_shut |= read;
        self.write_shut |= write;
    }

    /// The peer has closed; with something unread, if `is_reset`.
    pub(super) fn lose_peer(&mut self, is_reset: bool) {
        self.shut(true, true);
        if is_reset {
            self.error = Some(CallError::Reset);
        }
    }

    pub(super) fn has_unread(&self) -> bool {
        !self.inbox.is_empty()
    }
}

struct Letter {
    from: Option<UnixName>,
    bytes: Vec<u8>,
    along: Option<Along>,
}

/// A socket for datagrams.
#[derive(Default)]
pub(super) struct UnixMailbox {
    pub(super) peer: Option<SocketId>,
    pub(super) name: Option<UnixName>,
    inbox: VecDeque<Letter>,
    read_shut: bool,
    pub(super) write_shut: bool,
    /// The peer's queue was full when this socket last sent to it.
    pub(super) is_blocked: bool,
}

impl UnixMailbox {
    pub(super) fn readiness(&self) -> Readiness {
        let broken = self.read_shut && self.write_shut;
        Readiness {
            read: broken || self.read_shut || !self.inbox.is_empty(),
            read_closed: broken || self.read_shut,
            write: broken || !self.is_blocked,
            write_closed: broken,
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.inbox.len() > LETTERS_MAX
    }

    pub(super) fn is_read_shut(&self) -> bool {
        self.read_shut
    }

    pub(super) fn arrive(&mut self, from: Option<UnixName>, bytes: &[u8], along: Option<Along>) {
        let bytes = bytes.to_vec();
        self.inbox.push_back(Letter { from, bytes, along });
    }

    pub(super) fn receive(&mut self, buffer: &mut [u8]) -> Answer<UnixReceived> {
        let letter = self.inbox.pop_front().ok_or(CallError::WouldBlock)?;
        let len = letter.bytes.len().min(buffer.len());
        buffer[..len].copy_from_slice(&letter.bytes[..len]);
        Ok(UnixReceived {
            len,
            along: letter.along,
            from: letter.from,
            is_cut: letter.bytes.len() > len,
        })
    }

    pub(super) fn shut(&mut self, read: bool, write: bool) {
        self.read_shut |= read;
        self.write_shut |= write;
    }
}
