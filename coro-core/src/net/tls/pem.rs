//! Certificates and keys in PEM.

use std::fs;
use std::io;
use std::path::Path;

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The certificates in a PEM text, in its order; other sections are skipped.
///
/// ```
/// use coro::net::tls::certificates_from_pem;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
/// # let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
/// let chain = certificates_from_pem(&certificate)?;
/// assert_eq!(chain.len(), 1);
/// assert!(certificates_from_pem("no certificate").is_err());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`InvalidData`](io::ErrorKind::InvalidData) if there is no certificate, or one is malformed.
pub fn certificates_from_pem(text: impl AsRef<[u8]>) -> io::Result<Vec<CertificateDer<'static>>> {
    let found = CertificateDer::pem_slice_iter(text.as_ref()).collect::<Result<Vec<_>, _>>();
    match found.map_err(|error| malformed("certificates", error))? {
        none if none.is_empty() => Err(malformed("certificates", pem::Error::NoItemsFound)),
        certificates => Ok(certificates),
    }
}

/// The first private key in a PEM text: PKCS#8, PKCS#1 or SEC1, not encrypted.
///
/// ```
/// use coro::net::tls::private_key_from_pem;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
/// # let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
/// let key = private_key_from_pem(&key)?;
/// assert!(private_key_from_pem(&certificate).is_err()); // it has no key in it
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`InvalidData`](io::ErrorKind::InvalidData) if there is no key, or it is malformed.
pub fn private_key_from_pem(text: impl AsRef<[u8]>) -> io::Result<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_slice(text.as_ref()).map_err(|error| malformed("private key", error))
}

/// The certificates in a PEM file, as [`certificates_from_pem`] finds them.
///
/// It blocks while it reads: call it before there are connections.
///
/// ```
/// use coro::net::tls::certificates_from_file;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
/// # let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
/// # let path = std::env::temp_dir().join(format!("coro-chain-{}.pem", std::process::id()));
/// # std::fs::write(&path, &certificate)?;
/// let chain = certificates_from_file(&path)?;
/// assert_eq!(chain.len(), 1);
/// # std::fs::remove_file(&path)?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// If the file cannot be read, or has no certificates; the text names the file.
pub fn certificates_from_file(path: impl AsRef<Path>) -> io::Result<Vec<CertificateDer<'static>>> {
    let path = path.as_ref();
    fs::read(path)
        .and_then(certificates_from_pem)
        .map_err(|error| naming(path, error))
}

/// The first private key in a PEM file, as [`private_key_from_pem`] finds it.
///
/// It blocks while it reads: call it before there are connections.
///
/// ```
/// use coro::net::tls::private_key_from_file;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
/// # let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
/// # let path = std::env::temp_dir().join(format!("coro-key-{}.pem", std::process::id()));
/// # std::fs::write(&path, &key)?;
/// let key = private_key_from_file(&path)?;
/// # std::fs::remove_file(&path)?;
/// assert!(private_key_from_file("no/such/file.pem").is_err());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// If the file cannot be read, or has no private key; the text names the file.
pub fn private_key_from_file(path: impl AsRef<Path>) -> io::Result<PrivateKeyDer<'static>> {
    let path = path.as_ref();
    fs::read(path)
        .and_then(private_key_from_pem)
        .map_err(|error| naming(path, error))
}

#[inline]
fn malformed(what: &str, error: pem::Error) -> io::Error {
    let text = match error {
        pem::Error::NoItemsFound => format!("tls: no {what} found in this PEM"),
        other => format!("tls: malformed PEM: {other}"),
    };
    io::Error::new(io::ErrorKind::InvalidData, text)
}

#[inline]
fn naming(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
