//! What can go wrong on the wire, as data: route, status, the server's words, attempts. No id, no query, no secret.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::LastingCause;

/// Why there is no secure connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsCause {
    /// The server's certificate is not trusted: most often nobody knows who signed it.
    Untrusted,
    /// The server's certificate is for other names than the one asked for.
    OtherName,
    /// The server's certificate has expired, or is not valid yet.
    OutOfDate,
    /// The server wants a certificate of its clients, and takes none that was shown.
    WantsClientCertificate,
    /// What answers speaks no TLS.
    NoTls,
    /// Something else.
    Other,
}

/// Why a question to the server was not answered. Routes are a method and a path, such as `GET /v1/objects`.
/// Messages of the server have their control characters escaped and are cut at 500 characters.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the variant says the fact, and a field's name says what it is of it")]
pub enum Error {
    /// The address cannot be used. The text itself is not repeated, since it may hold a password.
    #[error("the server's address {reason}")]
    Url { reason: &'static str },
    /// A key or a header's value holds characters that HTTP cannot carry.
    #[error("the value of {name} cannot be sent in a header")]
    Header {
        /// The header's name.
        name: String,
    },
    /// A certificate or key file cannot be used.
    #[error("{what} cannot be used: {reason}")]
    Certificate { what: &'static str, reason: String },
    /// The HTTP client could not be built: most often the machine has no certificates of authorities.
    #[error("cannot set up the connection: {reason}")]
    Setup { reason: String },
    /// No connection: refused, no such host, no route, no answer in time.
    #[error("cannot reach {host}{}: {reason}", tried.map(|tried| tried.to_string()).unwrap_or_default())]
    Unreachable {
        /// Host and port.
        host: Arc<str>,
        reason: String,
        /// How often it was tried, once that is over.
        tried: Option<Tried>,
    },
    /// The TLS handshake failed: never retried.
    #[error("no secure connection to {host}: {reason}")]
    Tls {
        /// Host and port.
        host: Arc<str>,
        /// What kind of reason it is.
        cause: TlsCause,
        reason: String,
    },
    /// Something answers, but it is not Weaviate's REST interface.
    #[error("{host} does not answer like a Weaviate server: {what}")]
    NotWeaviate {
        /// Host and port.
        host: Arc<str>,
        /// What it answered.
        what: String,
    },
    /// The server says itself, for as long as elysiactl waits, that it is not ready.
    #[error("{host} is not ready after {:.1} s: {last}", waited.as_secs_f64())]
    NotReady {
        /// Host and port.
        host: Arc<str>,
        /// Time spent waiting.
        waited: Duration,
        /// Whether it closed a plain connection without a byte, as what waits for TLS does.
        closes: bool,
        /// The last answer, in few words.
        last: String,
    },
    /// The server sends elsewhere. Never followed, so that no key goes where it was not meant to go.
    #[error("{route}: redirected ({status}) to {to}")]
    Redirected {
        /// What was asked.
        route: Arc<str>,
        /// HTTP status.
        status: u16,
        /// Scheme, host and port of the new place; empty if it cannot be read.
        to: String,
    },
    /// 401: no key, or one the server does not know.
    #[error("{route}: not authenticated{}", after_colon(message))]
    Unauthorized {
        /// What was asked.
        route: Arc<str>,
        message: String,
        /// Whether a key was sent.
        key_sent: bool,
    },
    /// 403: the key may not do this.
    #[error("{route}: not allowed{}", after_colon(message))]
    Forbidden {
        /// What was asked.
        route: Arc<str>,
        message: String,
    },
    /// 404, and for collections believed only from a server that is ready.
    #[error("{route}: not found{}", after_colon(message))]
    NotFound {
        /// What was asked.
        route: Arc<str>,
        /// The server's words, empty for a missing collection or object.
        message: String,
    },
    /// Any other status that asking again does not change.
    #[error("{route}: refused ({status}){}", after_colon(message))]
    Rejected {
        /// What was asked.
        route: Arc<str>,
        /// HTTP status.
        status: u16,
        message: String,
    },
    /// The server refuses until its operator changes something: asking again does not help.
    #[error("{cause} ({route}, {status}{})", after_colon(message))]
    Lasting {
        /// What was asked.
        route: Arc<str>,
        /// HTTP status.
        status: u16,
        /// Why, and what can be changed.
        cause: Box<LastingCause>,
        message: String,
    },
    /// A status that may pass: 408, 429, 5xx, and temporary states that come as 4xx.
    #[error("{route}: server error ({status}){}{}", after_colon(message), pause(*asks))]
    Server {
        /// What was asked.
        route: Arc<str>,
        /// HTTP status.
        status: u16,
        message: String,
        /// How long it asks not to be asked again, where that is longer than it is left alone.
        asks: Option<Duration>,
    },
    /// Nothing, or next to nothing, was received for a while.
    #[error("{route}: no progress for {:.1} s", after.as_secs_f64())]
    Stalled {
        /// What was asked.
        route: Arc<str>,
        /// How long nothing came.
        after: Duration,
    },
    /// The connection broke after it was made: reset, or the answer cut off.
    #[error("{route}: connection lost: {reason}")]
    Lost {
        /// What was asked.
        route: Arc<str>,
        reason: String,
    },
    /// The answer came, but makes no sense.
    #[error("{route}: bad answer: {what}")]
    BadAnswer {
        /// What was asked.
        route: Arc<str>,
        what: String,
    },
    /// Something that may pass did not pass.
    #[error("gave up on {route} after {}{bound}", attempts_in(*attempts, *elapsed))]
    Exhausted {
        /// What was asked.
        route: Arc<str>,
        /// Requests sent.
        attempts: u32,
        /// Time from the first one to the last failure.
        elapsed: Duration,
        /// Why it was not asked once more.
        bound: Bound,
        /// The last failure.
        #[source]
        last: Box<Error>,
    },
}

/// How often something was tried, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tried {
    /// Requests, or connections that did not come about.
    pub attempts: u32,
    /// Time from the first one to the last failure.
    pub elapsed: Duration,
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " ({})", attempts_in(self.attempts, self.elapsed))
    }
}

/// What kept a question from being asked once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bound {
    /// It was asked as often as anything is.
    Attempts,
    /// It is sent once, whatever comes: a second request could do something else.
    Once,
    /// It was turned away (429) for as long as that is put up with.
    Turn,
    /// The run has sent so many requests again, and that is all it may.
    Budget {
        /// Requests sent again by the whole run.
        retries: u64,
    },
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attempts => Ok(()),
            Self::Once => f.write_str(", as it must not be sent twice"),
            Self::Turn => f.write_str(", as the server turned it away all that time"),
            Self::Budget { retries } => {
                write!(f, ", as this run has sent {retries} requests again, more than its share")
            }
        }
    }
}

fn attempts_in(attempts: u32, elapsed: Duration) -> String {
    let s = if attempts == 1 { "" } else { "s" };
    format!("{attempts} attempt{s} in {:.1} s", elapsed.as_secs_f64())
}

/// That a server asks for more time than it gets.
fn pause(asks: Option<Duration>) -> String {
    let said = |asks: Duration| format!("; it asks for a pause of {} s, longer than a run waits", asks.as_secs());
    asks.map(said).unwrap_or_default()
}

/// The server's words behind a colon; nothing if it said nothing.
fn after_colon(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

impl Error {
    /// The failure itself: the last one if retries are used up.
    #[must_use]
    pub fn root(&self) -> &Self {
        match self {
            Self::Exhausted { last, .. } => last.root(),
            other => other,
        }
    }

    /// Whether the server refused the key (401 or 403).
    #[must_use]
    pub fn is_auth(&self) -> bool {
        matches!(self.root(), Self::Unauthorized { .. } | Self::Forbidden { .. })
    }

    /// Whether the server answered, and its answer was no: what was asked for was not done.
    #[must_use]
    pub fn is_no(&self) -> bool {
        self.is_auth() || self.is_refused() || matches!(self.root(), Self::NotFound { .. })
    }

    /// Whether the server refused what was asked for, whoever asks: for a reason that lasts, or for what was sent.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self.root(), Self::Rejected { .. } | Self::Lasting { .. })
    }

    /// Why the server refuses until somebody changes it, if that is so.
    #[must_use]
    pub fn lasting(&self) -> Option<&LastingCause> {
        match self.root() {
            Self::Lasting { cause, .. } => Some(cause),
            _ => None,
        }
    }

    /// Whether a gateway, or a server that is not ready, answered in the place of the server (502, 503): most likely the
    /// request was not carried out, and it is not on its way any more.
    #[must_use]
    pub fn is_gateway(&self) -> bool {
        matches!(self.root(), Self::Server { status: 502 | 503, .. })
    }

    /// Whether the answers come too slowly; a smaller page may help.
    #[must_use]
    pub fn is_stalled(&self) -> bool {
        matches!(self.root(), Self::Stalled { .. })
    }

    /// Whether a request that was given up may have failed because a node went away. Being turned away (429) says nothing
    /// of the kind.
    #[must_use]
    pub fn may_be_a_node_away(&self) -> bool {
        matches!(self, Self::Exhausted { bound, .. } if *bound != Bound::Turn)
    }

    /// Whether this version of the server does not know the route, as opposed to a collection or object not found.
    #[must_use]
    pub fn is_missing_route(&self) -> bool {
        let shape = |m: &str| m.starts_with("path ") && m.ends_with(" was not found");
        matches!(self, Self::NotFound { message, .. } if shape(message))
    }

    /// The HTTP status, where there was one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self.root() {
            Self::Unauthorized { .. } => Some(401),
            Self::Forbidden { .. } => Some(403),
            Self::NotFound { .. } => Some(404),
            Self::Redirected { status, .. }
            | Self::Rejected { status, .. }
            | Self::Lasting { status, .. }
            | Self::Server { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The server's own words, where there were any.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        match self.root() {
            Self::Unauthorized { message, .. }
            | Self::Forbidden { message, .. }
            | Self::NotFound { message, .. }
            | Self::Rejected { message, .. }
            | Self::Lasting { message, .. }
            | Self::Server { message, .. } => Some(message),
            _ => None,
        }
    }
}
