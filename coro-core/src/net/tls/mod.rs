//! TLS, by [rustls], over any stream of bytes. Feature `tls`.
//!
//! A [`TlsConnector`] makes a stream the client's end of a [`TlsStream`], a [`TlsAcceptor`] the
//! server's: over a fresh stream or, by `start_tls`, over a stream that has carried plain text.
//!
//! ```no_run
//! use coro::net::tls::TlsConnector;
//! use futures::{AsyncReadExt, AsyncWriteExt};
//!
//! coro::run(async {
//!     let connector = TlsConnector::new()?; // trusts the machine's roots
//!     let mut tls = connector.open_connection("www.example.org", 443).await?;
//!     tls.write_all(b"HEAD / HTTP/1.0\r\n\r\n").await?;
//!     tls.flush().await?;
//!     let mut answer = String::new();
//!     tls.read_to_string(&mut answer).await?;
//!     std::io::Result::Ok(())
//! })
//! # .unwrap();
//! ```
//!
//! A server, and a client that trusts this server only:
//!
//! ```
//! use coro::net::tls::{TlsAcceptor, TlsConnector, certificates_from_pem, private_key_from_pem};
//! use coro::net::{TcpListener, TcpStream};
//! use futures::{AsyncReadExt, AsyncWriteExt};
//!
//! # let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
//! # let (certificate_pem, key_pem) = (made.cert.pem(), made.signing_key.serialize_pem());
//! coro::run(async {
//!     let certificate = certificates_from_pem(certificate_pem)?;
//!     let key = private_key_from_pem(key_pem)?;
//!     let connector = TlsConnector::builder().root_certificates(certificate.clone()).build()?;
//!     let acceptor = TlsAcceptor::new(certificate, key)?;
//!
//!     let listener = TcpListener::bind("127.0.0.1:0")?;
//!     let address = listener.local_addr()?;
//!     let server = coro::spawn(async move {
//!         let (stream, _) = listener.accept().await?;
//!         let mut tls = acceptor.accept(stream).await?;
//!         tls.write_all(b"hello").await?;
//!         tls.close().await // sends the end, and waits for the client's, so that all arrives
//!     });
//!
//!     let stream = TcpStream::connect(address).await?;
//!     let mut tls = connector.connect("localhost", stream).await?;
//!     let mut greeting = String::new();
//!     tls.read_to_string(&mut greeting).await?;
//!     assert_eq!(greeting, "hello");
//!     tls.close().await?; // the server's `close` waits for this end, too
//!     server.await.unwrap()
//! })
//! # .unwrap();
//! ```
//!
//! A [`Protocol`](super::Protocol) receives the data that comes through TLS if its
//! [`Transport`](super::Transport) was made over a [`TlsStream`] or, after plain text, has
//! [gone on in TLS](super::Transport::start_tls).
//!
//! TLS 1.3 and 1.2 are spoken, with the cryptography of ring, which is named explicitly: other
//! providers in the same program neither matter nor disturb.

mod acceptor;
mod connector;
mod error;
mod handshake;
mod pem;
mod pinned;
mod plain;
mod receivers;
mod session;
mod stream;

use std::io;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};

use super::TcpStream;

pub use super::transport::PlainStream;
pub use acceptor::{TlsAcceptor, TlsAcceptorBuilder};
pub use connector::{TlsConnector, TlsConnectorBuilder};
pub use error::TlsError;
pub use pem::{
    certificates_from_file, certificates_from_pem, private_key_from_file, private_key_from_pem,
};
pub use plain::PlainReader;
pub(super) use plain::check_unread;
pub use rustls;
pub use stream::TlsStream;

/// Connects to a host by TCP and TLS, trusting the machine's roots: the counterpart of
/// `asyncio.open_connection(host, port, ssl=True)`.
///
/// It makes a connector for this one connection. For more than one, make a [`TlsConnector`] and
/// call its [`open_connection`](TlsConnector::open_connection): that reads the machine's roots
/// once, and resumes sessions.
///
/// ```
/// use coro::io::{AsyncReadExt, AsyncWriteExt};
///
/// async fn head(host: &str) -> std::io::Result<String> {
///     let mut stream = coro::net::tls::open_tls_connection(host, 443).await?;
///     let request = format!("HEAD / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
///     stream.write_all(request.as_bytes()).await?;
///     let mut answer = String::new();
///     stream.read_to_string(&mut answer).await?;
///     Ok(answer)
/// }
/// ```
///
/// # Errors
///
/// The errors of [`TlsConnector::new`] and [`TlsConnector::open_connection`].
///
/// # Panics
///
/// When polled outside of a loop.
#[inline]
pub async fn open_tls_connection(host: &str, port: u16) -> io::Result<TlsStream<TcpStream>> {
    TlsConnector::new()?.open_connection(host, port).await
}

/// Named, because asking rustls for a default panics in a program that has two.
#[inline]
fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
