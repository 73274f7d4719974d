//! How to reach a server: address, key, headers, certificates, and the HTTP client made of them.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Identity, Url};
use secrecy::{ExposeSecret, SecretSlice, SecretString};

use super::Error;
use super::below_http::reason;

/// Longest wait for a TCP and TLS connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// An idle connection is dropped before the server does so (10 s by its own default), or a proxy (60 s is common): what is
/// sent over one that was closed goes out twice.
const POOL_IDLE: Duration = Duration::from_secs(8);
/// Idle connections kept.
const POOL_CONNECTIONS: usize = 16;
/// TCP keep-alive probes notice a peer that vanished.
const TCP_KEEPALIVE: Duration = Duration::from_secs(30);

/// What it takes to talk to one server. `Debug` shows no secret.
#[derive(Clone)]
pub struct Connection {
    /// The base address as [`Connection::parse_url`] makes it: http or https, no user, no query, no `/v1`.
    pub url: Url,
    /// Sent as `Authorization: Bearer …`.
    pub key: Option<SecretString>,
    /// Sent with every request, all treated as secret. The key wins over an `Authorization` here.
    pub headers: Vec<(HeaderName, SecretString)>,
    /// Certificates (PEM) to trust besides the system's.
    pub ca_cert_pem: Option<Vec<u8>>,
    /// Client certificate chain and private key (PEM, in one text).
    pub client_cert_pem: Option<SecretSlice<u8>>,
    /// Accept any certificate.
    pub insecure: bool,
    /// Longest time without progress; there is no total timeout.
    pub stall_timeout: Duration,
}

impl Connection {
    /// Time without progress that is waited for unless told otherwise.
    pub const STALL_TIMEOUT: Duration = Duration::from_secs(60);

    /// A plain connection without a key.
    #[must_use]
    pub fn new(url: Url) -> Self {
        Self {
            url,
            key: None,
            headers: Vec::new(),
            ca_cert_pem: None,
            client_cert_pem: None,
            insecure: false,
            stall_timeout: Self::STALL_TIMEOUT,
        }
    }

    /// Reads an address as a person types it. Without a scheme it is https, for a loopback host http. A trailing `/`
    /// or `/v1` is tolerated; a user, a query or a fragment is refused.
    ///
    /// # Errors
    ///
    /// The address is empty or is none, or holds a user, a query or a fragment.
    pub fn parse_url(text: &str) -> Result<Url, Error> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Error::Url { reason: "is empty" });
        }
        let parse = |text: &str| Url::parse(text).map_err(|_| Error::Url { reason: "is not a valid URL" });
        let mut url = if text.contains("://") { parse(text)? } else { parse(&format!("http://{text}"))? };
        if !text.contains("://") && !is_loopback(&url) {
            url = parse(&format!("https://{text}"))?;
        }
        check(&url)?;
        let path = url.path().trim_end_matches('/');
        let path = path.strip_suffix("/v1").unwrap_or(path).trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(url)
    }

    /// Whether an address is this machine itself, which is reached without a proxy.
    #[must_use]
    pub fn is_local(url: &Url) -> bool {
        is_loopback(url)
    }

    /// Whether a text, as it stands in `HTTPS_PROXY` and the like, names a proxy that the client can use: HTTP or HTTPS,
    /// with a host. Without a scheme it is HTTP.
    #[must_use]
    pub fn is_proxy(text: &str) -> bool {
        let text = text.trim();
        let parsed = if text.contains("://") { Url::parse(text) } else { Url::parse(&format!("http://{text}")) };
        parsed.is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| !host.is_empty())
        })
    }

    /// What must not be shown: of a header's value also its last word, which is the secret itself where a scheme stands
    /// before it (`Bearer`, `Basic`).
    pub(super) fn secrets(&self) -> Vec<SecretString> {
        let both = |value: &SecretString| {
            let last = value.expose_secret().split_whitespace().next_back().map(SecretString::from);
            [Some(value.clone()), last].into_iter().flatten()
        };
        self.key.iter().cloned().chain(self.headers.iter().flat_map(|(_, value)| both(value))).collect()
    }

    /// The host that would receive secrets in the clear, if there is one.
    pub(super) fn exposed_host(&self) -> Option<&str> {
        let exposed =
            self.url.scheme() == "http" && !is_loopback(&self.url) && (self.key.is_some() || !self.headers.is_empty());
        if exposed { self.url.host_str() } else { None }
    }

    /// Builds the HTTP client. It follows no redirects, so that no key goes where it was not meant to go; it retries
    /// nothing itself; it speaks HTTP/1.1, where a page that is too large can be dropped together with its connection.
    pub(super) fn http(&self) -> Result<reqwest::Client, Error> {
        check(&self.url)?;
        let built = match self.builder()?.build() {
            // A bare container has no certificates of authorities. Plain HTTP needs none.
            Err(_) if self.url.scheme() == "http" => self.builder()?.tls_certs_only(Vec::new()).build(),
            // What works without the certificate that was named failed for that certificate.
            Err(error) => {
                let works = |without: Self| without.builder().is_ok_and(|builder| builder.build().is_ok());
                if self.ca_cert_pem.is_some() && works(Self { ca_cert_pem: None, ..self.clone() }) {
                    return Err(certificate(CA_CERTIFICATE, error));
                }
                if self.client_cert_pem.is_some() && works(Self { client_cert_pem: None, ..self.clone() }) {
                    return Err(certificate(CLIENT_CERTIFICATE, error));
                }
                Err(error)
            }
            Ok(built) => Ok(built),
        };
        built.map_err(|e| Error::Setup { reason: reason(e) })
    }

    fn builder(&self) -> Result<reqwest::ClientBuilder, Error> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("elysiactl/", env!("CARGO_PKG_VERSION")))
            .default_headers(self.header_map()?)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .http1_only()
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(POOL_IDLE)
            .pool_max_idle_per_host(POOL_CONNECTIONS)
            .tcp_keepalive(TCP_KEEPALIVE)
            .tls_danger_accept_invalid_certs(self.insecure);
        if is_loopback(&self.url) {
            builder = builder.no_proxy();
            // Nothing on the way speaks TLS, so that the certificates of authorities need not be read, some 8 ms of work.
            if self.url.scheme() == "http" {
                builder = builder.tls_certs_only(Vec::new());
            }
        }
        if let Some(pem) = &self.ca_cert_pem {
            let what = CA_CERTIFICATE;
            let trusted = Certificate::from_pem_bundle(pem).map_err(|e| certificate(what, e))?;
            if trusted.is_empty() {
                return Err(Error::Certificate { what, reason: "no certificate in the file".into() });
            }
            builder = builder.tls_certs_merge(trusted);
        }
        if let Some(pem) = &self.client_cert_pem {
            let identity = Identity::from_pem(pem.expose_secret());
            builder = builder.identity(identity.map_err(|e| certificate(CLIENT_CERTIFICATE, e))?);
        }
        Ok(builder)
    }

    fn header_map(&self) -> Result<HeaderMap, Error> {
        let mut map = HeaderMap::new();
        map.insert(ACCEPT, HeaderValue::from_static("application/json"));
        // What a cache answers is what once was.
        map.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        for (name, value) in &self.headers {
            map.insert(name, sensitive(name, value.expose_secret())?);
        }
        if let Some(key) = &self.key {
            let bearer = SecretString::from(format!("Bearer {}", key.expose_secret()));
            map.insert(AUTHORIZATION, sensitive(&AUTHORIZATION, bearer.expose_secret())?);
        }
        Ok(map)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Connection")
            .field("url", &shown(&self.url))
            .field("key", &self.key.is_some())
            .field("headers", &names)
            .field("ca_cert", &self.ca_cert_pem.is_some())
            .field("client_cert", &self.client_cert_pem.is_some())
            .field("insecure", &self.insecure)
            .field("stall_timeout", &self.stall_timeout)
            .finish()
    }
}

/// What is said of a file given with `--ca-cert`.
const CA_CERTIFICATE: &str = "the CA certificate";
/// What is said of the files given with `--client-cert` and `--client-key`.
pub const CLIENT_CERTIFICATE: &str = "the client certificate";

fn certificate(what: &'static str, error: reqwest::Error) -> Error {
    Error::Certificate { what, reason: reason(error) }
}

fn sensitive(name: &HeaderName, value: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(value).map_err(|_| Error::Header { name: name.to_string() })?;
    value.set_sensitive(true);
    Ok(value)
}

fn check(url: &Url) -> Result<(), Error> {
    let reason = if !url.username().is_empty() || url.password().is_some() {
        "holds a user name or password"
    } else if !matches!(url.scheme(), "http" | "https") {
        "is neither http nor https"
    } else if url.query().is_some() || url.fragment().is_some() {
        "has a query or fragment"
    } else {
        return Ok(());
    };
    Err(Error::Url { reason })
}

/// Whether the host is this machine itself.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).trim_end_matches('.');
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

/// The address without a trailing slash, and without a user even if one was smuggled in.
pub(super) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.as_str().trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> String {
        Connection::parse_url(text).map_or_else(|e| e.to_string(), |url| shown(&url))
    }

    #[test]
    fn no_cache_between_may_answer() {
        let connection = Connection::new(Connection::parse_url("localhost:8080").expect("a URL"));
        assert_eq!(connection.header_map().expect("headers")[CACHE_CONTROL], "no-cache");
    }

    #[test]
    fn addresses_are_read_as_people_type_them() {
        for (typed, meant) in [
            ("http://localhost:8080", "http://localhost:8080"),
            (" localhost:8080 ", "http://localhost:8080"),
            ("127.0.0.1:18100/", "http://127.0.0.1:18100"),
            ("[::1]:8080", "http://[::1]:8080"),
            ("a.localhost", "http://a.localhost"),
            ("example.com", "https://example.com"),
            ("10.0.0.1:8080", "https://10.0.0.1:8080"),
            ("http://example.com/v1", "http://example.com"),
            ("https://example.com/v1/", "https://example.com"),
            ("https://example.com/weaviate/v1", "https://example.com/weaviate"),
            ("https://example.com/weaviate//", "https://example.com/weaviate"),
            ("HTTPS://Example.com:443", "https://example.com"),
        ] {
            assert_eq!(parsed(typed), meant, "{typed}");
        }
    }

    #[test]
    fn addresses_that_cannot_be_meant_are_refused_without_repeating_them() {
        for (typed, why) in [
            ("", "is empty"),
            ("http://", "is not a valid URL"),
            ("http://a b", "is not a valid URL"),
            ("http://host:99999", "is not a valid URL"),
            ("ftp://host", "is neither http nor https"),
            ("http://me:hunter2@host", "holds a user name or password"),
            ("me@host", "holds a user name or password"),
            ("http://host/?a=b", "has a query or fragment"),
            ("http://host/#a", "has a query or fragment"),
        ] {
            assert_eq!(parsed(typed), format!("the server's address {why}"));
        }
    }

    #[test]
    fn debug_output_holds_no_secret() {
        let mut connection = Connection {
            key: Some("sesame-key".into()),
            headers: vec![(HeaderName::from_static("x-openai-api-key"), "sesame-header".into())],
            client_cert_pem: Some(b"sesame-cert".to_vec().into()),
            ..Connection::new(Connection::parse_url("http://example.com").expect("a url"))
        };
        connection.url.set_password(Some("sesame-password")).expect("a password");
        let debug = format!("{connection:?}");
        assert!(!debug.contains("sesame") && debug.contains("x-openai-api-key"), "{debug}");
        assert_eq!(connection.exposed_host(), Some("example.com"));
        assert!(matches!(connection.http(), Err(Error::Url { .. })));
    }

    #[test]
    fn the_token_in_a_header_is_a_secret_without_its_scheme_too() {
        let url = Connection::parse_url("http://localhost").expect("a url");
        let connection = Connection {
            key: Some("the-key".into()),
            headers: vec![(AUTHORIZATION, "Bearer sesame-token".into())],
            ..Connection::new(url)
        };
        let secrets = connection.secrets();
        let told = crate::weaviate::said::without_secrets("sesame-token and the-key are wrong", secrets.iter());
        assert_eq!(told, "[redacted] and [redacted] are wrong");
    }

    #[test]
    fn only_secrets_over_plain_http_to_another_host_are_exposed() {
        let exposed = |url: &str, key: Option<&str>| {
            let url = Connection::parse_url(url).expect("a url");
            Connection { key: key.map(SecretString::from), ..Connection::new(url) }.exposed_host().is_some()
        };
        assert!(exposed("http://10.0.0.1", Some("k")));
        assert!(!exposed("http://10.0.0.1", None));
        assert!(!exposed("https://10.0.0.1", Some("k")));
        assert!(!exposed("http://127.0.0.2", Some("k")));
        assert!(!exposed("http://[::ffff:127.0.0.1]", Some("k")));
    }
}
