//! Whether bytes may be a manifest, looked at while they are read and before anything is built of them: a manifest is mostly
//! names and checksums, so that what is built of one is not many times its size.

use super::super::error::Damage;

/// The deepest nesting of a manifest; ours have 8.
const DEPTH: u32 = 32;
/// The longest text in one, in bytes: no name, path or reason comes near.
const TEXT_BYTES: u64 = 64 << 10;
/// Values that any manifest may have.
const SPARE_VALUES: u64 = 65_536;
/// Bytes to each value beyond those, at least: ours have about 24, as every tenant and file has a checksum.
const BYTES_A_VALUE: u64 = 12;

/// What was seen so far.
#[derive(Debug, Default)]
pub(in crate::archive) struct Plain {
    depth: u32,
    bytes: u64,
    values: u64,
    /// Bytes of the text that is being read, if any.
    text: Option<u64>,
    escaped: bool,
}

impl Plain {
    /// Takes the next bytes.
    pub(in crate::archive) fn take(&mut self, bytes: &[u8]) -> Result<(), Damage> {
        for byte in bytes {
            self.bytes += 1;
            if let Some(length) = &mut self.text {
                *length += 1;
                if *length > TEXT_BYTES {
                    return Err(Damage::Limit { limit: TEXT_BYTES });
                }
                match (std::mem::take(&mut self.escaped), byte) {
                    (false, b'\\') => self.escaped = true,
                    (false, b'"') => self.text = None,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.text = Some(0),
                b'{' | b'[' => {
                    self.depth += 1;
                    self.values += 1;
                }
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                b',' => self.values += 1,
                _ => {}
            }
            if self.depth > DEPTH {
                return Err(Damage::Limit { limit: DEPTH.into() });
            }
        }
        let most = SPARE_VALUES + self.bytes / BYTES_A_VALUE;
        if self.values > most { Err(Damage::Limit { limit: most }) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<(), Damage> {
        let mut plain = Plain::default();
        text.as_bytes().chunks(4096).try_for_each(|chunk| plain.take(chunk))
    }

    #[test]
    fn what_would_become_many_times_its_size_is_refused_before_it_is_read_to_its_end() {
        let tenant = r#"{"tenant":"tenant-1234","objects":10,"bytes":12345,"digest":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},"#;
        assert_eq!(of(&format!("[{}{{}}]", tenant.repeat(100_000))), Ok(()));
        assert_eq!(of(&format!(r#"{{"a":"{}\"","b":{{"c":[1,"]"]}}}}"#, "x".repeat(1000))), Ok(()));
        assert!(matches!(of(&"0,".repeat(200_000)), Err(Damage::Limit { .. })));
        assert!(matches!(of(&"{},".repeat(200_000)), Err(Damage::Limit { .. })));
        assert_eq!(of(&"[".repeat(100_000)), Err(Damage::Limit { limit: DEPTH.into() }));
        assert_eq!(of(&format!("\"{}\"", "x".repeat(100_000))), Err(Damage::Limit { limit: TEXT_BYTES }));
    }
}
