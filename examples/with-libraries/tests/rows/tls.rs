//! TLS by others: tokio-rustls on our sockets, with `net::tls` as its other end.

use std::io;
use std::sync::Arc;

use coro::net::TcpStream;
use coro::net::start_server;
use coro::net::tls::{TlsAcceptor, certificates_from_pem, private_key_from_pem, rustls};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;

/// The server's end: TLS of ours, read and written by the traits of tokio.
async fn echo(acceptor: TlsAcceptor, stream: TcpStream) -> io::Result<()> {
    let mut stream = acceptor.accept(stream).await?;
    let mut text = [0; 5];
    stream.read_exact(&mut text).await?;
    stream.write_all(&text).await?;
    stream.shutdown().await
}

#[coro::test(real)]
async fn tokio_rustls_takes_our_sockets_and_talks_to_our_tls() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let chain = certificates_from_pem(made.cert.pem()).unwrap();
    let key = private_key_from_pem(made.signing_key.serialize_pem()).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(chain[0].clone()).unwrap();
    let acceptor = TlsAcceptor::new(chain, key).unwrap(); // glue
    let server = start_server("127.0.0.1:0", move |stream, _| {
        echo(acceptor.clone(), stream)
    });
    let server = server.unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(server.local_addr().unwrap())
        .await
        .unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let name = "localhost".try_into().unwrap();
    let mut stream = connector.connect(name, stream).await.unwrap();
    stream.write_all(b"hello").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "hello");
}
