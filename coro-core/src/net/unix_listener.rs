//! The listener that accepts connections by Unix sockets.

use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::SocketAddr;
use std::path::Path;

use futures::stream::{self, FusedStream};

use super::UnixStream;
use super::datagram::or_end;
use super::macros::{descriptor_of_ready, from_and_into_std};
use super::pause::Pause;
use crate::event_loop::LoopHandle;
use crate::sys::{self, Sock};
use crate::wait::ready::RegisteredIo;

/// A Unix socket that accepts connections. Dropping it closes it, and leaves its file. Unix only.
///
/// The file is the address: every user with write access to the file may connect, so check its
/// permissions and those of its folder. The file stays when the socket is closed. Binding fails if
/// there is a file at the path. If no socket listens there any more, the error says so, and the
/// remedy is to remove the file first:
///
/// ```
/// use coro::net::{UnixListener, UnixStream};
/// use std::{fs, io};
///
/// /// Binds at a path that is ours alone, so that a file there is of an earlier run.
/// fn bind(path: &std::path::Path) -> io::Result<UnixListener> {
///     match fs::remove_file(path) {
///         Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
///         _ => UnixListener::bind(path),
///     }
/// }
///
/// coro::run(async {
///     let path = std::env::temp_dir().join(format!("coro-{}.socket", std::process::id()));
///     let listener = bind(&path)?;
///     let client = UnixStream::connect(&path).await?;
///     let (server, _) = listener.accept().await?;
///     # let _ = (client, server);
///     fs::remove_file(&path)
/// })
/// # .unwrap();
/// ```
pub struct UnixListener {
    ready: RegisteredIo<Sock<mio::net::UnixListener>>,
    pause: Pause,
}

impl UnixListener {
    /// Listens at a path, and makes a file there.
    ///
    /// # Errors
    ///
    /// `AddrInUse` if there is a file; if it is left over from a socket that no longer listens, the
    /// error says so. `InvalidInput` if the path is longer than such an address can be, about a
    /// hundred bytes.
    ///
    /// # Panics
    ///
    /// Outside of a loop.
    #[track_caller]
    pub fn bind(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::bind_addr(&SocketAddr::from_pathname(path)?)
    }

    /// Listens at an address, such as an abstract name, which needs no file
    /// (`std::os::linux::net::SocketAddrExt`).
    ///
    /// # Errors
    ///
    /// As for [`bind`](Self::bind).
    ///
    /// # Panics
    ///
    /// Outside of a loop.
    #[track_caller]
    #[inline]
    pub fn bind_addr(address: &SocketAddr) -> io::Result<Self> {
        let bound = match LoopHandle::simulated_host() {
            None => mio::net::UnixListener::bind_addr(address).map(Sock::from),
            #[cfg(feature = "simulation")]
            Some(host) => host.listen_unix(address),
        };
        match bound {
            Err(error)
                if error.kind() == io::ErrorKind::AddrInUse
                    && address.as_pathname().is_some_and(is_left_over) =>
            {
                Err(sys::explain_leftover(error))
            }
            bound => Self::new(bound?),
        }
    }

    #[track_caller]
    #[inline]
    fn new(io: Sock<mio::net::UnixListener>) -> io::Result<Self> {
        Ok(UnixListener {
            ready: RegisteredIo::new(io)?,
            pause: Pause::default(),
        })
    }

    /// Waits for a connection. Gives the connection and the address of its other end; most clients
    /// have no address.
    ///
    /// If descriptors run out, or several tasks accept, it behaves as
    /// [`TcpListener::accept`](super::TcpListener::accept). Dropping the wait loses no connection.
    ///
    /// # Errors
    ///
    /// As for [`TcpListener::accept`](super::TcpListener::accept); and if the socket was shut down,
    /// also while this waits.
    #[inline]
    pub async fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        let make = |(io, peer)| Ok((UnixStream::new(io)?, peer));
        let accept = |io: &Sock<mio::net::UnixListener>| {
            or_end(&self.ready, io.accept(), || Err(sys::is_no_listener()))
        };
        self.pause
            .accept(&self.ready, accept, |_| false, make)
            .await
    }

    /// The connections, one after another, as a stream that never ends.
    ///
    /// Its items are the results of [`accept`](Self::accept).
    #[inline]
    pub fn incoming(&self) -> impl FusedStream<Item = io::Result<UnixStream>> {
        stream::unfold(self, |listener| async move {
            Some((listener.accept().await.map(|(stream, _)| stream), listener))
        })
    }

    /// The address that the listener listens at.
    ///
    /// # Errors
    ///
    /// If the system does not give the address.
    #[inline]
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.ready.get().local_addr()
    }
}

/// Whether the file is that of a socket that no longer listens. Other files refuse connections too.
#[inline]
pub(super) fn is_left_over(path: &Path) -> bool {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|it| it.file_type().is_socket());
    #[cfg(feature = "simulation")]
    if let Some(host) = LoopHandle::simulated_host() {
        return is_socket && !host.has_unix_socket(path);
    }
    let connected = mio::net::UnixStream::connect(path); // it does not block
    is_socket && connected.is_err_and(|it| it.kind() == io::ErrorKind::ConnectionRefused)
}

from_and_into_std!(
    UnixListener,
    mio::net::UnixListener,
    std::os::unix::net::UnixListener
);
descriptor_of_ready!(UnixListener);
