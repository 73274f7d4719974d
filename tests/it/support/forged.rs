//! Archives changed by somebody who can compute checksums: whatever was put into a file, sizes, sums and counts agree.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::support::binary::{forge, hex};

/// Replaces a file of an archive that has one collection with one part and no compression, and makes everything else of
/// the archive agree with it.
pub(crate) fn replace(archive: &Path, file: &str, bytes: &[u8]) {
    std::fs::write(archive.join(file), bytes).expect("written");
    reseal(archive);
}

/// Changes the lines of the only part.
pub(crate) fn lines(archive: &Path, change: impl Fn(&str) -> String) {
    let part = part(archive);
    let text = std::fs::read_to_string(archive.join(&part)).expect("a part");
    let changed: String = text.lines().map(|line| change(line) + "\n").collect();
    assert_ne!(changed, text, "nothing was changed");
    replace(archive, &part, changed.as_bytes());
}

/// The only part's path.
pub(crate) fn part(archive: &Path) -> String {
    let manifest = manifest(archive);
    let collection = &manifest["collections"][0];
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    format!("collections/{}/{}", text(&collection["folder"]), text(&collection["parts"][0]["file"]))
}

fn manifest(archive: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(archive.join("manifest.json")).expect("a manifest")).expect("JSON")
}

/// Changes what the manifest of an archive says, and nothing else.
pub(crate) fn says(archive: &Path, change: impl FnOnce(&mut Value)) {
    let mut manifest = manifest(archive);
    manifest.as_object_mut().expect("an object").shift_remove("self_sha256");
    change(&mut manifest);
    let text = manifest.to_string();
    forge(archive, |_| format!("{},", &text[..text.len() - 1]));
}

fn size(path: &Path) -> u64 {
    path.metadata().expect("a file").len()
}

fn reseal(archive: &Path) {
    let manifest = manifest(archive);
    let mut manifest = manifest.as_object().expect("an object").clone();
    manifest.shift_remove("self_sha256");
    let mut manifest = Value::Object(manifest);
    let collection = &mut manifest["collections"][0];
    if let Some(file) = collection["parts"][0]["file"].as_str().map(str::to_owned) {
        let folder = archive.join("collections").join(collection["folder"].as_str().expect("text"));
        let bytes = size(&folder.join(&file));
        let index = std::fs::read_to_string(folder.join("index.jsonl")).expect("an index");
        let mut runs: Vec<Value> = index.lines().map(|line| serde_json::from_str(line).expect("a run")).collect();
        assert_eq!(runs.iter().filter(|run| run["objects"] != 0).count(), 1, "one run with objects");
        for run in runs.iter_mut().filter(|run| run["objects"] != 0) {
            run["bytes"] = bytes.into();
            run["stored_bytes"] = bytes.into();
        }
        let text = runs.iter().fold(String::new(), |text, run| text + &format!("{run}\n"));
        std::fs::write(folder.join("index.jsonl"), text).expect("written");
        collection["bytes"] = bytes.into();
        collection["parts"][0]["bytes"] = bytes.into();
        let of_tenants = collection["tenants"].as_array_mut().expect("tenants");
        for tenant in of_tenants.iter_mut().filter(|tenant| tenant["objects"] != 0) {
            tenant["bytes"] = bytes.into();
        }
    }
    let mut sums = BTreeMap::new();
    for file in manifest["files"].as_array().expect("files") {
        let path = file["path"].as_str().expect("a path").to_owned();
        if path != "SHA256SUMS" {
            sums.insert(path.clone(), hex(std::fs::read(archive.join(&path)).expect("a file")));
        }
    }
    let text = sums.iter().fold(String::new(), |text, (path, sum)| text + &format!("{sum}  {path}\n"));
    std::fs::write(archive.join("SHA256SUMS"), text).expect("written");
    for file in manifest["files"].as_array_mut().expect("files") {
        let path = archive.join(file["path"].as_str().expect("a path"));
        file["bytes"] = size(&path).into();
        file["sha256"] = hex(std::fs::read(&path).expect("a file")).into();
    }
    let text = manifest.to_string();
    forge(archive, |_| format!("{},", &text[..text.len() - 1]));
}
