//! The manifest's bytes and its own checksum.

use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::super::digest::Hash;
use super::super::error::Damage;
use super::{FORMAT, Format, Manifest, Tool, check};

/// What stands between the other members and the digits.
const KEY: &str = "\"self_sha256\":\"";
/// How every manifest ends.
const END: &str = "\"}\n";
/// Digits of a SHA-256.
const DIGITS: usize = 64;

/// The most bytes of a run's options.
const OPTIONS_BYTES: usize = 4 << 20;

/// Why bytes are not a manifest.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::archive) enum Refused {
    /// A format this version does not read.
    Newer {
        format: Format,
        tool_version: String,
    },
    Damaged(Damage),
}

impl From<Damage> for Refused {
    fn from(damage: Damage) -> Self {
        Self::Damaged(damage)
    }
}

/// Canonical bytes: members in the structs' order, no white space, the checksum last.
pub(in crate::archive) fn to_bytes(manifest: &Manifest) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec(manifest)?;
    bytes.pop();
    bytes.push(b',');
    let hash = Hash(Sha256::digest(&bytes).into());
    bytes.extend_from_slice(format!("{KEY}{hash}{END}").as_bytes());
    Ok(bytes)
}

/// Reads a manifest: its checksum first, then its version, then everything else, and that it does not contradict itself.
pub(in crate::archive) fn from_bytes(bytes: &[u8]) -> Result<Manifest, Refused> {
    let tail = KEY.len() + DIGITS + END.len();
    let split = bytes.len().checked_sub(tail).ok_or(Damage::ManifestEnd)?;
    let (body, tail) = bytes.split_at(split);
    let digits = std::str::from_utf8(tail).ok().and_then(|t| t.strip_prefix(KEY)?.strip_suffix(END));
    let declared = digits.and_then(Hash::parse).ok_or(Damage::ManifestEnd)?;
    if Hash(Sha256::digest(body).into()) != declared {
        return Err(Damage::ManifestHash.into());
    }
    let json = |e: serde_json::Error| Refused::Damaged(Damage::Json(e.to_string()));
    let head: Head = serde_json::from_slice(bytes).map_err(json)?;
    if head.format.major != FORMAT.major {
        return Err(Refused::Newer { format: head.format, tool_version: head.tool.version });
    }
    let Options { options } = serde_json::from_slice(bytes).map_err(json)?;
    if options.is_some_and(|options| options.get().len() > OPTIONS_BYTES) {
        return Err(Damage::Limit { limit: OPTIONS_BYTES as u64 }.into());
    }
    let manifest: Manifest = serde_json::from_slice(bytes).map_err(json)?;
    check::consistent(&manifest)?;
    Ok(manifest)
}

/// The options of the run, unread: the only member of any shape.
#[derive(Deserialize)]
struct Options<'a> {
    #[serde(borrow)]
    options: Option<&'a RawValue>,
}

/// What every format version has.
#[derive(Deserialize)]
struct Head {
    format: Format,
    tool: Tool,
}
