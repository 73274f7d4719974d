//! The files of a run: written, read back, torn, tampered with, and on disks that fail.

use super::super::Damage;
use super::super::growing::PENDING_BYTES;
use super::super::testing::{Fault, SimDisk, tenant, time};
use super::*;

const RUNS: &str = "/home/me/state/elysiactl/runs";
const OBJECT: &[u8] = br#"{"id":"00000000-0000-0000-0000-000000000007","properties":{"n":1e0}}"#;

fn name(text: &str) -> CollectionName {
    text.parse().expect("a name")
}

fn about() -> RunAbout {
    RunAbout {
        op: Op::Restore,
        tool: RunAbout::this_tool(),
        run_id: Uuid::from_u128(7),
        started: time(),
        server_url: "http://localhost:8080".into(),
        server_version: "1.32.0".into(),
        archive: "/backups/Article_full_20261123_041200".into(),
        archive_run_id: Uuid::from_u128(1).to_string(),
        options: Map::new(),
    }
}

fn records() -> Vec<RunRecord> {
    let target = || name("Article2");
    let imported = |from: Option<u128>, to: Option<u128>, objects, rejected| RunRecord::Imported {
        target: target(),
        tenant: Some(tenant("a")),
        from: from.map(ObjectId),
        to: to.map(ObjectId),
        objects,
        rejected,
        rejected_bytes: 0,
        stored: 0,
        references: 0,
        refused_equal: 0,
        unsaid_equal: 0,
        stamped: None,
    };
    vec![
        RunRecord::Intent { collection: name("Article"), target: target() },
        RunRecord::Created { target: target(), schema_sha256: Hash([3; 32]), shards: Vec::new() },
        imported(None, Some(9), 5, 0),
        imported(Some(9), None, 4, 1),
        RunRecord::Finished { target: target(), objects: 9, rejected: 1 },
        RunRecord::Verified { target: target(), ok: false, digest: None },
        RunRecord::Complete,
    ]
}

fn write(disk: &Arc<SimDisk>) -> Result<RunFiles, Error> {
    let mut files = RunFiles::create(disk.clone(), Path::new(RUNS), about())?;
    for record in records() {
        if matches!(record, RunRecord::Finished { .. }) {
            files.reject(&name("Article2"), Some(&tenant("a")), ObjectId(7), "no \"such\"\nthing", OBJECT)?;
        }
        files.record(&record)?;
    }
    files.sync()?;
    Ok(files)
}

fn journal() -> Vec<u8> {
    let disk = Arc::new(SimDisk::default());
    let files = write(&disk).expect("written");
    disk.read(&files.path().join("checkpoint.jsonl"))
}

fn read(bytes: &[u8]) -> Result<RunHistory, Error> {
    RunHistory::read(bytes, Path::new("checkpoint.jsonl"))
}

#[test]
fn what_was_done_is_known_afterwards() {
    let history = read(&journal()).expect("a journal");
    assert_eq!((history.about, history.complete, history.torn), (Some(about()), true, false));
    let target = &history.targets[&name("Article2")];
    assert_eq!((target.collection.as_str(), target.created), ("Article", Some(Hash([3; 32]))));
    assert_eq!((target.finished, target.verified), (Some((9, 1)), Some(false)));
    let covers: Vec<_> = target.imported.iter().map(|run| (run.covers.from, run.covers.to, run.rejected)).collect();
    assert_eq!(covers, [(None, Some(ObjectId(9)), 0), (Some(ObjectId(9)), None, 1)]);
}

#[test]
fn a_run_that_left_nothing_is_removed_and_one_that_refused_objects_is_not() {
    let disk = Arc::new(SimDisk::default());
    let runs = Path::new(RUNS);
    let mut files = RunFiles::create(disk.clone(), runs, about()).expect("files");
    files.remove().expect("removed");
    assert!(disk.look(files.path()).expect("a look").is_none() && disk.look(runs).expect("a look").is_some());
    assert!(matches!(files.record(&RunRecord::Complete), Err(Error::Broken { what: Broken::AfterFailure, .. })));
    let mut files = write(&disk).expect("files");
    files.remove().expect("left alone");
    files.record(&RunRecord::Complete).expect("goes on");
    assert!(disk.look(&files.path().join(CHECKPOINT)).expect("a look").is_some());
}

#[test]
fn a_refused_object_is_kept_with_its_own_bytes() {
    let disk = Arc::new(SimDisk::default());
    let files = write(&disk).expect("written");
    let path = files.rejected().expect("a file");
    assert_eq!(path, files.path().join("rejected.jsonl"));
    let text = String::from_utf8(disk.read(&path)).expect("text");
    let expected = r#"{"collection":"Article2","tenant":"a","id":"00000000-0000-0000-0000-000000000007","reason":"no \"such\"\nthing","object":{"id":"00000000-0000-0000-0000-000000000007","properties":{"n":1e0}}}"#;
    assert_eq!(text, format!("{expected}\n"));
}

#[test]
fn without_a_refused_object_there_is_no_such_file() {
    let disk = Arc::new(SimDisk::default());
    let mut files = RunFiles::create(disk.clone(), Path::new(RUNS), about()).expect("files");
    files.sync().expect("synced");
    assert_eq!((files.rejected(), disk.files(files.path()).len()), (None, 1));
    let torn = files.reject(&name("A"), None, ObjectId(1), "x", b"{\n}");
    assert!(matches!(torn, Err(Error::Broken { what: Broken::Text(_), .. })));
}

#[test]
fn many_and_large_refused_objects_come_out_in_order() {
    let disk = Arc::new(SimDisk::default());
    let mut files = RunFiles::create(disk.clone(), Path::new(RUNS), about()).expect("files");
    let large = format!(r#"{{"t":"{}"}}"#, "x".repeat(PENDING_BYTES));
    for n in 0..3_000 {
        let object = if n % 1_000 == 7 { large.as_bytes() } else { OBJECT };
        files.reject(&name("A"), None, ObjectId(n), "no", object).expect("kept");
    }
    files.sync().expect("synced");
    let text = String::from_utf8(disk.read(&files.rejected().expect("a file"))).expect("text");
    for (n, line) in text.lines().enumerate() {
        let line: Value = serde_json::from_str(line).expect("a line of JSON");
        assert_eq!(line["id"], ObjectId(n as u128).to_string());
    }
    assert_eq!(text.lines().count(), 3_000);
}

#[test]
fn a_run_never_writes_into_the_directory_of_another() {
    let disk = Arc::new(SimDisk::default());
    write(&disk).expect("written");
    assert!(matches!(write(&disk), Err(Error::Io { op: DiskOp::CreateDir, .. })));
}

#[test]
fn a_torn_journal_tells_no_more_than_it_knows() {
    let whole = journal();
    let ends: Vec<usize> = memchr::memchr_iter(b'\n', &whole).map(|at| at + 1).collect();
    for cut in 0..whole.len() {
        let history = read(&whole[..cut]).expect("a torn tail is no damage");
        assert_eq!(history.torn, cut != 0 && !ends.contains(&cut), "{cut}");
        assert!(!history.complete, "{cut}");
    }
}

#[test]
fn a_bad_line_before_a_good_one_is_damage() {
    let mut bytes = journal();
    let ends: Vec<usize> = memchr::memchr_iter(b'\n', &bytes).collect();
    for end in &ends[..ends.len() - 1] {
        bytes[end - 3] ^= 1;
        assert!(matches!(read(&bytes), Err(Error::Damaged { what: Damage::JournalLine, .. })), "{end}");
        bytes[end - 3] ^= 1;
    }
}

#[test]
fn records_out_of_order_are_damage() {
    let whole = journal();
    let lines: Vec<&[u8]> = whole.split_inclusive(|b| *b == b'\n').collect();
    for wrong in [
        vec![lines[1]],
        vec![lines[0], lines[0]],
        vec![lines[0], lines[2]],
        vec![lines[0], lines[1], lines[1]],
        vec![lines[0], lines[1], lines[3]],
        vec![lines[0], lines[1], lines[2], lines[2]],
        vec![lines[0], lines[1], lines[2], lines[5], lines[3]],
        vec![lines[0], lines[1], lines[6]],
        vec![lines[0], lines[7], lines[1]],
    ] {
        let refused = read(&wrong.concat());
        assert!(matches!(refused, Err(Error::Damaged { what: Damage::JournalOrder, .. })), "{refused:?}");
    }
}

#[test]
fn every_disk_call_may_fail_and_nothing_is_written_after_it() {
    let sound = Arc::new(SimDisk::default());
    write(&sound).expect("written");
    for at in 0..sound.calls() {
        for fault in [Fault::Error(std::io::ErrorKind::StorageFull), Fault::Short] {
            let disk = Arc::new(SimDisk::fail_at(at, fault));
            assert!(matches!(write(&disk), Err(Error::NoSpace { .. })), "call {at}, {fault:?}");
        }
    }
}

#[test]
fn after_a_failure_every_call_fails() {
    let begun = Arc::new(SimDisk::default());
    RunFiles::create(begun.clone(), Path::new(RUNS), about()).expect("files");
    let disk = Arc::new(SimDisk::fail_at(begun.calls(), Fault::Short));
    let mut files = RunFiles::create(disk.clone(), Path::new(RUNS), about()).expect("files");
    files.record(&RunRecord::Complete).expect("gathered");
    assert!(matches!(files.sync(), Err(Error::NoSpace { .. })));
    for again in [files.sync(), files.record(&RunRecord::Complete)] {
        assert!(matches!(again, Err(Error::Broken { what: Broken::AfterFailure, .. })));
    }
    let history = read(&disk.read(&files.path().join("checkpoint.jsonl"))).expect("a torn tail");
    assert!(history.torn && !history.complete);
}

#[test]
fn a_power_cut_loses_no_refused_object_that_the_journal_counts() {
    let disk = Arc::new(SimDisk::recording());
    let files = write(&disk).expect("written");
    let (dir, rejected) = (files.path().to_owned(), files.rejected().expect("a file"));
    for (step, how, left) in disk.crashes() {
        let there = left.files(&dir);
        if !there.contains(&dir.join("checkpoint.jsonl")) {
            continue;
        }
        let counted = match read(&left.read(&dir.join("checkpoint.jsonl"))) {
            Ok(history) => history.targets.values().any(|target| target.finished.is_some()),
            Err(_) => false,
        };
        let kept = there.contains(&rejected) && left.read(&rejected).ends_with(b"}\n");
        assert!(kept || !counted, "step {step}, {how:?}");
    }
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_what_lies_there() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let runs = folder.path().join("state/elysiactl/runs");
    let mut files = RunFiles::create(Arc::new(super::super::OsDisk), &runs, about()).expect("files");
    files.reject(&name("A"), None, ObjectId(1), "no", OBJECT).expect("kept");
    let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    for dir in [&folder.path().join("state"), &runs, files.path()] {
        assert_eq!(mode(dir), 0o700);
    }
    assert_eq!(mode(&files.path().join("checkpoint.jsonl")), 0o600);
    assert_eq!(mode(&files.rejected().expect("a file")), 0o600);
}
