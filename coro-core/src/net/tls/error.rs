//! TLS failures in words.

use std::error::Error;
use std::fmt;
use std::io;

use rustls::{CertificateError, InconsistentKeys, OtherError};

/// A failure of TLS. It lies inside the [`io::Error`] of a handshake, a read or a write, and has
/// rustls's own error as its [`source`](Error::source).
///
/// Errors of the stream below, and the end of the stream, are passed on as they are.
///
/// ```
/// use coro_core::net::tls::{TlsError, rustls};
///
/// fn is_expired(error: &std::io::Error) -> bool {
///     use rustls::{CertificateError, Error};
///
///     let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>());
///     matches!(
///         tls.map(TlsError::as_rustls),
///         Some(Error::InvalidCertificate(CertificateError::ExpiredContext { .. }))
///     )
/// }
/// # assert!(!is_expired(&std::io::ErrorKind::UnexpectedEof.into()));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct TlsError(rustls::Error);

impl TlsError {
    /// The error of rustls.
    #[inline]
    pub fn as_rustls(&self) -> &rustls::Error {
        &self.0
    }

    /// As an error of a connection.
    #[inline]
    pub(super) fn of(error: &rustls::Error) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, TlsError(error.clone()))
    }

    /// As an error of the caller's configuration.
    #[inline]
    pub(super) fn in_configuration(error: rustls::Error) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidInput, TlsError(error))
    }
}

impl fmt::Display for TlsError {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tls: ")?;
        match &self.0 {
            rustls::Error::AlertReceived(alert) => {
                let alert = words(&format!("{alert:?}"));
                write!(f, "the other end gave up: {alert}")
            }
            rustls::Error::InvalidCertificate(why) => certificate(why, f),
            rustls::Error::NoApplicationProtocol => {
                f.write_str("no application protocol (ALPN) in common with the other end")
            }
            rustls::Error::NoCertificatesPresented => {
                f.write_str("the other end presented no certificate")
            }
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                f.write_str("the private key does not belong to the certificate")
            }
            other => write!(f, "{other}"),
        }
    }
}

#[inline]
fn certificate(why: &CertificateError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match why {
        CertificateError::UnknownIssuer => {
            f.write_str("certificate not signed by any root that is trusted here")
        }
        // The texts of these errors need no introduction.
        CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYetContext { .. }
        | CertificateError::NotValidForNameContext { .. }
        | CertificateError::InvalidPurposeContext { .. } => write!(f, "{why}"),
        CertificateError::Other(OtherError(inner)) if is_ca_as_leaf(&**inner) => f.write_str(
            "the other end presents the certificate of an authority (CA:TRUE) as its own, as \
             `openssl req -x509` makes it: make it with \
             `-addext basicConstraints=critical,CA:FALSE`, or have a client accept exactly this one \
             by TlsConnectorBuilder::pinned_certificates",
        ),
        CertificateError::Other(OtherError(inner)) => {
            write!(f, "certificate refused: {}", words(&inner.to_string()))
        }
        other => write!(f, "certificate refused: {}", words(&other.to_string())),
    }
}

/// The error of webpki, which rustls does not export, is known by its text.
#[inline]
fn is_ca_as_leaf(error: &dyn Error) -> bool {
    error.to_string() == "CaUsedAsEndEntity"
}

/// `CertificateExpired` as "certificate expired", and `UnknownCA` as "unknown CA".
#[inline]
fn words(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    let mut before = ' ';
    for letter in name.chars() {
        if letter.is_uppercase() && before.is_lowercase() {
            words.push(' ');
        }
        words.push(letter);
        before = letter;
    }
    let lower = |word: &str| match word.chars().all(char::is_uppercase) {
        true => word.to_owned(),
        false => word.to_lowercase(),
    };
    words.split(' ').map(lower).collect::<Vec<_>>().join(" ")
}

impl Error for TlsError {
    #[inline]
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}
