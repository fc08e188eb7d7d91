//! The polled operations of a UDP socket, as futures that are written by hand use them.

use std::future::poll_fn;
use std::io::{ErrorKind, IoSlice};
use std::net::UdpSocket as Blocking;
use std::rc::Rc;
use std::task::{Context, Poll};

use coro::net::{Interest, UdpSocket};
use coro::spawn;
use socket2::SockRef;

use crate::support::{Wakes, turns};

fn pair() -> (UdpSocket, Blocking) {
    let ours = UdpSocket::bind("127.0.0.1:0").unwrap();
    let theirs = Blocking::bind("127.0.0.1:0").unwrap();
    ours.connect(theirs.local_addr().unwrap()).unwrap();
    theirs.connect(ours.local_addr().unwrap()).unwrap();
    (ours, theirs)
}

#[coro::test(real)]
async fn what_is_polled_waits_and_is_woken_by_a_datagram() {
    let (ours, theirs) = pair();
    let ours = Rc::new(ours);
    let socket = ours.clone();
    let receiving = spawn(async move {
        let mut buffer = [0; 16];
        let (len, from) = poll_fn(|cx| socket.poll_recv_from(cx, &mut buffer)).await?;
        std::io::Result::Ok((buffer[..len].to_vec(), from))
    });
    turns(3).await;
    assert!(!receiving.is_finished());
    theirs.send(b"ping").unwrap();
    let (bytes, from) = receiving.await.unwrap().unwrap();
    assert_eq!(
        (&bytes[..], from),
        (&b"ping"[..], theirs.local_addr().unwrap())
    );

    let mut buffer = [0; 16];
    assert_eq!(
        poll_fn(|cx| ours.poll_send_to(cx, b"pong", from))
            .await
            .unwrap(),
        4
    );
    assert_eq!(theirs.recv(&mut buffer).unwrap(), 4);
    assert_eq!(poll_fn(|cx| ours.poll_send(cx, b"again")).await.unwrap(), 5);
    assert_eq!(theirs.recv(&mut buffer).unwrap(), 5);
}

#[coro::test(real)]
async fn readiness_lasts_until_a_receive_finds_no_datagram() {
    let (ours, theirs) = pair();
    poll_fn(|cx| ours.poll_writable(cx)).await.unwrap();
    theirs.send(b"one").unwrap();
    poll_fn(|cx| ours.poll_readable(cx)).await.unwrap();
    poll_fn(|cx| ours.poll_readable(cx)).await.unwrap();
    let mut buffer = [0; 8];
    assert_eq!(
        poll_fn(|cx| ours.poll_recv(cx, &mut buffer)).await.unwrap(),
        3
    );
    let (wakes, waker) = Wakes::new();
    let cx = &mut Context::from_waker(&waker);
    assert!(ours.poll_recv(cx, &mut buffer).is_pending());
    assert!(ours.poll_readable(cx).is_pending());
    theirs.send(b"two").unwrap();
    poll_fn(|cx| ours.poll_readable(cx)).await.unwrap();
    assert!(wakes.count() > 0, "the first to wait is woken, too");
    assert!(matches!(
        ours.poll_recv(cx, &mut buffer),
        Poll::Ready(Ok(3))
    ));
}

#[coro::test(real)]
async fn any_call_of_the_system_can_be_made_when_it_would_not_block() {
    let (ours, theirs) = pair();
    let parts = [IoSlice::new(b"two "), IoSlice::new(b"parts")];
    let gathered = |io: &UdpSocket| SockRef::from(io).send_vectored(&parts);
    let sent = poll_fn(|cx| ours.poll_io(Interest::Write, cx, gathered)).await;
    assert_eq!(sent.unwrap(), 9);
    assert_eq!(ours.try_io(Interest::Write, gathered).unwrap(), 9);
    let mut buffer = [0; 16];
    for _ in 0..2 {
        assert_eq!(theirs.recv(&mut buffer).unwrap(), 9);
    }
    let blocks = ours.try_io(Interest::Read, |io| {
        SockRef::from(io).recv(&mut [std::mem::MaybeUninit::uninit(); 8])
    });
    assert_eq!(blocks.unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[cfg(target_os = "linux")] // elsewhere the receive itself ends
#[coro::test(real)]
async fn a_poll_that_waits_ends_when_receiving_is_shut_down() {
    use coro::gather;
    use std::net::Shutdown;

    let (ours, _theirs) = pair();
    let mut buffer = [0; 8];
    let shut_down = async {
        turns(3).await;
        SockRef::from(&ours).shutdown(Shutdown::Read).unwrap();
    };
    let (received, ()) = gather((poll_fn(|cx| ours.poll_recv(cx, &mut buffer)), shut_down)).await;
    assert_eq!(received.unwrap(), 0);
    let received = poll_fn(|cx| ours.poll_recv_from(cx, &mut buffer)).await;
    assert_eq!(received.unwrap_err().kind(), ErrorKind::UnexpectedEof);
}
