//! What earlier builds wrote is still what it was: their archives are read, checked and restored, and their unfinished
//! runs are resumed. `tests/fixtures/archives/README.md` says what lies there.

/// Archives that earlier builds sealed.
mod sealed;
/// The server that all of it was made of.
mod source;
/// Runs of earlier builds that were killed.
mod unfinished;
/// Writes the fixtures of one build.
mod write;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// What builds of these commits wrote: the first that sealed an archive, the last of format 1.0, one of 1.1, and the first of
/// 1.2.
const FIRST: &str = "16ea752";
const LAST_1_0: &str = "188f2ac";
const OF_1_1: &str = "85ac7cd";
const OF_1_2: &str = "3e6c50a";

/// The minor format version that a build wrote. Builds of 1.0 keep no tenants, and resume neither restores nor clears.
fn minor(build: &str) -> u32 {
    [OF_1_1, OF_1_2].iter().position(|one| *one == build).map_or(0, |at| u32::try_from(at + 1).expect("small"))
}

/// The folder that every build wrote into, as its journals say it.
const WRITTEN_IN: &str = "/tmp/elysiactl-fixtures";

/// Where a fixture lies.
fn fixture(commit: impl AsRef<Path>, name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/archives").join(commit).join(name)
}

/// Copies all that lies below a folder.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("copied");
        }
    }
}

/// Changes the records of a journal, with its checksums: a run is about a server and a folder that this machine lacks.
fn journal(path: &Path, change: impl Fn(&mut Value)) {
    let text = fs::read_to_string(path).expect("a journal");
    let line = |line: &str| {
        let record = line.split_once("\"record\":").expect("a record").1.strip_suffix('}').expect("an end");
        let mut record: Value = serde_json::from_str(record).expect("JSON");
        change(&mut record);
        let record = record.to_string();
        let check = &blake3::hash(record.as_bytes()).to_hex()[..16];
        format!("{{\"check\":\"{check}\",\"record\":{record}}}\n")
    };
    fs::write(path, text.lines().map(line).collect::<String>()).expect("written");
}
