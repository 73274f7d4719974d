//! Class documents against the server's reader: one that is taken says to it what it says to us.
#![no_main]

use bytes::Bytes;
use elysiactl::model::Schema;
use elysiactl_fuzz::go::{self, Kind};
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 24] = [
    "class", "A", "properties", "name", "dataType", "text", "nestedProperties", "object", "vectorConfig", "vectorizer",
    "none", "vectorIndexType", "vectorIndexConfig", "hnsw", "moduleConfig", "multiTenancyConfig", "enabled",
    "replicationConfig", "factor", "tokenization", "shardingConfig", "description", "invertedIndexConfig", "Item",
];

fuzz_target!(|data: &[u8]| {
    let text = match data {
        [1, rest @ ..] => {
            let more = elysiactl_fuzz::document(&[&[1, 0][..], rest].concat(), &NAMES);
            [&br#"{"class":"A","#[..], more.get(1..).unwrap_or_default()].concat()
        }
        _ => elysiactl_fuzz::document(data, &NAMES),
    };
    let Ok(schema) = Schema::parse(Bytes::from(text.clone())) else { return };
    let Some(seen) = go::read(Kind::Class, &text) else { return };
    assert_eq!(seen.text("class"), Some(schema.name.as_str()));
    seen.is(&text);
});
