//! TLS by rustls: with the system's certificates or a file's, or without looking at the server's certificate.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{self, CryptoProvider};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::target::{Target, TlsMode};
use crate::error::{Error, Result};

/// How connections to the target are made safe; `None` if they never are.
///
/// # Errors
/// Exit 2 if there are no certificates to trust.
pub fn connector(target: &Target) -> Result<Option<MakeRustlsConnect>> {
    if target.tls == TlsMode::Disable {
        return Ok(None);
    }
    let provider = Arc::new(crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|e| Error::bug(format!("TLS cannot be set up: {e}")).caused_by(e))?;
    let config = if target.tls == TlsMode::VerifyFull {
        builder.with_root_certificates(roots(target.root_certificates.as_deref())?).with_no_client_auth()
    } else {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyServer(provider))).with_no_client_auth()
    };
    Ok(Some(MakeRustlsConnect::new(config)))
}

fn roots(file: Option<&Path>) -> Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    let Some(path) = file else {
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if store.is_empty() {
            return Err(Error::usage(
                "sslmode=verify-full finds no trusted certificates on this system; install its ca-certificates, or name a file with &sslrootcert=",
            ));
        }
        return Ok(store);
    };
    let wrong = |e: &dyn std::fmt::Display| {
        Error::usage(format!("the certificates of sslrootcert, {}, cannot be read: {e}; name a PEM file", path.display()))
    };
    for certificate in CertificateDer::pem_file_iter(path).map_err(|e| wrong(&e).caused_by(e))? {
        let certificate = certificate.map_err(|e| wrong(&e).caused_by(e))?;
        store.add(certificate).map_err(|e| wrong(&e).caused_by(e))?;
    }
    if store.is_empty() { Err(wrong(&"it holds no certificate")) } else { Ok(store) }
}

/// Takes every certificate, as `sslmode=require` of libpq does without root certificates: nobody can listen, but whose
/// server it is stays unchecked. The server must still hold the key of the certificate that it shows.
#[derive(Debug)]
struct AnyServer(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        crypto::verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        crypto::verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
