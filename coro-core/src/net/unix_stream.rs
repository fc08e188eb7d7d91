//! A connection by a Unix socket, within the machine.

use std::io::{self, IoSliceMut};
use std::net::Shutdown;
use std::os::unix::net::SocketAddr;
use std::path::Path;
use std::task::{Context, Poll, ready};

use socket2::SockRef;

use super::halves::split;
use super::macros::{
    buffer_sizes, descriptor_of_ready, from_and_into_std, poll_writes, read_by_traits,
    write_by_traits,
};
use super::pause::RetryDelay;
#[cfg(feature = "ancillary")]
use super::unix_rights::descriptor_passing;
use crate::event_loop::{Direction, LoopHandle, WaitId};
use crate::sys::{self, Sock};
use crate::wait::ready::RegisteredIo;

/// A connection by a Unix socket. Dropping it closes it. Unix only.
///
/// It reads, writes and closes as a [`TcpStream`](super::TcpStream) does, and so does a reference to
/// it. Dropping it has the same effect as there. With the feature `ancillary` it also carries
/// descriptors, by [`send_fds`](Self::send_fds) and [`recv_fds`](Self::recv_fds), and a wait to read
/// takes a system call less. Descriptors that arrive at a read of bytes alone are closed.
///
/// ```
/// use coro::net::UnixStream;
/// use std::io::Read;
/// use std::os::fd::AsFd;
///
/// coro::run(async {
///     let (ours, theirs) = UnixStream::pair()?;
///     let file = std::fs::File::open("/dev/zero")?;
///     ours.send_fds(b"!", &[file.as_fd()]).await?;
///
///     let received = theirs.recv_fds(&mut [0; 16], 1).await?;
///     assert_eq!((received.len, received.fds_truncated), (1, false));
///     let mut file = std::fs::File::from(received.fds.into_iter().next().unwrap());
///     file.read_exact(&mut [0; 100])
/// })
/// # .unwrap();
/// ```
pub struct UnixStream {
    ready: RegisteredIo<Sock<mio::net::UnixStream>>,
}

impl UnixStream {
    #[track_caller]
    #[inline]
    pub(super) fn new(io: Sock<mio::net::UnixStream>) -> io::Result<Self> {
        Ok(UnixStream {
            ready: RegisteredIo::new(io)?,
        })
    }

    /// Connects to the socket at a path. Dropping the wait closes the new socket.
    ///
    /// While the listener's queue is full this waits, as a blocking socket does: limit it with
    /// [`timeout`](crate::time::timeout).
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such file; `ConnectionRefused` if there is one but no socket
    /// listens there any more; `InvalidInput` if the path is longer than such an address can be,
    /// about a hundred bytes.
    ///
    /// # Panics
    ///
    /// When polled outside of a loop.
    pub async fn connect(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::connect_addr(&SocketAddr::from_pathname(path)?).await
    }

    /// Connects to the socket at an address, such as an abstract name.
    ///
    /// # Errors
    ///
    /// As for [`connect`](Self::connect).
    ///
    /// # Panics
    ///
    /// When polled outside of a loop.
    #[inline]
    pub async fn connect_addr(address: &SocketAddr) -> io::Result<Self> {
        let mut retry = RetryDelay::default();
        loop {
            let connected = match LoopHandle::simulated_host() {
                None => mio::net::UnixStream::connect_addr(address).map(Sock::from),
                #[cfg(feature = "simulation")]
                Some(host) => host.connect_unix(address),
            };
            match connected {
                Ok(stream) => return Self::connecting(stream).await,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => retry.pause().await,
                Err(error) => return Err(error),
            }
        }
    }

    #[inline]
    async fn connecting(io: Sock<mio::net::UnixStream>) -> io::Result<Self> {
        let stream = Self::new(io)?;
        stream
            .ready
            .io(Direction::Write, Sock::<mio::net::UnixStream>::is_connected)
            .await?;
        Ok(stream)
    }

    /// Two sockets that are connected to each other.
    ///
    /// # Errors
    ///
    /// If the process has no descriptors left.
    ///
    /// # Panics
    ///
    /// Outside of a loop.
    #[track_caller]
    #[inline]
    pub fn pair() -> io::Result<(Self, Self)> {
        let (one, other) = match LoopHandle::simulated_host() {
            None => {
                let (one, other) = mio::net::UnixStream::pair()?;
                (one.into(), other.into())
            }
            #[cfg(feature = "simulation")]
            Some(host) => host.unix_pair()?,
        };
        Ok((Self::new(one)?, Self::new(other)?))
    }

    /// The address of this end; most clients have none.
    ///
    /// # Errors
    ///
    /// If the system does not give the address.
    #[inline]
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.ready.get().local_addr()
    }

    /// The address of the other end.
    ///
    /// # Errors
    ///
    /// If the connection no longer exists.
    #[inline]
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.ready.get().peer_addr()
    }

    /// The credentials of the process at the other end, as of the time when it connected. Linux only:
    /// other systems have them too, but no safe library asks for them. It needs the feature `ancillary`.
    ///
    /// # Errors
    ///
    /// If the system does not give them.
    #[cfg(all(target_os = "linux", feature = "ancillary"))]
    #[cfg_attr(docsrs, doc(cfg(feature = "ancillary")))]
    #[inline]
    pub fn peer_cred(&self) -> io::Result<super::PeerCredentials> {
        super::unix_rights::peer_credentials(self.ready.get())
    }

    /// Shuts down reading, writing or both, also for other tasks that use the connection.
    ///
    /// A connection that the other end has closed already counts as shut down.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    #[inline]
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        match self.ready.get().shutdown(how) {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            other => other,
        }
    }

    /// Reads bytes that have arrived, without waiting.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if no bytes have arrived, as far as the loop
    /// knows; and as for reading.
    #[inline]
    pub fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = |io: &Sock<_>| io.recv_bytes(&mut [IoSliceMut::new(buffer)]);
        Ok(self.ready.try_transfer(Direction::Read, read)?.0)
    }

    /// Writes as much as there is room for, without waiting.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if there is no room, as far as the loop knows; and
    /// as for writing.
    #[inline]
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.ready
            .try_transfer(Direction::Write, |io| sys::send(io, bytes))
    }

    /// Takes the socket's pending error, if there is one. An error is given only once.
    ///
    /// # Errors
    ///
    /// If the system does not give it.
    #[inline]
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.ready.get().take_error()
    }

    #[inline]
    fn end_writing(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }

    #[inline]
    fn socket(&self) -> SockRef<'_> {
        SockRef::from(self.ready.get())
    }

    #[inline]
    fn poll_read(&self, cx: &Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll_read_vectored(cx, &mut [IoSliceMut::new(buffer)])
    }

    /// A read ends at bytes that descriptors were sent with. So a short read that may have met
    /// descriptors need not have taken all bytes, and is not noted: the socket may still be ready.
    #[inline]
    fn poll_read_vectored(
        &self,
        cx: &Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        let len = buffers.iter().map(|buffer| buffer.len()).sum();
        if len == 0 {
            return Poll::Ready(Ok(0));
        }
        let read = |io: &Sock<_>| io.recv_bytes(buffers);
        let polled = self
            .ready
            .poll_io(Direction::Read, WaitId::UNNAMED, cx, read);
        let (read, met_descriptors) = ready!(polled)?;
        if !met_descriptors {
            self.ready.note_transfer(Direction::Read, read, len);
        }
        Poll::Ready(Ok(read))
    }
}

poll_writes!(UnixStream);
read_by_traits!(UnixStream);
write_by_traits!(UnixStream);
split!(UnixStream);
buffer_sizes!(UnixStream);
#[cfg(feature = "ancillary")]
descriptor_passing!(UnixStream);
from_and_into_std!(
    UnixStream,
    mio::net::UnixStream,
    std::os::unix::net::UnixStream
);
descriptor_of_ready!(UnixStream);
