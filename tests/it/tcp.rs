//! TCP streams of coro at both ends, or with a blocking `net::TcpStream` of the standard library at
//! the other.

use std::cell::Cell;
use std::io::{self, IoSlice, Read, Write};
use std::net::{self, Shutdown, SocketAddr};
use std::rc::Rc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use coro::net::{TcpListener, TcpStream};
use coro::{EventLoop, gather, sleep, spawn, timeout};
use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use socket2::{Domain, Socket, Type};

use crate::support::{Processor, ReadAll, is_simulated, ms, turns};

pub(crate) fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// A connection between the present loop and a blocking socket.
pub(crate) async fn connection() -> (TcpStream, net::TcpStream) {
    let (listener, address) = listen();
    let theirs = net::TcpStream::connect(address).unwrap();
    let (ours, peer) = listener.accept().await.unwrap();
    assert_eq!(peer, theirs.local_addr().unwrap());
    (ours, theirs)
}

/// The two ends of a connection.
pub(crate) async fn ends() -> (TcpStream, TcpStream) {
    let (listener, address) = listen();
    let (theirs, ours) = gather((TcpStream::connect(address), listener.accept())).await;
    (ours.unwrap().0, theirs.unwrap())
}

/// Awaits a thread without blocking the loop that serves it.
pub(crate) async fn join<T>(thread: JoinHandle<T>) -> T {
    while !thread.is_finished() {
        sleep(ms(1)).await;
    }
    thread.join().unwrap()
}

pub(crate) async fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = [0; 1000];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            read => stream.write_all(&buffer[..read]).await?,
        }
    }
}

// ---- echo ----

#[coro::test(real)]
async fn many_blocking_clients_are_served_at_once() {
    let (listener, address) = listen();
    let server = spawn(async move {
        let mut incoming = Box::pin(listener.incoming());
        while let Some(stream) = incoming.next().await {
            spawn(echo(stream.unwrap()));
        }
    });
    let clients: Vec<_> = (0..8_u8)
        .map(|client| {
            thread::spawn(move || {
                let mut stream = net::TcpStream::connect(address).unwrap();
                for n in 0..50 {
                    let message = vec![client; n * 37 + 1];
                    stream.write_all(&message).unwrap();
                    let mut answer = vec![0; message.len()];
                    stream.read_exact(&mut answer).unwrap();
                    assert_eq!(answer, message);
                }
            })
        })
        .collect();
    for client in clients {
        join(client).await;
    }
    server.cancel();
}

#[coro::test(real)]
async fn bytes_arrive_one_at_a_time() {
    let (mut ours, mut theirs) = ends().await;
    ours.set_nodelay(true).unwrap();
    assert!(ours.nodelay().unwrap());
    let text = b"one byte at a time, there and back";
    let client = spawn(async move {
        theirs.set_nodelay(true).unwrap();
        for byte in text {
            theirs.write_all(&[*byte]).await.unwrap();
            let mut back = [0];
            theirs.read_exact(&mut back).await.unwrap();
            assert_eq!(back[0], *byte);
        }
    });
    for expected in text {
        let mut byte = [0];
        assert_eq!(ours.read(&mut byte).await.unwrap(), 1);
        assert_eq!(byte[0], *expected);
        assert_eq!(ours.write(&byte).await.unwrap(), 1);
    }
    assert_eq!(ours.read(&mut [0]).await.unwrap(), 0);
    client.await.unwrap();
}

#[coro::test(real)]
async fn large_transfers_go_both_ways_at_once() {
    let megabytes = if is_simulated() { 1 } else { 8 };
    let total = megabytes << 20;
    let byte_at = |at: usize| (at * 31 + at / 4096) as u8;
    let (ours, theirs) = ends().await;
    let (mut reader, mut writer) = theirs.into_split();
    let sender = spawn(async move {
        let bytes: Vec<u8> = (0..total).map(byte_at).collect();
        writer.write_all(&bytes).await.unwrap();
        writer.close().await.unwrap();
    });
    let receiver = spawn(async move {
        sleep(ms(10)).await; // so that our writes fill the socket's buffers
        let mut bytes = Vec::new();
        reader.read_all(&mut bytes).await.unwrap();
        bytes
    });
    let (read, written) = gather((
        async {
            let mut bytes = Vec::new();
            (&ours).read_all(&mut bytes).await.map(|_| bytes)
        },
        async {
            let bytes: Vec<u8> = (0..total).map(|at| !byte_at(at)).collect();
            (&ours).write_all(&bytes).await?;
            (&ours).close().await
        },
    ))
    .await;
    written.unwrap();
    assert!(read.unwrap().into_iter().eq((0..total).map(byte_at)));
    sender.await.unwrap();
    let received = receiver.await.unwrap();
    assert!(received.into_iter().eq((0..total).map(|at| !byte_at(at))));
}

#[coro::test(real)]
async fn two_loops_ends_talk_and_slices_go_out_in_order() {
    let (listener, address) = listen();
    let (client, accepted) = gather((TcpStream::connect(address), listener.accept())).await;
    let (mut client, (mut server, peer)) = (client.unwrap(), accepted.unwrap());
    assert_eq!(client.local_addr().unwrap(), peer);
    assert_eq!(client.peer_addr().unwrap(), server.local_addr().unwrap());
    let slices = [IoSlice::new(b"ab"), IoSlice::new(b""), IoSlice::new(b"cde")];
    let taken = client.write_vectored(&slices).await.unwrap();
    assert!(taken == 5 || is_simulated()); // a fault may have made it short
    client.write_all(&b"abcde"[taken..]).await.unwrap();
    let mut read = [0; 5];
    server.read_exact(&mut read).await.unwrap();
    assert_eq!(&read, b"abcde");
}

// ---- ends ----

#[coro::test(real)]
async fn after_our_half_close_the_other_end_can_still_be_read() {
    let (mut ours, mut theirs) = ends().await;
    let client = spawn(async move {
        let mut request = String::new();
        theirs.read_to_string(&mut request).await.unwrap();
        theirs
            .write_all(request.to_uppercase().as_bytes())
            .await
            .unwrap();
    });
    ours.write_all(b"request").await.unwrap();
    ours.close().await.unwrap();
    let mut answer = String::new();
    ours.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "REQUEST");
    client.await.unwrap();
    assert_eq!(
        ours.write(b"more").await.unwrap_err().kind(),
        io::ErrorKind::BrokenPipe
    );
    ours.shutdown(Shutdown::Both).unwrap();
    ours.close().await.unwrap();
}

#[coro::test(real)]
async fn after_their_half_close_we_can_still_write() {
    let (mut ours, mut theirs) = ends().await;
    theirs.write_all(b"last words").await.unwrap();
    theirs.shutdown(Shutdown::Write).unwrap();
    let mut words = Vec::new();
    ours.read_all(&mut words).await.unwrap();
    assert_eq!(words, b"last words");
    assert_eq!(
        ours.read(&mut [0]).await.unwrap(),
        0,
        "the end stays the end"
    );
    let client = spawn(async move {
        let mut answer = String::new();
        theirs.read_to_string(&mut answer).await.unwrap();
        answer
    });
    sleep(ms(1)).await;
    ours.write_all(b"answer").await.unwrap();
    drop(ours);
    assert_eq!(client.await.unwrap(), "answer");
}

#[coro::test(real)]
async fn a_reset_is_an_error_for_the_reader_and_the_writer() {
    let (mut ours, theirs) = ends().await;
    let waiting = spawn(async move {
        let error = ours.read(&mut [0]).await.unwrap_err();
        (ours, error)
    });
    turns(2).await;
    theirs.set_linger(Some(Duration::ZERO)).unwrap();
    drop(theirs);
    let (mut ours, error) = waiting.await.unwrap();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    let error = ours.write(b"x").await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    ours.shutdown(Shutdown::Write).unwrap();
}

#[coro::test(real)]
async fn a_connection_reset_before_it_was_accepted_does_not_end_the_listener() {
    let (listener, address) = listen();
    let gone = TcpStream::connect(address).await.unwrap();
    gone.set_linger(Some(Duration::ZERO)).unwrap();
    drop(gone);
    let mut live = TcpStream::connect(address).await.unwrap();
    live.write_all(b"!").await.unwrap();
    let accepting = async {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            if stream.read(&mut [0]).await.is_ok() {
                break;
            }
        }
    };
    timeout(Duration::from_secs(10), accepting).await.unwrap();
}

#[coro::test(real)]
async fn connecting_without_a_listener_is_refused() {
    let (listener, address) = listen();
    drop(listener);
    let error = TcpStream::connect(address).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
}

#[coro::test(real)]
async fn binding_an_address_in_use_is_an_error() {
    let (_listener, address) = listen();
    let error = TcpListener::bind(address).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
}

// ---- abandoned operations ----

#[coro::test(real)]
async fn a_read_given_up_halfway_loses_nothing() {
    let (mut ours, mut theirs) = ends().await;
    let mut buffer = [0; 8];
    assert!(timeout(ms(2), ours.read(&mut buffer)).await.is_err());
    theirs.write_all(b"complete").await.unwrap();
    ours.read_exact(&mut buffer).await.unwrap();
    assert_eq!(&buffer, b"complete");
}

#[coro::test(real)]
async fn an_accept_given_up_halfway_loses_no_connection() {
    let (listener, address) = listen();
    assert!(timeout(ms(2), listener.accept()).await.is_err());
    let first = TcpStream::connect(address).await.unwrap();
    let (_, peer) = listener.accept().await.unwrap();
    assert_eq!(peer, first.local_addr().unwrap());

    let listener = Rc::new(listener);
    let task = spawn({
        let listener = listener.clone();
        async move { listener.accept().await.map(drop) }
    });
    turns(2).await;
    let second = TcpStream::connect(address).await.unwrap();
    task.cancel();
    assert!(task.await.unwrap_err().is_cancelled());
    let (_, peer) = timeout(Duration::from_secs(10), listener.accept())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(peer, second.local_addr().unwrap());
}

/// A listener with a full queue, which lets further connections wait. In a simulation it is an
/// address that does not answer.
pub(crate) fn full() -> (Socket, SocketAddr, Vec<Socket>) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket
        .bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())
        .unwrap();
    socket.listen(1).unwrap();
    let address = socket.local_addr().unwrap();
    let queued = (0..4).map(|_| {
        let client = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        client.set_nonblocking(true).unwrap();
        let _ = client.connect(&address); // in progress, for ever
        client
    });
    let queued = queued.collect();
    let address = match is_simulated() {
        true => SocketAddr::from(([192, 0, 2, 1], 9)),
        false => address.as_socket().unwrap(),
    };
    (socket, address, queued)
}

#[coro::test(real)]
async fn a_connect_without_an_answer_can_be_given_up() {
    let (_listener, address, _queued) = full();
    assert!(timeout(ms(20), TcpStream::connect(address)).await.is_err());
    let task = spawn(TcpStream::connect(address));
    sleep(ms(2)).await;
    task.cancel();
    assert!(task.await.unwrap_err().is_cancelled());
}

// ---- many at one descriptor ----

#[coro::test(real)]
async fn several_tasks_accept_from_one_listener_and_none_is_forgotten() {
    let (listener, address) = listen();
    let listener = Rc::new(listener);
    let accepted = Rc::new(Cell::new(0));
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let (listener, accepted) = (listener.clone(), accepted.clone());
            spawn(async move {
                listener.accept().await.unwrap();
                accepted.set(accepted.get() + 1);
            })
        })
        .collect();
    // One more wait is abandoned: the others still wait.
    assert!(timeout(ms(2), listener.accept()).await.is_err());
    for n in 1..=4 {
        let _client = TcpStream::connect(address).await.unwrap();
        let counted = async {
            while accepted.get() < n {
                sleep(ms(1)).await;
            }
        };
        let counted = timeout(Duration::from_secs(5), counted).await;
        assert!(counted.is_ok(), "{n} connections, {accepted:?}");
    }
    for task in tasks {
        task.await.unwrap();
    }
}

#[coro::test(real)]
async fn places_of_closed_connections_are_used_again_and_late_events_ignored() {
    let (listener, address) = listen();
    let (mut idle, mut awake) = ends().await;
    let idle = spawn(async move { idle.read(&mut [0]).await });
    for round in 0..200_u8 {
        let (client, accepted) = gather((TcpStream::connect(address), listener.accept())).await;
        let (mut client, mut server) = (client.unwrap(), accepted.unwrap().0);
        client.write_all(&[round]).await.unwrap();
        if round % 2 == 0 {
            continue; // dropped with an event under way
        }
        let mut byte = [0];
        server.read_exact(&mut byte).await.unwrap();
        assert_eq!(byte[0], round);
    }
    assert!(!idle.is_finished());
    awake.write_all(b"x").await.unwrap();
    assert_eq!(idle.await.unwrap().unwrap(), 1);
}

// ---- another loop ----

#[test]
fn a_stream_awaited_in_another_loop_is_an_error_that_says_so() {
    let (mut first, mut second) = (EventLoop::new().unwrap(), EventLoop::new().unwrap());
    let (mut ours, mut theirs) = first.run_until_complete(connection()).unwrap();
    let elsewhere = second.run_until_complete(ours.read(&mut [0])).unwrap();
    assert_eq!(
        elsewhere.unwrap_err().to_string(),
        "waiting for a descriptor outside of the event loop it was made in, which alone is told \
         of it: await it there, or make it again here"
    );
    theirs.write_all(b"x").unwrap();
    assert_eq!(
        first
            .run_until_complete(ours.read(&mut [0]))
            .unwrap()
            .unwrap(),
        1
    );
    drop(first);
    theirs.write_all(b"y").unwrap();
    drop(second);
    drop(ours);
}

// ---- idle ----

#[coro::test(real)]
async fn idle_connections_use_no_time_of_the_processor() {
    let (mut ours, _theirs) = ends().await;
    let (listener, _) = listen();
    let reads = spawn(async move { ours.read(&mut [0]).await.map(drop) });
    let accepts = spawn(async move { listener.accept().await.map(drop) });
    sleep(ms(2)).await;
    let processor = Processor::of_this_thread();
    let before = processor.used();
    sleep(ms(100)).await;
    assert!(processor.used() - before <= ms(20));
    assert!(!reads.is_finished() && !accepts.is_finished());
    reads.cancel();
    accepts.cancel();
}
