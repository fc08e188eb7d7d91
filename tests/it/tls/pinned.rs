//! Servers that are known by their very certificates.

use std::io::{BufRead, BufReader, ErrorKind};
use std::process::Command;
use std::sync::Arc;

use coro::net::TcpStream;
use coro::net::tls::rustls::crypto::ring::sign::any_supported_type;
use coro::net::tls::rustls::pki_types::CertificateDer;
use coro::net::tls::rustls::server::{ClientHello, ResolvesServerCert};
use coro::net::tls::rustls::sign::CertifiedKey;
use coro::net::tls::rustls::{self, ServerConfig};
use coro::net::tls::{TlsAcceptor, TlsConnector, certificates_from_file};
use futures::{AsyncReadExt, AsyncWriteExt};
use rcgen::{BasicConstraints, IsCa, date_time_ymd};

use super::configuration::Scratch;
use super::peers::{ended, has, start, succeeded};
use super::{Identity, authority, kind, params, shake, tcp_pair, tls_error};

/// As `openssl req -x509` makes one: self-signed, and an authority.
fn of_an_authority(name: &str) -> Identity {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    Identity::self_signed(params)
}

fn pinning(certificates: Vec<CertificateDer<'static>>) -> TlsConnector {
    let builder = TlsConnector::builder().pinned_certificates(certificates);
    builder.build().unwrap()
}

#[coro::test]
async fn the_certificate_of_an_authority_as_a_servers_own_is_refused_with_the_remedy() {
    let server = of_an_authority("localhost");
    let (client, _) = shake(&server.connector(), &server.acceptor(), tcp_pair().await).await;
    let text = tls_error(client).to_string();
    assert!(text.contains("(CA:TRUE) as its own"), "{text}");
    assert!(
        text.contains("basicConstraints=critical,CA:FALSE"),
        "{text}"
    );
    assert!(
        text.contains("TlsConnectorBuilder::pinned_certificates"),
        "{text}"
    );
}

#[coro::test]
async fn exactly_the_pinned_certificate_is_accepted_whatever_it_says() {
    let mut past = params("other.example");
    (past.not_before, past.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
    for server in [of_an_authority("localhost"), Identity::self_signed(past)] {
        let connector = pinning(server.chain());
        let (client, accepted) = shake(&connector, &server.acceptor(), tcp_pair().await).await;
        let (mut client, mut accepted) = (client.unwrap(), accepted.unwrap());
        client.write_all(b"hello").await.unwrap();
        client.flush().await.unwrap();
        let mut text = [0; 5];
        accepted.read_exact(&mut text).await.unwrap();
        assert_eq!(&text, b"hello");
    }
}

#[coro::test]
async fn another_certificate_of_the_same_name_is_refused() {
    let (pinned, other) = (Identity::localhost(), Identity::localhost());
    let connector = pinning(pinned.chain());
    let (client, _) = shake(&connector, &other.acceptor(), tcp_pair().await).await;
    assert_eq!(
        tls_error(client).to_string(),
        "tls: certificate refused: it is none of those that are pinned here"
    );
}

#[coro::test]
async fn roots_beside_the_pinned_certificates_decide_about_the_others() {
    let (authority, pinned) = (authority(), of_an_authority("localhost"));
    let signed = Identity::signed_by(params("localhost"), &authority);
    let of_another_name = Identity::signed_by(params("other.example"), &authority);
    let connector = TlsConnector::builder()
        .pinned_certificates(pinned.chain())
        .root_certificates([authority.der().clone()])
        .build()
        .unwrap();
    for server in [&pinned, &signed] {
        let (client, _) = shake(&connector, &server.acceptor(), tcp_pair().await).await;
        client.unwrap();
    }
    for server in [&of_another_name, &Identity::localhost()] {
        let (client, _) = shake(&connector, &server.acceptor(), tcp_pair().await).await;
        tls_error(client);
    }
}

/// Presents a certificate without having its key.
#[derive(Debug)]
struct Thief(Arc<CertifiedKey>);

impl ResolvesServerCert for Thief {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

#[coro::test]
async fn a_server_without_the_key_of_the_pinned_certificate_is_refused() {
    let (pinned, own) = (Identity::localhost(), Identity::localhost());
    let key = any_supported_type(&own.key()).unwrap();
    let stolen = Arc::new(Thief(Arc::new(CertifiedKey::new(pinned.chain(), key))));
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(stolen.clone());
        let acceptor = TlsAcceptor::from(config);
        let (client, _) = shake(&pinning(pinned.chain()), &acceptor, tcp_pair().await).await;
        let text = tls_error(client).to_string();
        assert!(text.contains("bad signature"), "{text}");
    }
}

#[test]
fn pins_that_cannot_be_used_are_refused_when_the_connector_is_built() {
    let built = TlsConnector::builder().pinned_certificates([]).build();
    assert_eq!(kind(built), ErrorKind::InvalidInput);
    let garbage = CertificateDer::from(vec![1, 2, 3]);
    let built = TlsConnector::builder()
        .pinned_certificates([garbage])
        .build();
    assert_eq!(kind(built), ErrorKind::InvalidInput);
}

#[coro::test(real)]
async fn the_default_certificate_of_openssl_is_accepted_when_it_is_pinned() {
    if !has("openssl", "version") {
        return;
    }
    let (certificate, key) = (
        Scratch::new("pinned-crt", ""),
        Scratch::new("pinned-key", ""),
    );
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ])
        .args(["-nodes", "-subj", "/CN=localhost", "-out"])
        .args([&certificate.0, std::path::Path::new("-keyout"), &key.0])
        .output()
        .unwrap();
    succeeded(&made);
    let mut server = start(
        Command::new("openssl")
            .args([
                "s_server",
                "-accept",
                "127.0.0.1:0",
                "-naccept",
                "1",
                "-rev",
                "-cert",
            ])
            .args([&certificate.0, std::path::Path::new("-key"), &key.0]),
    );
    let mut lines = BufReader::new(server.stdout.as_mut().unwrap()).lines();
    let line = lines.find(|line| line.as_ref().unwrap().starts_with("ACCEPT "));
    let line = line.expect("it listens").unwrap();
    let port: u16 = line.rsplit(':').next().unwrap().parse().unwrap();
    let stream = TcpStream::connect(([127, 0, 0, 1], port)).await.unwrap();
    let connector = pinning(certificates_from_file(&certificate.0).unwrap());
    let mut tls = connector.connect("127.0.0.1", stream).await.unwrap();
    tls.write_all(b"hello\n").await.unwrap();
    tls.flush().await.unwrap();
    let mut answer = [0; 6];
    tls.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"olleh\n");
    tls.close().await.unwrap();
    drop(tls);
    succeeded(&ended(server).await);
}
