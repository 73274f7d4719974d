//! The manifest's bytes and its own checksum.

use std::io::{self, BufReader, Read};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::super::digest::Hash;
use super::super::error::Damage;
use super::super::manifest::{Format, Manifest, Tool, consistent};
use super::FORMAT;
use super::plain::Plain;

/// The largest manifest a reader takes, in bytes (a million tenants need about 150 MB, and less memory than that).
pub(in crate::archive) const MANIFEST_BYTES: u64 = 256 << 20;
/// What stands between the other members and the digits.
const KEY: &str = "\"self_sha256\":\"";
/// How every manifest ends.
const END: &str = "\"}\n";
/// Digits of a SHA-256.
const DIGITS: usize = 64;
/// Bytes from the key of the checksum to the end.
const TAIL: usize = KEY.len() + DIGITS + END.len();

/// Bytes asked for at once.
const PIECE_BYTES: usize = 256 << 10;

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

/// Reads a manifest that is in memory.
pub(in crate::archive) fn from_bytes(bytes: &[u8]) -> Result<Manifest, Refused> {
    // Reading from memory does not fail.
    read(|| Ok(bytes), bytes.len() as u64).unwrap_or(Err(Damage::ManifestEnd.into()))
}

/// Reads a manifest of so many bytes: its checksum first, then its version, then everything else, and that it does not
/// contradict itself. It is read twice, and proven each time, so that its bytes are never held as a whole. An error of the
/// disk is handed back.
pub(in crate::archive) fn read<R: Read>(
    mut open: impl FnMut() -> io::Result<R>,
    size: u64,
) -> io::Result<Result<Manifest, Refused>> {
    let head: Head = match proven(open()?, size)? {
        Ok(head) => head,
        Err(damage) => return Ok(Err(damage.into())),
    };
    if head.format.major != FORMAT.major {
        return Ok(Err(Refused::Newer { format: head.format, tool_version: head.tool.version }));
    }
    let manifest: Result<Manifest, Damage> = proven(open()?, size)?;
    let is_consistent = |manifest: Manifest| consistent(&manifest).map(|()| manifest);
    Ok(manifest.and_then(is_consistent).map_err(Refused::Damaged))
}

/// Reads what is asked for of a manifest, with its checksum.
fn proven<T: DeserializeOwned>(file: impl Read, size: u64) -> io::Result<Result<T, Damage>> {
    let mut file = BufReader::with_capacity(PIECE_BYTES, Proving::new(file, size));
    let mut from = serde_json::Deserializer::from_reader(&mut file);
    let parsed = T::deserialize(&mut from).and_then(|value| from.end().map(|()| value));
    // What was not looked at is part of it too.
    let rest = io::copy(&mut file, &mut io::sink());
    if let Some(damage) = file.get_mut().damage.take() {
        return Ok(Err(damage));
    }
    rest?;
    match (parsed, file.into_inner().finish()) {
        (Err(error), _) if error.is_io() => Err(error.into()),
        (_, Err(damage)) => Ok(Err(damage)),
        (parsed, Ok(())) => Ok(parsed.map_err(|error| Damage::Json(error.to_string()))),
    }
}

/// A manifest on its way: looked at, and hashed up to its last bytes.
struct Proving<R> {
    file: io::Take<R>,
    size: u64,
    read: u64,
    plain: Plain,
    hasher: Sha256,
    tail: Vec<u8>,
    damage: Option<Damage>,
}

impl<R: Read> Proving<R> {
    fn new(file: R, size: u64) -> Self {
        let file = file.take(size + 1);
        Self { file, size, read: 0, plain: Plain::default(), hasher: Sha256::new(), tail: Vec::new(), damage: None }
    }

    fn finish(self) -> Result<(), Damage> {
        if self.read != self.size {
            return Err(Damage::Size { declared: self.size, found: self.read });
        }
        let digits = std::str::from_utf8(&self.tail).ok().and_then(|t| t.strip_prefix(KEY)?.strip_suffix(END));
        let declared = digits.and_then(Hash::parse).ok_or(Damage::ManifestEnd)?;
        if Hash(self.hasher.finalize().into()) == declared { Ok(()) } else { Err(Damage::ManifestHash) }
    }
}

impl<R: Read> Read for Proving<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        let bytes = &buffer[..read];
        if let Err(damage) = self.plain.take(bytes) {
            self.damage.get_or_insert(damage);
            return Err(io::ErrorKind::InvalidData.into());
        }
        let hashed = self.size.saturating_sub(TAIL as u64).saturating_sub(self.read);
        let (body, tail) = bytes.split_at(usize::try_from(hashed).map_or(read, |hashed| hashed.min(read)));
        self.hasher.update(body);
        self.tail.extend_from_slice(tail);
        self.read += read as u64;
        Ok(read)
    }
}

/// What every format version has.
#[derive(Deserialize)]
struct Head {
    format: Format,
    tool: Tool,
}

#[cfg(test)]
mod tests;
