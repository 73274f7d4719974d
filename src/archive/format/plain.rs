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
/// The most that may be built of a manifest, in bytes as they are weighed here: two million tenants.
const BUILT_BYTES: u64 = 320 << 20;
/// What a value takes in the list or the structure that it stands in, in bytes.
const VALUE_BYTES: u64 = 24;
/// What an allocation takes at least, and beside the text, in bytes.
const LEAST_ALLOCATED: u64 = 32;
const BESIDE_TEXT: u64 = 16;
/// The most bytes of a run's options, the only member of any shape.
const OPTIONS_BYTES: u64 = 4 << 20;
/// The members that are no texts once they are read, but 32 bytes of the structure they stand in.
const CHECKSUMS: [&[u8]; 2] = [b"sha256", b"digest"];
/// The bytes that are kept of a text, to know a name by.
const NAME_BYTES: usize = 8;
/// In objects of this depth, and of any below the next one, names are kept as they stand: the vectors of a collection, and
/// options.
const FREE_NAMES: [u32; 2] = [4, 6];

/// What was seen so far.
#[derive(Debug, Default)]
pub(super) struct Plain {
    depth: u32,
    bytes: u64,
    values: u64,
    /// What would be built of it, in bytes.
    built: u64,
    /// Bytes of the text that is being read, if any.
    text: Option<u64>,
    escaped: bool,
    /// The last text: its length, and its first bytes.
    last: Option<(u64, [u8; NAME_BYTES])>,
    /// The last name is that of a checksum.
    is_checksum: bool,
    /// Bytes of the options, while they are read.
    options: Option<u64>,
}

impl Plain {
    /// Takes the next bytes.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(), Damage> {
        for byte in bytes {
            self.bytes += 1;
            self.count_option()?;
            if self.text.is_some() {
                self.in_text(*byte)?;
                continue;
            }
            match byte {
                b'"' => {
                    self.text = Some(0);
                    self.last = Some((0, [0; NAME_BYTES]));
                }
                b'{' | b'[' => {
                    self.depth += 1;
                    self.value();
                }
                b'}' | b']' => {
                    self.text_was_value();
                    self.depth = self.depth.saturating_sub(1);
                }
                b',' => {
                    self.text_was_value();
                    self.value();
                    if self.depth == 1 {
                        self.options = None;
                    }
                }
                b':' => self.text_was_name(),
                _ => {}
            }
            if self.depth > DEPTH {
                return Err(Damage::Limit { limit: DEPTH.into() });
            }
        }
        let most = SPARE_VALUES + self.bytes / BYTES_A_VALUE;
        if self.values > most {
            return Err(Damage::Limit { limit: most });
        }
        if self.built > BUILT_BYTES { Err(Damage::Limit { limit: BUILT_BYTES }) } else { Ok(()) }
    }

    fn in_text(&mut self, byte: u8) -> Result<(), Damage> {
        let length = self.text.get_or_insert(0);
        *length += 1;
        if *length > TEXT_BYTES {
            return Err(Damage::Limit { limit: TEXT_BYTES });
        }
        match (std::mem::take(&mut self.escaped), byte) {
            (false, b'\\') => self.escaped = true,
            (false, b'"') => {
                self.text = None;
                return Ok(());
            }
            _ => {}
        }
        if let Some((length, name)) = &mut self.last {
            if let Some(place) = usize::try_from(*length).ok().and_then(|at| name.get_mut(at)) {
                *place = byte;
            }
            *length += 1;
        }
        Ok(())
    }

    fn count_option(&mut self) -> Result<(), Damage> {
        let Some(options) = &mut self.options else { return Ok(()) };
        *options += 1;
        if *options > OPTIONS_BYTES { Err(Damage::Limit { limit: OPTIONS_BYTES }) } else { Ok(()) }
    }

    fn value(&mut self) {
        self.values += 1;
        self.built += VALUE_BYTES;
    }

    fn text_was_value(&mut self) {
        if let Some((length, _)) = self.last.take().filter(|_| !self.is_checksum) {
            self.built += LEAST_ALLOCATED.max(length + BESIDE_TEXT);
        }
        self.is_checksum = false;
    }

    fn text_was_name(&mut self) {
        let Some((length, bytes)) = self.last.take() else { return };
        let name = &bytes[..usize::try_from(length).map_or(NAME_BYTES, |length| length.min(NAME_BYTES))];
        self.is_checksum = length <= NAME_BYTES as u64 && CHECKSUMS.contains(&name);
        // A name with an escape may be any.
        if self.depth == 1 && (name == b"options" || name.contains(&b'\\')) {
            self.options = Some(0);
        }
        if self.depth == FREE_NAMES[0] || self.depth >= FREE_NAMES[1] {
            self.built += VALUE_BYTES + LEAST_ALLOCATED.max(length + BESIDE_TEXT);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::manifest as today;
    use super::*;

    fn of(text: &str) -> Result<u64, Damage> {
        let mut plain = Plain::default();
        text.as_bytes().chunks(4096).try_for_each(|chunk| plain.take(chunk)).map(|()| plain.built)
    }

    const TENANT: &str = r#"{"tenant":"tenant-1234","objects":10,"bytes":12345,"digest":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},"#;

    #[test]
    fn what_would_become_many_times_its_size_is_refused_before_it_is_read_to_its_end() {
        assert!(of(&format!("[{}{{}}]", TENANT.repeat(100_000))).is_ok());
        assert!(of(&format!(r#"{{"a":"{}\"","b":{{"c":[1,"]"]}}}}"#, "x".repeat(1000))).is_ok());
        assert!(matches!(of(&"0,".repeat(200_000)), Err(Damage::Limit { .. })));
        assert!(matches!(of(&"{},".repeat(200_000)), Err(Damage::Limit { .. })));
        assert_eq!(of(&"[".repeat(100_000)), Err(Damage::Limit { limit: DEPTH.into() }));
        assert_eq!(of(&format!("\"{}\"", "x".repeat(100_000))), Err(Damage::Limit { limit: TEXT_BYTES }));
    }

    #[test]
    fn what_is_built_weighs_at_least_what_its_structures_take() {
        let built = |entry: &str| {
            let of = |entries: usize| of(&format!(r#"{{"a":[{}0]}}"#, entry.repeat(entries))).expect("plain");
            usize::try_from((of(1_100) - of(100)) / 1_000).expect("small")
        };
        let file = TENANT.replace("tenant\":", "path\":").replace("\"objects\":10,", "").replace("digest", "sha256");
        for (entry, takes) in [
            (TENANT, size_of::<today::TenantEntry>() + 32),
            (&file, size_of::<today::FileEntry>() + 32),
            (r#"{"collection":"AAAAAA","reason":"xxxxxx"},"#, size_of::<today::Skipped>() + 64),
            (r#"{"collection":"AAAAAAAAAA","id":"xxxxxxxx"},"#, size_of::<today::Incomplete>() + 64),
            (
                r#"{"kind":"a","collection":null,"properties":[],"objects":null,"first_ids":[]},"#,
                size_of::<today::Limit>(),
            ),
            (r#"{"file":"a","objects":1,"bytes":1,"runs":1,"more":"xxxx"},"#, size_of::<today::PartEntry>() + 32),
            (r#""aaaaaaaaaaa","#, size_of::<String>() + 32),
        ] {
            assert!((takes..takes * 3).contains(&built(entry)), "{entry}: {} for {takes}", built(entry));
        }
    }

    #[test]
    fn more_than_may_be_built_is_refused_though_it_is_mostly_text() {
        let skipped = r#"{"collection":"AAAAAAAA","reason":"xxxxxxxxxxx"},"#.repeat(10_000);
        let mut plain = Plain::default();
        let refused = (0..300).find_map(|_| plain.take(skipped.as_bytes()).err());
        assert_eq!(refused, Some(Damage::Limit { limit: BUILT_BYTES }));
        assert!(plain.bytes < 150 << 20, "{}", plain.bytes);
    }

    #[test]
    fn options_are_bounded_however_their_name_is_spelled() {
        for name in ["options", "\\u006fptions"] {
            let of = |bytes: usize| {
                of(&format!(r#"{{"{name}":{{"a":[{}]}},"b":1}}"#, "\"aaaaaaaaaaaa\",".repeat(bytes / 15)))
            };
            assert!(of(4_000_000).is_ok());
            assert_eq!(of(4_300_000), Err(Damage::Limit { limit: OPTIONS_BYTES }));
        }
        let later = format!(r#"{{"options":{{}},"a":[{}0]}}"#, TENANT.repeat(40_000));
        assert!(of(&later).is_ok());
    }
}
