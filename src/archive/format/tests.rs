//! Every member and every word on disk, read and written again byte for byte; and docs/archive-format.md says the same.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::manifest::{Manifest, ReadMode, Skipped, TopologyState};
use super::super::{Claimant, Codec, Content, RunRecord, Use};
use super::*;
use crate::event::{ActivationRefusal, SkipReason};
use crate::model::{CollectionName, ObjectId};

const PAGE: &str = include_str!("../../../docs/archive-format.md");
/// Stands for `HASH` in the texts below.
const HASH: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
/// Stands for `ID`.
const ID: &str = "00000000-0000-4000-8000-000000000001";

/// With everything that may be left out.
const MANIFEST: &str = r#"{"format":{"major":1,"minor":3},"tool":{"name":"elysiactl","version":"0.1.0"},"run_id":"r","source":{"url":"http://a","server_version":"1.40.0","topology":{"state":"unchecked","reason":"why","nodes":["node1"],"missing":["node2"]},"server_time_ms":1},"started":"2026-01-02T03:04:05Z","sealed":"2026-01-02T03:04:06.5Z","options":{"jobs":1},"codec":"zstd","collections":[{"name":"A","folder":"A","multi_tenant":true,"replicas":3,"content":"full","objects":2,"bytes":9,"digest":"HASH","tenants":[{"tenant":"t","objects":2,"bytes":9,"digest":"HASH"}],"vectors":{"default":4},"vector_lengths":[{"tenant":"t","vector":"default","lengths":[{"length":4,"objects":1}]}],"shards":["s"],"parts":[{"file":"objects-000000.jsonl.zst","objects":2,"bytes":9,"runs":1}],"counts":{"before":2,"after":2},"consistency":{"mode":"live","inserted":1,"updated":1,"deleted":1,"changed_seen":1,"count_mismatch":true,"on_any_replica":3,"vanished":1},"schema_changed":true,"tenants_changed":{"added":["b"],"deleted":["c"]},"replica_check":{"compared":1,"repaired":1,"differing":1,"counts_moved":true,"reason":"why"},"selection":{"where":"a = 1","fields":["a"],"limit":2,"sample":{"share":"5%","seed":7},"objects_read":3,"until":{"tenant":"t","id":"ID"}}}],"limits":[{"kind":"integers","collection":"A","properties":["p"],"objects":1,"first_ids":["i"]}],"skipped":[{"collection":"A","tenant":"t","reason":"not_active","data":{"state":"ODD"}}],"incomplete":[{"collection":"A","tenant":"t","id":"i"}],"files":[{"path":"collections/A/schema.json","bytes":1,"sha256":"HASH"}]}"#;
/// As builds of 1.0 wrote it.
const MANIFEST_1_0: &str = r#"{"format":{"major":1,"minor":0},"tool":{"name":"elysiactl","version":"0.1.0"},"run_id":"r","source":{"url":"http://a","server_version":"1.40.0","topology":{"state":"whole","reason":null,"nodes":[]}},"started":"2026-01-02T03:04:05Z","sealed":"2026-01-02T03:04:06Z","options":{},"codec":"none","collections":[{"name":"A","folder":"A","multi_tenant":false,"replicas":1,"content":"schema","objects":0,"bytes":0,"digest":null,"tenants":[],"vectors":{},"parts":[],"counts":{"before":null,"after":null},"consistency":{"mode":"frozen","inserted":null,"updated":null,"deleted":null,"changed_seen":null,"count_mismatch":false,"on_any_replica":null},"schema_changed":false}],"limits":[],"skipped":[],"incomplete":[],"files":[]}"#;
const RUN: &str = r#"{"tenant":"t","from":"ID","to":"ID","first_id":"ID","last_id":"ID","objects":1,"part":"objects-000000.jsonl","offset":0,"bytes":9,"stored_bytes":9,"digest":"HASH","left_out":1}"#;
const CHECKPOINT: [&str; 11] = [
    r#"{"kind":"header","format":{"major":1,"minor":3},"tool":{"name":"elysiactl","version":"0.1.0"},"run_id":"r","started":"2026-01-02T03:04:05Z","source_url":"http://a","server_version":"1.40.0","codec":"lz4","collections":["A"],"options":{"jobs":1},"server_time_ms":1}"#,
    r#"{"kind":"collection","name":"A","folder":"A","content":"no_vectors","multi_tenant":false,"schema_sha256":"HASH"}"#,
    r#"{"kind":"run","folder":"A","run":{"tenant":null,"from":null,"to":null,"first_id":null,"last_id":null,"objects":0,"part":null,"offset":null,"bytes":0,"stored_bytes":0,"digest":"HASH"}}"#,
    r#"{"kind":"part","folder":"A","part":"objects-000000.jsonl","objects":1,"bytes":9,"runs":1,"stored_bytes":9,"sha256":"HASH","vectors":{"default":4}}"#,
    r#"{"kind":"drop_part","folder":"A","part":"objects-000000.jsonl"}"#,
    r#"{"kind":"drop_empty","folder":"A","tenant":"t","from":"ID"}"#,
    r#"{"kind":"closed","folder":"A"}"#,
    r#"{"kind":"gone","folder":"A"}"#,
    r#"{"kind":"shards","folder":"A","shards":["s"]}"#,
    r#"{"kind":"incomplete","folder":"A","tenant":null,"ids":["ID"]}"#,
    r#"{"kind":"resumed","at":"2026-01-02T03:04:05Z"}"#,
];
const RUNS: [&str; 20] = [
    r#"{"kind":"header","op":"restore","tool":{"name":"elysiactl","version":"0.1.0"},"run_id":"ID","started":"2026-01-02T03:04:05Z","server_url":"http://a","server_version":"1.40.0","archive":"/a","archive_run_id":"r","options":{"jobs":1}}"#,
    r#"{"kind":"intent","collection":"A","target":"B"}"#,
    r#"{"kind":"joining","collection":"A","target":"B","tenants":["t"]}"#,
    r#"{"kind":"replacing","archive":"/a"}"#,
    r#"{"kind":"dropping","target":"B","safety":"/a"}"#,
    r#"{"kind":"undone","target":"B"}"#,
    r#"{"kind":"created","target":"B","schema_sha256":"HASH","shards":["s"]}"#,
    r#"{"kind":"imported","target":"B","tenant":"t","from":"ID","to":"ID","objects":1,"rejected":2,"rejected_bytes":3,"stored":4,"references":5,"refused_equal":6,"unsaid_equal":7,"stamped":{"first_ms":8,"last_ms":9}}"#,
    r#"{"kind":"imported","target":"B","tenant":null,"from":null,"to":null,"objects":1,"rejected":0}"#,
    r#"{"kind":"again","target":"B"}"#,
    r#"{"kind":"gone","target":"B"}"#,
    r#"{"kind":"finished","target":"B","objects":1,"rejected":0}"#,
    r#"{"kind":"verified","target":"B","ok":true,"digest":"HASH"}"#,
    r#"{"kind":"verified","target":"B","ok":false}"#,
    r#"{"kind":"waking","target":"B","tenants":["t"],"firsts":{"t":{"id":"ID","updated_ms":1}}}"#,
    r#"{"kind":"waking","target":"B","tenants":["t"]}"#,
    r#"{"kind":"asleep","target":"B","tenants":["t"]}"#,
    r#"{"kind":"scratch","target":"B","at":"2026-01-02T03:04:05Z"}"#,
    r#"{"kind":"scratch_gone","target":"B"}"#,
    r#"{"kind":"complete"}"#,
];
const CLAIM: &str = r#"{"by":{"op":"rm","pid":7,"started":"2026-01-02T03:04:05Z","server_url":"http://a"},"server":{"url":"http://a:80","voters":["n@a"],"shards":["s"],"lasting_shards":1},"collections":["A"],"purpose":"wakes"}"#;
const OPS: [&str; 8] = ["backup", "archive_check", "restore", "verify", "rm", "clear", "create", "rehearsal"];
const LIMITS: [&str; 12] = [
    "creation_times",
    "api_keys",
    "blob_hash",
    "integers",
    "object_ttl",
    "compression",
    "read_only",
    "aliases",
    "roles",
    "dropped_vectors",
    "collections",
    "other",
];
const OTHER_WORDS: [&str; 15] = [
    "where",
    "whole",
    "unchecked",
    "none",
    "zstd",
    "gzip",
    "lz4",
    "full",
    "no_vectors",
    "schema",
    "live",
    "frozen",
    "changes",
    "wakes",
    "reads",
];

fn text(of: &str) -> String {
    of.replace("HASH", HASH).replace("ID", ID)
}

/// What is read of a text is written as that text.
fn stands<T: serde::Serialize + DeserializeOwned>(of: &str) -> T {
    let of = text(of);
    let read: T = serde_json::from_str(&of).unwrap_or_else(|error| panic!("{of}: {error}"));
    assert_eq!(serde_json::to_string(&read).expect("JSON"), of);
    read
}

fn words<T: serde::Serialize + DeserializeOwned>(of: &[&str]) {
    for word in of {
        stands::<T>(&format!("\"{word}\""));
    }
}

#[test]
fn manifests_stand_as_ever() {
    stands::<Manifest>(MANIFEST);
    stands::<Manifest>(MANIFEST_1_0);
    words::<Codec>(&["none", "zstd", "gzip", "lz4"]);
    words::<Content>(&["full", "no_vectors", "schema"]);
    words::<TopologyState>(&["whole", "unchecked"]);
    words::<ReadMode>(&["live", "frozen"]);
    words::<super::super::manifest::LimitKind>(&LIMITS);
    let later: super::super::manifest::LimitKind = serde_json::from_str("\"of 1.9\"").expect("a kind");
    assert_eq!(later, super::super::manifest::LimitKind::Other, "a later minor version may know more");
}

#[test]
fn indexes_and_journals_stand_as_ever() {
    stands::<RunLine>(RUN);
    for record in CHECKPOINT {
        stands::<Record>(record);
    }
    for record in RUNS {
        stands::<RunRecord>(record);
    }
    for op in OPS {
        stands::<RunRecord>(&RUNS[0].replace("restore", op));
    }
    // Before 1.1 nobody knew the server's clock.
    let header = CHECKPOINT[0].replace(",\"server_time_ms\":1", "");
    assert!(serde_json::from_str::<Record>(&header).is_ok());
}

#[test]
fn claims_and_refused_objects_stand_as_ever() {
    stands::<Claimed>(CLAIM);
    stands::<Grown>(r#"{"shards":["s"]}"#);
    stands::<Claimant>(r#"{"op":"clear","pid":7,"started":"2026-01-02T03:04:05Z","server_url":"http://a"}"#);
    words::<Use>(&["changes", "wakes", "reads"]);
    let first = serde_json::from_str::<Claimed>(&CLAIM.replace(",\"purpose\":\"wakes\"", "")).expect("a claim");
    assert_eq!(first.purpose, Use::Changes, "the first builds had one kind of claim");
    let (collection, id): (CollectionName, ObjectId) = ("A".parse().expect("a name"), ID.parse().expect("an id"));
    let refusal = Refusal { collection: &collection, tenant: None, id, reason: "why" };
    let line = serde_json::to_string(&refusal).expect("JSON");
    assert_eq!(line, text(r#"{"collection":"A","tenant":null,"id":"ID","reason":"why"}"#));
    let whole = line.replace('}', r#","object":{"a":1}}"#);
    let read: RejectedLine = serde_json::from_str(&whole).expect("a line");
    assert_eq!((read.collection, read.tenant, read.id, read.reason.as_str()), (collection, None, id, "why"));
}

#[test]
fn no_word_is_left_out_of_these_tests() {
    let sources = [include_str!("manifest.rs"), include_str!("run.rs"), include_str!("claim.rs")];
    let listed: BTreeSet<&str> = LIMITS.iter().chain(&OTHER_WORDS).copied().collect();
    let mut found = 0;
    for word in sources.iter().flat_map(|source| source.split("rename = \"").skip(1)) {
        let word = word.split('"').next().expect("a word");
        let is_kind = RUNS.iter().any(|record| record.contains(&format!(r#""kind":"{word}""#)));
        assert!(is_kind || listed.contains(word), "{word}");
        found += 1;
    }
    assert!(found >= listed.len(), "{found}");
}

/// The members of a text and of all that is in it, but for those that are names of the user's.
fn members(of: &Value, found: &mut BTreeSet<String>) {
    match of {
        Value::Object(all) => {
            for (name, value) in all {
                found.insert(name.clone());
                if !["options", "vectors", "firsts"].contains(&name.as_str()) {
                    members(value, found);
                }
            }
        }
        Value::Array(all) => all.iter().for_each(|value| members(value, found)),
        _ => {}
    }
}

fn members_of(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    members(&serde_json::from_str(text).expect("JSON"), &mut found);
    found
}

/// Words that stand as code in a part of the page.
fn said(part: &str) -> BTreeSet<String> {
    let code = part.split('`').skip(1).step_by(2);
    code.flat_map(|code| code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')).map(str::to_owned).collect()
}

fn section(title: &str) -> &str {
    let (_, rest) = PAGE.split_once(&format!("\n## {title}\n")).unwrap_or_else(|| panic!("no section {title}"));
    rest.split("\n## ").next().unwrap_or(rest)
}

/// What the first cells of the only table of a section say as code.
fn first_cells(section: &str) -> BTreeSet<String> {
    section
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split(" | ").next())
        .flat_map(|cell| said(&format!("`{cell}")))
        .collect()
}

#[test]
fn the_page_says_the_version_that_is_written() {
    let title = format!("# The archive format, version {}.{}\n", FORMAT.major, FORMAT.minor);
    assert!(PAGE.starts_with(&title), "{title}");
}

#[test]
fn why_something_was_skipped_comes_back_and_is_on_the_page() {
    let (cause, state): (Box<str>, Box<str>) = ("full".into(), "ODD".into());
    let known = [
        SkipReason::Removed,
        SkipReason::ChangedEachTime,
        SkipReason::RemovedSince { objects: 0 },
        SkipReason::IdleNamespace { state: state.clone() },
        SkipReason::TenantsHidden,
        SkipReason::Offloaded,
        SkipReason::NotActive { state },
        SkipReason::StaysInactive,
        SkipReason::NotActivated { why: ActivationRefusal::Server { cause } },
        SkipReason::NotActivated { why: ActivationRefusal::Key },
        // What a build of 1.1 said, and a code of a later version, or without what it needs.
        SkipReason::Told { words: "offloaded to other storage".into() },
        SkipReason::Told { words: "removed_since".into() },
    ];
    let (_, page) = PAGE.split_once("**What was skipped.**").expect("a section");
    for reason in known {
        let skipped = Skipped { collection: "A".into(), tenant: None, reason: reason.clone() };
        let text = serde_json::to_string(&skipped).expect("JSON");
        assert_eq!(serde_json::from_str::<Skipped>(&text).expect("what was written"), skipped, "{text}");
        let value: Value = serde_json::from_str(&text).expect("JSON");
        let code = value["reason"].as_str().expect("a code");
        assert!(code.contains(' ') || page.contains(&format!("| `{code}` |")), "{code}");
    }
}

#[test]
fn the_page_names_every_member_and_no_other() {
    let manifest = said(section("manifest.json"));
    let missing: Vec<_> = members_of(MANIFEST).into_iter().filter(|name| !manifest.contains(name)).collect();
    assert_eq!(missing, Vec::<String>::new(), "of the manifest");
    assert_eq!(first_cells(section("index.jsonl")), members_of(RUN));
    let journal = section("checkpoint.jsonl");
    let kinds = CHECKPOINT.iter().map(|record| {
        let record: Value = serde_json::from_str(record).expect("JSON");
        record["kind"].as_str().expect("a kind").to_owned()
    });
    let mut told = first_cells(journal);
    told.remove("kind");
    assert_eq!(told, kinds.collect());
    let named: BTreeSet<String> = said(journal).union(&members_of(RUN)).cloned().chain(manifest).collect();
    for record in CHECKPOINT {
        let missing: Vec<_> = members_of(record).into_iter().filter(|name| !named.contains(name)).collect();
        assert_eq!(missing, Vec::<String>::new(), "{record}");
    }
}
