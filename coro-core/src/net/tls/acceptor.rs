//! The server's side of TLS.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::io::{AsyncRead, AsyncWrite};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{ServerConfig, ServerConnection};

use super::connector::root_store;
use super::handshake::{Limits, handshake};
use super::pem::{certificates_from_file, private_key_from_file};
use super::plain::{PlainReader, only_plain};
use super::{TlsError, TlsStream, provider};

/// Makes TLS connections as a server. Cloning it is cheap; make one and use it for all connections,
/// whose sessions clients can then resume.
///
/// For settings that the [builder](TlsAcceptor::builder) does not have, convert a
/// [`rustls::ServerConfig`].
#[derive(Clone)]
pub struct TlsAcceptor {
    config: Arc<ServerConfig>,
    limits: Limits,
}

impl TlsAcceptor {
    /// An acceptor that presents this certificate: its chain, its own first, and key.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if they are malformed, or the key does not
    /// belong to the certificate.
    #[inline]
    pub fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> io::Result<Self> {
        Self::builder(chain, key).build()
    }

    /// An acceptor that presents the certificate in these PEM files, the chain and the key.
    ///
    /// It blocks while it reads the files: call it before there are connections.
    ///
    /// # Errors
    ///
    /// The errors of [`new`](Self::new), and if a file cannot be read or is malformed.
    pub fn from_pem_files(chain: impl AsRef<Path>, key: impl AsRef<Path>) -> io::Result<Self> {
        Self::new(certificates_from_file(chain)?, private_key_from_file(key)?)
    }

    /// Settings of an acceptor, such as client certificates or application protocols.
    #[inline]
    pub fn builder(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> TlsAcceptorBuilder {
        TlsAcceptorBuilder {
            chain,
            key,
            client_roots: None,
            alpn: Vec::new(),
        }
    }

    /// How long a handshake may take, by the loop's clock; 60 seconds by default, as in asyncio.
    /// [`Duration::MAX`] is no limit.
    #[must_use]
    #[inline]
    pub fn handshake_timeout(mut self, limit: Duration) -> Self {
        self.limits.handshake = limit;
        self
    }

    /// How long a `close` may wait for the other end to take in the bytes that wait and then to
    /// end, both together; 30 seconds by default, as in asyncio. [`Duration::MAX`] is no limit.
    /// [`TlsStream`] describes the close.
    #[must_use]
    #[inline]
    pub fn shutdown_timeout(mut self, limit: Duration) -> Self {
        self.limits.shutdown = limit;
        self
    }

    /// Makes a stream that a client has just opened a TLS connection. Await it in the task of the
    /// connection, not in the task that accepts: a client may take its time. Dropping the wait
    /// drops the stream.
    ///
    /// # Errors
    ///
    /// [`InvalidData`](io::ErrorKind::InvalidData) with a [`TlsError`] for a client that does not
    /// speak TLS, refuses the certificate, or has an invalid one itself,
    /// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) if it hangs up,
    /// [`TimedOut`](io::ErrorKind::TimedOut) if it takes too long, and errors of the stream.
    ///
    /// # Panics
    ///
    /// If it has to wait outside of a loop.
    pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> io::Result<TlsStream<S>> {
        let server =
            ServerConnection::new(self.config.clone()).map_err(TlsError::in_configuration)?;
        handshake(server.into(), stream, self.limits).await
    }

    /// As [`accept`](Self::accept), in the midst of a conversation in plain text, such as SMTP
    /// after the answer to STARTTLS. For transports, see
    /// [`Transport::start_tls_server`](crate::net::Transport::start_tls_server).
    ///
    /// # Errors
    ///
    /// The errors of `accept`, and [`InvalidData`](io::ErrorKind::InvalidData) if the reader has
    /// read more bytes than were taken from it: they came in plain text, perhaps from an attacker,
    /// and must not count as a part of the protected conversation. In a protocol whose clients
    /// begin their handshake without waiting for an answer, call `accept` on the `BufReader`
    /// itself: the bytes in it are then the beginning of the handshake.
    ///
    /// # Panics
    ///
    /// If it has to wait outside of a loop.
    pub async fn start_tls<R>(&self, reader: R) -> io::Result<TlsStream<R::Stream>>
    where
        R: PlainReader<Stream: AsyncRead + AsyncWrite + Unpin>,
    {
        self.accept(only_plain(reader)?).await
    }
}

impl From<ServerConfig> for TlsAcceptor {
    #[inline]
    fn from(config: ServerConfig) -> Self {
        Arc::new(config).into()
    }
}

impl From<Arc<ServerConfig>> for TlsAcceptor {
    #[inline]
    fn from(config: Arc<ServerConfig>) -> Self {
        TlsAcceptor {
            config,
            limits: Limits::default(),
        }
    }
}

impl fmt::Debug for TlsAcceptor {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsAcceptor")
            .field("alpn_protocols", &self.config.alpn_protocols)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// Settings of a [`TlsAcceptor`].
#[must_use = "a builder does nothing until it builds"]
pub struct TlsAcceptorBuilder {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    client_roots: Option<Vec<CertificateDer<'static>>>,
    alpn: Vec<Vec<u8>>,
}

impl TlsAcceptorBuilder {
    /// Serves only clients that present a certificate signed by one of these (mutual TLS). Called
    /// again, adds to them.
    pub fn client_root_certificates(
        mut self,
        roots: impl IntoIterator<Item = CertificateDer<'static>>,
    ) -> Self {
        self.client_roots.get_or_insert_default().extend(roots);
        self
    }

    /// Speaks these application protocols (ALPN), the preferred first, and refuses clients that
    /// offer only others. A client that offers none is served.
    pub fn alpn_protocols(
        mut self,
        protocols: impl IntoIterator<Item = impl Into<Vec<u8>>>,
    ) -> Self {
        self.alpn = protocols.into_iter().map(Into::into).collect();
        self
    }

    /// The acceptor.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) for certificates, roots or a key that are
    /// malformed, an empty list of roots, or a key that does not belong to its certificate.
    #[inline]
    pub fn build(self) -> io::Result<TlsAcceptor> {
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::in_configuration)?
            .with_client_cert_verifier(client_verifier(self.client_roots)?);
        let mut config = builder
            .with_single_cert(self.chain, self.key)
            .map_err(TlsError::in_configuration)?;
        config.alpn_protocols = self.alpn;
        Ok(config.into())
    }
}

impl fmt::Debug for TlsAcceptorBuilder {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsAcceptorBuilder")
            .field("client_roots", &self.client_roots.as_ref().map(Vec::len))
            .field("alpn_protocols", &self.alpn)
            .finish_non_exhaustive()
    }
}

#[inline]
fn client_verifier(
    roots: Option<Vec<CertificateDer<'static>>>,
) -> io::Result<Arc<dyn ClientCertVerifier>> {
    let Some(roots) = roots else {
        return Ok(WebPkiClientVerifier::no_client_auth());
    };
    let store = Arc::new(root_store(roots)?);
    WebPkiClientVerifier::builder_with_provider(store, provider())
        .build()
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))
}
