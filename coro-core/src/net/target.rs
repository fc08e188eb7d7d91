//! Targets of a connection: addresses, or the name of a host.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// A target to connect to: an address, several, or the name of a host with a port.
///
/// Implemented for socket addresses and lists of them, for `(host, port)` and for `"host:port"`.
/// The host is a name or an IP address; in `"host:port"` an IPv6 address stands in brackets. Unlike
/// its namesake in the standard library it resolves no names by itself, as that would block the
/// loop. It cannot be implemented elsewhere: convert to one of these types.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what to connect to",
    label = "give a `SocketAddr`, a `(host, port)` or a `\"host:port\"`"
)]
pub trait ToSocketAddrs: sealed::Sealed {
    #[doc(hidden)]
    fn into_target(self) -> io::Result<Target>;
}

#[doc(hidden)]
#[derive(Debug)]
pub enum Target {
    Addresses(Vec<SocketAddr>),
    Name(String, u16),
}

mod sealed {
    pub trait Sealed {}
}

impl Target {
    /// A target whose host is given separately from its port.
    #[inline]
    pub(super) fn of_host(host: String, port: u16) -> Self {
        let bare = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        let address = match bare {
            Some(bare) => bare.parse().map(IpAddr::V6),
            None => host.parse(),
        };
        match address {
            Ok(ip) => Target::Addresses(vec![SocketAddr::new(ip, port)]),
            Err(_) => Target::Name(host, port),
        }
    }

    #[inline]
    fn of_text(text: &str) -> io::Result<Self> {
        if let Ok(address) = text.parse() {
            return Ok(Target::Addresses(vec![address]));
        }
        let refuse = |why: &str| {
            let message = format!("{text:?} is no \"host:port\": {why}");
            io::Error::new(io::ErrorKind::InvalidInput, message)
        };
        let (host, port) = text
            .rsplit_once(':')
            .ok_or_else(|| refuse("there is no port"))?;
        let port = port
            .parse()
            .map_err(|_| refuse("the port is no number up to 65535"))?;
        if host.contains(':') && !host.starts_with('[') {
            return Err(refuse("an address of version 6 needs brackets"));
        }
        match host {
            "" => Err(refuse("there is no host")),
            host => Ok(Target::of_host(host.to_owned(), port)),
        }
    }
}

/// Implements the trait for types that convert in one expression.
macro_rules! targets {
    ($($Type:ty: $this:ident => $target:expr;)*) => { $(
        impl sealed::Sealed for $Type {}

        impl ToSocketAddrs for $Type {
            #[inline]
            fn into_target(self) -> io::Result<Target> {
                let $this = self;
                $target
            }
        }
    )* };
}

targets! {
    SocketAddr: it => Ok(Target::Addresses(vec![it]));
    SocketAddrV4: it => Ok(Target::Addresses(vec![it.into()]));
    SocketAddrV6: it => Ok(Target::Addresses(vec![it.into()]));
    (IpAddr, u16): it => Ok(Target::Addresses(vec![it.into()]));
    (Ipv4Addr, u16): it => Ok(Target::Addresses(vec![it.into()]));
    (Ipv6Addr, u16): it => Ok(Target::Addresses(vec![it.into()]));
    ([u8; 4], u16): it => Ok(Target::Addresses(vec![it.into()]));
    ([u16; 8], u16): it => Ok(Target::Addresses(vec![it.into()]));
    Vec<SocketAddr>: it => Ok(Target::Addresses(it));
    &[SocketAddr]: it => Ok(Target::Addresses(it.to_vec()));
    (&str, u16): it => Ok(Target::of_host(it.0.to_owned(), it.1));
    (String, u16): it => Ok(Target::of_host(it.0, it.1));
    &str: it => Target::of_text(it);
    String: it => Target::of_text(&it);
    &String: it => Target::of_text(it);
}

impl<const N: usize> sealed::Sealed for [SocketAddr; N] {}

impl<const N: usize> ToSocketAddrs for [SocketAddr; N] {
    fn into_target(self) -> io::Result<Target> {
        Ok(Target::Addresses(self.into()))
    }
}
