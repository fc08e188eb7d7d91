//! The answers of the kernel in each state of a socket: the simulated one gives those of the real one.
//!
//! Each function runs on both.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Shutdown, SocketAddr};
use std::time::Duration;

use coro::net::{TcpListener, TcpStream, UdpSocket};
use coro::timeout;
use futures::{AsyncReadExt, AsyncWriteExt};

use crate::support::ms;

/// Runs each function on the real kernel, and with some seeds on the simulated one.
macro_rules! on_both_kernels {
    ($($name:ident)*) => {
        mod real {
            $(
                #[coro::test(real)]
                async fn $name() {
                    super::$name().await;
                }
            )*
        }

        mod simulated {
            use coro::testing::explore;

            $(
                #[test]
                fn $name() {
                    explore().seeds(10).run(async |_: &_| super::$name().await);
                }
            )*
        }
    };
}

on_both_kernels! {
    a_peer_that_has_closed
    a_peer_that_has_closed_with_something_unread
    bytes_before_a_reset
    reading_that_was_shut_down
    writing_that_was_shut_down
    bytes_for_both_directions_shut_down
    a_port_without_a_listener
    addresses
    a_full_connection
    a_closed_listener
    one_connection_in_the_queue_that_was_reset
    a_peek
    a_read_into_nothing
    datagrams
    a_connected_datagram_socket
    a_datagram_that_no_socket_takes
    datagrams_that_are_refused
}

/// The result of a try, with the error's kind.
pub(crate) fn kind<T>(result: io::Result<T>) -> Result<T, ErrorKind> {
    result.map_err(|error| error.kind())
}

/// Lets everything that is under way arrive.
pub(crate) async fn settle() {
    coro::sleep(ms(30)).await;
}

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let ours = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    let (theirs, _) = listener.accept().await.unwrap();
    (ours, theirs)
}

/// One read, which takes at most a second.
async fn read(stream: &mut TcpStream) -> Result<Vec<u8>, ErrorKind> {
    let mut buffer = [0; 100];
    let read = timeout(Duration::from_secs(1), stream.read(&mut buffer)).await;
    let len = kind(read.expect("an answer"))?;
    Ok(buffer[..len].to_vec())
}

async fn a_peer_that_has_closed() {
    let (mut ours, theirs) = pair().await;
    drop(theirs);
    assert_eq!(read(&mut ours).await, Ok(vec![]));
    assert_eq!(kind(ours.write(b"x").await), Ok(1)); // is answered by a reset
    settle().await;
    assert_eq!(kind(ours.write(b"x").await), Err(ErrorKind::BrokenPipe));
    assert_eq!(read(&mut ours).await, Ok(vec![]));
}

async fn a_peer_that_has_closed_with_something_unread() {
    let (mut ours, theirs) = pair().await;
    ours.write_all(b"unread").await.unwrap();
    settle().await;
    drop(theirs);
    assert_eq!(read(&mut ours).await, Err(ErrorKind::ConnectionReset));
    assert_eq!(read(&mut ours).await, Ok(vec![])); // the error is told once
    assert_eq!(kind(ours.write(b"x").await), Err(ErrorKind::BrokenPipe));
}

async fn bytes_before_a_reset() {
    let (mut ours, mut theirs) = pair().await;
    theirs.write_all(b"last words").await.unwrap();
    theirs.set_linger(Some(Duration::ZERO)).unwrap();
    settle().await;
    drop(theirs);
    settle().await;
    assert_eq!(read(&mut ours).await, Ok(b"last words".to_vec()));
    assert_eq!(read(&mut ours).await, Err(ErrorKind::ConnectionReset));
}

async fn reading_that_was_shut_down() {
    let (mut ours, mut theirs) = pair().await;
    theirs.write_all(b"before").await.unwrap();
    settle().await;
    ours.shutdown(Shutdown::Read).unwrap();
    assert_eq!(read(&mut ours).await, Ok(b"before".to_vec()));
    assert_eq!(read(&mut ours).await, Ok(vec![]));
    theirs.write_all(b"after").await.unwrap();
    settle().await;
    assert_eq!(read(&mut ours).await, Ok(b"after".to_vec())); // Linux takes it in all the same
}

async fn writing_that_was_shut_down() {
    let (mut ours, mut theirs) = pair().await;
    ours.shutdown(Shutdown::Write).unwrap();
    assert_eq!(kind(ours.write(b"x").await), Err(ErrorKind::BrokenPipe));
    assert_eq!(read(&mut theirs).await, Ok(vec![]));
    theirs.write_all(b"still").await.unwrap();
    assert_eq!(read(&mut ours).await, Ok(b"still".to_vec()));
    ours.shutdown(Shutdown::Write).unwrap(); // again
    theirs.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read(&mut ours).await, Ok(vec![]));
    ours.shutdown(Shutdown::Both).unwrap();
}

async fn bytes_for_both_directions_shut_down() {
    let (ours, mut theirs) = pair().await;
    ours.shutdown(Shutdown::Both).unwrap();
    settle().await;
    assert_eq!(read(&mut theirs).await, Ok(vec![]));
    assert_eq!(kind(theirs.write(b"x").await), Ok(1));
    settle().await;
    assert_eq!(kind(theirs.write(b"x").await), Err(ErrorKind::BrokenPipe));
}

async fn a_port_without_a_listener() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let connected = TcpStream::connect(address).await;
    assert_eq!(
        kind(connected.map(|_| ())),
        Err(ErrorKind::ConnectionRefused)
    );
}

async fn addresses() {
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let address = listener.local_addr().unwrap();
    assert!(address.ip().is_unspecified() && address.port() != 0);
    let again = TcpListener::bind(("127.0.0.1", address.port()));
    assert_eq!(kind(again.map(|_| ())), Err(ErrorKind::AddrInUse));
    let foreign = TcpListener::bind("192.0.2.1:0");
    assert_eq!(kind(foreign.map(|_| ())), Err(ErrorKind::AddrNotAvailable));

    let ours = TcpStream::connect(("127.0.0.1", address.port()))
        .await
        .unwrap();
    let (theirs, peer) = listener.accept().await.unwrap();
    assert_eq!(ours.local_addr().unwrap(), peer);
    assert_eq!(theirs.peer_addr().unwrap(), peer);
    assert_eq!(theirs.local_addr().unwrap(), ours.peer_addr().unwrap());
    assert_eq!(theirs.local_addr().unwrap().ip(), Ipv4Addr::LOCALHOST);
    let by_zero = TcpStream::connect(("0.0.0.0", address.port()))
        .await
        .unwrap();
    assert_eq!(by_zero.peer_addr().unwrap().ip(), Ipv4Addr::LOCALHOST);
}

async fn a_full_connection() {
    let (mut ours, mut theirs) = pair().await;
    let mut written = 0;
    let mut blocked = 0;
    while blocked < 3 {
        match kind(ours.try_write(&[7; 1 << 20])) {
            Ok(len) => written += len,
            Err(error) => {
                assert_eq!(error, ErrorKind::WouldBlock);
                blocked += 1;
                settle().await; // some of it may be under way
            }
        }
    }
    let writing = async {
        ours.write_all(b"end").await.unwrap();
        ours.close().await.unwrap();
    };
    let reading = async {
        let mut all = Vec::new();
        theirs.read_to_end(&mut all).await.unwrap();
        all.len()
    };
    let (_, read) = coro::gather((writing, reading)).await;
    assert_eq!(read, written + 3);
}

async fn a_closed_listener() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut ours = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    settle().await;
    drop(listener); // with a connection in its queue
    assert_eq!(read(&mut ours).await, Err(ErrorKind::ConnectionReset));
}

async fn one_connection_in_the_queue_that_was_reset() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let ours = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    ours.set_linger(Some(Duration::ZERO)).unwrap();
    drop(ours);
    settle().await;
    let (mut theirs, _) = listener.accept().await.unwrap();
    assert_eq!(read(&mut theirs).await, Err(ErrorKind::ConnectionReset));
}

async fn a_peek() {
    let (mut ours, mut theirs) = pair().await;
    theirs.write_all(b"abc").await.unwrap();
    let mut buffer = [0; 2];
    assert_eq!(kind(ours.peek(&mut buffer).await), Ok(2));
    assert_eq!(read(&mut ours).await, Ok(b"abc".to_vec()));
    drop(theirs);
    assert_eq!(kind(ours.peek(&mut buffer).await), Ok(0));
}

async fn a_read_into_nothing() {
    let (ours, mut theirs) = pair().await;
    assert_eq!(kind(ours.try_read(&mut [])), Err(ErrorKind::WouldBlock));
    theirs.write_all(b"abc").await.unwrap();
    ours.readable().await.unwrap();
    assert_eq!(kind(ours.try_read(&mut [])), Ok(0));
    assert_eq!(kind(ours.try_read(&mut [0; 9])), Ok(3));
}

fn udp() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

async fn datagrams() {
    let ((ours, from), (theirs, to)) = (udp(), udp());
    ours.send_to(b"", to).await.unwrap();
    ours.send_to(b"longer", to).await.unwrap();
    let mut buffer = [0; 3];
    assert_eq!(kind(theirs.recv_from(&mut buffer).await), Ok((0, from)));
    let received = theirs.recv_datagram(&mut buffer).await.unwrap();
    assert_eq!(
        (received.len, received.from, received.truncated),
        (3, from, true)
    );
    assert_eq!(
        kind(theirs.try_recv_from(&mut buffer)),
        Err(ErrorKind::WouldBlock)
    );
}

async fn a_connected_datagram_socket() {
    let ((ours, from), (theirs, to), (stranger, _)) = (udp(), udp(), udp());
    ours.connect(to).unwrap();
    assert_eq!(ours.peer_addr().unwrap(), to);
    stranger.send_to(b"strange", from).await.unwrap();
    theirs.send_to(b"known", from).await.unwrap();
    let mut buffer = [0; 9];
    assert_eq!(kind(ours.recv(&mut buffer).await), Ok(5));
    settle().await;
    assert_eq!(kind(ours.try_recv(&mut buffer)), Err(ErrorKind::WouldBlock));
    assert_eq!(kind(ours.send(b"answer").await), Ok(6));
    assert_eq!(kind(theirs.recv_from(&mut buffer).await), Ok((6, from)));
}

async fn a_datagram_that_no_socket_takes() {
    let ((ours, _), (theirs, to)) = (udp(), udp());
    drop(theirs);
    ours.send_to(b"lost", to).await.unwrap();
    settle().await;
    ours.send_to(b"lost", to).await.unwrap(); // a socket that is not connected is not told
    ours.connect(to).unwrap();
    ours.send(b"refused").await.unwrap();
    settle().await;
    assert_eq!(
        kind(ours.recv(&mut [0; 9]).await),
        Err(ErrorKind::ConnectionRefused)
    );
    ours.send(b"refused").await.unwrap();
    settle().await;
    assert_eq!(
        kind(ours.send(b"x").await),
        Err(ErrorKind::ConnectionRefused)
    );
}

async fn datagrams_that_are_refused() {
    let (ours, _) = udp();
    let (_theirs, to) = udp();
    let codes = [
        ours.send(b"nowhere").await,
        ours.send_to(&[0; 65_508], to).await,
        ours.send_to(b"x", SocketAddr::new(to.ip(), 0)).await,
        ours.send_to(b"x", "[::1]:9".parse::<SocketAddr>().unwrap())
            .await,
    ];
    let codes = codes.map(|sent| sent.unwrap_err().raw_os_error());
    if cfg!(target_os = "linux") {
        assert_eq!(codes, [89, 90, 22, 97].map(Some)); // no destination, too long, invalid, family
    }
    assert_eq!(kind(ours.send_to(&[0; 65_507], to).await), Ok(65_507));
}

#[cfg(unix)]
pub(crate) use on_both_kernels;
