//! RuleList of the network: a `Packet`, the `Verdict` on it, the list of rules.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use core::net::SocketAddr;

/// The kind of a [`Packet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PacketKind {
    /// The first packet of a TCP connection (`SYN`).
    Connect,
    /// The answer to it (`SYN` and `ACK`).
    Accepted,
    /// Bytes of a TCP connection.
    Data,
    /// The end of one direction of a TCP connection (`FIN`).
    End,
    /// A TCP connection is broken off (`RST`).
    Reset,
    /// A UDP datagram.
    Datagram,
}

/// A packet that a rule judges, before it is sent.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Packet<'a> {
    /// The name of the sending host.
    pub from: &'a str,
    /// The name of the receiving host; empty if there is no host at the address.
    pub to: &'a str,
    /// The sender's address.
    pub source: SocketAddr,
    /// The receiver's address.
    pub target: SocketAddr,
    /// What the packet is.
    pub kind: PacketKind,
    /// The bytes in it. A write becomes one packet, as far as there is room for its bytes.
    pub bytes: &'a [u8],
    /// How many bytes went before on this connection, in this direction.
    pub offset: u64,
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The next rule decides. If none does, the packet arrives after the network's latency.
    Pass,
    /// It is lost. Of a TCP connection, it is sent again, first after 200 ms, and each time after
    /// twice the time; after about 15 minutes the connection fails with
    /// [`TimedOut`](std::io::ErrorKind::TimedOut). A lost datagram stays lost.
    Drop,
    /// It arrives later by this time, and so do those that follow on the same connection.
    /// Datagrams overtake one another.
    Delay(Duration),
    /// The connection carries this number of bytes in a second, or a datagram that of its bytes.
    Slow {
        /// At least one.
        bytes_a_second: u64,
    },
    /// It arrives twice. Only a datagram is noticed to: TCP drops the second.
    Duplicate,
    /// This number of the packet's bytes arrives; then both ends of the connection see a reset. An
    /// attempt to connect is refused. A datagram is lost.
    ResetAfter(usize),
}

type PacketRule = dyn Fn(&Packet<'_>) -> Verdict;

/// The rules, in the order in which they were made.
#[derive(Default)]
pub(super) struct RuleList {
    rules: RefCell<Vec<(u64, Rc<PacketRule>)>>,
    made: Cell<u64>,
}

impl RuleList {
    pub(super) fn add(&self, rule: Rc<PacketRule>) -> u64 {
        self.made.set(self.made.get() + 1);
        self.rules.borrow_mut().push((self.made.get(), rule));
        self.made.get()
    }

    pub(super) fn remove(&self, id: u64) {
        let at = self.rules.borrow().iter().position(|(of, _)| *of == id);
        let removed = at.map(|at| self.rules.borrow_mut().remove(at));
        drop(removed); // foreign code, with nothing borrowed
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rules.borrow().is_empty()
    }

    /// The verdict of the first rule that does not pass the packet. A rule may add and remove
    /// rules: those that were there at the beginning decide.
    pub(super) fn judge(&self, packet: &Packet<'_>) -> Verdict {
        let rules: Vec<Rc<PacketRule>> = self
            .rules
            .borrow()
            .iter()
            .map(|(_, it)| it.clone())
            .collect();
        let mut verdicts = rules.iter().map(|rule| rule(packet));
        verdicts
            .find(|verdict| *verdict != Verdict::Pass)
            .unwrap_or(Verdict::Pass)
    }
}
