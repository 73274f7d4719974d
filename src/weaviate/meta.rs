//! What the server says about itself: version, modules, clock.

use serde::Deserialize;
use serde_json::Value;

use super::ask::{Answer, Ask};
use super::body::Body;
use super::client::Client;
use super::{Error, said};

/// A server's version. Orders by its numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// First number.
    pub major: u64,
    /// Second number.
    pub minor: u64,
    /// Third number, without what follows it (`1.40.0-dev`).
    pub patch: u64,
    /// The whole text.
    pub text: String,
}

impl Version {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let number = |part: Option<&str>| -> Option<u64> {
            let part = part?;
            let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            part[..digits].parse().ok()
        };
        let mut parts = text.strip_prefix('v').unwrap_or(text).split('.');
        let (major, minor) = (number(parts.next())?, number(parts.next())?);
        Some(Self { major, minor, patch: number(parts.next()).unwrap_or(0), text: said::harmless(text) })
    }

    /// Whether this is `major.minor` or later.
    #[must_use]
    pub fn at_least(&self, major: u64, minor: u64) -> bool {
        (self.major, self.minor) >= (major, minor)
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// What `GET /v1/meta` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// The server's version.
    pub version: Version,
    /// Names of the enabled modules, sorted.
    pub modules: Vec<String>,
    /// The server's clock in milliseconds since 1970 (whole seconds); `None` without a `Date` header.
    pub server_time_ms: Option<i64>,
}

/// Longest answer about the server and its modules, decoded.
const META_BYTES_MAX: u64 = 1024 * 1024;

#[derive(Deserialize)]
struct Document {
    version: String,
    modules: Option<serde_json::Map<String, Value>>,
}

impl Client {
    /// Asks who answers here. Anything but a Weaviate server is [`Error::NotWeaviate`].
    pub async fn meta(&self) -> Result<Meta, Error> {
        let ask = Ask { max_bytes: META_BYTES_MAX, ..Ask::get("/v1/meta") };
        let answer = self.send(&ask).await.map_err(|error| self.stranger(error))?;
        let read = || {
            let Body::Whole(body) = &answer.body else { return None };
            let document: Document = serde_json::from_slice(body).ok()?;
            Some((Version::parse(&document.version)?, document.modules.unwrap_or_default()))
        };
        let strange = || Error::NotWeaviate { host: self.host().clone(), what: "no version in /v1/meta".into() };
        let (version, modules) = read().ok_or_else(strange)?;
        let mut modules: Vec<String> = modules.keys().map(|name| said::harmless(name)).collect();
        modules.sort_unstable();
        Ok(Meta { version, modules, server_time_ms: server_time_ms(&answer) })
    }

    fn stranger(&self, error: Error) -> Error {
        match error.root() {
            Error::NotFound { .. } | Error::Rejected { .. } | Error::BadAnswer { .. } => {
                Error::NotWeaviate { host: self.host().clone(), what: error.root().to_string() }
            }
            _ => error,
        }
    }
}

fn server_time_ms(answer: &Answer) -> Option<i64> {
    answer.server_time.map(jiff::Timestamp::as_millisecond)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_order_by_number() {
        let version = |text| Version::parse(text).expect("a version");
        assert!(version("1.24.26") < version("1.40.0-dev"));
        assert!(version("1.9.0") < version("1.10.0"));
        assert_eq!((version("v1.40.0-rc.1").patch, version("1.32").patch), (0, 0));
        assert!(version("1.32.1").at_least(1, 32) && !version("1.31.9").at_least(1, 32));
        assert_eq!(["", "one", "1", "x.1"].map(Version::parse), [None, None, None, None]);
    }
}
