//! A certificate that the client is told to trust, and one that it is not.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use sandbox::Certificates;

/// Certificates for `localhost`, and the authority of the right one (PEM).
pub(super) fn certificates() -> (Certificates, Vec<u8>) {
    let (right, trusted) = signed();
    let (other, _) = signed();
    (Certificates { right, other }, trusted)
}

fn signed() -> (Arc<ServerConfig>, Vec<u8>) {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
    let certificate = params.signed_by(&key, &authority).expect("a certificate").der().clone();
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key);
    (Arc::new(config.expect("a configuration")), authority.pem().into_bytes())
}
