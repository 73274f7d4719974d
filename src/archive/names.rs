//! The names of archives, folders and parts: how they are made, and which ones a reader accepts.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::codec::Codec;
use super::content::Content;
use crate::model::CollectionName;

/// Where the parts of all collections lie.
pub(super) const COLLECTIONS: &str = "collections";
/// The list of everything, written last.
pub(crate) const MANIFEST: &str = "manifest.json";
/// The journal of an unsealed archive.
pub(super) const CHECKPOINT: &str = "checkpoint.jsonl";
/// Held by the run that writes.
pub(super) const LOCK: &str = ".lock";
/// Every file but itself and the manifest, for `sha256sum -c`.
pub(super) const SUMS: &str = "SHA256SUMS";
/// The server's aliases.
pub(super) const ALIASES: &str = "aliases.json";
/// The server's roles.
pub(super) const ROLES: &str = "roles.json";
/// A collection's class document.
pub(super) const SCHEMA: &str = "schema.json";
/// The class document as it was before it grew.
pub(super) const SCHEMA_BEFORE: &str = "schema.before.json";
/// A collection's tenants and their states.
pub(super) const TENANTS: &str = "tenants.json";
/// A collection's runs.
pub(super) const INDEX: &str = "index.jsonl";
/// What macOS leaves in every folder it shows.
pub(super) const DS_STORE: &str = ".DS_Store";
/// The suffix of a file that is still being written.
pub(super) const UNFINISHED: &str = ".tmp";

/// A folder's or stem's share of a collection's name, in characters.
const NAME_CHARS: usize = 80;
/// Digits of a part's number that are always printed.
const PART_DIGITS: usize = 6;
/// The highest number a part may have: nine digits.
pub(super) const LAST_PART: u32 = 999_999_999;

const RESERVED_ON_WINDOWS: [&str; 24] = [
    "con", "prn", "aux", "nul", "com0", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9", "lpt0",
    "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn is_reserved(name: &str) -> bool {
    RESERVED_ON_WINDOWS.contains(&name.to_ascii_lowercase().as_str())
}

/// The name of a collection's folder: its own, or, if too long, reserved on Windows, behind a namespace, or equal to
/// one of `taken` but for case, cut at 80 characters and followed by `-` and hex digits of its hash. A collection's
/// name holds no `-`, so the two kinds never meet.
pub(super) fn folder(name: &CollectionName, taken: &BTreeSet<String>) -> String {
    let own = name.as_str();
    let free = |folder: &str| !taken.contains(&folder.to_ascii_lowercase());
    if own.len() <= NAME_CHARS && is_word(own) && !is_reserved(own) && free(own) {
        return own.to_owned();
    }
    let hash = blake3::hash(own.as_bytes()).to_hex();
    let cut: String = own.chars().take(NAME_CHARS).map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    [8, 16, 32].into_iter().map(|digits| format!("{cut}-{}", &hash[..digits])).find(|name| free(name)).unwrap_or_else(
        || format!("{cut}-{hash}"), // 256 bits: not taken
    )
}

/// Whether a reader accepts this as a collection's folder.
pub(super) fn is_folder(text: &str) -> bool {
    let (name, hash) = text.split_once('-').map_or((text, None), |(name, hash)| (name, Some(hash)));
    let hash_ok = hash.is_none_or(|h| {
        [8, 16, 32, 64].contains(&h.len()) && h.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    });
    is_word(name) && name.len() <= NAME_CHARS && hash_ok && (hash.is_some() || !is_reserved(name))
}

/// The name of a part's file.
pub(super) fn part(number: u32, codec: Codec) -> String {
    format!("objects-{number:0PART_DIGITS$}.jsonl{}", codec.extension())
}

/// The number of a part, if `name` is exactly what `part` would print.
pub(super) fn part_number(name: &str, codec: Codec) -> Option<u32> {
    let digits = name.strip_prefix("objects-")?.strip_suffix(codec.extension())?.strip_suffix(".jsonl")?;
    let number = digits.parse().ok().filter(|n| *n <= LAST_PART)?;
    (part(number, codec) == name).then_some(number)
}

/// The name of an archive's directory: one collection's name, `First+N` for N more, `all`; what it holds; when, in UTC.
/// `_2` and so on are added by the writer. `selection`: whether only a part of the objects was wanted.
#[must_use]
pub fn stem(selected: &[CollectionName], all: bool, content: Content, selection: bool, started: Timestamp) -> String {
    let what = if all { "all".to_owned() } else { first_of(selected) };
    let kind = match content {
        Content::Full if selection => "selected",
        Content::Full => "full",
        Content::NoVectors if selection => "selected-no-vectors",
        Content::NoVectors => "no-vectors",
        Content::SchemaOnly => "schema",
    };
    dated(&what, kind, started)
}

/// The directory name of what is kept of these collections before it is replaced.
#[must_use]
pub fn stem_of_replaced(collections: &[CollectionName], started: Timestamp) -> String {
    dated(&first_of(collections), "replaced", started)
}

/// The first name, and how many more.
fn first_of(selected: &[CollectionName]) -> String {
    let first = selected.first().map_or_else(|| "all".to_owned(), |name| folder(name, &BTreeSet::new()));
    if selected.len() > 1 { format!("{first}+{}", selected.len() - 1) } else { first }
}

fn dated(what: &str, kind: &str, started: Timestamp) -> String {
    format!("{what}_{kind}_{}", started.strftime("%Y%m%d_%H%M%S"))
}

/// Whether a directory may be called this: one plain name, no separator, not hidden.
pub(super) fn is_stem(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_+-.".contains(&b);
    !text.is_empty() && text.len() <= 200 && !text.starts_with('.') && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> CollectionName {
        text.parse().expect("a collection name")
    }

    #[test]
    fn a_short_name_is_its_own_folder_and_odd_ones_get_a_hash() {
        let none = BTreeSet::new();
        assert_eq!(folder(&name("Article"), &none), "Article");
        let taken = BTreeSet::from(["article".to_owned()]);
        for (odd, taken) in
            [("Con", &none), ("LPT9", &none), ("ARTICLE", &taken), (&*"A".repeat(81), &none), ("ns:Article", &none)]
        {
            let made = folder(&name(odd), taken);
            assert!(is_folder(&made) && made.contains('-'), "{made}");
            assert!(made.len() <= NAME_CHARS + 9, "{made}");
        }
    }

    #[test]
    fn hostile_folders_and_parts_are_refused() {
        for bad in ["", ".", "..", "a/b", "/a", "a\\b", "a\0", "CON", "A-", "A-1234567", "A-ABCDEF12", "A.b", "Ä"] {
            assert!(!is_folder(bad), "{bad:?}");
        }
        assert_eq!(part_number("objects-000042.jsonl.zst", Codec::Zstd), Some(42));
        assert_eq!(part_number("objects-1000000.jsonl", Codec::None), Some(1_000_000));
        for bad in [
            "objects-42.jsonl",
            "objects-0000042.jsonl",
            "objects-000042.jsonl.zst",
            "objects-000042.jsonl.tmp",
            "objects-+00042.jsonl",
            "objects-9999999999.jsonl",
            "../objects-000042.jsonl",
            "objects-.jsonl",
        ] {
            assert_eq!(part_number(bad, Codec::None), None, "{bad:?}");
        }
    }

    #[test]
    fn stems_name_what_is_inside_and_when() {
        let at: Timestamp = "2026-11-23T04:12:00Z".parse().expect("a time");
        let (a, b) = (name("Article"), name("Book"));
        let one = std::slice::from_ref(&a);
        assert_eq!(stem(one, false, Content::Full, false, at), "Article_full_20261123_041200");
        assert_eq!(stem(one, false, Content::NoVectors, false, at), "Article_no-vectors_20261123_041200");
        assert_eq!(
            stem(&[a.clone(), b.clone()], false, Content::SchemaOnly, false, at),
            "Article+1_schema_20261123_041200"
        );
        assert_eq!(stem(&[a.clone(), b], true, Content::Full, false, at), "all_full_20261123_041200");
        assert_eq!(stem(&[a], false, Content::Full, true, at), "Article_selected_20261123_041200");
        assert!(is_stem(&stem(&[name(&"A".repeat(255))], false, Content::NoVectors, false, at)));
        for bad in ["", "a/b", "..", ".hidden", "a\\b"] {
            assert!(!is_stem(bad), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn folders_are_injective_even_when_case_is_ignored(
            names in proptest::collection::btree_set("(n:)?[A-Ca-c_]{0,2}[AaBb](A{78,82})?", 1..24)
        ) {
            let mut taken = BTreeSet::new();
            for text in names.iter().filter_map(|n| n.parse::<CollectionName>().ok()) {
                let made = folder(&text, &taken);
                prop_assert!(is_folder(&made), "{made}");
                prop_assert!(taken.insert(made.to_ascii_lowercase()), "{made}");
            }
        }
    }
}
