//! The text of `archive show`: a manifest for people.

use std::fmt::Write;
use std::path::Path;

use super::closing;
use crate::archive::manifest::CollectionEntry;
use crate::archive::{Codec, Content, Manifest};
use crate::render::{Label, count, date, plain, shell_path, size, table};

pub(super) fn text(path: &Path, manifest: &Manifest, columns: Option<usize>) -> String {
    let server = closing::server(&manifest.source.url, &manifest.source.server_version);
    let about = closing::of(manifest, None);
    let stored = manifest.files.iter().map(|f| f.bytes).sum();
    let plain_bytes = manifest.collections.iter().map(|c| c.bytes).sum();
    let mut facts = vec![
        ("Archive", shell_path(path)),
        ("Sealed", format!("{}, begun {}", date(manifest.sealed), date(manifest.started))),
        ("Server", server),
        (
            "Format",
            format!(
                "{}.{}, by {} {}",
                manifest.format.major,
                manifest.format.minor,
                plain(&manifest.tool.name),
                plain(&manifest.tool.version)
            ),
        ),
        ("Size", format!("{} on disk, {} of objects{}", size(stored), size(plain_bytes), codec(manifest.codec))),
    ];
    for (label, lines) in about.lines.iter().filter(|(label, _)| **label != Label::Unchecked) {
        facts.extend(lines.iter().map(|line| (label.text(), plain(line))));
    }
    facts.extend(about.lines(Label::Unchecked).iter().map(|line| (Label::Unchecked.text(), line.clone())));
    let mut text = String::new();
    for (label, fact) in facts {
        // A String takes every write.
        let _ = writeln!(text, "{label:<12}{fact}");
    }
    text + "\n" + &collections(&manifest.collections, columns)
}

fn codec(codec: Codec) -> &'static str {
    match codec {
        Codec::None => "",
        Codec::Zstd => ", compressed with zstd",
        Codec::Gzip => ", compressed with gzip",
        Codec::Lz4 => ", compressed with lz4",
    }
}

fn collections(collections: &[CollectionEntry], columns: Option<usize>) -> String {
    let row = |collection: &CollectionEntry| {
        vec![
            plain(&collection.name),
            count(collection.objects),
            size(collection.bytes),
            count(collection.parts.len() as u64),
            vectors(collection),
            collection.digest.map_or_else(|| "–".into(), |d| d.to_string()),
        ]
    };
    let headers = ["Collection", "Objects", "Size", "Parts", "Vectors", "Digest"];
    table(&headers, &[1, 2, 3], collections.iter().map(row), columns)
}

fn vectors(collection: &CollectionEntry) -> String {
    match collection.content {
        Content::SchemaOnly => "schema only".into(),
        Content::NoVectors => "left out".into(),
        Content::Full if collection.vectors.is_empty() => "none".into(),
        Content::Full => {
            let each = collection.vectors.iter().map(|(name, dimensions)| format!("{} {dimensions}", plain(name)));
            each.collect::<Vec<_>>().join(", ")
        }
    }
}
