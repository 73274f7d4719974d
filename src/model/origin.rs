//! Where a server may send requests: a scheme, a host and a port.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// Scheme, host and port that a server may send requests to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Origin(String);

/// A text that names no scheme, host and port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be http:// or https:// with a host and perhaps a port, such as https://api.example.com")]
pub struct InvalidOrigin;

impl FromStr for Origin {
    type Err = InvalidOrigin;

    /// Stricter than any reader of addresses, so that no two can read it in different ways: no user, no blanks, nothing
    /// beyond ASCII.
    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let plain = text.bytes().all(|b| b.is_ascii_graphic() && !b"@\\\"'`<>^{|}".contains(&b));
        let (scheme, rest) = text.split_once("://").filter(|_| plain).ok_or(InvalidOrigin)?;
        let scheme = scheme.to_ascii_lowercase();
        let default_port = match scheme.as_str() {
            "http" => 80,
            "https" => 443,
            _ => return Err(InvalidOrigin),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && !port.contains(']') => {
                let digits = port.bytes().all(|b| b.is_ascii_digit());
                (host, port.parse::<u16>().ok().filter(|_| digits).ok_or(InvalidOrigin)?)
            }
            _ => (authority, default_port),
        };
        let name = host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)) && !host.is_empty();
        let inside = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let number = inside.is_some_and(|host| host.parse::<std::net::Ipv6Addr>().is_ok());
        if !name && !number {
            return Err(InvalidOrigin);
        }
        let host = host.to_ascii_lowercase();
        let port = if port == default_port { String::new() } else { format!(":{port}") };
        Ok(Self(format!("{scheme}://{}{port}", host.trim_end_matches('.'))))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
