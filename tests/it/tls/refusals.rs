//! Peers that TLS must refuse.

use std::error::Error;
use std::io;

use coro::net::tls::rustls::{self, AlertDescription, ClientConfig, ServerConfig};
use coro::net::tls::{TlsAcceptor, TlsConnector};
use futures::AsyncReadExt;
use rcgen::{ExtendedKeyUsagePurpose, date_time_ymd};

use super::duplex::duplex;
use super::{Identity, authority, kind, params, shake, tcp_pair, tls_error, trusting};

/// The errors of both sides, with a client that asks for "localhost".
async fn refused(server: &Identity, connector: TlsConnector) -> [String; 2] {
    let (client, server) = shake(&connector, &server.acceptor(), tcp_pair().await).await;
    [client.map(drop), server.map(drop)].map(|end| tls_error(end).to_string())
}

#[coro::test]
async fn a_certificate_for_another_name_is_refused() {
    let other = Identity::self_signed(params("other.example"));
    let [client, server] = refused(&other, other.connector()).await;
    assert_eq!(
        client,
        "tls: certificate not valid for name \"localhost\"; certificate is only valid for \
         DnsName(\"other.example\")"
    );
    assert_eq!(server, "tls: the other end gave up: bad certificate");
}

#[coro::test]
async fn an_expired_certificate_is_refused() {
    let mut past = params("localhost");
    (past.not_before, past.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
    let expired = Identity::self_signed(past);
    let [client, server] = refused(&expired, expired.connector()).await;
    assert!(client.starts_with("tls: certificate expired"), "{client}");
    assert_eq!(server, "tls: the other end gave up: certificate expired");
}

#[coro::test]
async fn a_certificate_of_the_future_is_refused() {
    let mut future = params("localhost");
    (future.not_before, future.not_after) = (date_time_ymd(3001, 1, 1), date_time_ymd(3002, 1, 1));
    let early = Identity::self_signed(future);
    let [client, _] = refused(&early, early.connector()).await;
    assert!(
        client.starts_with("tls: certificate not valid yet"),
        "{client}"
    );
}

#[coro::test]
async fn a_certificate_that_no_root_has_signed_is_refused() {
    let stranger = Identity::localhost();
    let [client, server] = refused(&stranger, Identity::localhost().connector()).await;
    assert_eq!(
        client,
        "tls: certificate not signed by any root that is trusted here"
    );
    assert_eq!(server, "tls: the other end gave up: unknown CA");
}

#[coro::test]
async fn a_certificate_that_a_root_has_signed_is_accepted() {
    let authority = authority();
    let signed = Identity::signed_by(params("localhost"), &authority);
    let connector = trusting(vec![authority.der().clone()]);
    let (client, server) = shake(&connector, &signed.acceptor(), tcp_pair().await).await;
    assert!(client.is_ok() && server.is_ok());
}

#[coro::test]
async fn no_application_protocol_in_common_is_said_so_on_both_sides() {
    let identity = Identity::localhost();
    let connector = TlsConnector::builder()
        .root_certificates(identity.chain())
        .alpn_protocols(["h2"])
        .build()
        .unwrap();
    let acceptor = TlsAcceptor::builder(identity.chain(), identity.key())
        .alpn_protocols(["http/1.1"])
        .build()
        .unwrap();
    let (client, server) = shake(&connector, &acceptor, tcp_pair().await).await;
    let client = tls_error(client);
    assert_eq!(
        client.to_string(),
        "tls: the other end gave up: no application protocol"
    );
    assert_eq!(
        tls_error(server).to_string(),
        "tls: no application protocol (ALPN) in common with the other end"
    );
    let source = client.source().unwrap().downcast_ref::<rustls::Error>();
    let alert = rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol);
    assert_eq!(source, Some(&alert));
}

#[coro::test]
async fn no_version_in_common_is_an_error_on_both_sides() {
    let identity = Identity::localhost();
    let provider = || rustls::crypto::ring::default_provider().into();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(identity.chain().remove(0)).unwrap();
    let client = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let server = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(identity.chain(), identity.key())
        .unwrap();
    let (client, server) = shake(&client.into(), &server.into(), tcp_pair().await).await;
    assert_eq!(
        tls_error(client).to_string(),
        "tls: the other end gave up: protocol version"
    );
    tls_error(server);
}

/// An acceptor that only serves clients with a certificate that `authority` signed.
fn mutual(server: &Identity, authority: &super::Authority) -> TlsAcceptor {
    TlsAcceptor::builder(server.chain(), server.key())
        .client_root_certificates([authority.der().clone()])
        .build()
        .unwrap()
}

/// A connector that presents a client certificate.
fn presenting(server: &Identity, client: &Identity) -> TlsConnector {
    TlsConnector::builder()
        .root_certificates(server.chain())
        .client_certificate(client.chain(), client.key())
        .build()
        .unwrap()
}

#[coro::test]
async fn a_client_with_a_certificate_is_known_to_the_server() {
    let (server, authority) = (Identity::localhost(), authority());
    let mut of_client = params("client.example");
    of_client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let client = Identity::signed_by(of_client, &authority);
    let connector = presenting(&server, &client);
    let ends = shake(&connector, &mutual(&server, &authority), tcp_pair().await).await;
    let seen = ends.1.unwrap();
    assert_eq!(seen.peer_certificates(), Some(&client.chain()[..]));
}

#[coro::test]
async fn a_client_without_a_certificate_is_refused_and_told_at_its_first_read() {
    let (server, authority) = (Identity::localhost(), authority());
    let acceptor = mutual(&server, &authority);
    let (client, refused) = shake(&server.connector(), &acceptor, tcp_pair().await).await;
    assert_eq!(
        tls_error(refused).to_string(),
        "tls: the other end presented no certificate"
    );
    let mut client = client.unwrap();
    for _ in 0..2 {
        assert_eq!(
            tls_error(client.read(&mut [0; 10]).await).to_string(),
            "tls: the other end gave up: certificate required"
        );
    }
}

#[coro::test]
async fn a_client_whose_certificate_others_have_signed_is_refused() {
    let (server, stranger) = (Identity::localhost(), Identity::localhost());
    let connector = presenting(&server, &stranger);
    let ends = shake(&connector, &mutual(&server, &authority()), tcp_pair().await).await;
    assert_eq!(
        tls_error(ends.1).to_string(),
        "tls: certificate not signed by any root that is trusted here"
    );
}

#[coro::test]
async fn a_client_that_speaks_no_tls_is_refused() {
    let (client, server) = duplex(usize::MAX, usize::MAX);
    client.inject(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let refused = tls_error(Identity::localhost().acceptor().accept(server).await);
    assert_eq!(
        *refused.as_rustls(),
        rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType)
    );
}

#[coro::test]
async fn a_server_that_speaks_no_tls_is_refused() {
    let (client, server) = duplex(usize::MAX, usize::MAX);
    server.inject(b"220 mail.example ESMTP\r\n");
    let connector = Identity::localhost().connector();
    tls_error(connector.connect("localhost", client).await);
}

#[coro::test]
async fn an_alert_gets_through_byte_by_byte() {
    let stranger = Identity::localhost();
    let connector = Identity::localhost().connector();
    let ends = shake(&connector, &stranger.acceptor(), duplex(1, 2000)).await;
    assert_eq!(
        tls_error(ends.1).to_string(),
        "tls: the other end gave up: unknown CA"
    );
}

#[coro::test]
async fn a_malformed_name_is_refused_before_anything_is_sent() {
    let connector = Identity::localhost().connector();
    for name in ["", "not a name", "https://example.org"] {
        let (client, server) = duplex(1, 1);
        let refused = connector.connect(name, client).await.err().unwrap();
        assert_eq!(refused.kind(), io::ErrorKind::InvalidInput, "{name:?}");
        assert_eq!(
            refused.to_string(),
            format!("tls: {name:?} is neither a DNS name nor an IP address")
        );
        assert_eq!(kind(read_all(server).await), io::ErrorKind::UnexpectedEof);
    }
}

async fn read_all(mut stream: super::duplex::Duplex) -> io::Result<()> {
    stream.read_exact(&mut [0]).await
}
