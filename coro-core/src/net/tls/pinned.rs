//! `PinnedCertificates`: a verifier that accepts exactly the given certificates of servers.

use std::error::Error;
use std::io;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme};

use super::{TlsError, provider};

#[derive(Debug)]
pub(super) struct PinnedCertificates {
    pinned: Vec<CertificateDer<'static>>,
    /// Verifies the certificates that are not pinned.
    others: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl PinnedCertificates {
    #[inline]
    pub(super) fn new(
        pinned: Vec<CertificateDer<'static>>,
        roots: Option<RootCertStore>,
    ) -> io::Result<Self> {
        if pinned.is_empty() {
            let text =
                "tls: an empty list of pinned certificates accepts no server: give at least one";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        for certificate in &pinned {
            ParsedCertificate::try_from(certificate).map_err(TlsError::in_configuration)?;
        }
        let provider = provider();
        let verifying = |roots| {
            let builder =
                WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone());
            let built = builder.build();
            built.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))
        };
        Ok(PinnedCertificates {
            others: roots.map(verifying).transpose()?,
            pinned,
            provider,
        })
    }
}

impl ServerCertVerifier for PinnedCertificates {
    #[inline]
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match &self.others {
            _ if self.pinned.contains(certificate) => Ok(ServerCertVerified::assertion()),
            None => Err(not_pinned()),
            Some(others) => {
                others.verify_server_cert(certificate, intermediates, name, ocsp_response, now)
            }
        }
    }

    #[inline]
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    #[inline]
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    #[inline]
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

#[inline]
fn not_pinned() -> rustls::Error {
    let why: Box<dyn Error + Send + Sync> = "it is none of those that are pinned here".into();
    CertificateError::Other(OtherError(why.into())).into()
}
