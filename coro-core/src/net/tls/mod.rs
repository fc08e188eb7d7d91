//! TLS, by [rustls], over any stream of bytes. Feature `tls`.
//!
//! A [`TlsConnector`] makes a stream the client's end of a [`TlsStream`], a [`TlsAcceptor`] the
//! server's: a fresh one, or, by `start_tls`, one on which plain text was spoken before.
//!
//! ```no_run
//! # use coro_core as coro;
//! use coro::net::TcpStream;
//! use coro::net::tls::TlsConnector;
//! use futures::{AsyncReadExt, AsyncWriteExt};
//!
//! coro::run(async {
//!     let connector = TlsConnector::new()?; // trusts what the machine trusts
//!     let stream = TcpStream::connect(([192, 0, 2, 7], 443)).await?;
//!     let mut tls = connector.connect("www.example.org", stream).await?;
//!     tls.write_all(b"HEAD / HTTP/1.0\r\n\r\n").await?;
//!     tls.flush().await?;
//!     let mut answer = String::new();
//!     tls.read_to_string(&mut answer).await?;
//!     std::io::Result::Ok(())
//! })
//! # .unwrap();
//! ```
//!
//! A server, and a client that trusts nobody but it:
//!
//! ```
//! # use coro_core as coro;
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
//!         tls.close().await // sends close_notify: this was all
//!     });
//!
//!     let stream = TcpStream::connect(address).await?;
//!     let mut tls = connector.connect("localhost", stream).await?;
//!     let mut greeting = String::new();
//!     tls.read_to_string(&mut greeting).await?;
//!     assert_eq!(greeting, "hello");
//!     server.await.unwrap()
//! })
//! # .unwrap();
//! ```
//!
//! TLS 1.3 and 1.2 are spoken, with the cryptography of ring, which is named explicitly: other
//! providers in the same program neither matter nor disturb.

mod acceptor;
mod connector;
mod error;
mod handshake;
mod pem;
mod session;
mod stream;

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};

pub use acceptor::{TlsAcceptor, TlsAcceptorBuilder};
pub use connector::{TlsConnector, TlsConnectorBuilder};
pub use error::TlsError;
pub use pem::{
    certificates_from_file, certificates_from_pem, private_key_from_file, private_key_from_pem,
};
pub use rustls;
pub use stream::TlsStream;

/// Named, because asking rustls for a default panics in a program that has two.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
