//! The text of `archive show`: a manifest for people.

use std::fmt::Write;
use std::path::Path;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::closing;
use crate::archive::manifest::CollectionEntry;
use crate::archive::{Codec, Content, Manifest};
use crate::render::{count, date, plain, shell_path, size};

pub(super) fn text(path: &Path, manifest: &Manifest) -> String {
    let server = closing::server(&manifest.source.url, &manifest.source.server_version);
    let about = closing::of(manifest, server.clone());
    let stored = manifest.files.iter().map(|f| f.bytes).sum();
    let plain_bytes = manifest.collections.iter().map(|c| c.bytes).sum();
    let mut facts = vec![
        ("Archive", shell_path(path)),
        ("Sealed", format!("{}, begun {}", date(manifest.sealed), date(manifest.started))),
        ("Server", plain(&server)),
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
    let remarks = [
        ("Counts", &about.counts),
        ("Replicas", &about.replicas),
        ("Changed", &about.changes),
        ("Limits", &about.limits),
        ("Skipped", &about.skipped),
        ("Incomplete", &about.incomplete),
    ];
    for (label, remarks) in remarks {
        facts.extend(remarks.iter().map(|r| (label, plain(&format!("{}: {}", r.about, r.text)))));
    }
    facts.extend(
        about
            .topology_unchecked
            .map(|why| ("Unchecked", plain(&format!("whether every node of the server was there: {why}")))),
    );
    let mut text = String::new();
    for (label, fact) in facts {
        // A String takes every write.
        let _ = writeln!(text, "{label:<12}{fact}");
    }
    text.push('\n');
    for line in table(&manifest.collections).lines() {
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

fn codec(codec: Codec) -> &'static str {
    match codec {
        Codec::None => "",
        Codec::Zstd => ", compressed with zstd",
        Codec::Gzip => ", compressed with gzip",
        Codec::Lz4 => ", compressed with lz4",
    }
}

fn table(collections: &[CollectionEntry]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["Collection", "Objects", "Size", "Parts", "Vectors", "Digest"]);
    for collection in collections {
        table.add_row([
            plain(&collection.name),
            count(collection.objects),
            size(collection.bytes),
            count(collection.parts.len() as u64),
            vectors(collection),
            collection.digest.map_or_else(|| "–".into(), |d| d.to_string()),
        ]);
    }
    for number in 1..=3 {
        if let Some(column) = table.column_mut(number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
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
