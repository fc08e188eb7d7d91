//! Connections in memory.

use std::cell::RefCell;
use std::io::{ErrorKind, IoSlice, IoSliceMut};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use coro::io::{
    AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, BufWriter,
    DuplexStream, StreamExt, duplex,
};
use coro::net::streams;
use coro::{gather, sleep, spawn, timeout};
use proptest::prelude::*;

use crate::support::{Wakes, ms, panic_of, turns};

#[coro::test]
async fn a_write_takes_what_there_is_room_for_and_a_read_what_is_there() {
    let (mut a, mut b) = duplex(5);
    assert_eq!(a.write(b"abc").await.unwrap(), 3);
    assert_eq!(a.write(b"defg").await.unwrap(), 2);
    let (mut buffer, mut rest) = ([0; 4], [0; 4]);
    assert_eq!(b.read(&mut buffer).await.unwrap(), 4);
    assert_eq!(&buffer, b"abcd");
    // The bytes of the ring now lie in two pieces.
    let slices = [
        IoSlice::new(b"1"),
        IoSlice::new(b""),
        IoSlice::new(b"23456"),
    ];
    assert_eq!(a.write_vectored(&slices).await.unwrap(), 4);
    let mut buffers = [
        IoSliceMut::new(&mut buffer[..2]),
        IoSliceMut::new(&mut rest),
    ];
    assert_eq!(b.read_vectored(&mut buffers).await.unwrap(), 5);
    assert_eq!((&buffer[..2], &rest[..3]), (&b"e1"[..], &b"234"[..]));
    assert_eq!(
        b.write(b"back").await.unwrap(),
        4,
        "the other direction has room of its own"
    );
    assert_eq!(a.read(&mut []).await.unwrap(), 0);
    assert_eq!(a.write(b"").await.unwrap(), 0);
}

#[coro::test]
async fn a_full_direction_waits_for_the_reader_and_an_empty_one_for_the_writer() {
    let (mut a, mut b) = duplex(1);
    let mut buffer = [0; 3];
    let (written, read) = gather((a.write_all(b"xyz"), b.read_exact(&mut buffer))).await;
    written.unwrap();
    read.unwrap();
    assert_eq!(&buffer, b"xyz");
    a.write_all(b"!").await.unwrap();
    assert!(timeout(ms(1), a.write(b"?")).await.is_err());
    assert_eq!(b.read(&mut buffer).await.unwrap(), 1);
    assert!(
        timeout(ms(1), b.read(&mut buffer)).await.is_err(),
        "the write was dropped"
    );
}

#[coro::test]
async fn the_end_comes_after_all_that_was_written_and_the_other_direction_goes_on() {
    let (mut a, mut b) = duplex(64);
    a.write_all(b"last words").await.unwrap();
    a.close().await.unwrap();
    a.close().await.unwrap();
    assert_eq!(
        a.write(b"x").await.unwrap_err().kind(),
        ErrorKind::BrokenPipe
    );
    let mut text = String::new();
    b.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "last words");
    b.write_all(b"answer").await.unwrap();
    drop(b);
    text.clear();
    a.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "answer");
}

#[coro::test]
async fn a_dropped_end_wakes_the_other_which_reads_the_end_and_cannot_write() {
    let (a, b) = duplex(2);
    (&a).write_all(b"xx").await.unwrap();
    let write = async { (&a).write(b"y").await.unwrap_err() };
    let read = async { (&a).read(&mut [0; 8]).await.unwrap() };
    let (error, end, ()) = gather((write, read, async { drop(b) })).await;
    assert_eq!((error.kind(), end), (ErrorKind::BrokenPipe, 0));
    assert!(error.to_string().contains("other end"), "{error}");
}

#[coro::test]
async fn every_task_that_waits_at_one_end_is_served() {
    let (a, b) = duplex(1);
    let (a, got) = (Rc::new(a), Rc::new(RefCell::new(Vec::new())));
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let (a, got) = (a.clone(), got.clone());
            spawn(async move {
                let mut byte = [0];
                (&*a).read_exact(&mut byte).await.unwrap();
                got.borrow_mut().push(byte[0]);
            })
        })
        .collect();
    turns(2).await;
    (&b).write_all(b"1234").await.unwrap();
    for reader in readers {
        reader.await.unwrap();
    }
    assert_eq!(*got.borrow(), b"1234");
}

#[test]
fn it_works_without_a_loop_and_wakes_each_waiter_once() {
    let (mut a, mut b) = duplex(8);
    let (wakes, waker) = Wakes::new();
    let cx = &mut Context::from_waker(&waker);
    let mut buffer = [0; 8];
    for _ in 0..3 {
        let polled = std::pin::Pin::new(&mut b).poll_read(cx, &mut buffer);
        assert!(polled.is_pending());
    }
    let polled = std::pin::Pin::new(&mut a).poll_write(cx, b"abc");
    assert!(matches!(polled, Poll::Ready(Ok(3))));
    assert_eq!(wakes.count(), 1);
    futures::executor::block_on(b.read_exact(&mut buffer[..3])).unwrap();
    assert_eq!(&buffer[..3], b"abc");
}

#[test]
fn no_capacity_is_a_mistake() {
    let text = panic_of(|| duplex(0));
    assert!(
        text.contains("give duplex() a capacity of at least 1"),
        "{text}"
    );
}

#[coro::test]
async fn buffered_readers_and_writers_and_lines_work_on_it() {
    let (a, b) = duplex(16);
    let write = async {
        let mut writer = BufWriter::new(a);
        for n in 0..100 {
            writer
                .write_all(format!("line {n}\n").as_bytes())
                .await
                .unwrap();
        }
        writer.close().await.unwrap();
    };
    let lines = BufReader::new(b)
        .lines()
        .map(Result::unwrap)
        .collect::<Vec<_>>();
    let ((), lines) = gather((write, lines)).await;
    assert_eq!((lines.len(), lines[99].as_str()), (100, "line 99"));
}

#[coro::test]
async fn a_day_of_a_slow_conversation_passes_at_once_under_a_virtual_clock() {
    let begun = Instant::now();
    let (client, server) = duplex(100);
    let ((mut reader, writer), (mut asked, answers)) = (streams(client), streams(server));
    let serve = spawn(async move {
        while let Some(line) = asked.read_line().await.unwrap() {
            let answer = format!("{line}!\n");
            sleep(Duration::from_secs(3600)).await;
            answers.write(answer.as_bytes());
            answers.drain().await.unwrap();
        }
    });
    for hour in 0..24 {
        writer.write(format!("{hour}\n").as_bytes());
        let answer = reader.read_line().await.unwrap();
        assert_eq!(answer, Some(format!("{hour}!").as_str()));
    }
    drop(writer);
    serve.await.unwrap();
    assert_eq!(reader.read_line().await.unwrap(), None);
    assert!(begun.elapsed() < Duration::from_secs(3600));
}

#[cfg(feature = "tls")]
#[coro::test]
async fn tls_speaks_over_it() {
    use coro::net::tls::rustls::pki_types::PrivateKeyDer;
    use coro::net::tls::{TlsAcceptor, TlsConnector};

    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let acceptor = TlsAcceptor::new(vec![certificate.clone()], key).unwrap();
    let connector = TlsConnector::builder()
        .root_certificates([certificate])
        .build()
        .unwrap();
    let (client, server) = duplex(1000);
    let serve = async {
        let mut server = acceptor.accept(server).await.unwrap();
        let mut text = Vec::new();
        server.read_to_end(&mut text).await.unwrap();
        server.close().await.unwrap();
        text
    };
    let ask = async {
        let mut client = connector.connect("localhost", client).await.unwrap();
        client.write_all(&b"x".repeat(100_000)).await.unwrap();
        client.close().await.unwrap();
    };
    let (text, ()) = gather((serve, ask)).await;
    assert_eq!(text.len(), 100_000);
}

/// Writes pieces of these sizes, one after another.
async fn write_in_pieces(mut to: DuplexStream, bytes: &[u8], sizes: &[usize]) {
    let (mut rest, mut sizes) = (bytes, sizes.iter().cycle());
    while !rest.is_empty() {
        let size = (*sizes.next().unwrap()).min(rest.len());
        let written = to.write(&rest[..size]).await.unwrap();
        assert!(written > 0);
        rest = &rest[written..];
    }
}

proptest! {
    #[test]
    fn any_pieces_arrive_whole_and_in_order(
        bytes in prop::collection::vec(any::<u8>(), 0..600),
        capacity in 1..40_usize,
        written in prop::collection::vec(1..50_usize, 1..5),
        read in prop::collection::vec(1..50_usize, 1..5),
    ) {
        let (a, mut b) = duplex(capacity);
        let reading = async {
            let (mut received, mut sizes) = (Vec::new(), read.iter().cycle());
            loop {
                let mut buffer = vec![0; *sizes.next().unwrap()];
                match b.read(&mut buffer).await.unwrap() {
                    0 => break received,
                    len => received.extend_from_slice(&buffer[..len]),
                }
            }
        };
        let writing = write_in_pieces(a, &bytes, &written);
        let ((), received) = coro::run(async { gather((writing, reading)).await });
        prop_assert_eq!(received, bytes);
    }
}
