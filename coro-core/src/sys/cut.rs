//! Datagrams that are longer than the buffer: cut, on every system.

use std::io;
use std::net::SocketAddr;

use mio::net::UdpSocket;

#[cfg(not(windows))]
#[inline]
pub(super) fn recv(io: &UdpSocket, buffer: &mut [u8]) -> io::Result<usize> {
    io.recv(buffer)
}

#[cfg(not(windows))]
#[inline]
pub(super) fn peek(io: &UdpSocket, buffer: &mut [u8]) -> io::Result<usize> {
    io.peek(buffer)
}

#[cfg(not(windows))]
#[inline]
pub(super) fn recv_from(io: &UdpSocket, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
    io.recv_from(buffer)
}

#[cfg(not(windows))]
#[inline]
pub(super) fn peek_from(io: &UdpSocket, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
    io.peek_from(buffer)
}

/// The length that fitted, the sender, whether the end was cut off.
#[cfg(all(unix, feature = "ancillary"))]
#[inline]
pub(super) fn recv_datagram(
    io: &UdpSocket,
    buffer: &mut [u8],
) -> io::Result<(usize, SocketAddr, bool)> {
    let (len, from, is_cut) = super::message::recv_datagram(io, buffer)?;
    Ok((len, super::message::ip_sender(from)?, is_cut))
}

/// The length that fitted, the sender, whether the end was cut off.
#[cfg(all(unix, not(feature = "ancillary")))]
#[inline]
pub(super) fn recv_datagram(
    io: &UdpSocket,
    buffer: &mut [u8],
) -> io::Result<(usize, SocketAddr, bool)> {
    told_if_cut(buffer, |longer| io.recv_from(longer))
}

/// Receives into a buffer that is a byte longer. The system cuts a datagram silently, but one that is
/// too long for `buffer` reaches into that byte.
#[cfg(all(unix, not(feature = "ancillary")))]
pub(super) fn told_if_cut<A>(
    buffer: &mut [u8],
    receive: impl FnOnce(&mut [u8]) -> io::Result<(usize, A)>,
) -> io::Result<(usize, A, bool)> {
    let mut longer = vec![0; buffer.len() + 1];
    let (received, from) = receive(&mut longer)?;
    let len = received.min(buffer.len());
    buffer[..len].copy_from_slice(&longer[..len]);
    Ok((len, from, received > len))
}

#[cfg(windows)]
pub(super) use windows::{peek, peek_from, recv, recv_datagram, recv_from};

#[cfg(windows)]
mod windows {
    //! Windows reports a datagram that was cut as an error, and tells the sender only without one. So
    //! a datagram is received whole where its sender is asked for.

    use super::{SocketAddr, UdpSocket, io};

    const WSAEMSGSIZE: i32 = 10040;

    /// No datagram is longer.
    const DATAGRAM_MAX: usize = 1 << 16;

    #[inline]
    pub(in crate::sys) fn recv(io: &UdpSocket, buffer: &mut [u8]) -> io::Result<usize> {
        cut(io.recv(buffer), buffer)
    }

    #[inline]
    pub(in crate::sys) fn peek(io: &UdpSocket, buffer: &mut [u8]) -> io::Result<usize> {
        cut(io.peek(buffer), buffer)
    }

    /// A datagram that was cut has filled the buffer.
    #[inline]
    fn cut(received: io::Result<usize>, buffer: &[u8]) -> io::Result<usize> {
        match received {
            Err(error) if error.raw_os_error() == Some(WSAEMSGSIZE) => Ok(buffer.len()),
            other => other,
        }
    }

    #[inline]
    pub(in crate::sys) fn recv_from(
        io: &UdpSocket,
        buffer: &mut [u8],
    ) -> io::Result<(usize, SocketAddr)> {
        let (len, from, _) = recv_datagram(io, buffer)?;
        Ok((len, from))
    }

    #[inline]
    pub(in crate::sys) fn peek_from(
        io: &UdpSocket,
        buffer: &mut [u8],
    ) -> io::Result<(usize, SocketAddr)> {
        let (len, from, _) = whole(buffer, |buffer| io.peek_from(buffer))?;
        Ok((len, from))
    }

    /// The length that fitted, the sender, whether the end was cut off.
    #[inline]
    pub(in crate::sys) fn recv_datagram(
        io: &UdpSocket,
        buffer: &mut [u8],
    ) -> io::Result<(usize, SocketAddr, bool)> {
        whole(buffer, |buffer| io.recv_from(buffer))
    }

    fn whole(
        buffer: &mut [u8],
        receive: impl FnOnce(&mut [u8]) -> io::Result<(usize, SocketAddr)>,
    ) -> io::Result<(usize, SocketAddr, bool)> {
        if buffer.len() >= DATAGRAM_MAX {
            let (len, from) = receive(buffer)?;
            return Ok((len, from, false));
        }
        let mut whole = vec![0; DATAGRAM_MAX];
        let (received, from) = receive(&mut whole)?;
        let len = received.min(buffer.len());
        buffer[..len].copy_from_slice(&whole[..len]);
        Ok((len, from, received > len))
    }
}
