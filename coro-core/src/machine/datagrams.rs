//! A `UdpEnd`: a UDP socket, with the datagrams that have arrived and were not received.

use std::collections::VecDeque;

use core::net::{IpAddr, SocketAddr};

use super::call_error::{Answer, CallError};

/// The longest datagram that IP can carry.
pub(super) const DATAGRAM_MAX: usize = 65_507;

/// How many bytes wait for the program at most; the system drops datagrams for which there is no
/// room. Each counts for more than its bytes.
const QUEUE_MAX: usize = 212_992;
const EACH: usize = 768;

#[derive(Default)]
pub(super) struct UdpEnd {
    pub(super) peer: Option<SocketAddr>,
    /// An earlier datagram was refused at the other end.
    pub(super) error: Option<CallError>,
    inbox: VecDeque<(SocketAddr, Vec<u8>)>,
    queued: usize,
    /// The multicast groups that the socket has joined.
    pub(super) groups: Vec<IpAddr>,
}

impl UdpEnd {
    /// Copies the next datagram; gives the length that fitted, its sender, whether its end was cut.
    pub(super) fn receive(
        &mut self,
        buffer: &mut [u8],
        peek: bool,
    ) -> Answer<(usize, SocketAddr, bool)> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        let (from, bytes) = self.inbox.front().ok_or(CallError::WouldBlock)?;
        let (from, len) = (*from, bytes.len());
        let fits = len.min(buffer.len());
        buffer[..fits].copy_from_slice(&bytes[..fits]);
        if !peek {
            self.queued -= len + EACH;
            self.inbox.pop_front();
        }
        Ok((fits, from, len > fits))
    }

    /// Whether there was room for it.
    pub(super) fn arrive(&mut self, from: SocketAddr, bytes: Vec<u8>) -> bool {
        if self.queued + bytes.len() + EACH > QUEUE_MAX {
            return false;
        }
        self.queued += bytes.len() + EACH;
        self.inbox.push_back((from, bytes));
        true
    }

    pub(super) fn has_datagram(&self) -> bool {
        !self.inbox.is_empty()
    }
}
