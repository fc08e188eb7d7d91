//! Sockets that are shut down: what waits at them is told, as it is by calls that block.
#![cfg(unix)]

use std::future::Future;
use std::io;
use std::net::Shutdown;
use std::os::unix::net as blocking;
use std::rc::Rc;

use coro::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream};
use coro::{Task, gather, spawn, timeout};
use socket2::SockRef;

use crate::support::{ms, turns};

/// What a wait gives, which ends, or the test fails.
async fn ends<T>(wait: impl Future<Output = T>) -> T {
    timeout(ms(10_000), wait).await.expect("it waits for ever")
}

/// A task that waits already, with a share of the socket.
async fn waits<S: 'static, F: Future + 'static>(
    socket: &Rc<S>,
    wait: impl FnOnce(Rc<S>) -> F,
) -> Task<F::Output> {
    let task = spawn(wait(socket.clone()));
    turns(3).await;
    assert!(!task.is_finished());
    task
}

#[coro::test(real)]
async fn a_unix_datagram_receives_nothing_as_one_that_blocks() {
    let (one, _other) = blocking::UnixDatagram::pair().unwrap();
    one.shutdown(Shutdown::Read).unwrap();
    assert_eq!(one.recv(&mut [0; 8]).unwrap(), 0);
    let (len, from) = one.recv_from(&mut [0; 8]).unwrap();
    assert!(len == 0 && from.is_unnamed());

    for how in [Shutdown::Read, Shutdown::Both] {
        let (one, other) = UnixDatagram::pair().unwrap();
        other.send(b"left").await.unwrap();
        one.shutdown(how).unwrap();
        let mut buffer = [0; 8];
        assert_eq!(ends(one.recv(&mut buffer)).await.unwrap(), 4);
        for _ in 0..3 {
            assert_eq!(ends(one.recv(&mut buffer)).await.unwrap(), 0);
            assert_eq!(one.try_recv(&mut buffer).unwrap(), 0);
            let (len, from) = ends(one.recv_from(&mut buffer)).await.unwrap();
            assert!(len == 0 && from.is_unnamed());
            let datagram = ends(one.recv_datagram(&mut buffer)).await.unwrap();
            assert!(datagram.len == 0 && datagram.from.is_unnamed() && !datagram.truncated);
            #[cfg(feature = "ancillary")]
            {
                let received = ends(one.recv_fds(&mut buffer, 1)).await.unwrap();
                assert!(received.len == 0 && received.fds.is_empty());
            }
            ends(one.readable()).await.unwrap();
        }
        assert!(other.send(b"refused").await.is_err());
    }
}

#[coro::test(real)]
async fn a_unix_datagram_that_receives_already_is_told() {
    for how in [Shutdown::Read, Shutdown::Both] {
        let (one, _other) = UnixDatagram::pair().unwrap();
        let one = Rc::new(one);
        let first = waits(&one, async |it| it.recv(&mut [0; 8]).await).await;
        let second = waits(&one, async |it| it.recv_from(&mut [0; 8]).await).await;
        let third = waits(&one, async |it| it.recv_datagram(&mut [0; 8]).await).await;
        #[cfg(feature = "ancillary")]
        let fourth = waits(&one, async |it| it.recv_fds(&mut [0; 8], 1).await).await;
        one.shutdown(how).unwrap();
        assert_eq!(ends(first).await.unwrap().unwrap(), 0);
        assert_eq!(ends(second).await.unwrap().unwrap().0, 0);
        assert_eq!(ends(third).await.unwrap().unwrap().len, 0);
        #[cfg(feature = "ancillary")]
        assert_eq!(ends(fourth).await.unwrap().unwrap().len, 0);
    }
}

#[coro::test(real)]
async fn shutting_down_what_is_sent_leaves_receiving_as_it_is() {
    let (one, other) = UnixDatagram::pair().unwrap();
    let one = Rc::new(one);
    let receiving = waits(&one, async |it| it.recv(&mut [0; 8]).await).await;
    one.shutdown(Shutdown::Write).unwrap();
    turns(3).await;
    assert!(!receiving.is_finished());
    other.send(b"hello").await.unwrap();
    assert_eq!(ends(receiving).await.unwrap().unwrap(), 5);
}

#[coro::test(real)]
async fn a_udp_socket_that_is_connected_is_told_too() {
    let one = UdpSocket::bind("127.0.0.1:0").unwrap();
    let other = UdpSocket::bind("127.0.0.1:0").unwrap();
    one.connect(other.local_addr().unwrap()).unwrap();
    let one = Rc::new(one);
    let first = waits(&one, async |it| it.recv(&mut [0; 8]).await).await;
    let second = waits(&one, async |it| it.recv_from(&mut [0; 8]).await).await;
    let third = waits(&one, async |it| it.peek(&mut [0; 8]).await).await;
    let fourth = waits(&one, async |it| it.recv_datagram(&mut [0; 8]).await).await;
    SockRef::from(&*one).shutdown(Shutdown::Read).unwrap();
    assert_eq!(ends(first).await.unwrap().unwrap(), 0);
    let eof = io::ErrorKind::UnexpectedEof;
    assert_eq!(ends(second).await.unwrap().unwrap_err().kind(), eof);
    assert_eq!(ends(third).await.unwrap().unwrap(), 0);
    assert_eq!(ends(fourth).await.unwrap().unwrap_err().kind(), eof);
    assert_eq!(ends(one.recv(&mut [0; 8])).await.unwrap(), 0);
    assert_eq!(one.try_recv(&mut [0; 8]).unwrap(), 0);
}

#[coro::test(real)]
async fn streams_that_are_read_from_already_are_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tcp, accepted) = gather((TcpStream::connect(address), listener.accept())).await;
    let tcp = Rc::new(tcp.unwrap());
    let reading = waits(&tcp, async |it| read(&*it).await).await;
    let peeking = waits(&tcp, async |it| it.peek(&mut [0; 8]).await).await;
    tcp.shutdown(Shutdown::Read).unwrap();
    assert_eq!(ends(reading).await.unwrap().unwrap(), 0);
    assert_eq!(ends(peeking).await.unwrap().unwrap(), 0);
    drop(accepted);

    let (unix, _other) = UnixStream::pair().unwrap();
    let unix = Rc::new(unix);
    let reading = waits(&unix, async |it| read(&*it).await).await;
    #[cfg(feature = "ancillary")]
    let receiving = waits(&unix, async |it| it.recv_fds(&mut [0; 8], 1).await).await;
    unix.shutdown(Shutdown::Read).unwrap();
    assert_eq!(ends(reading).await.unwrap().unwrap(), 0);
    #[cfg(feature = "ancillary")]
    assert_eq!(ends(receiving).await.unwrap().unwrap().len, 0);
}

async fn read(mut stream: impl futures::AsyncRead + Unpin) -> io::Result<usize> {
    futures::AsyncReadExt::read(&mut stream, &mut [0; 8]).await
}

/// As accept(2) says of a socket that does not listen.
#[coro::test(real)]
async fn a_listener_that_is_shut_down_ends_its_accepts() {
    let path = std::env::temp_dir().join(format!("coro-shut-down-{}", std::process::id()));
    let unix = Rc::new(UnixListener::bind(&path).unwrap());
    let accepting = waits(&unix, async |it| it.accept().await.map(drop)).await;
    SockRef::from(&*unix).shutdown(Shutdown::Both).unwrap();
    let error = ends(accepting).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    assert!(ends(unix.accept()).await.is_err());
    std::fs::remove_file(&path).unwrap();

    let tcp = Rc::new(TcpListener::bind("127.0.0.1:0").unwrap());
    let accepting = waits(&tcp, async |it| it.accept().await.map(drop)).await;
    SockRef::from(&*tcp).shutdown(Shutdown::Both).unwrap();
    let error = ends(accepting).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
}
