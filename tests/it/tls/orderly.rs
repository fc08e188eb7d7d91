//! What was written before a close arrives whole through TLS.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;

use coro::net::tls::rustls::crypto::ring::default_provider;
use coro::net::tls::rustls::version::{TLS12, TLS13};
use coro::net::tls::rustls::{ServerConfig, SupportedProtocolVersion};
use coro::net::tls::{PlainStream, TlsAcceptor, TlsStream};
use coro::net::{Protocol, TcpStream, Transport, close_in_order};
use coro::{LoopHandle, Task, gather, sleep, spawn};
use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::duplex::duplex;
use super::{Identity, kind, shake, tcp_pair, tls_pair};
use crate::orderly_close::{Sender, WAYS, Way, arrived, payload, receive, send, sizes};
use crate::support::{ReadAll, ms, turns};

pub(super) const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

/// A server that speaks one version only.
pub(super) fn acceptor_of(
    identity: &Identity,
    version: &'static SupportedProtocolVersion,
) -> TlsAcceptor {
    let provider = default_provider().into();
    let builder = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth();
    let config = builder.with_single_cert(identity.chain(), identity.key());
    config.unwrap().into()
}

/// From the client to the server, and from the server to the client.
async fn through_both<S>(
    way: Way,
    version: &'static SupportedProtocolVersion,
    pair: impl AsyncFn() -> (S, S),
    data: &[u8],
) where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let identity = Identity::localhost();
    let (connector, acceptor) = (identity.connector(), acceptor_of(&identity, version));
    for client_sends in [true, false] {
        let (client, server) = shake(&connector, &acceptor, pair().await).await;
        let (client, server) = (client.unwrap(), server.unwrap());
        assert_eq!(client.protocol_version(), Some(version.version));
        let (from, to) = match client_sends {
            true => (client, server),
            false => (server, client),
        };
        let (sent, received) = gather((send(way, from, data), receive(to, data))).await;
        received.unwrap();
        sent.unwrap();
    }
}

#[coro::test(real)]
async fn all_that_was_written_arrives_from_either_side_in_both_versions() {
    for (len, times) in sizes(10, 1) {
        let data = payload(len);
        for version in VERSIONS {
            for way in WAYS {
                for _ in 0..times {
                    through_both(way, version, tcp_pair, &data).await;
                }
            }
        }
        arrived(len, times);
    }
}

#[cfg(unix)]
#[coro::test(real)]
async fn all_that_was_written_arrives_over_unix_sockets() {
    let data = payload(1024 * 1024);
    for version in VERSIONS {
        for way in WAYS {
            let pair = async || coro::net::UnixStream::pair().unwrap();
            through_both(way, version, pair, &data).await;
        }
    }
}

/// The other end reads late, when all that can be lost has been.
#[coro::test(real)]
async fn a_slow_reader_receives_all_of_it() {
    let data = payload(1024 * 1024);
    for way in WAYS {
        let (client, server) = tls_pair(tcp_pair().await).await;
        let read = async {
            sleep(ms(50)).await;
            receive(server, &data).await
        };
        let (sent, received) = gather((send(way, client, &data), read)).await;
        received.unwrap();
        sent.unwrap();
    }
}

/// The other end still sends, which is dropped.
#[coro::test(real)]
async fn all_of_it_arrives_though_the_other_end_sends_too() {
    let data = payload(1024 * 1024);
    for way in WAYS {
        let (mut client, server) = tls_pair(tcp_pair().await).await;
        let send = async {
            match way {
                Way::Transport => send(way, client, &data).await,
                Way::Stream => {
                    client.write_all(&data).await?;
                    close_in_order(client, ms(60_000)).await
                }
            }
        };
        let talk_and_read = async {
            let (reader, mut writer) = server.split();
            let talk = async {
                for _ in 0..50 {
                    writer.write_all(&[1; 10_000]).await.unwrap();
                    writer.flush().await.unwrap();
                    sleep(ms(1)).await;
                }
                writer.close().await.unwrap();
            };
            gather((talk, receive(reader, &data))).await.1
        };
        let (sent, received) = gather((send, talk_and_read)).await;
        received.unwrap();
        sent.unwrap();
    }
}

/// Goes on in TLS at once, and then writes and closes.
struct Upgrading(Sender, Rc<RefCell<Option<Transport>>>);

impl Protocol for Upgrading {
    fn connection_made(&mut self, transport: &Transport) {
        self.1.replace(Some(transport.clone()));
    }

    fn data_received(&mut self, data: &[u8]) {
        self.0.data_received(data);
    }

    fn connection_lost(&mut self, error: Option<io::Error>) {
        self.0.connection_lost(error);
    }
}

/// A transport that is put on TLS, by either side, and one of its two ends sends.
async fn upgraded(is_client: bool, version: &'static SupportedProtocolVersion, data: &[u8]) {
    let identity = Identity::localhost();
    let (connector, acceptor) = (identity.connector(), acceptor_of(&identity, version));
    let (one, other) = tcp_pair().await;
    let (protocol, lost) = Sender::of(data);
    let place = Rc::default();
    let transport = Transport::new(one, Upgrading(protocol, Rc::clone(&place)));
    turns(2).await;
    let ours = async {
        match is_client {
            true => transport.start_tls(&connector, "localhost").await,
            false => transport.start_tls_server(&acceptor).await,
        }
        .unwrap();
        let is_tls = transport.with_stream(|_: &TlsStream<PlainStream>| ());
        assert!(is_tls.is_some());
        transport.write(data);
        transport.close();
        lost.await.unwrap()
    };
    let theirs = async {
        let tls = match is_client {
            true => acceptor.accept(other).await,
            false => connector.connect("localhost", other).await,
        };
        receive(tls.unwrap(), data).await
    };
    let (sent, received) = gather((ours, theirs)).await;
    received.unwrap();
    sent.unwrap();
}

/// A stream that is put on TLS, by either side, receives or sends as one that began so.
async fn upgraded_stream(is_client: bool, version: &'static SupportedProtocolVersion, data: &[u8]) {
    let identity = Identity::localhost();
    let (connector, acceptor) = (identity.connector(), acceptor_of(&identity, version));
    let (client, server) = tcp_pair().await;
    let client = futures::io::BufReader::new(client);
    let server = futures::io::BufReader::new(server);
    let (client, server) = gather((
        connector.start_tls("localhost", client),
        acceptor.start_tls(server),
    ))
    .await;
    let (from, to) = match is_client {
        true => (client.unwrap(), server.unwrap()),
        false => (server.unwrap(), client.unwrap()),
    };
    let (sent, received) = gather((send(Way::Stream, from, data), receive(to, data))).await;
    received.unwrap();
    sent.unwrap();
}

#[coro::test(real)]
async fn what_goes_on_in_tls_ends_in_order_too() {
    for (len, times) in [(1, 5), (1024 * 1024, 5)] {
        let data = payload(len);
        for version in VERSIONS {
            for is_client in [true, false] {
                for _ in 0..times {
                    upgraded(is_client, version, &data).await;
                    upgraded_stream(is_client, version, &data).await;
                }
            }
        }
    }
}

#[coro::test]
async fn close_waits_for_the_other_end_as_long_as_the_limit_allows() {
    let identity = Identity::localhost();
    let connector = identity.connector().shutdown_timeout(ms(7_000));
    let streams = duplex(1000, 10_000);
    let (client, server) = shake(&connector, &identity.acceptor(), streams).await;
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    client.write_all(b"hello").await.unwrap();
    let begun = LoopHandle::current().time();
    let closing = spawn(async move {
        client.close().await.unwrap();
        (LoopHandle::current().time() - begun, client)
    });
    receive(&mut server, b"hello").await.unwrap();
    sleep(ms(6_000)).await;
    assert!(!closing.is_finished());
    let (took, mut client) = closing.await.unwrap();
    assert_eq!(took, ms(7_000), "all was sent, and the other end is silent");
    // The other direction is as it was.
    server.write_all(b"late").await.unwrap();
    server.close().await.unwrap();
    receive(&mut client, b"late").await.unwrap();
}

#[coro::test]
async fn close_is_done_when_the_other_end_has_ended_or_sends() {
    for ends in [true, false] {
        let (mut client, mut server) = tls_pair(duplex(1000, 10_000)).await;
        let begun = LoopHandle::current().time();
        let closing = spawn(async move {
            client.close().await.unwrap();
            (LoopHandle::current().time() - begun, client)
        });
        sleep(ms(1_000)).await;
        match ends {
            true => server.close().await.unwrap(),
            false => {
                server.write_all(b"data").await.unwrap();
                server.flush().await.unwrap();
            }
        }
        let (took, mut client) = closing.await.unwrap();
        assert_eq!(took, ms(1_000));
        if !ends {
            let mut data = [0; 4];
            client.read_exact(&mut data).await.unwrap();
            assert_eq!(&data, b"data");
        }
    }
}

#[coro::test(real)]
async fn a_reset_while_close_waits_is_its_error() {
    let identity = Identity::localhost();
    let (connector, acceptor) = (identity.connector(), identity.acceptor());
    let (client, other_end) = tcp_pair().await;
    let (client, server) = gather((
        connector.connect("localhost", client),
        acceptor.accept(&other_end),
    ))
    .await;
    std::mem::forget(server); // dropped, it would take leave
    let mut client = client.unwrap();
    client.write_all(b"hello").await.unwrap();
    let closing = spawn(async move { client.close().await });
    turns(5).await;
    assert!(!closing.is_finished());
    drop(other_end); // with "hello" unread
    let error = kind(closing.await.unwrap());
    assert_eq!(error, ErrorKind::ConnectionReset);
}

#[coro::test]
async fn an_alert_while_close_waits_is_its_error() {
    let (mut client, mut server) = tls_pair(duplex(1000, 10_000)).await;
    client.write_all(b"hello").await.unwrap();
    let forged = [&[23, 3, 3, 0, 40][..], &[1; 40]].concat();
    client.get_ref().inject(&forged);
    let closing = spawn(async move { client.close().await });
    turns(3).await;
    assert!(!closing.is_finished());
    receive(&mut server, b"hello").await.unwrap_err();
    let why = super::tls_error(closing.await.unwrap()).to_string();
    assert_eq!(why, "tls: the other end gave up: bad record mac");
}

/// One task reads while another closes: the reader gets all, and both are woken.
async fn closes_beside_a_reader(gives_up: bool) {
    let (client, mut server) = tls_pair(duplex(300, 10_000)).await;
    let (mut reader, mut writer) = client.split();
    let reading: Task<io::Result<Vec<u8>>> = spawn(async move {
        let mut all = Vec::new();
        reader.read_all(&mut all).await.map(|_| all)
    });
    turns(3).await;
    let closing = spawn(async move {
        let mut close = pin!(writer.close());
        let mut polls = 0;
        poll_fn(|cx| {
            polls += 1;
            let closed = Pin::new(&mut close).as_mut().poll(cx);
            if gives_up && polls == 1 {
                return Poll::Ready(Ok(()));
            }
            closed
        })
        .await
    });
    turns(3).await;
    for _ in 0..20 {
        server.write_all(&[5; 1000]).await.unwrap();
        server.flush().await.unwrap();
        turns(2).await;
    }
    server.close().await.unwrap();
    assert_eq!(reading.await.unwrap().unwrap(), vec![5; 20_000]);
    closing.await.unwrap().unwrap();
    assert!(LoopHandle::current().time().elapsed() < ms(5_000));
}

#[coro::test]
async fn a_close_beside_a_reader_takes_nothing_from_it() {
    closes_beside_a_reader(false).await;
}

#[coro::test]
async fn a_close_that_is_given_up_leaves_the_reader_waiting_as_before() {
    closes_beside_a_reader(true).await;
}

/// What the other end reads after the data when a stream is dropped: a clean end or none.
async fn end_of(server: &mut TlsStream<TcpStream>) -> Result<usize, ErrorKind> {
    let mut all = Vec::new();
    server.read_all(&mut all).await.map_err(|e| e.kind())
}

async fn is_cut_short(server: &mut TlsStream<TcpStream>) {
    let end = end_of(server).await.unwrap_err();
    let is_none = matches!(end, ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset);
    assert!(is_none, "{end}");
}

#[coro::test(real)]
async fn a_stream_that_is_dropped_says_so_if_all_was_sent() {
    let (mut client, mut server) = tls_pair(tcp_pair().await).await;
    client.write_all(b"hello").await.unwrap();
    client.flush().await.unwrap();
    drop(client);
    assert_eq!(end_of(&mut server).await, Ok(5));

    let (client, mut server) = tls_pair(tcp_pair().await).await;
    drop(client);
    assert_eq!(end_of(&mut server).await, Ok(0));
}

#[coro::test(real)]
async fn a_stream_that_is_dropped_in_the_midst_of_a_write_is_cut_short() {
    let (mut client, mut server) = tls_pair(tcp_pair().await).await;
    // Less was taken than was to be written.
    assert!(client.write(&[0; 1_000_000]).await.unwrap() < 1_000_000);
    client.flush().await.unwrap();
    drop(client);
    is_cut_short(&mut server).await;
}

#[coro::test(real)]
async fn a_stream_that_is_dropped_by_a_panic_is_cut_short() {
    let reports = crate::support::Reports::here();
    let (mut client, mut server) = tls_pair(tcp_pair().await).await;
    client.write_all(b"half of it").await.unwrap();
    client.flush().await.unwrap();
    drop(spawn(async move {
        let _client = client;
        panic!("in the midst of it");
    }));
    is_cut_short(&mut server).await;
    assert_eq!(reports.take().len(), 1);
}

#[coro::test(real)]
async fn an_abort_in_the_midst_of_a_write_is_no_end() {
    struct Aborting;

    impl Protocol for Aborting {
        fn connection_made(&mut self, transport: &Transport) {
            transport.write(&vec![0; 1_000_000]);
            transport.abort();
        }

        fn data_received(&mut self, _: &[u8]) {}
    }

    let (client, mut server) = tls_pair(tcp_pair().await).await;
    drop(Transport::new(client, Aborting));
    is_cut_short(&mut server).await;
}
