//! `Hosts`: names, addresses, ports, power.

use std::rc::Rc;

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The number of a simulated host.
pub(crate) type HostNumber = usize;

/// Linux gives ports from here on to sockets that ask for none.
const PORTS: core::ops::RangeInclusive<u16> = 32768..=60999;

struct OneHost {
    name: Rc<str>,
    ip: IpAddr,
    is_up: bool,
    last_port: u16,
}

#[derive(Default)]
pub(super) struct Hosts(Vec<OneHost>);

impl Hosts {
    /// Adds a host, with the next address of `10.0.0.0/16`; `None` if it has the name of another.
    pub(super) fn add(&mut self, name: &str) -> Option<HostNumber> {
        if self.named(name).is_some() {
            return None;
        }
        let host = self.0.len();
        let [.., high, low] = (host as u32 + 1).to_be_bytes();
        self.0.push(OneHost {
            name: name.into(),
            ip: Ipv4Addr::new(10, 0, high, low).into(),
            is_up: true,
            last_port: *PORTS.end(),
        });
        Some(host)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = HostNumber> + use<> {
        0..self.0.len()
    }

    pub(super) fn named(&self, name: &str) -> Option<HostNumber> {
        self.0.iter().position(|host| &*host.name == name)
    }

    pub(super) fn name(&self, host: HostNumber) -> Rc<str> {
        self.0[host].name.clone()
    }

    pub(super) fn ip(&self, host: HostNumber) -> IpAddr {
        self.0[host].ip
    }

    pub(super) fn is_up(&self, host: HostNumber) -> bool {
        self.0[host].is_up
    }

    pub(super) fn set_up(&mut self, host: HostNumber, is_up: bool) {
        self.0[host].is_up = is_up;
    }

    /// The host at an address, as seen from another; its own, if it is an address of the loopback.
    pub(super) fn at(&self, ip: IpAddr, from: HostNumber) -> Option<HostNumber> {
        if ip.is_loopback() || ip.is_unspecified() {
            return Some(from);
        }
        self.0.iter().position(|host| host.ip == ip)
    }

    /// Whether a socket of the host can have this address.
    pub(super) fn is_own(&self, host: HostNumber, ip: IpAddr) -> bool {
        ip.is_loopback() || ip.is_unspecified() || self.0[host].ip == ip
    }

    /// The address that a host sends from to this one, if its socket has none.
    pub(super) fn source(&self, host: HostNumber, to: IpAddr) -> IpAddr {
        match to.is_loopback() {
            true => to,
            false => self.0[host].ip,
        }
    }

    /// The next port that `is_free`.
    pub(super) fn free_port(
        &mut self,
        host: HostNumber,
        is_free: impl Fn(u16) -> bool,
    ) -> Option<u16> {
        for _ in PORTS {
            let last = self.0[host].last_port;
            let port = if last == *PORTS.end() {
                *PORTS.start()
            } else {
                last + 1
            };
            self.0[host].last_port = port;
            if is_free(port) {
                return Some(port);
            }
        }
        None
    }
}

/// The loopback address of the same family.
pub(super) fn loopback_like(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    }
}

/// An address of the network of the hosts: the sender learns that no host has it.
pub(super) fn is_near(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V4(ip) if ip.octets()[..2] == [10, 0])
}

/// Whether a socket that is bound to `bound` takes traffic for `target`.
pub(super) fn takes(bound: SocketAddr, target: SocketAddr) -> bool {
    let same_family = bound.is_ipv4() == target.is_ipv4();
    let same_ip = bound.ip() == target.ip() || same_family && bound.ip().is_unspecified();
    bound.port() == target.port() && same_ip
}

/// Whether two sockets cannot both be bound.
pub(super) fn conflict(one: SocketAddr, other: SocketAddr) -> bool {
    takes(one, other) || takes(other, one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_count_up_their_addresses_and_own_their_loopback() {
        let mut hosts = Hosts::default();
        let [a, b] = ["a", "b"].map(|name| hosts.add(name).unwrap());
        assert_eq!(hosts.add("a"), None);
        assert_eq!(hosts.ip(b).to_string(), "10.0.0.2");
        assert_eq!(hosts.at(hosts.ip(a), b), Some(a));
        assert_eq!(hosts.at(Ipv4Addr::LOCALHOST.into(), b), Some(b));
        assert_eq!(hosts.at("10.0.0.9".parse().unwrap(), a), None);
    }

    #[test]
    fn ports_are_used_again_only_when_they_are_free() {
        let mut hosts = Hosts::default();
        let host = hosts.add("a").unwrap();
        assert_eq!(hosts.free_port(host, |port| port > 40000), Some(40001));
        assert_eq!(hosts.free_port(host, |_| true), Some(40002));
        assert_eq!(hosts.free_port(host, |_| false), None);
    }
}
