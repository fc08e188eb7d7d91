//! TLS: data, refusals, endings, other implementations as peers.

mod cancelling;
mod configuration;
mod duplex;
mod endings;
mod example;
mod orderly;
#[cfg(unix)]
mod orderly_peers;
mod peers;
mod pinned;
mod refusals;
mod start_tls;
#[cfg(unix)]
mod stream_writers;
mod talking;
mod transports;
mod upgrading;

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use coro::gather;
use coro::net::tls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use coro::net::tls::{TlsAcceptor, TlsConnector, TlsError, TlsStream};
use coro::net::{TcpListener, TcpStream};
use futures::io::{AsyncRead, AsyncWrite};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

/// A certificate with its key.
pub(crate) struct Identity {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Identity {
    /// A self-signed identity for "localhost".
    fn localhost() -> Self {
        Self::self_signed(params("localhost"))
    }

    fn self_signed(params: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Identity { certificate, key }
    }

    fn signed_by(params: CertificateParams, authority: &Authority) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, authority).unwrap();
        Identity { certificate, key }
    }

    fn chain(&self) -> Vec<CertificateDer<'static>> {
        vec![self.certificate.der().clone()]
    }

    fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::try_from(self.key.serialize_der()).unwrap()
    }

    fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::new(self.chain(), self.key()).unwrap()
    }

    /// A connector that trusts only this certificate.
    fn connector(&self) -> TlsConnector {
        trusting(self.chain())
    }
}

/// The parameters of a certificate for that name, with a unique subject.
fn params(name: &str) -> CertificateParams {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    let subject = format!("test {}", MADE.fetch_add(1, Ordering::Relaxed));
    params.distinguished_name.push(DnType::CommonName, subject);
    params
}

fn trusting(roots: Vec<CertificateDer<'static>>) -> TlsConnector {
    let builder = TlsConnector::builder().root_certificates(roots);
    builder.build().unwrap()
}

type Authority = CertifiedIssuer<'static, KeyPair>;

/// An authority that signs other certificates.
fn authority() -> Authority {
    let mut params = params("authority.example");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Two ends of a TCP connection.
async fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (client, server) = gather((TcpStream::connect(address), listener.accept())).await;
    (client.unwrap(), server.unwrap().0)
}

/// The results of a handshake between a client that asks for "localhost" and a server.
async fn shake<S: AsyncRead + AsyncWrite + Unpin>(
    connector: &TlsConnector,
    acceptor: &TlsAcceptor,
    (client, server): (S, S),
) -> (io::Result<TlsStream<S>>, io::Result<TlsStream<S>>) {
    gather((
        connector.connect("localhost", client),
        acceptor.accept(server),
    ))
    .await
}

/// A client and a server that trust each other.
async fn tls_pair<S: AsyncRead + AsyncWrite + Unpin>(
    streams: (S, S),
) -> (TlsStream<S>, TlsStream<S>) {
    let identity = Identity::localhost();
    let ends = shake(&identity.connector(), &identity.acceptor(), streams).await;
    (ends.0.unwrap(), ends.1.unwrap())
}

/// The TLS error inside of an I/O error.
#[track_caller]
fn tls_error<T>(result: io::Result<T>) -> TlsError {
    let error = result.err().expect("this has to fail");
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    let inner: Option<&TlsError> = inner;
    inner.unwrap_or_else(|| panic!("{error:?}")).clone()
}

#[track_caller]
fn kind<T>(result: io::Result<T>) -> io::ErrorKind {
    result.err().expect("this has to fail").kind()
}
