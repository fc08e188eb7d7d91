//! Faults of a TLS configuration, which are found before there is a connection.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process;

use coro::net::tls::{
    TlsAcceptor, TlsConnector, certificates_from_file, certificates_from_pem,
    private_key_from_file, private_key_from_pem, rustls::crypto::CryptoProvider,
};

use super::duplex::duplex;
use super::{Identity, tls_pair};

/// A file of one test, which is removed on drop.
pub(super) struct Scratch(pub(super) PathBuf);

impl Scratch {
    pub(super) fn new(name: &str, text: &str) -> Self {
        let name = format!("coro-tls-{}-{name}", process::id());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, text).unwrap();
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn certificates_and_keys_are_read_from_files() {
    let identity = Identity::localhost();
    let certificate = identity.certificate.pem();
    let both = format!("{}{certificate}{certificate}", identity.key.serialize_pem());
    let file = Scratch::new("both", &both);
    let chain = certificates_from_file(&file.0).unwrap();
    assert_eq!(chain, [identity.chain(), identity.chain()].concat());
    assert_eq!(private_key_from_file(&file.0).unwrap(), identity.key());
    TlsAcceptor::from_pem_files(&file.0, &file.0).unwrap();
}

#[test]
fn text_that_is_no_pem_is_said_to_be_none() {
    let identity = Identity::localhost();
    for (text, expected) in [
        ("", "tls: no certificates found in this PEM"),
        (
            &identity.key.serialize_pem(),
            "tls: no certificates found in this PEM",
        ),
        (
            "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
            "tls: malformed PEM: base64 decode error",
        ),
    ] {
        let error = certificates_from_pem(text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(error.to_string().starts_with(expected), "{error}");
    }
    let error = private_key_from_pem(identity.certificate.pem()).unwrap_err();
    assert_eq!(error.to_string(), "tls: no private key found in this PEM");
}

#[test]
fn a_file_that_is_wrong_is_named() {
    let error = certificates_from_file("/no/such/file.pem").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(
        error.to_string().starts_with("/no/such/file.pem: "),
        "{error}"
    );

    let empty = Scratch::new("empty", "nothing\n");
    let error = private_key_from_file(&empty.0).unwrap_err();
    let expected = format!(
        "{}: tls: no private key found in this PEM",
        empty.0.display()
    );
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let (one, other) = (Identity::localhost(), Identity::localhost());
    let error = TlsAcceptor::new(one.chain(), other.key()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(
        error.to_string(),
        "tls: the private key does not belong to the certificate"
    );
    let error = TlsConnector::builder()
        .root_certificates(one.chain())
        .client_certificate(one.chain(), other.key())
        .build()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_configuration_without_roots_is_refused() {
    let identity = Identity::localhost();
    let client = TlsConnector::builder().root_certificates([]).build();
    let server = TlsAcceptor::builder(identity.chain(), identity.key())
        .client_root_certificates([])
        .build();
    for error in [client.unwrap_err(), server.unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("trusts no peer"), "{error}");
    }
}

#[test]
fn a_root_that_is_no_certificate_is_refused() {
    let garbage = vec![1, 2, 3].into();
    let error = TlsConnector::builder()
        .root_certificates([garbage])
        .build()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[coro::test]
async fn the_default_of_the_process_is_neither_asked_for_nor_set() {
    tls_pair(duplex(usize::MAX, usize::MAX)).await;
    assert!(CryptoProvider::get_default().is_none());
}
