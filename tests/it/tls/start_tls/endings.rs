//! Handshakes on a transport that fail; the protocol is told of each exactly once.

use std::io::{self, ErrorKind, Read};
use std::time::Duration;

use coro::net::tls::TlsError;
use coro::net::{Protocol, Transport, create_connection, create_server};
use coro::{EventLoop, gather};
use futures::io::{AsyncReadExt, AsyncWriteExt};

use super::super::cancelling::give_up_after;
use super::super::duplex::duplex;
use super::super::{kind, tcp_pair, tls_error};
use super::{Identity, client, go, outcome, spied};
use crate::support::{ms, turns};
use crate::transport::{Callback, Log, Spy, nothing};

#[coro::test]
async fn the_other_end_hangs_up() {
    let identity = Identity::localhost();
    let (_transport, log, mut peer, place) = client(&identity, duplex(1000, 5000));
    go(&mut peer).await;
    turns(3).await;
    drop(peer);
    assert_eq!(kind(outcome(&place).await), ErrorKind::UnexpectedEof);
    log.until_event("lost").await;
    turns(5).await;
    log.assert(["made", "data", "lost: UnexpectedEof"]);
}

#[coro::test(real)]
async fn the_other_end_resets() {
    let identity = Identity::localhost();
    let (ours, theirs) = tcp_pair().await;
    let log = Log::default();
    let transport = Transport::new(ours, Spy::new(&log, nothing));
    let shaking = coro::spawn(transport.start_tls_server(&identity.acceptor()));
    turns(3).await;
    theirs.set_linger(Some(Duration::ZERO)).unwrap();
    drop(theirs);
    assert_eq!(kind(shaking.await.unwrap()), ErrorKind::ConnectionReset);
    log.until_event("lost").await;
    log.assert(["made", "lost: ConnectionReset"]);
}

/// Keeps the error of `connection_lost`.
struct Losing(std::rc::Rc<std::cell::RefCell<Vec<Option<io::Error>>>>);

impl Protocol for Losing {
    fn data_received(&mut self, _: &[u8]) {
        panic!("nothing can be received");
    }

    fn connection_lost(&mut self, error: Option<io::Error>) {
        self.0.borrow_mut().push(error);
    }
}

#[coro::test]
async fn an_untrusted_server_is_told_so_and_future_and_protocol_both_get_the_error() {
    let (trusted, other) = (Identity::localhost(), Identity::localhost());
    let lost = std::rc::Rc::default();
    let (ours, theirs) = duplex(100, 500);
    let transport = Transport::new(ours, Losing(std::rc::Rc::clone(&lost)));
    let (connector, acceptor) = (trusted.connector(), other.acceptor());
    let (client, server) = gather((
        transport.start_tls(&connector, "localhost"),
        acceptor.accept(theirs),
    ))
    .await;
    let why = tls_error(client);
    assert!(why.to_string().contains("not signed by any root"), "{why}");
    assert!(tls_error(server).to_string().contains("gave up"));
    turns(5).await;
    let mut lost = lost.borrow_mut();
    assert_eq!(lost.len(), 1);
    let error: io::Error = lost.remove(0).expect("with an error");
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    assert_eq!(inner, Some(&why) as Option<&TlsError>);
}

#[coro::test]
async fn a_handshake_has_a_time_limit() {
    let identity = Identity::localhost();
    let (transport, log, _peer) = spied(duplex(100, 500), nothing);
    let begun = coro::LoopHandle::current().time();
    let acceptor = identity.acceptor();
    let error = transport.start_tls_server(&acceptor).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert_eq!(coro::LoopHandle::current().time() - begun, ms(60_000));
    log.until_event("lost").await;
    log.assert(["made", "lost: TimedOut"]);
}

#[coro::test]
async fn plain_text_that_is_not_read_counts_towards_the_time_limit() {
    let identity = Identity::localhost();
    let (transport, log, _peer) = spied(duplex(100, 500), nothing);
    transport.write(&[0; 10_000]);
    let connector = identity.connector().handshake_timeout(ms(700));
    let shaking = transport.start_tls(&connector, "localhost");
    assert_eq!(kind(shaking.await), ErrorKind::TimedOut);
    log.until_event("lost").await;
    log.assert(["made", "lost: TimedOut"]);
    assert_eq!(transport.get_write_buffer_size(), 0);
}

#[coro::test]
async fn an_abort_ends_the_handshake_at_once() {
    let identity = Identity::localhost();
    let (transport, log, mut peer, place) = client(&identity, duplex(100, 500));
    go(&mut peer).await;
    turns(3).await;
    let begun = coro::LoopHandle::current().time();
    transport.abort();
    assert_eq!(kind(outcome(&place).await), ErrorKind::ConnectionAborted);
    log.until_event("lost").await;
    log.assert(["made", "data", "lost"]);
    assert_eq!(transport.get_write_buffer_size(), 0);
    peer.read_to_end(&mut Vec::new()).await.unwrap(); // it is closed
    assert_eq!(coro::LoopHandle::current().time(), begun);
}

#[coro::test]
async fn a_protocol_that_panics_ends_the_handshake() {
    let reports = crate::support::Reports::here();
    let identity = Identity::localhost();
    let (transport, log, _peer) = spied(duplex(100, 500), |callback, _| {
        assert!(callback != Callback::Pause, "in pause_writing");
        false
    });
    log.until_event("made").await;
    let shaking = coro::spawn(transport.start_tls(&identity.connector(), "localhost"));
    turns(3).await;
    transport.write(&[0; 100_000]);
    assert_eq!(kind(shaking.await.unwrap()), ErrorKind::ConnectionAborted);
    log.until_event("lost").await;
    log.assert(["made", "pause", "lost: Other"]);
    assert_eq!(reports.take().len(), 1);
}

#[coro::test]
async fn a_future_that_is_dropped_at_any_poll_aborts_the_connection() {
    let identity = Identity::localhost();
    for is_client in [true, false] {
        for polls in 1.. {
            let (transport, log, peer) = spied(duplex(50, 50), nothing);
            log.until_event("made").await;
            let (connector, acceptor) = (identity.connector(), identity.acceptor());
            let ours = async {
                match is_client {
                    true => transport.start_tls(&connector, "localhost").await,
                    false => transport.start_tls_server(&acceptor).await,
                }
            };
            let shaking = give_up_after(polls, ours);
            let (connector, acceptor) = (connector.clone(), acceptor.clone());
            drop(coro::spawn(async move {
                let tls = match is_client {
                    true => acceptor.accept(peer).await,
                    false => connector.connect("localhost", peer).await,
                };
                tls.ok()?.read(&mut [0]).await.ok()
            }));
            let shaken = shaking.await;
            if let Some(shaken) = shaken {
                shaken.unwrap();
                assert!(polls > 10 && !transport.is_closing());
                break;
            }
            assert!(transport.is_closing());
            log.until_event("lost").await;
            turns(2).await;
            log.assert(["made", "lost"]);
        }
    }
}

#[coro::test]
async fn a_future_that_was_never_polled_is_given_up_too() {
    let identity = Identity::localhost();
    let (transport, log, mut peer) = spied(duplex(50, 50), nothing);
    drop(transport.start_tls(&identity.connector(), "localhost"));
    log.until_event("lost").await;
    log.assert(["made", "lost"]);
    assert_eq!(peer.read(&mut [0]).await.unwrap(), 0);
}

#[coro::test]
async fn a_future_that_was_forgotten_leaves_a_connection_that_can_be_aborted() {
    let identity = Identity::localhost();
    let (transport, log, _peer) = spied(duplex(50, 50), nothing);
    std::mem::forget(transport.start_tls(&identity.connector(), "localhost"));
    transport.write(b"never");
    transport.close();
    turns(5).await;
    log.assert(["made"]);
    transport.abort();
    log.until_event("lost").await;
    log.assert(["made", "lost"]);
}

#[test]
fn the_loop_ends_in_the_midst_of_a_handshake() {
    let identity = Identity::localhost();
    let log = Log::default();
    let spy = Spy::new(&log, nothing);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut event_loop = EventLoop::new().unwrap();
    let transport = event_loop
        .run_until_complete(async {
            let transport = create_connection(|| spy, address).await.unwrap();
            let shaking = transport.start_tls(&identity.connector(), "localhost");
            drop(coro::spawn(shaking));
            turns(3).await;
            transport
        })
        .unwrap();
    let (mut peer, _) = listener.accept().unwrap();
    event_loop.close();
    let mut hello = Vec::new();
    peer.read_to_end(&mut hello).unwrap(); // it is closed
    assert!(!hello.is_empty() && transport.is_closing());
    log.assert(["made", "lost"]);
}

#[test]
fn a_future_that_outlives_its_loop_is_over() {
    let identity = Identity::localhost();
    let log = Log::default();
    let spy = Spy::new(&log, nothing);
    let (ours, theirs) = duplex(50, 50);
    let mut event_loop = EventLoop::new().unwrap();
    let transport = event_loop
        .run_until_complete(async {
            let transport = Transport::new(ours, spy);
            turns(1).await;
            transport
        })
        .unwrap();
    let shaking = transport.start_tls_server(&identity.acceptor());
    event_loop.close();
    let shaken = futures::executor::block_on(shaking);
    assert_eq!(kind(shaken), ErrorKind::ConnectionAborted);
    let read = async { { theirs }.read(&mut [0]).await };
    assert_eq!(futures::executor::block_on(read).unwrap(), 0);
}

#[coro::test(real)]
async fn a_server_that_is_shut_down_ends_its_handshakes_too() {
    let log = Log::default();
    let (noted, acceptor) = (log.clone(), Identity::localhost().acceptor());
    let factory = move || {
        let acceptor = acceptor.clone();
        Spy::new(&noted, move |callback, transport| {
            if callback == Callback::Data(b"go") {
                let shaking = transport.start_tls_server(&acceptor);
                drop(coro::spawn(async { kind(shaking.await) }));
            }
            false
        })
    };
    let server = create_server(factory, "127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    let mut client = coro::net::TcpStream::connect(address).await.unwrap();
    client.write_all(b"go").await.unwrap();
    log.until_received(2).await;
    turns(3).await;
    server.shutdown(Duration::ZERO).await;
    log.assert(["made", "data", "lost"]);
    assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
}
