//! Objects of many megabytes, through the binary and within `--memory-limit` (reliability.md T19). By night a hundred
//! of them.

#![cfg(target_os = "linux")]

use std::process::Output;

use sandbox::{Builder, Sandbox};

use crate::binary::{Stage, lines, said};
use crate::tier;

const MIB: u64 = 1 << 20;
/// What a process may take beside what it was allowed to hold.
const BESIDE: u64 = 32 * MIB;

fn texts(objects: usize, bytes: usize) -> Builder {
    let document = r#"{"class":"Big","vectorizer":"none","properties":[{"name":"t","dataType":["text"]}]}"#;
    let builder = Sandbox::builder().collection(document);
    (0..objects).fold(builder, |builder, n| {
        let text = char::from(b'a' + u8::try_from(n % 26).expect("a letter")).to_string().repeat(bytes);
        builder.object(&format!(
            r#"{{"class":"Big","id":"00000000-0000-0000-0000-{n:012}","properties":{{"t":"{text}"}},"vector":[1]}}"#
        ))
    })
}

/// Peak memory of a run that ended well, and what it said.
fn ran(stage: &Stage, arguments: &[&str], limit: &str) -> (u64, Output) {
    let mut command = stage.command(arguments);
    let output = command.args(["--json", "--memory-limit", limit]).output().expect("the binary runs");
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", said(&output));
    let last = lines(&output.stdout).pop().expect("an event");
    (last["peak_memory_bytes"].as_u64().expect("a number"), output)
}

/// Times a life is lived until its memory stays within the limit: how much of one phase the allocator keeps for the next is
/// a matter of timing, and on a machine busy with other tests, of chance.
const TRIES: usize = 3;

/// Backs up, compares, restores under this name; the memory each took.
fn lives(stage: &Stage, limit: &str, copy: &str) -> [u64; 3] {
    let (backup, _) = ran(stage, &["col", "backup", "Big"], limit);
    let archive = stage.made().remove(0);
    let archive = archive.to_str().expect("text");
    let (verify, _) = ran(stage, &["col", "verify", archive], limit);
    let (restore, _) = ran(stage, &["col", "restore", archive, "--name", copy, "-y"], limit);
    assert_eq!(stage.sandbox.count(copy, None), stage.sandbox.count("Big", None));
    [backup, verify, restore]
}

#[test]
fn pages_of_objects_of_five_megabytes_stay_within_the_limit() {
    let (objects, limit) = if tier::is_all() { (100, 128) } else { (16, 72) };
    let stage = Stage::new(texts(objects, 5_000_000));
    let mut seen = Vec::new();
    let is_within = (0..TRIES).any(|n| {
        seen.push(lives(&stage, &format!("{limit}MiB"), &format!("Copy{n}")));
        seen[n].iter().all(|peak| *peak <= limit * MIB + BESIDE)
    });
    assert!(is_within, "{seen:?} for {limit} MiB");
}

#[test]
fn one_object_of_fifty_megabytes_is_dealt_with_alone() {
    let stage = Stage::new(texts(1, 50_000_000));
    let peaks = lives(&stage, "256MiB", "Copy");
    assert!(peaks.iter().all(|peak| *peak <= 256 * MIB + BESIDE), "{peaks:?}");
    // Far beyond the limit it goes through all the same, and is said.
    let (_, output) = ran(&stage, &["col", "backup", "Big"], "16MiB");
    assert!(lines(&output.stdout).iter().any(|line| line["warning"] == "object_beyond_limit"), "{}", said(&output));
}
