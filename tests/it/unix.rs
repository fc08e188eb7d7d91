//! Unix sockets of coro, with blocking sockets of the standard library as peers.
#![cfg(unix)]

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::net as blocking;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use coro::net::{UnixDatagram, UnixListener, UnixStream};
use coro::{sleep, spawn, timeout};
use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};

use crate::support::{ms, turns};

/// A folder of one test, which is removed on drop.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("coro-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

// ---- streams ----

#[coro::test(real)]
async fn a_blocking_client_talks_to_a_listener_at_a_path() {
    let folder = Folder::new("talk");
    let path = folder.at("socket");
    let listener = UnixListener::bind(&path).unwrap();
    assert_eq!(listener.local_addr().unwrap().as_pathname(), Some(&*path));
    let client = thread::spawn({
        let path = path.clone();
        move || {
            let mut stream = blocking::UnixStream::connect(path).unwrap();
            stream.write_all(b"hello").unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        }
    });
    let mut incoming = Box::pin(listener.incoming());
    let mut stream = incoming.next().await.unwrap().unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).await.unwrap();
    stream
        .write_all(said.to_uppercase().as_bytes())
        .await
        .unwrap();
    drop(stream);
    while !client.is_finished() {
        sleep(ms(1)).await;
    }
    assert_eq!(client.join().unwrap(), "HELLO");
}

#[cfg(target_os = "linux")]
#[coro::test(real)]
async fn an_abstract_name_needs_no_file_and_the_peer_is_known() {
    use coro::gather;
    use std::os::linux::net::SocketAddrExt;
    let name = format!("coro-test-{}", std::process::id());
    let address = blocking::SocketAddr::from_abstract_name(name).unwrap();
    let listener = UnixListener::bind_addr(&address).unwrap();
    let (client, accepted) = gather((UnixStream::connect_addr(&address), listener.accept())).await;
    let (client, server) = (client.unwrap(), accepted.unwrap().0);
    #[cfg(feature = "ancillary")]
    {
        let peer = server.peer_cred().unwrap();
        assert_eq!(peer.pid, std::process::id());
        assert_eq!(peer, client.peer_cred().unwrap());
    }
    let its_name = client.peer_addr().unwrap();
    assert_eq!(its_name.as_abstract_name(), address.as_abstract_name());
    assert!(server.peer_addr().unwrap().is_unnamed());
}

#[coro::test(real)]
async fn the_reason_why_a_bound_path_is_refused_is_said() {
    let folder = Folder::new("refused");
    let path = folder.at("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let error = UnixListener::bind(&path).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    assert!(!error.to_string().contains("left over"), "{error}");

    let file = folder.at("file");
    fs::write(&file, "mine").unwrap();
    let error = UnixListener::bind(&file).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    assert!(!error.to_string().contains("left over"), "{error}");

    drop(listener);
    let error = UnixListener::bind(&path).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    assert!(
        error.to_string().contains("remove it, then bind"),
        "{error}"
    );
    let error = UnixStream::connect(&path).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    fs::remove_file(&path).unwrap();
    let error = UnixStream::connect(&path).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    drop(UnixListener::bind(&path).unwrap());

    let error = UnixListener::bind(folder.at(&"x".repeat(200))).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    assert!(
        error.to_string().contains("path must be shorter"),
        "{error}"
    );
}

#[coro::test(real)]
async fn a_connect_waits_while_the_listeners_queue_is_full() {
    let folder = Folder::new("full");
    let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
    let path = folder.at("socket");
    socket
        .bind(&socket2::SockAddr::unix(&path).unwrap())
        .unwrap();
    socket.listen(0).unwrap();
    let _first = UnixStream::connect(&path).await.unwrap();
    assert!(timeout(ms(20), UnixStream::connect(&path)).await.is_err());
    let second = spawn({
        let path = path.clone();
        async move { UnixStream::connect(path).await }
    });
    sleep(ms(5)).await;
    assert!(!second.is_finished());
    let _accepted = socket.accept().unwrap();
    timeout(Duration::from_secs(10), second)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
}

// ---- datagrams ----

#[coro::test(real)]
async fn datagrams_keep_their_bounds_and_tell_their_senders() {
    let folder = Folder::new("datagrams");
    let (here, there) = (folder.at("here"), folder.at("there"));
    let ours = UnixDatagram::bind(&here).unwrap();
    let theirs = UnixDatagram::bind(&there).unwrap();
    ours.send_to(b"", &there).await.unwrap();
    ours.send_to(b"longer than that", &there).await.unwrap();
    let mut buffer = [0; 6];
    let (len, from) = theirs.recv_from(&mut buffer).await.unwrap();
    assert_eq!((len, from.as_pathname()), (0, Some(&*here)));
    let datagram = theirs.recv_datagram(&mut buffer).await.unwrap();
    assert_eq!(&buffer[..datagram.len], b"longer");
    assert_eq!(datagram.from.as_pathname(), Some(&*here));
    assert!(datagram.truncated);

    let nameless = UnixDatagram::unbound().unwrap();
    nameless.connect(&there).unwrap();
    nameless.send(b"!").await.unwrap();
    let datagram = theirs.recv_datagram(&mut buffer).await.unwrap();
    assert!(datagram.from.is_unnamed() && !datagram.truncated);
    assert!(UnixDatagram::bind(&there).is_err());
}

#[coro::test(real)]
async fn a_send_to_a_full_queue_waits_until_there_is_room() {
    let folder = Folder::new("queue");
    let path = folder.at("socket");
    let receiver = UnixDatagram::bind(&path).unwrap();
    let send = |connected: bool| {
        let path = path.clone();
        spawn(async move {
            let sender = UnixDatagram::unbound().unwrap();
            sender.connect(&path).unwrap();
            for n in 0..100_u8 {
                match connected {
                    true => sender.send(&[n]).await.unwrap(),
                    false => sender.send_to(&[n], &path).await.unwrap(),
                };
            }
        })
    };
    for connected in [true, false] {
        let sender = send(connected);
        sleep(ms(5)).await;
        assert!(!sender.is_finished());
        for n in 0..100 {
            let mut byte = [0];
            let received = timeout(Duration::from_secs(10), receiver.recv(&mut byte)).await;
            assert_eq!((received.unwrap().unwrap(), byte[0]), (1, n));
        }
        sender.await.unwrap();
    }
}

// ---- halves ----

#[coro::test(real)]
async fn halves_are_used_by_two_tasks_and_reunited() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let (mut read, mut write) = ours.into_split();
    let echo = spawn(async move {
        let mut buffer = [0; 5];
        read.read_exact(&mut buffer).await.unwrap();
        (read, buffer)
    });
    let mut theirs = theirs;
    theirs.write_all(b"there").await.unwrap();
    write.write_all(b"back").await.unwrap();
    let (read, there) = echo.await.unwrap();
    assert_eq!(&there, b"there");

    let (_, other_write) = UnixStream::pair().unwrap().0.into_split();
    let error = read.reunite(other_write).unwrap_err();
    assert_eq!(error.to_string(), "the halves are not of the same stream");
    let mut ours = error.0.reunite(write).unwrap();
    ours.write_all(b"!").await.unwrap();
    let mut back = [0; 5];
    theirs.read_exact(&mut back).await.unwrap();
    assert_eq!(&back, b"back!");

    let (mut read, write) = ours.into_split();
    drop(write);
    assert_eq!(
        theirs.read(&mut back).await.unwrap(),
        0,
        "writing has ended"
    );
    theirs.write_all(b"but not reading").await.unwrap();
    drop(theirs);
    let mut rest = String::new();
    read.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "but not reading");
}

#[coro::test(real)]
async fn sockets_come_from_the_standard_library_and_go_back() {
    let (one, other) = blocking::UnixStream::pair().unwrap();
    let mut ours = UnixStream::try_from(one).unwrap();
    ours.write_all(b"x").await.unwrap();
    let reading = spawn(async move {
        assert!(timeout(ms(2), ours.read(&mut [0])).await.is_err());
        ours.into_std()
    });
    let back = reading.await.unwrap();
    back.set_nonblocking(false).unwrap();
    (&other).read_exact(&mut [0]).unwrap(); // left unread, it would be a reset
    drop(other);
    turns(1).await;
    let again = UnixStream::from_std(back).unwrap();
    assert_eq!((&again).read(&mut [0]).await.unwrap(), 0);
}
