//! TCP under faults: resets, slow readers, unreachable addresses, abandoned operations.

use std::io;
use std::net::Shutdown;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use coro::net::{ConnectOptions, Keepalive, TcpListener, TcpStream};
use coro::{gather, sleep, spawn, timeout};
use futures::{AsyncReadExt, AsyncWriteExt};
use socket2::SockRef;

use crate::support::{ms, turns};
use crate::tcp::{ends, full, listen};

fn reset(theirs: TcpStream) {
    theirs.set_linger(Some(Duration::ZERO)).unwrap();
}

#[coro::test(real)]
async fn a_reset_in_the_middle_of_a_write_ends_the_write() {
    let (mut ours, theirs) = ends().await;
    let writing = spawn(async move {
        let bytes = vec![7; 64 << 20];
        ours.write_all(&bytes).await.unwrap_err().kind()
    });
    sleep(ms(5)).await;
    assert!(!writing.is_finished(), "nobody reads");
    reset(theirs);
    let kind = timeout(Duration::from_secs(10), writing)
        .await
        .unwrap()
        .unwrap();
    let known = [io::ErrorKind::ConnectionReset, io::ErrorKind::BrokenPipe];
    assert!(known.contains(&kind), "{kind:?}");
}

#[coro::test(real)]
async fn a_reset_in_the_middle_of_a_read_loses_nothing_that_was_read_before() {
    let (mut ours, mut theirs) = ends().await;
    theirs.write_all(b"begun").await.unwrap();
    let mut begun = [0; 5];
    ours.read_exact(&mut begun).await.unwrap();
    let mut rest = [0; 100];
    let (read, ()) = gather((ours.read_exact(&mut rest), async {
        turns(3).await;
        reset(theirs);
    }))
    .await;
    assert_eq!(read.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(&begun, b"begun");
}

#[coro::test(real)]
async fn a_reset_wakes_the_reader_and_the_writer_alike() {
    let (ours, theirs) = ends().await;
    let (mut read, mut write) = ours.into_split();
    let reader = spawn(async move { read.read(&mut [0]).await.map_err(|error| error.kind()) });
    let writer = spawn(async move { write.write_all(&vec![0; 64 << 20]).await.is_err() });
    sleep(ms(5)).await;
    reset(theirs);
    let (read, failed) = timeout(Duration::from_secs(10), gather((reader, writer)))
        .await
        .unwrap();
    // The reset is reported to one of the two; the other gets its consequence.
    assert!(matches!(
        read.unwrap(),
        Err(io::ErrorKind::ConnectionReset) | Ok(0)
    ));
    assert!(failed.unwrap());
}

#[coro::test(real)]
async fn a_slow_reader_holds_the_writer_up_and_gets_everything() {
    const LEN: usize = 8 << 20;
    let (ours, mut theirs) = ends().await;
    ours.set_send_buffer_size(64 << 10).unwrap();
    let mut written = 0;
    let chunk = vec![3; 16 << 10];
    let mut ours = ours;
    // The system's buffers take this much, and no more: coro buffers nothing itself.
    while let Ok(len) = timeout(ms(50), ours.write(&chunk)).await {
        written += len.unwrap();
        assert!(written < LEN, "a writer that nothing holds up");
    }
    let reader = spawn(async move {
        let mut all = 0;
        let mut buffer = vec![0; 64 << 10];
        loop {
            match theirs.read(&mut buffer).await.unwrap() {
                0 => return all,
                len => all += len,
            }
        }
    });
    ours.write_all(&vec![3; LEN - written]).await.unwrap();
    drop(ours);
    assert_eq!(reader.await.unwrap(), LEN);
}

#[coro::test(real)]
async fn each_end_may_close_its_half_first() {
    for ours_first in [true, false] {
        let (ours, mut theirs) = ends().await;
        let (mut read, mut write) = ours.into_split();
        if ours_first {
            write.write_all(b"request").await.unwrap();
            drop(write);
            let mut request = String::new();
            theirs.read_to_string(&mut request).await.unwrap();
            theirs.write_all(request.as_bytes()).await.unwrap();
            drop(theirs);
            let mut answer = String::new();
            read.read_to_string(&mut answer).await.unwrap();
            assert_eq!(answer, "request");
        } else {
            theirs.write_all(b"request").await.unwrap();
            theirs.shutdown(Shutdown::Write).unwrap();
            let mut request = String::new();
            read.read_to_string(&mut request).await.unwrap();
            write.write_all(request.as_bytes()).await.unwrap();
            drop(write);
            let mut answer = String::new();
            theirs.read_to_string(&mut answer).await.unwrap();
            assert_eq!(answer, "request");
        }
    }
}

#[coro::test(real)]
async fn an_unreachable_address_is_an_error_of_its_kind() {
    // An address reserved for documentation, from a socket that is bound to the loopback interface.
    let options = ConnectOptions::new().local_addr("127.0.0.1:0".parse().unwrap());
    let attempt = options.connect("192.0.2.1:9");
    let error = timeout(Duration::from_secs(5), attempt)
        .await
        .unwrap()
        .unwrap_err();
    let error = io::Error::from(error);
    let known = [
        io::ErrorKind::NetworkUnreachable,
        io::ErrorKind::HostUnreachable,
        io::ErrorKind::InvalidInput, // Linux, as the source address cannot reach it
    ];
    assert!(known.contains(&error.kind()), "{error:?}");
    let error = TcpListener::bind("192.0.2.1:0").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrNotAvailable);
}

#[coro::test(real)]
async fn a_connect_given_up_halfway_leaves_no_waiter_behind() {
    let (_listener, address, _queued) = full();
    for _ in 0..3 {
        let attempt = TcpStream::connect(address);
        assert!(timeout(ms(5), attempt).await.is_err());
    }
    // Dropped after the first poll, before the loop has polled its sources.
    let mut attempt = Box::pin(TcpStream::connect(address));
    let polled = attempt
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending());
    drop(attempt);
    turns(3).await;
}

#[coro::test(real)]
async fn the_end_is_found_though_the_last_read_came_up_short() {
    let (mut ours, mut theirs) = ends().await;
    theirs.write_all(b"last").await.unwrap();
    drop(theirs);
    sleep(ms(5)).await;
    let mut buffer = [0; 100];
    assert_eq!(ours.read(&mut buffer).await.unwrap(), 4);
    let end = timeout(Duration::from_secs(5), ours.read(&mut buffer)).await;
    assert_eq!(end.unwrap().unwrap(), 0);
}

#[coro::test(real)]
async fn peeking_takes_nothing_and_trying_waits_for_nothing() {
    let (ours, mut theirs) = ends().await;
    let mut buffer = [0; 8];
    let nothing = ours.try_read(&mut buffer).unwrap_err();
    assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock);
    theirs.write_all(b"abc").await.unwrap();
    while ours.peek(&mut buffer).await.unwrap() < 3 {
        sleep(ms(1)).await; // a network may deliver it in parts
    }
    for _ in 0..2 {
        assert_eq!(ours.peek(&mut buffer).await.unwrap(), 3);
    }
    ours.readable().await.unwrap();
    assert_eq!(ours.try_read(&mut buffer).unwrap(), 3);
    let bytes = vec![1; 1 << 20];
    let refused = loop {
        if let Err(error) = ours.try_write(&bytes) {
            break error;
        }
    };
    assert_eq!(refused.kind(), io::ErrorKind::WouldBlock);
    let mut waiting = pin!(ours.writable());
    let polled = waiting
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Pending));
    let reader = spawn(async move { theirs.read_to_end(&mut Vec::new()).await });
    waiting.await.unwrap();
    assert!(ours.try_write(&bytes).is_ok());
    drop(reader);
}

#[coro::test(real)]
async fn options_of_a_connection_are_what_they_were_set_to() {
    let (listener, address) = listen();
    let options =
        ConnectOptions::new().prepare(|socket| SockRef::from(socket).set_recv_buffer_size(30_000));
    let stream = options.connect(address).await.unwrap();
    let _accepted = listener.accept().await.unwrap();
    let keepalive = Keepalive::new()
        .with_time(Duration::from_secs(77))
        .with_retries(4);
    stream.set_keepalive(Some(keepalive)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_ttl(33).unwrap();
    stream.set_linger(Some(Duration::from_secs(2))).unwrap();
    assert!(stream.keepalive().unwrap() && stream.nodelay().unwrap());
    assert_eq!(
        (stream.ttl().unwrap(), stream.linger().unwrap()),
        (33, Some(Duration::from_secs(2)))
    );
    assert!(stream.recv_buffer_size().unwrap() >= 30_000);
    #[cfg(unix)]
    {
        let system = SockRef::from(&stream);
        let time = system.tcp_keepalive_time().unwrap();
        assert_eq!(time, Duration::from_secs(77));
        assert_eq!(system.tcp_keepalive_retries().unwrap(), 4);
    }
    stream.set_keepalive(None).unwrap();
    assert!(!stream.keepalive().unwrap());
    assert!(stream.take_error().unwrap().is_none());
}

#[cfg(target_os = "linux")]
#[coro::test(real)]
async fn listeners_share_an_address_when_both_ask_for_it() {
    use socket2::{Domain, Socket, Type};
    use std::net::SocketAddr;
    use std::rc::Rc;

    let listen_at = |address: SocketAddr| -> io::Result<TcpListener> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.set_reuse_port(true)?;
        socket.bind(&address.into())?;
        socket.listen(16)?;
        TcpListener::from_std(socket.into())
    };
    let first = listen_at("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = first.local_addr().unwrap();
    let second = listen_at(address).unwrap();
    assert!(TcpListener::bind(address).is_err());
    let accepted = Rc::new(std::cell::Cell::new(0));
    let servers = [first, second].map(|listener| {
        let accepted = accepted.clone();
        spawn(async move {
            loop {
                listener.accept().await.unwrap();
                accepted.set(accepted.get() + 1);
            }
        })
    });
    for _ in 0..20 {
        TcpStream::connect(address).await.unwrap();
    }
    while accepted.get() < 20 {
        sleep(ms(1)).await;
    }
    for server in servers {
        server.cancel();
    }

    let options = ConnectOptions::new()
        .prepare(|socket| SockRef::from(socket).bind_device(Some(b"no-such-device")));
    let unknown = io::Error::from(options.connect(address).await.unwrap_err());
    let known = ["os error 1)", "os error 19)"]; // not permitted, or no such device
    let text = unknown.to_string();
    assert!(known.iter().any(|known| text.contains(known)), "{text}");
}
