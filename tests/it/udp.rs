//! UDP on the loopback interface.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket as Blocking};
use std::time::Duration;

use coro::net::UdpSocket;
use coro::{gather, sleep, spawn, timeout};

use crate::support::{Processor, ms};

fn bind() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

#[coro::test(real)]
async fn datagrams_go_to_and_come_from_a_blocking_socket() {
    let (ours, address) = bind();
    let theirs = Blocking::bind("127.0.0.1:0").unwrap();
    theirs.send_to(b"ping", address).unwrap();
    let mut buffer = [0; 16];
    assert_eq!(ours.peek(&mut buffer).await.unwrap(), 4);
    let (peeked, _) = ours.peek_from(&mut buffer).await.unwrap();
    let (len, from) = ours.recv_from(&mut buffer).await.unwrap();
    assert_eq!((peeked, &buffer[..len]), (4, &b"ping"[..]));
    assert_eq!(from, theirs.local_addr().unwrap());
    assert_eq!(ours.send_to(b"pong", from).await.unwrap(), 4);
    assert_eq!(theirs.recv(&mut buffer).unwrap(), 4);
    ours.connect(from).unwrap();
    assert_eq!(ours.peer_addr().unwrap(), from);
    ours.send(b"again").await.unwrap();
    assert_eq!(theirs.recv(&mut buffer).unwrap(), 5);
}

#[coro::test(real)]
async fn an_empty_datagram_is_no_end_and_one_too_long_is_told() {
    let ((ours, address), (theirs, _)) = (bind(), bind());
    for sent in [&b""[..], b"exactly8", b"more than eight", b"then"] {
        theirs.send_to(sent, address).await.unwrap();
    }
    let mut buffer = [0; 8];
    let mut received = Vec::new();
    for _ in 0..4 {
        let datagram = ours.recv_datagram(&mut buffer).await.unwrap();
        assert_eq!(datagram.from, theirs.local_addr().unwrap());
        received.push((buffer[..datagram.len].to_vec(), datagram.truncated));
    }
    let expected = [
        (&b""[..], false),
        (b"exactly8", false),
        (b"more tha", true),
        (b"then", false),
    ];
    assert!(
        received
            .iter()
            .map(|(bytes, cut)| (&bytes[..], *cut))
            .eq(expected)
    );
}

#[coro::test(real)]
async fn a_refused_datagram_is_an_error_that_the_socket_survives() {
    let (ours, address) = bind();
    let (gone, gone_address) = bind();
    drop(gone);
    ours.connect(gone_address).unwrap();
    let processor = Processor::of_this_thread();
    let before = processor.used();
    for _ in 0..3 {
        ours.send(b"anybody?").await.unwrap();
        let error = timeout(Duration::from_secs(5), ours.recv(&mut [0; 8]))
            .await
            .unwrap();
        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        assert!(timeout(ms(20), ours.recv(&mut [0; 8])).await.is_err());
    }
    assert!(processor.used() - before <= ms(40));
    let back = UdpSocket::bind(gone_address).unwrap();
    back.send_to(b"here", address).await.unwrap();
    let mut buffer = [0; 8];
    assert_eq!(ours.recv(&mut buffer).await.unwrap(), 4);
}

#[coro::test(real)]
async fn several_tasks_receive_from_one_socket() {
    let (ours, address) = bind();
    let ours = std::rc::Rc::new(ours);
    assert_eq!(
        ours.try_recv(&mut [0]).unwrap_err().kind(),
        io::ErrorKind::WouldBlock
    );
    let receivers: Vec<_> = (0..4)
        .map(|_| {
            let ours = ours.clone();
            spawn(async move {
                let mut byte = [0];
                ours.recv(&mut byte).await.unwrap();
                byte[0]
            })
        })
        .collect();
    sleep(ms(2)).await;
    assert!(timeout(ms(2), ours.recv_from(&mut [0])).await.is_err());
    let (theirs, _) = bind();
    for n in 0..4 {
        theirs.send_to(&[n], address).await.unwrap();
    }
    let received = timeout(Duration::from_secs(10), gather(receivers))
        .await
        .unwrap();
    let mut received: Vec<u8> = received.into_iter().map(Result::unwrap).collect();
    received.sort();
    assert_eq!(received, [0, 1, 2, 3]);
}

#[coro::test(real)]
async fn options_are_what_they_were_set_to() {
    let (socket, _) = bind();
    socket.set_broadcast(true).unwrap();
    socket.set_ttl(9).unwrap();
    socket.set_multicast_ttl_v4(3).unwrap();
    socket.set_multicast_loop_v4(false).unwrap();
    socket.set_recv_buffer_size(20_000).unwrap();
    assert!(socket.broadcast().unwrap());
    assert!(!socket.multicast_loop_v4().unwrap());
    assert_eq!(
        (socket.ttl().unwrap(), socket.multicast_ttl_v4().unwrap()),
        (9, 3)
    );
    assert!(socket.recv_buffer_size().unwrap() >= 20_000);
    if !crate::support::is_simulated() {
        let again = UdpSocket::from_std(socket.into_std()).unwrap();
        assert!(again.broadcast().unwrap());
    }
}

#[coro::test(real)]
async fn a_datagram_to_a_group_reaches_its_members() {
    let group = Ipv4Addr::new(239, 192, 0, 77);
    let receiver = UdpSocket::bind("0.0.0.0:0").unwrap();
    let port = receiver.local_addr().unwrap().port();
    if let Err(error) = receiver.join_multicast_v4(group, Ipv4Addr::LOCALHOST) {
        eprintln!("skipped: no multicast here: {error}");
        return;
    }
    let (sender, _) = bind();
    sender.set_multicast_if_v4(Ipv4Addr::LOCALHOST).unwrap();
    let target = SocketAddr::from((group, port));
    sender.send_to(b"all", target).await.unwrap();
    let mut buffer = [0; 8];
    let (len, _) = timeout(Duration::from_secs(5), receiver.recv_from(&mut buffer))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(&buffer[..len], b"all");
    receiver
        .leave_multicast_v4(group, Ipv4Addr::LOCALHOST)
        .unwrap();
    sender.send_to(b"all", target).await.unwrap();
    assert!(
        timeout(ms(20), receiver.recv_from(&mut buffer))
            .await
            .is_err()
    );
}
