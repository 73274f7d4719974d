//! Objects of many megabytes, through the binary and within `--memory-limit`. By night a hundred
//! of them.

#![cfg(target_os = "linux")]

use std::process::Output;

use sandbox::{Builder, Sandbox};

use crate::support::binary::{Stage, lines, said};
use crate::support::tier;

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
    let peaks = lives(&stage, &format!("{limit}MiB"), "Copy");
    assert!(peaks.iter().all(|peak| *peak <= limit * MIB + BESIDE), "{peaks:?} for {limit} MiB");
}

#[test]
fn an_object_with_very_many_references_stays_within_the_limit() {
    let references = if tier::is_all() { 100_000 } else { 20_000 };
    let schema =
        |class: &str, property: &str| format!(r#"{{"class":"{class}","vectorizer":"none","properties":[{property}]}}"#);
    // A server looks for each target, so it is one; how many references there are does not depend on it.
    let id = "00000000-0000-0000-0000-000000000000";
    let reference = format!(r#"{{"beacon":"weaviate://localhost/Target/{id}","href":"/v1/objects/Target/{id}"}}"#);
    let list = vec![reference; references];
    let builder = Sandbox::builder()
        .collection(&schema("Target", r#"{"name":"t","dataType":["text"]}"#))
        .collection(&schema("Big", r#"{"name":"to","dataType":["Target"]}"#))
        .object(r#"{"class":"Target","id":"00000000-0000-0000-0000-000000000000","properties":{"t":"x"}}"#)
        .object(&format!(
            r#"{{"class":"Big","id":"00000000-0000-0000-0000-000000000001","properties":{{"to":[{}]}}}}"#,
            list.join(",")
        ));
    let stage = Stage::new(builder);
    let (backup, _) = ran(&stage, &["col", "backup", "Big", "Target"], "64MiB");
    let archive = stage.made().remove(0);
    let archive = archive.to_str().expect("text");
    let (verify, _) = ran(&stage, &["col", "verify", archive], "64MiB");
    // Under other names every reference is written anew.
    let (restore, _) = ran(&stage, &["col", "restore", archive, "--rename", "*=Copy*", "-y"], "64MiB");
    assert_eq!(stage.sandbox.count("CopyBig", None), 1);
    let peaks = [backup, verify, restore];
    assert!(peaks.iter().all(|peak| *peak <= 64 * MIB + BESIDE), "{peaks:?}");
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

/// Two hundred small objects, three of which each needs nearly all that a run may hold, and a small one between them.
fn small_and_long(vector: impl Fn(usize) -> &'static str) -> Builder {
    let document = r#"{"class":"Big","vectorizer":"none","properties":[{"name":"t","dataType":["text"]}]}"#;
    let bytes = |n: usize| if [0, 200, 201, 203].contains(&n) { 13_000_000 } else { 10_000 };
    (0..205).fold(Sandbox::builder().collection(document), |builder, n| {
        let text = "x".repeat(bytes(n));
        builder.object(&format!(
            r#"{{"class":"Big","id":"00000000-0000-0000-0000-{n:012}","properties":{{"t":"{text}"}},"vector":{}}}"#,
            vector(n)
        ))
    })
}

#[test]
fn long_objects_behind_small_and_long_ones_do_not_wait_for_each_other() {
    let stage = Stage::new(small_and_long(|_| "[1]"));
    let peaks = lives(&stage, "64MiB", "Copy");
    assert!(peaks.iter().all(|peak| *peak <= 64 * MIB + BESIDE), "{peaks:?}");
}

#[test]
fn a_long_object_at_the_head_of_vectors_of_two_lengths_is_restored() {
    let stage = Stage::new(small_and_long(|n| if n % 50 == 49 { "[1,2]" } else { "[1]" }));
    let peaks = lives(&stage, "64MiB", "Copy");
    assert!(peaks.iter().all(|peak| *peak <= 64 * MIB + BESIDE), "{peaks:?}");
}
