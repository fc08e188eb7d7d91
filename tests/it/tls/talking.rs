//! Data through a TLS connection that works.

use std::future::pending;
use std::io::IoSlice;
use std::pin::pin;

use coro::gather;
use coro::net::start_server;
use coro::net::tls::TlsStream;
use coro::net::tls::rustls::{HandshakeKind, ProtocolVersion};
use futures::future::select;
use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::duplex::duplex;
use super::{Identity, shake, tcp_pair, tls_pair};
use crate::support::{ReadAll, Reports, ms, turns};

/// Sends `text` from one end to the other, which reads it to its end.
async fn pass<S: AsyncRead + AsyncWrite + Unpin>(
    from: &mut TlsStream<S>,
    to: &mut TlsStream<S>,
    text: &[u8],
) {
    let mut received = Vec::new();
    let sent = async {
        from.write_all(text).await.unwrap();
        from.close().await.unwrap();
        pending::<()>().await; // the close has waited long enough when all is read
    };
    let read = async { to.read_all(&mut received).await.unwrap() };
    select(pin!(sent), pin!(read)).await;
    assert!(received == text);
}

#[coro::test]
async fn both_directions_carry_all_written_bytes() {
    let (mut client, mut server) = tls_pair(tcp_pair().await).await;
    pass(&mut client, &mut server, b"to the server").await;
    pass(&mut server, &mut client, b"to the client").await;
}

#[coro::test(real)]
async fn no_byte_is_lost_under_a_dump_each_millisecond() {
    let sent: Vec<u8> = (0..1 << 18).map(|at| (at % 251) as u8).collect();
    crate::sight_load::under_dumps(async |_| {
        let (client, server) = tls_pair(tcp_pair().await).await;
        let (back, there) = gather((exchange(client, &sent), exchange(server, &sent))).await;
        assert!(back == sent && there == sent);
    })
    .await;
}

#[coro::test]
async fn it_works_byte_by_byte() {
    let (mut client, mut server) = tls_pair(duplex(1, 1000)).await;
    pass(&mut client, &mut server, &[7; 3000]).await;
    pass(&mut server, &mut client, &[8; 3000]).await;
}

/// Writes `mine` while it reads. Returns the bytes it read.
async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(stream: TlsStream<S>, mine: &[u8]) -> Vec<u8> {
    let (mut reader, mut writer) = stream.split();
    let mut received = Vec::new();
    let sent = async {
        writer.write_all(mine).await.unwrap();
        writer.close().await.unwrap();
    };
    gather((sent, async {
        reader.read_all(&mut received).await.unwrap()
    }))
    .await;
    received
}

/// Four mebibytes without a repetition within a record.
fn much(seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; 4 << 20];
    fastrand::Rng::with_seed(seed).fill(&mut bytes);
    bytes
}

#[coro::test]
async fn four_mebibytes_go_each_way_at_once() {
    let (client, server) = tls_pair(tcp_pair().await).await;
    let (there, back) = (much(1), much(2));
    let (at_client, at_server) = gather((exchange(client, &there), exchange(server, &back))).await;
    assert!(at_server == there && at_client == back);
}

#[coro::test]
async fn a_write_of_several_slices_is_one_record() {
    let (mut client, mut server) = tls_pair(duplex(usize::MAX, usize::MAX)).await;
    let slices = [
        IoSlice::new(b"hello, "),
        IoSlice::new(b""),
        IoSlice::new(b"world"),
    ];
    assert_eq!(client.write_vectored(&slices).await.unwrap(), 12);
    // A record costs 5 bytes of header, 16 of checksum, one of type.
    assert_eq!(client.get_ref().unread(), 12 + 22);
    let mut received = [0; 12];
    server.read_exact(&mut received).await.unwrap();
    assert_eq!(&received, b"hello, world");
}

#[coro::test]
async fn a_read_into_nothing_reads_nothing() {
    let (mut client, mut server) = tls_pair(duplex(usize::MAX, usize::MAX)).await;
    client.write_all(b"still here").await.unwrap();
    assert_eq!(server.read(&mut []).await.unwrap(), 0);
    let mut received = [0; 10];
    server.read_exact(&mut received).await.unwrap();
    assert_eq!(&received, b"still here");
}

#[coro::test]
async fn a_slow_reader_holds_up_the_writer_before_memory_fills() {
    let (client, mut server) = tls_pair(duplex(1000, 10_000)).await;
    let (written, mine) = (std::rc::Rc::new(std::cell::Cell::new(0)), much(3));
    let counter = written.clone();
    let task = coro::spawn(async move {
        let mut client = client;
        for chunk in mine.chunks(100_000) {
            let mut chunk = chunk;
            while !chunk.is_empty() {
                let taken = client.write(chunk).await.unwrap();
                chunk = &chunk[taken..];
                counter.set(counter.get() + taken);
            }
        }
        client.close().await.unwrap();
    });
    turns(1000).await;
    assert!(
        (1..=80_000).contains(&written.get()),
        "{} bytes were taken",
        written.get()
    );
    let mut received = Vec::new();
    server.read_all(&mut received).await.unwrap();
    assert!(received == much(3));
    task.await.unwrap();
}

#[coro::test]
async fn both_ends_know_the_agreed_parameters() {
    let identity = Identity::localhost();
    let connector = coro::net::tls::TlsConnector::builder()
        .root_certificates(identity.chain())
        .alpn_protocols(["h3", "h2", "http/1.1"])
        .build()
        .unwrap();
    let acceptor = coro::net::tls::TlsAcceptor::builder(identity.chain(), identity.key())
        .alpn_protocols(["http/1.1", "h2"])
        .build()
        .unwrap();
    let (client, server) = shake(&connector, &acceptor, tcp_pair().await).await;
    let (client, server) = (client.unwrap(), server.unwrap());

    assert_eq!(client.alpn_protocol(), Some(&b"http/1.1"[..]));
    assert_eq!(server.alpn_protocol(), Some(&b"http/1.1"[..]));
    assert_eq!(client.protocol_version(), Some(ProtocolVersion::TLSv1_3));
    assert_eq!(client.cipher_suite(), server.cipher_suite());
    assert!(client.cipher_suite().is_some());
    assert_eq!(client.peer_certificates(), Some(&identity.chain()[..]));
    assert_eq!(server.peer_certificates(), None);
    assert_eq!(server.server_name(), Some("localhost"));
    assert_eq!(client.server_name(), None);
    assert_eq!(
        client.get_ref().local_addr().unwrap(),
        server.get_ref().peer_addr().unwrap()
    );
    assert!(format!("{client:?}").contains("TLSv1_3"), "{client:?}");
}

#[coro::test]
async fn ends_that_offer_no_protocol_agree_on_none() {
    let (client, server) = tls_pair(tcp_pair().await).await;
    assert_eq!(
        (client.alpn_protocol(), server.alpn_protocol()),
        (None, None)
    );
}

#[coro::test]
async fn a_second_connection_resumes_the_session_of_the_first() {
    let identity = Identity::localhost();
    let (connector, acceptor) = (identity.connector(), identity.acceptor());
    let mut kinds = Vec::new();
    for _ in 0..2 {
        let (client, server) = shake(&connector, &acceptor, tcp_pair().await).await;
        let (mut client, mut server) = (client.unwrap(), server.unwrap());
        // The client reads the session ticket along with this data.
        pass(&mut server, &mut client, b"x").await;
        kinds.push(client.connection().handshake_kind().unwrap());
    }
    assert_eq!(kinds, [HandshakeKind::Full, HandshakeKind::Resumed]);
}

#[coro::test]
async fn a_host_is_connected_to_and_verified_under_the_same_name() {
    let reports = Reports::here();
    let identity = Identity::localhost();
    let acceptor = identity.acceptor();
    let server = start_server("127.0.0.1:0", move |stream, _| {
        let acceptor = acceptor.clone();
        async move {
            let mut tls = acceptor.accept(stream).await?;
            tls.write_all(b"hello").await?;
            tls.close().await
        }
    })
    .unwrap();
    let port = server.local_addr().unwrap().port();
    let connector = identity.connector();
    let mut client = connector.open_connection("localhost", port).await.unwrap();
    let mut text = String::new();
    client.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "hello");
    let refused = connector.open_connection("127.0.0.1", port).await;
    super::tls_error(refused);
    while reports.len() == 0 {
        coro::sleep(ms(1)).await;
    }
    let message = &reports.take()[0].message;
    assert!(message.contains("tls: the other end gave up"), "{message}");
}

#[coro::test]
async fn an_address_is_a_name_too() {
    let identity = Identity::self_signed(super::params("127.0.0.1"));
    let (client, server) = tcp_pair().await;
    let (connector, acceptor) = (identity.connector(), identity.acceptor());
    let ends = gather((
        connector.connect("127.0.0.1", client),
        acceptor.accept(server),
    ))
    .await;
    let (mut client, mut server) = (ends.0.unwrap(), ends.1.unwrap());
    assert_eq!(server.server_name(), None);
    pass(&mut client, &mut server, b"hello").await;
}
