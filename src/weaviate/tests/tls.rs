//! Encrypted connections: whom to trust, and how it shows when trust is missing.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::server::{Act, Server, ok, quick};
use crate::event::Events;
use crate::weaviate::{CLIENT_CERTIFICATE, Client, Connection, Error, TlsCause};

/// An authority, and what it signed.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority"))
    }

    fn pem(&self) -> Vec<u8> {
        self.0.pem().into_bytes()
    }

    fn sign(&self, name: &str) -> (CertificateDer<'static>, KeyPair, String) {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        (certificate.der().clone(), key, certificate.pem())
    }
}

/// A server for `localhost`, which may ask clients for a certificate of the same authority.
async fn start(authority: &Authority, ask_clients: bool) -> Server {
    let (certificate, key, _) = authority.sign("localhost");
    let mut roots = RootCertStore::empty();
    roots.add(authority.0.der().clone()).expect("a root");
    let builder = rustls::ServerConfig::builder();
    let builder = if ask_clients {
        builder.with_client_cert_verifier(WebPkiClientVerifier::builder(roots.into()).build().expect("a verifier"))
    } else {
        builder.with_no_client_auth()
    };
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let config = builder.with_single_cert(vec![certificate], key).expect("a configuration");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let server = Server::at(listener.local_addr().expect("an address").port());
    let shared = server.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, shared) = (acceptor.clone(), shared.clone());
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let answer = |_: usize, _: &super::server::Request| Act::Answer(ok(r#"{"version":"1.40.0"}"#));
                let _ = shared.serve(&mut stream, &answer).await;
            });
        }
    });
    server
}

fn cause(error: &Error) -> Option<TlsCause> {
    if let Error::Tls { cause, .. } = error { Some(*cause) } else { None }
}

async fn version(connection: Connection) -> Result<String, Error> {
    let client = Client::with_policy(connection, Events::none(), 1, quick())?;
    client.meta().await.map(|meta| meta.version.text)
}

#[tokio::test]
async fn an_own_authority_is_trusted_when_named_and_refused_when_not() {
    let authority = Authority::new();
    let server = start(&authority, false).await;
    let mut connection = server.connection("https");
    let error = version(connection.clone()).await.expect_err("no trust");
    assert!(matches!(&error, Error::Tls { reason, .. } if reason.contains("UnknownIssuer")), "{error:?}");
    assert_eq!(cause(&error), Some(TlsCause::Untrusted));
    connection.ca_cert_pem = Some(authority.pem());
    assert_eq!(version(connection.clone()).await.expect("trust"), "1.40.0");
    let elsewhere = connection.url.as_str().replace("localhost", "127.0.0.1");
    let by_address = Connection { url: Connection::parse_url(&elsewhere).expect("a URL"), ..connection.clone() };
    let error = version(by_address).await.expect_err("another name");
    assert_eq!(cause(&error), Some(TlsCause::OtherName), "{error:?}");
    connection.ca_cert_pem = Some(Authority::new().pem());
    assert!(matches!(version(connection.clone()).await, Err(Error::Tls { .. })));
    connection.insecure = true;
    assert_eq!(version(connection).await.expect("no questions"), "1.40.0");
}

#[tokio::test]
async fn a_client_certificate_is_shown_where_one_is_wanted() {
    let authority = Authority::new();
    let server = start(&authority, true).await;
    let mut connection = server.connection("https");
    connection.ca_cert_pem = Some(authority.pem());
    let error = version(connection.clone()).await.expect_err("no certificate");
    assert_eq!(cause(&error), Some(TlsCause::WantsClientCertificate), "{error:?}");
    let (_, key, pem) = Authority::new().sign("client");
    connection.client_cert_pem = Some(format!("{pem}{}", key.serialize_pem()).into_bytes().into());
    let error = version(connection.clone()).await.expect_err("a certificate of another authority");
    assert_eq!(cause(&error), Some(TlsCause::WantsClientCertificate), "{error:?}");
    let (_, key, pem) = authority.sign("client");
    let other = KeyPair::generate().expect("a key");
    connection.client_cert_pem = Some(format!("{pem}{}", other.serialize_pem()).into_bytes().into());
    let error = version(connection.clone()).await.expect_err("another key");
    assert!(matches!(&error, Error::Certificate { what: CLIENT_CERTIFICATE, .. }), "{error:?}");
    connection.client_cert_pem = Some(format!("{pem}{}", key.serialize_pem()).into_bytes().into());
    assert_eq!(version(connection).await.expect("a certificate"), "1.40.0");
}

#[tokio::test]
async fn https_to_a_plain_port_is_a_tls_error_and_asked_once() {
    let plain = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let connection = Server::at(plain.local_addr().expect("an address").port()).connection("https");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = plain.accept().await {
            let mut greeting = [0; 4096];
            let _ = stream.read(&mut greeting).await;
            let _ = stream.write_all(b"HTTP/1.0 400 Bad Request\r\n\r\n").await;
        }
    });
    let error = version(connection).await.expect_err("plain");
    assert_eq!(cause(&error), Some(TlsCause::NoTls), "{error:?}");
}

#[tokio::test]
async fn plain_http_to_a_port_for_tls_is_told_apart_from_a_server_that_starts() {
    // This one closes without a word, as some do; others answer in HTTP, or with bytes that are none.
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = Server::at(silent.local_addr().expect("an address").port());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = silent.accept().await {
            let mut greeting = [0; 4096];
            let _ = stream.read(&mut greeting).await;
        }
    });
    for (scheme, closes) in [("http", true), ("https", false)] {
        let client = Client::with_policy(at.connection(scheme), Events::none(), 1, quick()).expect("a client");
        let error = client.ready().await.expect_err("no answer");
        let said = matches!(&error, Error::NotReady { closes: true, .. });
        assert_eq!(said, closes, "{scheme}: {error:?}");
    }
}

#[test]
fn files_that_are_no_certificates_are_named() {
    let mut connection = Server::at(1).connection("https");
    connection.ca_cert_pem = Some(b"not a certificate".to_vec());
    let error = Client::new(connection.clone(), Events::none(), 1).expect_err("nonsense");
    assert!(matches!(error, Error::Certificate { what: "the CA certificate", .. }), "{error:?}");
    connection.ca_cert_pem = None;
    connection.client_cert_pem = Some(b"-----BEGIN sesame".to_vec().into());
    let error = Client::new(connection, Events::none(), 1).expect_err("nonsense");
    assert!(matches!(error, Error::Certificate { what: CLIENT_CERTIFICATE, .. }), "{error:?}");
    assert!(!format!("{error:?}").contains("sesame"));
}
