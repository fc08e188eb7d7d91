//! The network: which way a `Route` takes, how long a packet needs, and the judgement of the rules.

use std::rc::Rc;
use std::time::Duration;

use core::net::SocketAddr;

use super::call_error::Answer;
use super::hosts::HostNumber;
use super::rules::{Packet, PacketKind, Verdict};
use super::{Kernel, LOOPBACK, SocketId};
use crate::choices::{Series, TraceEvent};

/// From where a packet comes, and where it goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route {
    pub(super) from: HostNumber,
    /// The host at the target address, if there is one.
    pub(super) to: Option<HostNumber>,
    pub(super) source: SocketAddr,
    pub(super) target: SocketAddr,
    pub(super) series: Series,
}

/// What the network does with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fate {
    /// The time until it arrives, without that which its bytes take; `None` if it is lost.
    pub(super) delay: Option<u64>,
    /// The nanoseconds that each byte takes.
    pub(super) each: u64,
    pub(super) twice: bool,
    /// After this number of bytes both ends see a reset.
    pub(super) reset_after: Option<usize>,
}

impl Kernel {
    /// The way from an end of a TCP connection to its peer.
    pub(super) fn route(&self, id: SocketId) -> Answer<Route> {
        let parts = &mut *self.parts.borrow_mut();
        let target = parts.sockets.tcp(id)?.peer_address;
        let socket = parts.sockets.get(id)?;
        let (from, series) = (socket.host, socket.series);
        let source = socket.local.expect("a connection has an address");
        Ok(Route {
            from,
            to: parts.hosts.at(target.ip(), from),
            source,
            target,
            series,
        })
    }

    /// Has the rules judge a packet, and draws its delay. Nothing may be borrowed.
    pub(super) fn send_packet(
        &self,
        route: Route,
        kind: PacketKind,
        bytes: &[u8],
        offset: u64,
    ) -> Fate {
        let is_up = {
            let parts = self.parts.borrow();
            route.to.is_some_and(|to| parts.hosts.is_up(to)) && parts.hosts.is_up(route.from)
        };
        let series = self.series_of_packet(route, kind, bytes, offset);
        let verdict = match is_up {
            true => self.judge(route, series, kind, bytes, offset),
            false => Verdict::Drop,
        };
        let mut fate = Fate {
            delay: Some(self.latency_of(route, series)),
            each: 0,
            twice: verdict == Verdict::Duplicate,
            reset_after: None,
        };
        match verdict {
            Verdict::Drop => fate.delay = None,
            Verdict::Delay(by) => fate.delay = fate.delay.map(|delay| delay + nanos(by)),
            Verdict::Slow { bytes_a_second } => fate.each = 1_000_000_000 / bytes_a_second.max(1),
            Verdict::ResetAfter(bytes) => fate.reset_after = Some(bytes),
            Verdict::Pass | Verdict::Duplicate => {}
        }
        self.trace(route, kind, bytes.len(), verdict, fate);
        fate
    }

    /// The decisions on one packet. They depend on its content, and on how often the same was sent
    /// before: so a packet less moves the decisions on no other.
    fn series_of_packet(
        &self,
        route: Route,
        kind: PacketKind,
        bytes: &[u8],
        offset: u64,
    ) -> Series {
        let series = route.series.and(kind as u64);
        let series = match kind {
            PacketKind::Datagram => {
                let parts = bytes.chunks(8).map(|part| {
                    let start = u64::from(part.len() as u8);
                    part.iter()
                        .fold(start, |sum, byte| sum << 8 | u64::from(*byte))
                });
                parts.fold(series, Series::and)
            }
            _ => series.and(offset),
        };
        self.parts.borrow_mut().name_series(series)
    }

    fn judge(
        &self,
        route: Route,
        series: Series,
        kind: PacketKind,
        bytes: &[u8],
        offset: u64,
    ) -> Verdict {
        if self.rules.is_empty() {
            return Verdict::Pass;
        }
        let from = self.host_name(route.from);
        let to = route.to.map(|to| self.host_name(to));
        let packet = Packet {
            from: &from,
            to: to.as_deref().unwrap_or(""),
            source: route.source,
            target: route.target,
            kind,
            bytes,
            offset,
        };
        self.choices.within(series, || self.rules.judge(&packet))
    }

    fn latency_of(&self, route: Route, series: Series) -> u64 {
        if route.to == Some(route.from) {
            return LOOPBACK;
        }
        self.latency.get() + self.choices.delay(series, self.jitter.get())
    }

    /// The least time that news take on the way back, such as an acknowledgement.
    pub(super) fn way_back(&self, route: Route) -> u64 {
        match route.to == Some(route.from) {
            true => LOOPBACK,
            false => self.latency.get(),
        }
    }

    fn trace(&self, route: Route, kind: PacketKind, len: usize, verdict: Verdict, fate: Fate) {
        if route.to == Some(route.from) && verdict == Verdict::Pass {
            return; // a chart of hosts has no place for it
        }
        let now = self.now.get();
        self.choices.trace(now, || {
            let mut label = match len {
                0 => format!("{kind:?}"),
                1 => format!("{kind:?} of 1 byte"),
                len => format!("{kind:?} of {len} bytes"),
            };
            if verdict != Verdict::Pass {
                label += &format!(": {verdict:?}");
            }
            let to = route.to.map(|to| self.host_name(to));
            TraceEvent::Message {
                from: self.host_name(route.from),
                to: to.unwrap_or_else(|| Rc::from(route.target.to_string())),
                label,
                arrives: fate.delay.map(|delay| now + delay + fate.each * len as u64),
            }
        });
    }
}

pub(super) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos())
        .unwrap_or(u64::MAX / 4)
        .min(u64::MAX / 4)
}
