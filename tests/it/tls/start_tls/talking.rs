//! Conversations that begin in plain text, then go on in TLS.

use std::io::{Read, Write};
use std::net;
use std::sync::Arc;
use std::thread;

use coro::gather;
use coro::net::tls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
};
use coro::net::tls::{PlainStream, TlsAcceptor, TlsConnector, TlsStream};
use coro::net::{TcpListener, TcpStream, Transport, create_connection, create_server};
use futures::io::{AsyncReadExt, AsyncWriteExt};

use super::super::duplex::{Duplex, duplex};
use super::super::tcp_pair;
use super::{Identity, client, go, outcome, spied, started};
use crate::support::turns;
use crate::tcp::join;
use crate::transport::{Callback, Log, Spy, nothing};

const MUCH: usize = 300_000;

fn bytes(seed: u8) -> Vec<u8> {
    (0..MUCH).map(|n| (n >> 8) as u8 ^ n as u8 ^ seed).collect()
}

/// The bytes that a protocol sends, with the log of its callbacks.
type Made = (Vec<u8>, Log);

/// A server that switches to TLS on command, then sends its bytes.
fn server_spy(
    (mine, log): Made,
    acceptor: TlsAcceptor,
) -> Spy<impl FnMut(Callback<'_>, &Transport) -> bool + 'static> {
    let mut secure = false;
    let mut command = Vec::new();
    Spy::new(&log, move |callback, transport| {
        if let (Callback::Data(data), false) = (callback, secure) {
            command.extend(data); // it may come in pieces
            secure = command.ends_with(b"\n");
        }
        if secure && !command.is_empty() {
            assert_eq!(std::mem::take(&mut command), b"STARTTLS\r\n");
            transport.write(b"220 go ahead\r\n");
            drop(coro::spawn(transport.start_tls_server(&acceptor)));
            transport.write(&mine);
        }
        false
    })
}

/// A client that gives the command, then sends its bytes.
fn client_spy(
    (mine, log): Made,
    connector: TlsConnector,
) -> Spy<impl FnMut(Callback<'_>, &Transport) -> bool + 'static> {
    let mut secure = false;
    let mut answer = Vec::new();
    Spy::new(&log, move |callback, transport| {
        match callback {
            Callback::Made => drop(transport.write(b"STARTTLS\r\n")),
            Callback::Data(data) if !secure => {
                answer.extend(data);
                secure = answer.ends_with(b"\n");
            }
            _ => {}
        }
        if secure && !answer.is_empty() {
            assert_eq!(std::mem::take(&mut answer), b"220 go ahead\r\n");
            drop(coro::spawn(transport.start_tls(&connector, "localhost")));
            transport.write(&mine);
        }
        false
    })
}

#[coro::test(real)]
async fn two_protocols_go_on_in_tls_from_within_their_callbacks() {
    let identity = Identity::localhost();
    let (ours, theirs) = ((bytes(1), Log::default()), (bytes(2), Log::default()));
    let (made, acceptor) = (theirs.clone(), identity.acceptor());
    let factory = move || server_spy(made.clone(), acceptor.clone());
    let server = create_server(factory, "127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    let factory = || client_spy(ours.clone(), identity.connector());
    let transport = create_connection(factory, address).await.unwrap();

    ours.1.until_received(14 + MUCH).await;
    theirs.1.until_received(10 + MUCH).await;
    assert!(ours.1.data()[14..] == theirs.0 && theirs.1.data()[10..] == ours.0);

    let tls = |tls: &TlsStream<PlainStream>| tls.protocol_version().is_some();
    assert_eq!(transport.with_stream(tls), Some(true));
    let nodelay = |stream: &TcpStream| stream.nodelay().unwrap();
    assert_eq!(transport.with_stream(nodelay), Some(true));
    assert_eq!(transport.with_stream(|_: &String| ()), None);
    assert_eq!(transport.peer_addr(), Some(address));
    assert!(transport.local_addr().is_some());

    transport.close();
    gather((ours.1.until_event("lost"), theirs.1.until_event("lost"))).await;
    assert_eq!((ours.1.count("made"), theirs.1.count("made")), (1, 1));
    // close_notify came, so the end is a clean one.
    assert_eq!((theirs.1.count("eof"), theirs.1.count("lost:")), (1, 0));
    assert_eq!(ours.1.count("lost:"), 0);
}

#[coro::test(real)]
async fn a_blocking_server_of_rustls_is_understood() {
    let identity = Identity::localhost();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(identity.chain(), identity.key())
        .unwrap();
    let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut plain, _) = listener.accept().unwrap();
        let mut command = [0; 10];
        plain.read_exact(&mut command).unwrap();
        plain.write_all(b"220 go ahead\r\n").unwrap();
        let connection = ServerConnection::new(Arc::new(config)).unwrap();
        let mut tls = StreamOwned::new(connection, plain);
        let mut received = vec![0; MUCH];
        tls.read_exact(&mut received).unwrap();
        tls.write_all(&received).unwrap();
        tls.conn.send_close_notify();
        tls.flush().unwrap();
        let mut rest = Vec::new();
        tls.read_to_end(&mut rest).unwrap(); // fails unless close_notify comes
        rest
    });
    let ours = (bytes(3), Log::default());
    let factory = || client_spy(ours.clone(), identity.connector());
    create_connection(factory, address).await.unwrap();
    ours.1.until_event("lost").await;
    ours.1
        .assert(["made", "data", "pause", "resume", "data", "eof", "lost"]);
    assert!(ours.1.data()[14..] == ours.0);
    assert_eq!(join(server).await, b"");
}

#[coro::test(real)]
async fn a_blocking_client_of_rustls_is_served() {
    let identity = Identity::localhost();
    let mut roots = RootCertStore::empty();
    roots.add(identity.chain().remove(0)).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let theirs = (bytes(4), Log::default());
    let (made, acceptor) = (theirs.clone(), identity.acceptor());
    let factory = move || server_spy(made.clone(), acceptor.clone());
    let server = create_server(factory, "127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    let client = thread::spawn(move || {
        let mut plain = net::TcpStream::connect(address).unwrap();
        plain.write_all(b"STARTTLS\r\n").unwrap();
        let mut answer = [0; 14];
        plain.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"220 go ahead\r\n");
        let name = "localhost".try_into().unwrap();
        let connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut tls = StreamOwned::new(connection, plain);
        let mut received = vec![0; MUCH];
        tls.read_exact(&mut received).unwrap();
        tls.write_all(&received).unwrap();
        tls.conn.send_close_notify();
        tls.flush().unwrap();
        assert_eq!(tls.read_to_end(&mut Vec::new()).unwrap(), 0);
    });
    theirs.1.until_event("lost").await;
    assert_eq!(theirs.1.count("lost:"), 0);
    assert!(theirs.1.data()[10..] == theirs.0);
    join(client).await;
}

#[coro::test]
async fn buffered_bytes_are_sent_in_plain_text_before_the_handshake() {
    let identity = Identity::localhost();
    let (transport, log, mut peer) = spied(duplex(100, 500), nothing);
    log.until_event("made").await;
    transport.write(&bytes(5));
    let before = transport.get_write_buffer_size();
    assert!(before > MUCH - 1000);
    let shaking = coro::spawn(transport.start_tls_server(&identity.acceptor()));
    // The bytes still count: a paused writer stays paused.
    assert_eq!(transport.get_write_buffer_size(), before);
    turns(5).await;
    log.assert(["made", "pause"]);
    let mut plain = vec![0; MUCH];
    peer.read_exact(&mut plain).await.unwrap();
    assert!(plain == bytes(5));
    let mut tls = identity
        .connector()
        .connect("localhost", peer)
        .await
        .unwrap();
    shaking.await.unwrap().unwrap();
    turns(2).await;
    assert_eq!(transport.get_write_buffer_size(), 0);
    log.assert(["made", "pause", "resume"]);
    transport.write(b"secret");
    transport.close();
    let mut secret = String::new();
    tls.read_to_string(&mut secret).await.unwrap();
    assert_eq!(secret, "secret");
}

#[coro::test]
async fn code_after_the_await_runs_before_data_comes_and_can_choose_the_protocol() {
    let identity = Identity::localhost();
    let (h1, h2) = (Log::default(), Log::default());
    let (client, server) = tcp_pair().await;
    let connector = TlsConnector::builder()
        .root_certificates(identity.chain())
        .alpn_protocols(["h2"])
        .build()
        .unwrap();
    let acceptor = TlsAcceptor::builder(identity.chain(), identity.key())
        .alpn_protocols(["h2", "h1"])
        .build()
        .unwrap();
    let transport = Transport::new(server, Spy::new(&h1, nothing));
    let second = Recorder(h2.clone());
    let serving = async {
        transport.start_tls_server(&acceptor).await.unwrap();
        // The client's bytes have arrived by now: they came together with its last flight.
        let is_h2 = |tls: &TlsStream<PlainStream>| tls.alpn_protocol() == Some(b"h2");
        assert_eq!(transport.with_stream(is_h2), Some(true));
        transport.set_protocol(second);
    };
    let talking = async {
        let mut tls = connector.connect("localhost", client).await.unwrap();
        tls.write_all(b"pipelined").await.unwrap();
        tls.close().await.unwrap();
        tls.read_to_end(&mut Vec::new()).await.unwrap();
    };
    gather((serving, talking)).await;
    h2.until_event("lost").await;
    h1.assert(["made"]);
    h2.assert(["data", "lost"]);
    assert_eq!(h2.data(), b"pipelined");
}

/// A protocol that logs without a `connection_made`.
struct Recorder(Log);

impl coro::net::Protocol for Recorder {
    fn data_received(&mut self, data: &[u8]) {
        self.0.add_data(data);
    }

    fn connection_lost(&mut self, error: Option<std::io::Error>) {
        assert!(error.is_none());
        self.0.add("lost");
    }
}

#[coro::test]
async fn nothing_is_received_until_the_future_is_done() {
    let identity = Identity::localhost();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let log = Log::default();
    let spy = Spy::new(&log, nothing);
    let address = listener.local_addr().unwrap();
    let transport = create_connection(|| spy, address).await.unwrap();
    let (mut peer, _) = listener.accept().await.unwrap();
    let shaking = transport.start_tls(&identity.connector(), "localhost");
    // From here on all bytes belong to the handshake, so these make it fail.
    peer.write_all(b"injected after the call").await.unwrap();
    turns(20).await;
    log.assert(["made"]);
    let error = shaking.await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    log.until_event("lost").await;
    log.assert(["made", "lost: InvalidData"]);
}

#[coro::test]
async fn data_that_comes_with_the_handshake_is_not_lost() {
    let identity = Identity::localhost();
    let (transport, log, mut peer, place) = client(&identity, duplex(7, 100_000));
    go(&mut peer).await;
    let acceptor = identity.acceptor();
    let mut tls = acceptor.accept(peer).await.unwrap();
    tls.write_all(b"pipelined").await.unwrap();
    tls.close().await.unwrap();
    outcome(&place).await.unwrap();
    log.until_event("lost").await;
    log.assert(["made", "data", "eof", "lost"]);
    assert_eq!(log.data(), b"gopipelined");
    assert!(transport.is_closing());
    let mut secret = String::new();
    tls.read_to_string(&mut secret).await.unwrap();
    assert_eq!(secret, "secret");
}

#[coro::test]
async fn tls_goes_on_within_tls() {
    let identity = Identity::localhost();
    let (transport, log, tls) = started(&identity).await;
    let (connector, acceptor) = (identity.connector(), identity.acceptor());
    let (inner, outer) = gather((
        transport.start_tls(&connector, "localhost"),
        acceptor.accept(tls),
    ))
    .await;
    inner.unwrap();
    let mut tls = outer.unwrap();
    transport.write(&bytes(6));
    let mut received = vec![0; MUCH];
    tls.read_exact(&mut received).await.unwrap();
    assert!(received == bytes(6));
    tls.write_all(&received).await.unwrap();
    tls.flush().await.unwrap();
    log.until_received(MUCH + 2).await;
    assert!(log.data()[2..] == received);
    let find = |_: &Duplex| ();
    assert_eq!(transport.with_stream(find), Some(()));
}
