//! TLS handshakes, writes, closes that are abandoned midway.

use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind};
use std::pin::{Pin, pin};
use std::task::Poll;

use coro::gather;
use coro::net::tls::{TlsAcceptor, TlsConnector};
use futures::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::duplex::{Duplex, duplex};
use super::{Identity, tls_pair};
use crate::support::turns;

/// Polls `future` at most `polls` times, then drops it.
pub(super) async fn give_up_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut polled = 0;
    poll_fn(|cx| {
        if polled == polls {
            return Poll::Ready(None);
        }
        polled += 1;
        future.as_mut().poll(cx).map(Some)
    })
    .await
}

/// Performs the handshake, then reads a byte.
async fn listen(connector: &TlsConnector, stream: Duplex) -> io::Result<()> {
    let mut tls = connector.connect("localhost", stream).await?;
    tls.read_exact(&mut [0]).await
}

/// Performs the handshake, then writes a byte.
async fn speak(acceptor: &TlsAcceptor, stream: Duplex) -> io::Result<()> {
    let mut tls = acceptor.accept(stream).await?;
    tls.write_all(&[1]).await?;
    tls.close().await
}

/// Abandons one of the ends after each number of polls, until that number is enough to finish. The
/// other end must have finished by then, or get an error.
async fn give_up_at_every_poll(polls_of: impl Fn(usize) -> (usize, usize)) {
    let identity = Identity::localhost();
    let (connector, acceptor) = (identity.connector(), identity.acceptor());
    for polls in 0.. {
        let (of_client, of_server) = polls_of(polls);
        let (client, server) = duplex(50, 50);
        let ends = gather((
            give_up_after(of_client, listen(&connector, client)),
            give_up_after(of_server, speak(&acceptor, server)),
        ));
        match ends.await {
            (Some(Ok(())), Some(Ok(()))) => return assert!(polls > 10),
            (Some(Err(error)), None) | (None, Some(Err(error))) => assert!(
                matches!(
                    error.kind(),
                    ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe
                ),
                "{error}"
            ),
            (Some(Ok(())), None) | (None, Some(Ok(()))) => {}
            ends => panic!("after {polls} polls: {ends:?}"),
        }
    }
}

#[coro::test]
async fn a_client_can_give_up_at_any_point_of_the_handshake() {
    give_up_at_every_poll(|polls| (polls, usize::MAX)).await;
}

#[coro::test]
async fn a_server_can_give_up_at_any_point_of_the_handshake() {
    give_up_at_every_poll(|polls| (usize::MAX, polls)).await;
}

#[coro::test]
async fn a_write_that_was_given_up_has_taken_nothing() {
    let (mut client, mut server) = tls_pair(duplex(64, 500)).await;
    let mine: Vec<u8> = (0..50_000_u32).map(|n| n as u8 ^ (n >> 8) as u8).collect();
    let reading = coro::spawn(async move {
        let mut received = Vec::new();
        server.read_to_end(&mut received).await.map(|_| received)
    });
    let (mut rest, mut given_up) = (&mine[..], 0);
    while !rest.is_empty() {
        match give_up_after(1, client.write(&rest[..rest.len().min(777)])).await {
            Some(taken) => rest = &rest[taken.unwrap()..],
            None => {
                given_up += 1;
                turns(1).await;
            }
        }
    }
    client.close().await.unwrap();
    assert!(given_up > 0);
    assert!(reading.await.unwrap().unwrap() == mine);
}

#[coro::test]
async fn a_close_that_was_given_up_can_be_finished() {
    for polls in 1.. {
        let (mut client, mut server) = tls_pair(duplex(64, 500)).await;
        assert_eq!(client.write(&[5; 2000]).await.unwrap(), 2000);
        let reading = coro::spawn(async move {
            let mut received = Vec::new();
            server.read_to_end(&mut received).await.map(|_| received)
        });
        let closed = give_up_after(polls, client.close()).await;
        let refused = client.write(b"more").await;
        assert_eq!(super::kind(refused), ErrorKind::BrokenPipe);
        client.close().await.unwrap();
        assert_eq!(reading.await.unwrap().unwrap(), [5; 2000]);
        if closed.is_some() {
            return assert!(polls > 2);
        }
    }
}

#[coro::test]
async fn a_stream_dropped_in_the_midst_of_a_write_is_cut_off_for_the_other_end() {
    let (client, mut server) = tls_pair(duplex(64, 500)).await;
    let mut client = Box::pin(client);
    poll_fn(|cx| {
        let taken = Pin::new(&mut *client).poll_write(cx, &[1; 5000]);
        assert!(matches!(taken, Poll::Ready(Ok(5000))));
        Poll::Ready(())
    })
    .await;
    drop(client);
    let mut received = Vec::new();
    let error = server.read_to_end(&mut received).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
}
