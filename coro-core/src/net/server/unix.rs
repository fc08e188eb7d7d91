//! Servers on sockets of the file system.

use std::fs;
use std::io;
use std::iter;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::accept::ByAsyncFn;
use super::{HandlerOutput, Server, ServerBuilder};
use crate::net::listen::Listen;
use crate::net::unix_listener::is_left_over;
use crate::net::{UnixListener, UnixStream};

/// Listens at a path, and has `handler` serve each connection.
///
/// The counterpart of `asyncio.start_unix_server`: as [`start_server`](super::start_server), with a
/// [`UnixStream`] and the address of its other end. Most other ends have no address, so the tasks
/// are called `connection` and their number.
///
/// A socket at the path that a server has left behind when it died is replaced; any other file is
/// not. When the server stops listening it removes the socket's file, unless another has taken its
/// place.
///
/// ```
/// use coro::net::{UnixStream, start_unix_server};
/// use futures::{AsyncReadExt, AsyncWriteExt};
///
/// coro::run(async {
///     let path = std::env::temp_dir().join(format!("coro-doc-{}", std::process::id()));
///     let server = start_unix_server(&path, async |mut stream: UnixStream, _| {
///         stream.write_all(b"hello").await
///     })?;
///     let mut answer = String::new();
///     UnixStream::connect(&path).await?.read_to_string(&mut answer).await?;
///     assert_eq!(answer, "hello");
///     drop(server);
///     coro::yield_now().await;
///     assert!(!path.exists());
///     std::io::Result::Ok(())
/// })
/// # .unwrap();
/// ```
///
/// # Errors
///
/// If the path cannot be listened at; `AddrInUse` if another socket listens there.
///
/// # Panics
///
/// Outside of a loop.
#[track_caller]
pub fn start_unix_server<H, R>(path: impl AsRef<Path>, handler: H) -> io::Result<Server>
where
    H: AsyncFn(UnixStream, SocketAddr) -> R + 'static,
    R: HandlerOutput + 'static,
{
    Server::builder().start_unix(path, handler)
}

impl ServerBuilder {
    /// Listens at a path, as [`start_unix_server`] does. The backlog is the system's own.
    ///
    /// # Errors
    ///
    /// Those of [`start_unix_server`].
    ///
    /// # Panics
    ///
    /// Outside of a loop.
    #[track_caller]
    pub fn start_unix<H, R>(&self, path: impl AsRef<Path>, handler: H) -> io::Result<Server>
    where
        H: AsyncFn(UnixStream, SocketAddr) -> R + 'static,
        R: HandlerOutput + 'static,
    {
        let path = path.as_ref();
        let listener = listen(path)?;
        let name = format!("listener {}", path.display());
        Ok(self.serve(Vec::new(), iter::once((name, listener)), ByAsyncFn(handler)))
    }
}

#[track_caller]
#[inline]
fn listen(path: &Path) -> io::Result<OwnListener> {
    let listener = match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_left_over(path) => {
            fs::remove_file(path)?;
            UnixListener::bind(path)
        }
        bound => bound,
    }?;
    let file = OwnFile {
        path: path.to_owned(),
        inode: inode(path),
    };
    Ok(OwnListener {
        _file: file,
        listener,
    })
}

#[inline]
fn inode(path: &Path) -> Option<(u64, u64)> {
    let metadata = fs::symlink_metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

struct OwnListener {
    /// Dropped first, so that no client is refused at a path where nothing listens any more.
    _file: OwnFile,
    listener: UnixListener,
}

impl Listen for OwnListener {
    type Stream = UnixStream;
    type Peer = SocketAddr;

    #[inline]
    async fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        self.listener.accept().await
    }

    #[inline]
    fn name(peer: &SocketAddr, number: u64) -> String {
        UnixListener::name(peer, number)
    }
}

/// The socket's file, which is removed with the listener, unless another has taken its place.
struct OwnFile {
    path: PathBuf,
    inode: Option<(u64, u64)>,
}

impl Drop for OwnFile {
    #[inline]
    fn drop(&mut self) {
        if self.inode.is_some() && inode(&self.path) == self.inode {
            let _ = fs::remove_file(&self.path); // it was there a moment ago; a failure has no caller to return to
        }
    }
}
