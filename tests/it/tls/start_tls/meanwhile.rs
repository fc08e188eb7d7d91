//! Calls during a handshake, which take effect after it.

use futures::io::{AsyncReadExt, AsyncWriteExt};

use super::super::duplex::duplex;
use super::{Identity, client, go, outcome, spied};
use crate::support::turns;
use crate::transport::{keep_open, nothing};

#[coro::test]
async fn a_close_waits_for_the_handshake_and_sends_all_written_bytes() {
    let identity = Identity::localhost();
    let (transport, log, mut peer, place) = client(&identity, duplex(100, 500));
    go(&mut peer).await;
    transport.close();
    transport.write(b"ignored");
    turns(5).await;
    log.assert(["made", "data"]);
    let mut tls = identity.acceptor().accept(peer).await.unwrap();
    outcome(&place).await.unwrap();
    let mut secret = String::new();
    tls.read_to_string(&mut secret).await.unwrap(); // to close_notify
    assert_eq!(secret, "secret");
    log.until_event("lost").await;
    log.assert(["made", "data", "lost"]);
}

#[coro::test]
async fn a_handshake_that_fails_while_closing_is_an_error() {
    let identity = Identity::localhost();
    let (transport, log, mut peer, place) = client(&identity, duplex(100, 500));
    go(&mut peer).await;
    transport.close();
    peer.write_all(b"no handshake").await.unwrap();
    assert!(outcome(&place).await.is_err());
    log.until_event("lost").await;
    log.assert(["made", "data", "lost: InvalidData"]);
}

#[coro::test]
async fn write_eof_takes_effect_after_the_handshake() {
    let identity = Identity::localhost();
    let (transport, log, peer) = spied(duplex(100, 500), keep_open);
    let shaking = coro::spawn(transport.start_tls(&identity.connector(), "localhost"));
    transport.write(b"all");
    transport.write_eof();
    let mut tls = identity.acceptor().accept(peer).await.unwrap();
    shaking.await.unwrap().unwrap();
    let mut all = String::new();
    tls.read_to_string(&mut all).await.unwrap();
    assert_eq!(all, "all");
    // The other direction is open.
    tls.write_all(b"answer").await.unwrap();
    tls.flush().await.unwrap();
    log.until_received(6).await;
    log.assert(["made", "data"]);
}

#[coro::test]
async fn reading_that_is_paused_does_not_hold_up_the_handshake_and_stays_paused() {
    let identity = Identity::localhost();
    let (transport, log, mut peer, place) = client(&identity, duplex(100, 5000));
    go(&mut peer).await;
    transport.pause_reading();
    let mut tls = identity.acceptor().accept(peer).await.unwrap();
    outcome(&place).await.unwrap();
    tls.write_all(b"later").await.unwrap();
    tls.flush().await.unwrap();
    turns(10).await;
    assert_eq!(log.data(), b"go");
    transport.resume_reading();
    log.until_received(7).await;
    assert_eq!(log.data(), b"golater");
}

#[coro::test]
async fn bytes_written_during_the_handshake_count_towards_the_limits() {
    let identity = Identity::localhost();
    let (transport, log, peer) = spied(duplex(1000, 5000), nothing);
    log.until_event("made").await;
    transport.set_write_buffer_limits(Some(100), Some(10));
    let shaking = coro::spawn(transport.start_tls(&identity.connector(), "localhost"));
    turns(3).await;
    assert_eq!(transport.write(&[1; 100]), 100);
    log.assert(["made"]);
    assert_eq!(transport.write(&[2]), 101);
    log.assert(["made", "pause"]);
    let mut tls = identity.acceptor().accept(peer).await.unwrap();
    shaking.await.unwrap().unwrap();
    let mut received = [0; 101];
    tls.read_exact(&mut received).await.unwrap();
    assert!(received[..100] == [1; 100] && received[100] == 2);
    log.until_event("resume").await;
}

#[coro::test]
async fn a_transport_without_handles_completes_its_handshake() {
    let identity = Identity::localhost();
    let (transport, log, peer) = spied(duplex(100, 500), nothing);
    let shaking = coro::spawn(transport.start_tls(&identity.connector(), "localhost"));
    drop(transport);
    let mut tls = identity.acceptor().accept(peer).await.unwrap();
    shaking.await.unwrap().unwrap();
    tls.write_all(b"heard").await.unwrap();
    tls.close().await.unwrap();
    log.until_event("lost").await;
    log.assert(["made", "data", "eof", "lost"]);
}
