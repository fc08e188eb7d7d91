//! The `Kernel`: a simulated kernel for the hosts of a simulation, with the network between them.
//!
//! It stands under the sockets of this crate in place of the operating system: it answers their
//! calls as the kernel does, and gives the events that a poller would. It has no clock: it is told
//! the time, and tells when its next event is. All above it is the code that runs on a real system.
//!
//! Its promise to the loop is that of an edge-triggered poller. There is an event after each change,
//! and it tells all that holds at its time. A transfer that was short of the bytes asked for is
//! followed by an event as soon as more can be transferred. So a fault never just shortens a
//! transfer: a short write closes the window, and opens it again with an event; a short read comes
//! from bytes that arrive in pieces, each with an event.
//!
//! RuleList are foreign code: they are called with nothing borrowed, and may do everything, such as
//! kill the host whose packet they judge. So each operation looks its sockets up again afterwards.
//!
//! Not modelled: congestion, the size of packets, Nagle's algorithm, keep-alive, `TIME_WAIT`,
//! urgent data.

#![cfg_attr(
    not(unix),
    allow(dead_code, reason = "nothing makes a Unix socket there")
)]

mod call_error;
mod connecting;
mod datagrams;
mod faults;
mod hosts;
mod network;
mod rules;
mod sockets;
mod tcp;
mod tcp_end;
#[cfg(test)]
mod tests;
mod timeline;
mod udp;
mod unix;
mod unix_end;

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use core::net::{IpAddr, SocketAddr};

pub(crate) use call_error::{Answer, CallError};
pub use faults::Faults;
pub(crate) use hosts::HostNumber;
pub use rules::{Packet, PacketKind, Verdict};
#[cfg(unix)]
pub(crate) use unix_end::{Along, UnixName, UnixReceived};

use crate::choices::{ChoiceKind, Choices, Series};
use crate::world::{Readiness, SimulatedWorld};
use hosts::Hosts;
use rules::RuleList;
use sockets::{SocketBody, Sockets};
use tcp_end::Segment;
use timeline::Timeline;

/// The number of a simulated socket. None is used twice.
pub(crate) type SocketId = u64;

/// An error or a hang-up is an event for both directions.
const BROKEN: Readiness = Readiness {
    read: true,
    write: true,
    read_closed: true,
    write_closed: true,
};

/// The time that a packet takes within one host: as on Linux, it has arrived when the call that sent
/// it returns.
const LOOPBACK: u64 = 0;

/// The time that a packet takes between hosts, unless it is set.
const LATENCY: u64 = 1_000_000;

pub(crate) struct Kernel {
    choices: Rc<Choices>,
    now: Cell<u64>,
    parts: RefCell<Parts>,
    rules: RuleList,
    faults: Cell<Faults>,
    latency: Cell<u64>,
    jitter: Cell<u64>,
}

struct Parts {
    hosts: Hosts,
    sockets: Sockets,
    timeline: Timeline<Event>,
    events: VecDeque<Pending>,
    /// How many connections, or sockets, have had the same beginning of a name.
    named: BTreeMap<Series, u64>,
    /// The Unix sockets that can be found by a name. A path is one for all hosts, as files are.
    unix_names: BTreeMap<(Option<HostNumber>, Rc<[u8]>), SocketId>,
}

/// An event that the loop has not taken yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pending {
    /// It tells all that holds when it is taken.
    Of(SocketId),
    /// It tells of readiness that may not be there.
    Spurious(SocketId),
}

/// Something that is under way.
enum Event {
    Arrive {
        to: SocketId,
        from: SocketId,
        segment: Segment,
    },
    SendAgain(SocketId),
    Connect {
        from: SocketId,
        attempt: u32,
    },
    ConnectArrives {
        from: SocketId,
        attempt: u32,
    },
    Accepted {
        client: SocketId,
        server: SocketId,
        listener: SocketId,
    },
    Established {
        server: SocketId,
        listener: SocketId,
    },
    Fails(SocketId, CallError),
    Room {
        to: SocketId,
        len: usize,
    },
    Datagram {
        from: SocketAddr,
        to: SocketAddr,
        sender: SocketId,
        host: HostNumber,
        bytes: Rc<[u8]>,
    },
    Tell(Pending),
}

impl Kernel {
    /// A machine with one host, which has this name.
    pub(crate) fn new(choices: Rc<Choices>, first: &str) -> Rc<Self> {
        let machine = Kernel {
            choices,
            now: Cell::new(0),
            parts: RefCell::new(Parts {
                hosts: Hosts::default(),
                sockets: Sockets::default(),
                timeline: Timeline::new(),
                events: VecDeque::new(),
                named: BTreeMap::new(),
                unix_names: BTreeMap::new(),
            }),
            rules: RuleList::default(),
            faults: Cell::default(),
            latency: Cell::new(LATENCY),
            jitter: Cell::new(0),
        };
        machine.add_host(first);
        Rc::new(machine)
    }

    /// Adds a host; `None` if another has its name.
    pub(crate) fn add_host(&self, name: &str) -> Option<HostNumber> {
        self.parts.borrow_mut().hosts.add(name)
    }

    pub(crate) fn ip(&self, host: HostNumber) -> IpAddr {
        self.parts.borrow().hosts.ip(host)
    }

    pub(crate) fn host_name(&self, host: HostNumber) -> Rc<str> {
        self.parts.borrow().hosts.name(host)
    }

    /// The address of the host with this name.
    pub(crate) fn resolve(&self, name: &str) -> Option<IpAddr> {
        let parts = self.parts.borrow();
        Some(parts.hosts.ip(parts.hosts.named(name)?))
    }

    pub(crate) fn is_up(&self, host: HostNumber) -> bool {
        self.parts.borrow().hosts.is_up(host)
    }

    pub(crate) fn start_host(&self, host: HostNumber) {
        self.parts.borrow_mut().hosts.set_up(host, true);
    }

    /// Takes all sockets from a host's program, as the end of a process does: the peers get an end,
    /// or a reset if something was unread.
    pub(crate) fn kill(&self, host: HostNumber) {
        let sockets = self.parts.borrow().sockets.of_host(host);
        for id in sockets {
            self.close(id, false);
        }
    }

    /// The host is off from now on: its sockets are gone, and no peer hears of it.
    pub(crate) fn power_off(&self, host: HostNumber) {
        let parts = &mut *self.parts.borrow_mut();
        parts.hosts.set_up(host, false);
        for id in parts.sockets.of_host(host) {
            let _ = parts.sockets.remove(id);
        }
        parts
            .unix_names
            .retain(|_, id| parts.sockets.get(*id).is_ok());
    }

    /// Sets the time that a packet takes between two hosts: at least `least`, at most `jitter` more.
    pub(crate) fn set_latency(&self, least: u64, jitter: u64) {
        self.latency.set(least);
        self.jitter.set(jitter);
    }

    pub(crate) fn set_faults(&self, faults: Faults) {
        self.faults.set(faults);
    }

    /// Adds a rule; gives the number by which it is removed.
    pub(crate) fn add_rule(&self, rule: Rc<dyn Fn(&Packet<'_>) -> Verdict>) -> u64 {
        self.rules.add(rule)
    }

    pub(crate) fn remove_rule(&self, rule: u64) {
        self.rules.remove(rule);
    }

    /// Has the loop told of a socket from now on, or no more. What holds already is an event.
    pub(crate) fn register(&self, id: SocketId, token: Option<usize>) {
        let registered = self
            .parts
            .borrow_mut()
            .sockets
            .get(id)
            .map(|it| it.token = token);
        if registered.is_ok() && token.is_some() {
            self.tell(id);
        }
    }

    /// Closes a socket; the peer of one that aborts gets a reset.
    pub(crate) fn close(&self, id: SocketId, abort: bool) {
        let close: fn(&Self, SocketId, bool) = {
            let parts = &mut *self.parts.borrow_mut();
            let Ok(socket) = parts.sockets.get(id) else {
                return; // its host was killed
            };
            socket.token = None;
            match &socket.body {
                SocketBody::Tcp(_) => Self::close_tcp,
                SocketBody::TcpListener(_) => Self::close_listener,
                SocketBody::Fresh | SocketBody::Udp(_) => {
                    parts.sockets.remove(id);
                    return;
                }
                SocketBody::Unix(_) | SocketBody::UnixListener(_) | SocketBody::UnixDatagram(_) => {
                    Self::close_unix
                }
            }
        };
        close(self, id, abort);
    }

    fn perform(&self, event: Event) {
        match event {
            Event::Arrive { to, from, segment } => self.arrive(to, from, segment),
            Event::SendAgain(id) => self.send_again(id),
            Event::Connect { from, attempt } => self.send_connect(from, attempt),
            Event::ConnectArrives { from, attempt } => self.connect_arrives(from, attempt),
            Event::Accepted {
                client,
                server,
                listener,
            } => self.accepted(client, server, listener),
            Event::Established { server, listener } => self.established(server, listener),
            Event::Fails(id, failure) => self.fails(id, failure),
            Event::Room { to, len } => self.gain_room(to, len),
            Event::Datagram {
                from,
                to,
                sender,
                host,
                bytes,
            } => self.datagram_arrives(from, to, sender, host, bytes),
            Event::Tell(pending) => self.parts.borrow_mut().events.push_back(pending),
        }
    }

    fn after(&self, delay: u64, event: Event) {
        self.at(self.now.get().saturating_add(delay), event);
    }

    /// Has an event happen at a time; at once, if that is now, and no other is due before it.
    fn at(&self, at: u64, event: Event) {
        let now = self.now.get();
        {
            let parts = &mut *self.parts.borrow_mut();
            let is_first = parts.timeline.first_time().is_none_or(|first| first > now);
            if at > now || !is_first {
                return parts.timeline.enter(at, event);
            }
        }
        self.perform(event);
    }

    /// Has the loop told of all that holds at a socket.
    fn tell(&self, id: SocketId) {
        self.parts.borrow_mut().tell(id);
        let spurious = self.faults.get().spurious_events;
        if self.chance_at(id, spurious) {
            self.after(1_000, Event::Tell(Pending::Spurious(id)));
        }
    }

    /// Whether a fault with this rate happens to a call on this socket.
    fn chance_at(&self, id: SocketId, millionths: u32) -> bool {
        millionths != 0
            && self
                .choices
                .chance(ChoiceKind::Fault, self.series_of(id), millionths)
    }

    /// The decisions on the calls of a socket. Its number is a matter of the order in which programs
    /// made their sockets, so a connection has a name instead.
    fn series_of(&self, id: SocketId) -> Series {
        let parts = &mut *self.parts.borrow_mut();
        match parts.sockets.get(id) {
            Ok(socket) => socket.series,
            Err(_) => Series::default(),
        }
    }

    fn interrupt(&self, id: SocketId) -> Answer<()> {
        match self.chance_at(id, self.faults.get().interrupted) {
            true => Err(CallError::Interrupted),
            false => Ok(()),
        }
    }
}

impl Parts {
    fn tell(&mut self, id: SocketId) {
        let pending = Pending::Of(id);
        if !self.events.contains(&pending) {
            self.events.push_back(pending);
        }
    }

    /// A stream of decisions for one more socket whose name begins so.
    fn name_series(&mut self, beginning: Series) -> Series {
        let before = self.named.entry(beginning).or_default();
        *before += 1;
        beginning.and(*before)
    }
}

impl SimulatedWorld for Kernel {
    fn next_event(&self) -> Option<u64> {
        let parts = self.parts.borrow();
        match parts.events.is_empty() {
            true => parts.timeline.first_time(),
            false => Some(self.now.get()),
        }
    }

    fn advance(&self, now: u64) {
        self.now.set(now);
        loop {
            let due = self.parts.borrow_mut().timeline.take_due(now);
            match due {
                Some(event) => self.perform(event),
                None => return,
            }
        }
    }

    fn take_ready(&self) -> Option<(usize, Readiness)> {
        let parts = &mut *self.parts.borrow_mut();
        loop {
            let pending = parts.events.pop_front()?;
            let (Pending::Of(id) | Pending::Spurious(id)) = pending;
            let Ok(socket) = parts.sockets.get(id) else {
                continue;
            };
            let readiness = match pending {
                Pending::Of(_) => socket.readiness(),
                Pending::Spurious(_) => Readiness {
                    read: true,
                    write: true,
                    ..Readiness::default()
                },
            };
            let is_event = readiness.read || readiness.write;
            if let Some(token) = socket.token.filter(|_| is_event) {
                return Some((token, readiness));
            }
        }
    }

    fn into_any(self: Rc<Self>) -> Rc<dyn Any> {
        self
    }
}
