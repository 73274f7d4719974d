//! Manifest and index: the first byte says which of them is made of the rest.
#![no_main]

use std::sync::LazyLock;

use elysiactl::archive::Codec;
use elysiactl_fuzz::{Sealed, sealed};
use libfuzzer_sys::fuzz_target;

static GOOD: LazyLock<Sealed> = LazyLock::new(|| sealed(Codec::None));

fuzz_target!(|data: &[u8]| {
    let Some((which, data)) = data.split_first() else { return };
    let mut archive = GOOD.copy();
    match which % 3 {
        0 => archive.memory.set(&archive.path.join("manifest.json"), data.to_vec()),
        1 => archive.seal_as(data.to_vec()),
        _ => {
            archive.put("collections/Article/index.jsonl", data.to_vec());
            archive.seal();
        }
    }
    let Ok(archive) = archive.open() else { return };
    let _ = archive.prove_documents();
    for entry in archive.collections() {
        let Ok(runs) = archive.runs(entry) else { continue };
        for part in &entry.parts {
            let Ok(mut reader) = archive.part(entry, part, &runs) else { continue };
            while let Ok(Some(_)) = reader.next_line() {}
        }
    }
});
