//! What a failure below HTTP means: no connection, no trust, a lost connection, or something that is not HTTP.

use std::error::Error as StdError;
use std::sync::Arc;

use super::Error;
use super::ask::Failure;
use super::error::TlsCause;
use super::said::harmless;

/// Hyper's words for a connection that ended before a byte of the answer came.
const STALE: &str = "connection closed before message completed";
/// Outer layers that only say that there is an inner one.
const WRAPPING: [&str; 3] = ["error sending request", "client error (", "builder error"];

/// The causes of a failed request in one line, innermost last, without the URL.
pub(super) fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut parts: Vec<String> = Vec::new();
    for cause in causes(&error) {
        let text = cause.to_string();
        let says_nothing = WRAPPING.iter().any(|prefix| text.starts_with(prefix)) && cause.source().is_some();
        if !says_nothing && parts.last().is_none_or(|last| !last.contains(&text)) {
            parts.push(text);
        }
    }
    harmless(&parts.join(": "))
}

/// The error and its causes; the error inside an I/O error counts too.
fn causes(error: &reqwest::Error) -> Vec<&(dyn StdError + 'static)> {
    let mut causes: Vec<&(dyn StdError + 'static)> = Vec::new();
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(cause) = next {
        causes.push(cause);
        next = match cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
    }
    causes
}

/// Whether these are hyper's words for bytes that are no HTTP answer, or for an answer before the question, as gRPC
/// servers give it; hyper's error type is not ours to name.
fn is_noise(text: &str) -> bool {
    (text.starts_with("invalid") && text.ends_with("parsed")) || text.contains("received unexpected message")
}

/// What kind of reason a failed handshake has.
fn tls_cause(error: &rustls::Error) -> TlsCause {
    use rustls::{AlertDescription as A, CertificateError as C, Error as E};
    match error {
        E::InvalidCertificate(C::NotValidForName | C::NotValidForNameContext { .. })
        | E::AlertReceived(A::UnrecognisedName) => TlsCause::OtherName,
        E::InvalidCertificate(
            C::Expired | C::ExpiredContext { .. } | C::NotValidYet | C::NotValidYetContext { .. },
        ) => TlsCause::OutOfDate,
        E::InvalidCertificate(_) => TlsCause::Untrusted,
        // What a server says of the certificate that it was shown, or of none.
        E::AlertReceived(
            A::CertificateRequired
            | A::NoCertificate
            | A::BadCertificate
            | A::UnsupportedCertificate
            | A::CertificateRevoked
            | A::CertificateExpired
            | A::CertificateUnknown
            | A::UnknownCA
            | A::AccessDenied
            | A::DecryptError,
        ) => TlsCause::WantsClientCertificate,
        E::InvalidMessage(_) => TlsCause::NoTls,
        _ => TlsCause::Other,
    }
}

/// Turns a failure below HTTP into an error, and says whether it may pass.
pub(super) fn failure(error: reqwest::Error, host: &Arc<str>, route: &Arc<str>) -> Failure {
    let tls = causes(&error).into_iter().find_map(|cause| cause.downcast_ref::<rustls::Error>()).map(tls_cause);
    let is_noise = causes(&error).iter().any(|cause| is_noise(&cause.to_string()));
    let (connecting, reason) = (error.is_connect(), reason(error));
    let (host, route) = (host.clone(), route.clone());
    if let Some(cause) = tls {
        Failure::last(Error::Tls { host, cause, reason })
    } else if is_noise {
        Failure::noise(Error::BadAnswer { route, what: "not HTTP".into() })
    } else if connecting {
        Failure::passing(Error::Unreachable { host, reason, tried: None })
    } else {
        let stale = reason.contains(STALE);
        Failure { stale, ..Failure::passing(Error::Lost { route, reason }) }
    }
}
