//! Calls of `start_tls` that are refused, since they make no sense.

use std::io::ErrorKind;

use coro::net::tls::{PlainStream, TlsStream};
use futures::io::{AsyncReadExt, AsyncWriteExt};

use super::super::duplex::duplex;
use super::super::kind;
use super::{Identity, spied, started};
use crate::support::turns;
use crate::transport::{keep_open, nothing};

#[coro::test]
async fn the_second_call_during_a_handshake_is_refused_and_harms_nothing() {
    let identity = Identity::localhost();
    let (transport, log, peer) = spied(duplex(100, 500), nothing);
    let first = coro::spawn(transport.start_tls(&identity.connector(), "localhost"));
    let second = transport
        .start_tls(&identity.connector(), "localhost")
        .await;
    let error = second.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResourceBusy);
    let expected = "tls: start_tls() on a transport that is in the midst of another: \
                    wait for that to be done";
    assert_eq!(error.to_string(), expected);
    drop(transport.start_tls_server(&identity.acceptor())); // refused, so its drop aborts nothing
    let mut tls = identity.acceptor().accept(peer).await.unwrap();
    first.await.unwrap().unwrap();
    transport.write(b"hello");
    transport.close();
    let mut hello = String::new();
    tls.read_to_string(&mut hello).await.unwrap();
    assert_eq!(hello, "hello");
    log.until_event("lost").await;
    log.assert(["made", "lost"]);
}

#[coro::test]
async fn a_transport_that_closes_stays_with_its_present_stream() {
    let identity = Identity::localhost();
    let (transport, log, mut peer) = spied(duplex(100, 500), nothing);
    transport.write(b"plain");
    transport.close();
    let shaking = transport.start_tls(&identity.connector(), "localhost");
    assert_eq!(kind(shaking.await), ErrorKind::NotConnected);
    let mut plain = String::new();
    peer.read_to_string(&mut plain).await.unwrap();
    assert_eq!(plain, "plain");
    log.until_event("lost").await;
    log.assert(["made", "lost"]);
    let shaking = transport.start_tls_server(&identity.acceptor());
    assert_eq!(kind(shaking.await), ErrorKind::NotConnected);
}

#[coro::test]
async fn after_its_end_was_written_a_transport_cannot_shake_hands() {
    let identity = Identity::localhost();
    let (transport, log, mut peer) = spied(duplex(100, 500), keep_open);
    transport.write_eof();
    let shaking = transport.start_tls(&identity.connector(), "localhost");
    let error = shaking.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    assert!(
        error.to_string().ends_with("after its write_eof()"),
        "{error}"
    );
    peer.write_all(b"heard").await.unwrap();
    log.until_received(5).await;
}

#[coro::test]
async fn a_malformed_name_ends_the_connection() {
    let identity = Identity::localhost();
    let (transport, log, _peer) = spied(duplex(100, 500), nothing);
    let shaking = transport.start_tls(&identity.connector(), "not a name");
    let error = shaking.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    log.until_event("lost").await;
    log.assert(["made", "lost: InvalidInput"]);
}

#[coro::test]
async fn the_stream_cannot_be_asked_for_during_the_handshake() {
    let identity = Identity::localhost();
    let (transport, _, peer) = spied(duplex(100, 500), nothing);
    let is_there =
        |transport: &coro::net::Transport| transport.with_stream(|_: &super::Duplex| ()).is_some();
    assert!(is_there(&transport));
    let shaking = coro::spawn(transport.start_tls(&identity.connector(), "localhost"));
    turns(3).await;
    assert!(!is_there(&transport) && transport.local_addr().is_none());
    drop(peer);
    assert!(shaking.await.unwrap().is_err());
    let (transport, _, _tls) = started(&identity).await;
    assert!(is_there(&transport));
    let certificates = |tls: &TlsStream<PlainStream>| tls.peer_certificates().map(<[_]>::to_vec);
    assert_eq!(
        transport.with_stream(certificates),
        Some(Some(identity.chain()))
    );
}
