//! The client's side of TLS.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures::io::{AsyncRead, AsyncWrite};
use rustls::client::WantsClientCert;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, ConfigBuilder, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;

use super::handshake::{Limits, handshake};
use super::pinned::PinnedCertificates;
use super::plain::{PlainReader, only_plain};
use super::{TlsError, TlsStream, provider};
use crate::net::{TcpStream, open_connection};

/// Makes TLS connections as a client. Cloning it is cheap; make one and use it for all connections,
/// which can then resume one another's sessions.
///
/// Servers are always verified: against the roots that the machine trusts, or against roots or
/// certificates that the [builder](TlsConnector::builder) was given. For another policy, convert a
/// [`rustls::ClientConfig`].
#[derive(Clone)]
pub struct TlsConnector {
    config: Arc<ClientConfig>,
    limits: Limits,
}

impl TlsConnector {
    /// A connector that trusts the machine's roots, by the verifier of the platform. It reads the
    /// roots, which takes a few milliseconds.
    ///
    /// # Errors
    ///
    /// [`NotFound`](io::ErrorKind::NotFound) if the machine has no roots.
    #[inline]
    pub fn new() -> io::Result<Self> {
        Self::builder().build()
    }

    /// Settings of a connector: roots, a client certificate or application protocols of its own.
    #[inline]
    pub fn builder() -> TlsConnectorBuilder {
        TlsConnectorBuilder::default()
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

    /// Makes a fresh stream a TLS connection to the server of that name, a DNS name or an IP
    /// address, which is asked for (SNI) and which the server's certificate has to be valid for.
    ///
    /// Take the name from the program or its user, never from a peer. Dropping the wait drops the
    /// stream.
    ///
    /// In TLS 1.3 a client is done before the server has seen its certificate; a server that
    /// refuses it says so at the first read.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) for a malformed name,
    /// [`InvalidData`](io::ErrorKind::InvalidData) with a [`TlsError`] for a server that cannot be
    /// verified or does not speak TLS, [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) if it hangs
    /// up, [`TimedOut`](io::ErrorKind::TimedOut) if it takes too long, and errors of the stream.
    ///
    /// # Panics
    ///
    /// If it has to wait outside of a loop.
    pub async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        server_name: &str,
        stream: S,
    ) -> io::Result<TlsStream<S>> {
        let name = ServerName::try_from(server_name.to_owned())
            .map_err(|_| malformed_name(server_name))?;
        let client =
            ClientConnection::new(self.config.clone(), name).map_err(TlsError::in_configuration)?;
        handshake(client.into(), stream, self.limits).await
    }

    /// As [`connect`](Self::connect), in the midst of a conversation in plain text, such as SMTP
    /// after the answer to STARTTLS. For transports, see
    /// [`Transport::start_tls`](crate::net::Transport::start_tls).
    ///
    /// # Errors
    ///
    /// The errors of `connect`, and [`InvalidData`](io::ErrorKind::InvalidData) if the reader has
    /// read more bytes than were taken from it: they came in plain text, perhaps from an attacker,
    /// and must not count as a part of the protected conversation.
    ///
    /// # Panics
    ///
    /// If it has to wait outside of a loop.
    pub async fn start_tls<R>(
        &self,
        server_name: &str,
        reader: R,
    ) -> io::Result<TlsStream<R::Stream>>
    where
        R: PlainReader<Stream: AsyncRead + AsyncWrite + Unpin>,
    {
        self.connect(server_name, only_plain(reader)?).await
    }

    /// Connects to a host by TCP, as [`open_connection`] does, and then by TLS, as
    /// [`connect`](Self::connect) does under the same name.
    ///
    /// # Errors
    ///
    /// The errors of both.
    ///
    /// # Panics
    ///
    /// When polled outside of a loop.
    #[inline]
    pub async fn open_connection(&self, host: &str, port: u16) -> io::Result<TlsStream<TcpStream>> {
        let stream = open_connection(host, port).await?;
        let bare = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        self.connect(bare.unwrap_or(host), stream).await
    }
}

impl From<ClientConfig> for TlsConnector {
    #[inline]
    fn from(config: ClientConfig) -> Self {
        Arc::new(config).into()
    }
}

impl From<Arc<ClientConfig>> for TlsConnector {
    #[inline]
    fn from(config: Arc<ClientConfig>) -> Self {
        TlsConnector {
            config,
            limits: Limits::default(),
        }
    }
}

impl fmt::Debug for TlsConnector {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConnector")
            .field("alpn_protocols", &self.config.alpn_protocols)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// Settings of a [`TlsConnector`].
#[derive(Default)]
#[must_use = "a builder does nothing until it builds"]
pub struct TlsConnectorBuilder {
    roots: Option<Vec<CertificateDer<'static>>>,
    pinned: Option<Vec<CertificateDer<'static>>>,
    identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
    alpn: Vec<Vec<u8>>,
}

impl TlsConnectorBuilder {
    /// Trusts these certificates and those that they have signed, instead of the machine's roots.
    /// Called again, adds to them.
    pub fn root_certificates(
        mut self,
        roots: impl IntoIterator<Item = CertificateDer<'static>>,
    ) -> Self {
        self.roots.get_or_insert_default().extend(roots);
        self
    }

    /// Accepts a server that presents one of exactly these certificates and proves that it has its
    /// key, whatever the certificate says: for servers with a certificate that they have signed
    /// themselves, such as what `openssl req -x509` makes, and for devices. Called again, adds to
    /// them.
    ///
    /// Who has signed it, the name in it and its dates do not count, as the certificate was compared
    /// beforehand; so take it from a place that can be trusted, never from the connection. A server
    /// with another certificate is refused, unless
    /// [`root_certificates`](Self::root_certificates) were given, too, which then decide. The
    /// machine's roots are not consulted.
    ///
    /// ```no_run
    /// use coro_core::net::tls::{TlsConnector, certificates_from_file};
    ///
    /// # async fn example() -> std::io::Result<()> {
    /// let connector = TlsConnector::builder()
    ///     .pinned_certificates(certificates_from_file("printer.pem")?)
    ///     .build()?;
    /// let stream = connector.open_connection("192.0.2.7", 631).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn pinned_certificates(
        mut self,
        certificates: impl IntoIterator<Item = CertificateDer<'static>>,
    ) -> Self {
        self.pinned.get_or_insert_default().extend(certificates);
        self
    }

    /// Presents this certificate to servers that ask for one: its chain, its own first, and key.
    #[inline]
    pub fn client_certificate(
        mut self,
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Self {
        self.identity = Some((chain, key));
        self
    }

    /// Offers these application protocols (ALPN), the preferred first.
    pub fn alpn_protocols(
        mut self,
        protocols: impl IntoIterator<Item = impl Into<Vec<u8>>>,
    ) -> Self {
        self.alpn = protocols.into_iter().map(Into::into).collect();
        self
    }

    /// The connector.
    ///
    /// # Errors
    ///
    /// [`NotFound`](io::ErrorKind::NotFound) if no roots were given and the machine has none;
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) for roots, certificates or keys that are
    /// malformed, an empty list of roots or of pinned certificates, or a key that does not belong to its certificate.
    #[inline]
    pub fn build(self) -> io::Result<TlsConnector> {
        let builder = match (self.pinned, self.roots) {
            (Some(pinned), roots) => pinning(pinned, roots)?,
            (None, Some(roots)) => trusting(roots)?,
            (None, None) => trusting_the_machine()?,
        };
        let mut config = match self.identity {
            Some((chain, key)) => builder
                .with_client_auth_cert(chain, key)
                .map_err(TlsError::in_configuration)?,
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = self.alpn;
        Ok(config.into())
    }
}

impl fmt::Debug for TlsConnectorBuilder {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConnectorBuilder")
            .field("roots", &self.roots.as_ref().map(Vec::len))
            .field("pinned", &self.pinned.as_ref().map(Vec::len))
            .field("alpn_protocols", &self.alpn)
            .finish_non_exhaustive()
    }
}

type Verifying = ConfigBuilder<ClientConfig, WantsClientCert>;

#[inline]
fn builder() -> io::Result<ConfigBuilder<ClientConfig, rustls::WantsVerifier>> {
    ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(TlsError::in_configuration)
}

#[inline]
fn trusting(roots: Vec<CertificateDer<'static>>) -> io::Result<Verifying> {
    Ok(builder()?.with_root_certificates(root_store(roots)?))
}

#[inline]
fn pinning(
    pinned: Vec<CertificateDer<'static>>,
    roots: Option<Vec<CertificateDer<'static>>>,
) -> io::Result<Verifying> {
    let verifier = PinnedCertificates::new(pinned, roots.map(root_store).transpose()?)?;
    let builder = builder()?.dangerous(); // a verifier of one's own is, unless it is as strict
    Ok(builder.with_custom_certificate_verifier(Arc::new(verifier)))
}

#[inline]
fn trusting_the_machine() -> io::Result<Verifying> {
    builder()?.with_platform_verifier().map_err(|error| {
        let text = format!(
            "tls: no roots to trust on this machine ({error}): install its package of \
             certificates, or give some by TlsConnectorBuilder::root_certificates"
        );
        io::Error::new(io::ErrorKind::NotFound, text)
    })
}

/// Roots, at least one.
#[inline]
pub(super) fn root_store(roots: Vec<CertificateDer<'static>>) -> io::Result<RootCertStore> {
    if roots.is_empty() {
        let text = "tls: an empty list of roots trusts no peer: give at least one certificate";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    let mut store = RootCertStore::empty();
    for root in roots {
        store.add(root).map_err(TlsError::in_configuration)?;
    }
    Ok(store)
}

#[inline]
fn malformed_name(name: &str) -> io::Error {
    let text = format!("tls: {name:?} is neither a DNS name nor an IP address");
    io::Error::new(io::ErrorKind::InvalidInput, text)
}
