//! The answers of the kernel on Unix sockets: the simulated one gives those of the real one.

use std::fs;
use std::io::ErrorKind;
use std::net::Shutdown;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use coro::net::{UnixDatagram, UnixListener, UnixStream};
use futures::{AsyncReadExt, AsyncWriteExt};

use crate::kernel_answers::{kind, on_both_kernels, settle};

on_both_kernels! {
    a_peer_that_has_closed
    a_peer_that_has_closed_with_something_unread
    directions_that_were_shut_down
    paths
    names
    a_full_connection
    a_closed_listener
    datagrams
    a_full_queue_of_datagrams
    a_datagram_socket_that_has_closed
    senders_that_are_not_the_peer
    descriptors
}

async fn read(stream: &mut UnixStream) -> Result<Vec<u8>, ErrorKind> {
    let mut buffer = [0; 100];
    let len = kind(stream.read(&mut buffer).await)?;
    Ok(buffer[..len].to_vec())
}

/// A path that no other test uses.
fn path() -> PathBuf {
    static USED: AtomicU32 = AtomicU32::new(0);
    let number = USED.fetch_add(1, Ordering::Relaxed);
    let name = format!("coro-kernel-{}-{number}", std::process::id());
    std::env::temp_dir().join(name)
}

async fn a_peer_that_has_closed() {
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    drop(theirs);
    assert_eq!(read(&mut ours).await, Ok(vec![]));
    assert_eq!(kind(ours.write(b"x").await), Err(ErrorKind::BrokenPipe));
}

async fn a_peer_that_has_closed_with_something_unread() {
    let (mut ours, mut theirs) = UnixStream::pair().unwrap();
    theirs.write_all(b"last words").await.unwrap();
    ours.write_all(b"unread").await.unwrap();
    drop(theirs);
    assert_eq!(read(&mut ours).await, Ok(b"last words".to_vec()));
    assert_eq!(read(&mut ours).await, Err(ErrorKind::ConnectionReset));
    assert_eq!(read(&mut ours).await, Ok(vec![]));
    assert_eq!(kind(ours.write(b"x").await), Err(ErrorKind::BrokenPipe));
}

async fn directions_that_were_shut_down() {
    let (mut ours, mut theirs) = UnixStream::pair().unwrap();
    ours.write_all(b"before").await.unwrap();
    ours.shutdown(Shutdown::Write).unwrap();
    assert_eq!(kind(ours.write(b"x").await), Err(ErrorKind::BrokenPipe));
    assert_eq!(read(&mut theirs).await, Ok(b"before".to_vec()));
    assert_eq!(read(&mut theirs).await, Ok(vec![]));
    theirs.write_all(b"back").await.unwrap();
    ours.shutdown(Shutdown::Read).unwrap();
    assert_eq!(kind(theirs.write(b"x").await), Err(ErrorKind::BrokenPipe));
    assert_eq!(read(&mut ours).await, Ok(b"back".to_vec()));
    assert_eq!(read(&mut ours).await, Ok(vec![]));
}

async fn paths() {
    let path = path();
    let connected = UnixStream::connect(&path).await;
    assert_eq!(kind(connected.map(drop)), Err(ErrorKind::NotFound));
    let listener = UnixListener::bind(&path).unwrap();
    assert_eq!(listener.local_addr().unwrap().as_pathname(), Some(&*path));
    assert_eq!(
        kind(UnixListener::bind(&path).map(drop)),
        Err(ErrorKind::AddrInUse)
    );
    let ours = UnixStream::connect(&path).await.unwrap();
    let (theirs, peer) = listener.accept().await.unwrap();
    assert!(peer.is_unnamed() && ours.local_addr().unwrap().is_unnamed());
    assert_eq!(ours.peer_addr().unwrap().as_pathname(), Some(&*path));
    assert_eq!(theirs.local_addr().unwrap().as_pathname(), Some(&*path));
    drop(listener);
    let connected = UnixStream::connect(&path).await;
    assert_eq!(kind(connected.map(drop)), Err(ErrorKind::ConnectionRefused));
    let left_over = UnixListener::bind(&path).unwrap_err();
    assert!(left_over.to_string().contains("left over"), "{left_over}");
    fs::remove_file(&path).unwrap();
    drop(UnixListener::bind(&path).unwrap());
    fs::remove_file(&path).unwrap();
}

#[cfg(not(target_os = "linux"))]
async fn names() {}

#[cfg(target_os = "linux")]
async fn names() {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::SocketAddr;

    let name = path().to_str().unwrap().to_owned();
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let connected = UnixStream::connect_addr(&address).await;
    assert_eq!(kind(connected.map(drop)), Err(ErrorKind::ConnectionRefused));
    let listener = UnixListener::bind_addr(&address).unwrap();
    assert_eq!(
        kind(UnixListener::bind_addr(&address).map(drop)),
        Err(ErrorKind::AddrInUse)
    );
    let ours = UnixStream::connect_addr(&address).await.unwrap();
    let its_name = ours.peer_addr().unwrap();
    assert_eq!(its_name.as_abstract_name(), Some(name.as_bytes()));
    #[cfg(feature = "ancillary")]
    assert_eq!(ours.peer_cred().unwrap().pid, std::process::id());
    drop(listener);
    drop(UnixListener::bind_addr(&address).unwrap()); // the name went with the socket
}

async fn a_full_connection() {
    let (mut ours, mut theirs) = UnixStream::pair().unwrap();
    let mut written = 0;
    while let Ok(len) = ours.try_write(&[7; 10_000]) {
        written += len;
    }
    let writing = async {
        ours.write_all(&[7; 100_000]).await.unwrap();
        ours.close().await.unwrap();
    };
    let reading = async {
        let mut all = Vec::new();
        theirs.read_to_end(&mut all).await.unwrap();
        all.len()
    };
    let (_, read) = coro::gather((writing, reading)).await;
    assert_eq!(read, written + 100_000);
}

async fn a_closed_listener() {
    let path = path();
    let listener = UnixListener::bind(&path).unwrap();
    let mut ours = UnixStream::connect(&path).await.unwrap();
    drop(listener); // with a connection in its queue
    assert_eq!(read(&mut ours).await, Err(ErrorKind::ConnectionReset));
    fs::remove_file(&path).unwrap();
}

async fn datagrams() {
    let (one, other) = (path(), path());
    let ours = UnixDatagram::bind(&one).unwrap();
    let theirs = UnixDatagram::bind(&other).unwrap();
    ours.send_to(b"", &other).await.unwrap();
    ours.send_to(b"longer", &other).await.unwrap();
    let mut buffer = [0; 3];
    let (len, from) = theirs.recv_from(&mut buffer).await.unwrap();
    assert_eq!((len, from.as_pathname()), (0, Some(&*one)));
    let received = theirs.recv_datagram(&mut buffer).await.unwrap();
    assert_eq!((received.len, received.truncated), (3, true));
    let unbound = UnixDatagram::unbound().unwrap();
    assert_eq!(kind(unbound.send(b"x").await), Err(ErrorKind::NotConnected));
    unbound.connect(&other).unwrap();
    assert_eq!(unbound.peer_addr().unwrap().as_pathname(), Some(&*other));
    unbound.send(b"x").await.unwrap();
    assert!(theirs.recv_from(&mut buffer).await.unwrap().1.is_unnamed());
    assert_eq!(
        kind(ours.send_to(b"x", path()).await),
        Err(ErrorKind::NotFound)
    );
    for path in [one, other] {
        fs::remove_file(path).unwrap();
    }
}

async fn a_full_queue_of_datagrams() {
    let (ours, theirs) = UnixDatagram::pair().unwrap();
    let mut sent = 0_u32;
    while ours.try_send(&sent.to_ne_bytes()).is_ok() {
        sent += 1;
    }
    assert!(sent > 5);
    let sending = async { ours.send(&sent.to_ne_bytes()).await.unwrap() };
    let receiving = async {
        for expected in 0..=sent {
            let mut buffer = [0; 4];
            assert_eq!(theirs.recv(&mut buffer).await.unwrap(), 4);
            assert_eq!(u32::from_ne_bytes(buffer), expected);
        }
    };
    coro::gather((sending, receiving)).await;
}

async fn a_datagram_socket_that_has_closed() {
    let (ours, theirs) = UnixDatagram::pair().unwrap();
    drop(theirs);
    assert_eq!(
        kind(ours.send(b"x").await),
        Err(ErrorKind::ConnectionRefused)
    );
    assert_eq!(kind(ours.send(b"x").await), Err(ErrorKind::NotConnected));
}

async fn senders_that_are_not_the_peer() {
    let paths = [path(), path()];
    let [one, other] = [0, 1].map(|n| UnixDatagram::bind(&paths[n]).unwrap());
    let (ours, _theirs) = UnixDatagram::pair().unwrap();
    one.connect(&paths[1]).unwrap();
    let refused = ours.send_to(b"x", &paths[0]).await;
    assert_eq!(kind(refused), Err(ErrorKind::PermissionDenied));
    other.send_to(b"x", &paths[0]).await.unwrap();
    assert_eq!(kind(one.recv(&mut [0; 9]).await), Ok(1));
    for path in paths {
        fs::remove_file(path).unwrap();
    }
}

#[cfg(not(feature = "ancillary"))]
async fn descriptors() {}

#[cfg(feature = "ancillary")]
async fn descriptors() {
    use std::io::{Read, Seek, Write};
    use std::os::fd::AsFd;

    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let path = path();
    let mut file = fs::File::create_new(&path).unwrap();
    file.write_all(b"content").unwrap();
    let file = fs::File::open(&path).unwrap();
    ours.send_fds(b"with", &[file.as_fd(), file.as_fd()])
        .await
        .unwrap();
    (&ours).write_all(b"without").await.unwrap();
    settle().await;
    let received = theirs.recv_fds(&mut [0; 100], 1).await.unwrap();
    assert_eq!(
        (received.len, received.fds.len(), received.fds_truncated),
        (4, 1, true)
    );
    let mut again = fs::File::from(received.fds.into_iter().next().unwrap());
    again.rewind().unwrap();
    let mut content = String::new();
    again.read_to_string(&mut content).unwrap();
    assert_eq!(content, "content");
    assert_eq!(read(&mut theirs).await, Ok(b"without".to_vec()));
    fs::remove_file(&path).unwrap();
}
