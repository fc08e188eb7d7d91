//! The ends of TLS connections.

use std::io::ErrorKind;
use std::net::Shutdown;
use std::time::Duration;

use coro::net::tls::TlsStream;
use coro::{LoopHandle, gather};
use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::duplex::duplex;
use super::{Identity, kind, tcp_pair, tls_error, tls_pair};
use crate::support::turns;

#[coro::test]
async fn close_is_an_end_on_the_other_side_and_leaves_the_way_back_open() {
    let (mut client, mut server) = tls_pair(tcp_pair().await).await;
    let theirs = async {
        for _ in 0..2 {
            assert_eq!(server.read(&mut [0; 10]).await.unwrap(), 0);
        }
        server.write_all(b"not yet done").await.unwrap();
        server.close().await.unwrap();
    };
    let ours = async {
        client.close().await.unwrap();
        let mut rest = String::new();
        client.read_to_string(&mut rest).await.unwrap();
        rest
    };
    assert_eq!(gather((theirs, ours)).await.1, "not yet done");
}

#[coro::test]
async fn close_flushes() {
    let (mut client, mut server) = tls_pair(duplex(100, 1000)).await;
    assert_eq!(client.write(&[9; 5000]).await.unwrap(), 5000);
    let mut received = Vec::new();
    let (closed, read) = gather((client.close(), server.read_to_end(&mut received))).await;
    closed.unwrap();
    assert_eq!((read.unwrap(), received), (5000, vec![9; 5000]));
}

#[coro::test]
async fn a_second_close_is_as_good_as_the_first() {
    let (mut client, _server) = tls_pair(duplex(1000, 1000)).await;
    client.close().await.unwrap();
    client.close().await.unwrap();
}

#[coro::test]
async fn a_write_after_close_fails() {
    let (mut client, _server) = tls_pair(duplex(1000, 1000)).await;
    client.close().await.unwrap();
    let refused = client.write(b"more").await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::BrokenPipe);
    assert_eq!(
        refused.to_string(),
        "tls: write to a stream that was closed for writing"
    );
}

/// Expects data, then an unannounced end, which is an error at every further read.
async fn is_cut_off<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut TlsStream<S>) {
    let mut received = [0; 5];
    stream.read_exact(&mut received).await.unwrap();
    assert_eq!(&received, b"hello");
    for _ in 0..3 {
        let error = stream.read(&mut received).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        assert!(
            error.to_string().contains("without close_notify"),
            "{error}"
        );
    }
}

#[coro::test]
async fn an_end_without_close_notify_is_no_end_to_the_server() {
    let (mut client, mut server) = tls_pair(tcp_pair().await).await;
    client.write_all(b"hello").await.unwrap();
    client.flush().await.unwrap();
    client.get_ref().shutdown(Shutdown::Write).unwrap();
    is_cut_off(&mut server).await;
}

#[coro::test]
async fn an_end_without_close_notify_is_no_end_to_the_client() {
    let (mut client, mut server) = tls_pair(tcp_pair().await).await;
    server.write_all(b"hello").await.unwrap();
    server.flush().await.unwrap();
    server.get_ref().shutdown(Shutdown::Write).unwrap();
    is_cut_off(&mut client).await;
}

#[coro::test]
async fn a_record_cut_in_half_by_a_reset_gives_nothing_of_itself() {
    let identity = Identity::localhost();
    let (ours, other_end) = crate::tcp::ends().await;
    let (connector, acceptor) = (identity.connector(), identity.acceptor());
    let (client, server) = gather((
        connector.connect("localhost", ours),
        acceptor.accept(&other_end),
    ))
    .await;
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    server.write_all(b"whole").await.unwrap();
    server.flush().await.unwrap();
    client.read_exact(&mut [0; 5]).await.unwrap();

    // The header of a record of 100 bytes, with the first ten of them.
    let half = [&[23, 3, 3, 0, 100][..], &[0; 10]].concat();
    server.get_mut().write_all(&half).await.unwrap();
    std::mem::forget(server); // dropped, it would take leave
    other_end.set_linger(Some(Duration::ZERO)).unwrap();
    let reading = coro::spawn(async move {
        let first = kind(client.read(&mut [0; 5]).await);
        (first, kind(client.read(&mut [0; 5]).await))
    });
    turns(2).await;
    drop(other_end);
    let errors = reading.await.unwrap();
    assert_eq!(
        errors,
        (ErrorKind::ConnectionReset, ErrorKind::UnexpectedEof)
    );
}

#[coro::test]
async fn a_forged_record_is_an_error_on_both_sides_from_then_on() {
    let (mut client, mut server) = tls_pair(duplex(usize::MAX, usize::MAX)).await;
    let mut forged = vec![23, 3, 3, 0, 40];
    forged.extend([1; 40]);
    client.get_ref().inject(&forged);
    for _ in 0..2 {
        let error = tls_error(server.read(&mut [0; 10]).await).to_string();
        assert_eq!(error, "tls: cannot decrypt peer's message");
    }
    tls_error(server.write(b"never mind").await);
    let error = tls_error(client.read(&mut [0; 10]).await).to_string();
    assert_eq!(error, "tls: the other end gave up: bad record mac");
}

#[coro::test]
async fn data_before_a_forged_record_arrives_first() {
    let (mut client, mut server) = tls_pair(duplex(usize::MAX, usize::MAX)).await;
    client.write_all(b"genuine").await.unwrap();
    client.get_ref().inject(&[23, 3, 3, 0, 1, 0]);
    let mut received = [0; 7];
    server.read_exact(&mut received).await.unwrap();
    assert_eq!(&received, b"genuine");
    tls_error(server.read(&mut received).await);
}

#[coro::test]
async fn a_reader_that_fails_wakes_the_writer() {
    let (client, server) = tls_pair(duplex(100, 1000)).await;
    let (mut reader, mut writer) = client.split();
    let writing = coro::spawn(async move { writer.write_all(&[0; 500_000]).await });
    let reading = coro::spawn(async move { reader.read(&mut [0; 10]).await });
    turns(100).await;
    assert!(!writing.is_finished() && !reading.is_finished());
    server.get_ref().inject(&[21, 3, 3, 0, 2, 1, 0]);
    tls_error(reading.await.unwrap());
    tls_error(writing.await.unwrap());
}

#[coro::test]
async fn an_end_in_the_handshake_is_an_error() {
    for sent in [&b""[..], &[22, 3, 1, 0, 200, 1, 0]] {
        let (client, server) = duplex(usize::MAX, usize::MAX);
        client.inject(sent);
        drop(client);
        let error = Identity::localhost().acceptor().accept(server).await;
        assert_eq!(kind(error), ErrorKind::UnexpectedEof);
    }
}

#[coro::test]
async fn close_notify_in_the_handshake_ends_it() {
    let identity = Identity::localhost();
    let (client, server) = duplex(usize::MAX, usize::MAX);
    client.inject(&[21, 3, 3, 0, 2, 1, 0]);
    let error = identity.acceptor().accept(server).await.err().unwrap();
    assert!(error.to_string().starts_with("tls: "), "{error}");
    let (client, server) = duplex(usize::MAX, usize::MAX);
    server.inject(&[21, 3, 3, 0, 2, 1, 0]);
    let error = identity.connector().connect("localhost", client).await;
    assert!(error.err().unwrap().to_string().starts_with("tls: "));
}

#[coro::test]
async fn a_handshake_that_never_ends_is_cut_off_after_a_minute() {
    let identity = Identity::localhost();
    let begun = LoopHandle::current().time();
    let (client, _silent) = duplex(usize::MAX, usize::MAX);
    let error = identity.connector().connect("localhost", client).await;
    let error = error.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert_eq!(error.to_string(), "tls: the handshake took longer than 60s");
    assert_eq!(
        LoopHandle::current().time() - begun,
        Duration::from_secs(60)
    );
}

#[coro::test]
async fn a_client_that_trickles_is_cut_off_at_the_same_time() {
    let acceptor = Identity::localhost().acceptor();
    let acceptor = acceptor.handshake_timeout(Duration::from_secs(5));
    let (client, server) = duplex(usize::MAX, usize::MAX);
    let begun = LoopHandle::current().time();
    let trickling = coro::spawn(async move {
        client.inject(&[22, 3, 1, 0, 200]);
        loop {
            client.inject(&[1]);
            coro::sleep(Duration::from_secs(1)).await;
        }
    });
    assert_eq!(kind(acceptor.accept(server).await), ErrorKind::TimedOut);
    assert_eq!(LoopHandle::current().time() - begun, Duration::from_secs(5));
    trickling.cancel();
}

#[coro::test]
async fn a_close_whose_bytes_are_not_read_is_cut_off_after_half_a_minute() {
    let (mut client, _server) = tls_pair(duplex(1000, 1000)).await;
    assert_eq!(client.write(&[0; 5000]).await.unwrap(), 5000);
    let begun = LoopHandle::current().time();
    let error = client.close().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert_eq!(error.to_string(), "tls: the shutdown took longer than 30s");
    assert_eq!(
        LoopHandle::current().time() - begun,
        Duration::from_secs(30)
    );
}
