//! The reader of parts: the first byte chooses the codec, the rest is the part, with an index that agrees in size.
#![no_main]

use std::sync::LazyLock;

use elysiactl::archive::Content;
use elysiactl::archive::digest::ObjectDigest;
use elysiactl::pipeline::load::{Look, prove_part};
use elysiactl_fuzz::{CODECS, Sealed, sealed};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const INDEX: &str = "collections/Article/index.jsonl";

static GOOD: LazyLock<[Sealed; 4]> = LazyLock::new(|| CODECS.map(sealed));

/// The index with the last run's frame ending where a part of so many bytes ends; `None` where it cannot.
fn index(good: &Sealed, bytes: u64) -> Option<Vec<u8>> {
    let text = String::from_utf8(good.memory.read(&good.path.join(INDEX))).ok()?;
    let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("a run")).collect();
    let last = lines.iter_mut().max_by_key(|run| run["offset"].as_u64())?;
    let stored = bytes.checked_sub(last["offset"].as_u64()?)?;
    last["stored_bytes"] = stored.into();
    Some(lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect())
}

fuzz_target!(|data: &[u8]| {
    let Some((which, data)) = data.split_first() else { return };
    let good = &GOOD[usize::from(which % 4)];
    let Some(index) = index(good, data.len() as u64) else { return };
    let mut archive = good.copy();
    let part = archive.manifest.collections[0].parts[0].file.clone();
    archive.put(INDEX, index);
    archive.put(&format!("collections/Article/{part}"), data.to_vec());
    archive.seal();
    let archive = archive.open().expect("the manifest is right");
    let entry = &archive.collections()[0];
    let Ok(runs) = archive.runs(entry) else { return };
    let open = || archive.part(entry, &entry.parts[0], &runs).expect("offsets that add up");
    let mut reader = open();
    let mut plain = 0;
    while let Ok(Some(line)) = reader.next_line() {
        plain += line.text.len() as u64 + 1;
        assert!(plain <= entry.bytes, "more than was declared");
    }
    assert!(reader.next_line().is_ok_and(|line| line.is_none()) || reader.finish().is_err());
    let schema = archive.schema(entry).expect("a schema");
    let digest = ObjectDigest::new(&schema, Content::Full);
    let mut objects = 0;
    if prove_part(open(), &schema.name, &digest, Look::Full, |_, _| {
        objects += 1;
        true
    })
    .is_ok()
    {
        assert_eq!(objects, entry.objects, "proven, so all of it is there");
    }
});
