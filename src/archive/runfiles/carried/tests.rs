//! Runs that are cut off at every call of the disk and taken up again, several times over: no refused object is lost, none
//! comes twice, and no run of ids is done twice.

use std::collections::BTreeMap;
use std::io::ErrorKind;

use serde_json::{Map, Value};

use super::super::super::digest::Hash;
use super::super::super::testing::{CRASHES, Fault, SimDisk, tenant, time};
use super::super::{EarlierRun, RunAbout, last_runs};
use super::*;
use crate::event::Op;

const RUNS: &str = "/state/runs";
/// Runs of ids of a tenant.
const STRETCHES: u128 = 6;
/// Ids of such a run.
const IDS: u128 = 10;

fn name(text: &str) -> CollectionName {
    text.parse().expect("a name")
}

fn about(run_id: u128, op: Op) -> RunAbout {
    RunAbout {
        op,
        tool: RunAbout::this_tool(),
        run_id: Uuid::from_u128(run_id),
        started: time(),
        server_url: "http://localhost:8080".into(),
        server_version: "1.32.0".into(),
        archive: "/backups/A".into(),
        archive_run_id: "1".into(),
        options: Map::new(),
    }
}

/// Tenant `a` is called `b` on the server.
fn tenants() -> TenantMap {
    TenantMap::Only([(tenant("a"), tenant("b"))].into())
}

/// The ids that are refused of a run: none, or one, or two.
fn refused(stretch: u128) -> impl Iterator<Item = ObjectId> {
    (0..stretch % 3).map(move |n| ObjectId(stretch * IDS + n + 1))
}

fn imported(stretch: u128) -> RunRecord {
    let edge = |at: u128| (at > 0 && at < STRETCHES).then_some(ObjectId(at * IDS));
    let rejected = refused(stretch).count() as u64;
    RunRecord::Imported {
        target: name("New"),
        tenant: Some(tenant("a")),
        from: edge(stretch),
        to: edge(stretch + 1),
        objects: 9 - rejected,
        rejected,
        rejected_bytes: rejected * 7,
        stored: 0,
        references: 0,
        refused_equal: 0,
        unsaid_equal: 0,
        stamped: None,
    }
}

/// Does what is not done yet, as a restore would: takes the run up if there is one, begins one otherwise.
fn go_on(disk: &SimDisk, run_id: u128) -> Result<RunFiles, Error> {
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let runs = Path::new(RUNS);
    let mut begun = last_runs(disk, runs, Op::Restore)?;
    let taken = match begun.first() {
        Some(EarlierRun { about, damage: None, .. }) => {
            let kept = look(disk, runs, about.run_id, &tenants())?;
            let files = RunFiles::resume(
                Arc::clone(&shared),
                runs,
                about.run_id,
                &tenants(),
                &kept.history,
                &Forget::default(),
            )?;
            Some((files.expect("nobody else"), kept.history))
        }
        Some(EarlierRun { damage: Some(damage @ Error::Damaged { .. }), .. }) => panic!("torn, not damaged: {damage}"),
        Some(EarlierRun { damage: Some(_), .. }) => {
            return Err(begun.pop().and_then(|run| run.damage).expect("a failure"));
        }
        None => None,
    };
    let (mut files, history) = match taken {
        Some(taken) => taken,
        None => (RunFiles::create(shared, runs, about(run_id, Op::Restore))?, RunHistory::default()),
    };
    let target = history.targets.get(&name("New"));
    if target.is_none() {
        files.record(&RunRecord::Intent { collection: name("Old"), target: name("New") })?;
        files.sync()?;
    }
    if target.is_none_or(|target| target.created.is_none()) {
        files.record(&RunRecord::Created { target: name("New"), schema_sha256: Hash([3; 32]), shards: Vec::new() })?;
        files.sync()?;
    }
    for stretch in 0..STRETCHES {
        let RunRecord::Imported { from, .. } = imported(stretch) else { unreachable!() };
        if target.is_some_and(|target| target.imported.iter().any(|run| run.covers.from == from)) {
            continue;
        }
        for id in refused(stretch) {
            let object = format!(r#"{{"id":"{id}"}}"#);
            files.reject(&name("New"), Some(&tenant("b")), id, "no", object.as_bytes())?;
        }
        files.record(&imported(stretch))?;
        files.sync()?;
    }
    Ok(files)
}

/// Every refused object is listed once, every run of ids is done once.
fn is_whole(disk: &SimDisk, files: &RunFiles, how: &str) {
    let bytes = disk.read(&files.path().join(CHECKPOINT));
    let history = RunHistory::read(&*bytes, Path::new(CHECKPOINT)).unwrap_or_else(|e| panic!("{how}: {e}"));
    let done = &history.targets[&name("New")].imported;
    assert_eq!(done.len() as u128, STRETCHES, "{how}: {done:?}");
    let text = String::from_utf8(disk.read(&files.rejected().expect("refused objects"))).expect("text");
    let mut listed = BTreeMap::new();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{how}: {line}: {e}"));
        *listed.entry(line["id"].as_str().expect("an id").to_owned()).or_insert(0) += 1;
    }
    let expected: BTreeMap<String, i32> = (0..STRETCHES).flat_map(refused).map(|id| (id.to_string(), 1)).collect();
    assert_eq!(listed, expected, "{how}");
}

/// The disks that power cuts leave on the way of a whole run.
fn cut_off() -> Vec<(String, SimDisk)> {
    let disk = SimDisk::recording();
    let files = go_on(&disk, 1).expect("a run");
    is_whole(&disk, &files, "unbroken");
    let crashes = disk.crashes().into_iter();
    crashes.map(|(step, how, left)| (format!("cut after call {step}, {how:?}"), left.again())).collect()
}

#[test]
fn a_run_that_is_cut_off_anywhere_is_taken_up_without_a_refusal_lost_or_doubled() {
    let cuts = cut_off();
    assert!(cuts.len() > 40 * CRASHES.len(), "{}", cuts.len());
    for (how, disk) in cuts {
        let files = go_on(&disk, 2).unwrap_or_else(|e| panic!("{how}: {e}"));
        is_whole(&disk, &files, &how);
    }
}

#[test]
fn what_is_cut_off_while_it_is_taken_up_is_taken_up_all_the_same() {
    let mut tried = 0;
    for (how, disk) in cut_off().into_iter().step_by(97) {
        go_on(&disk, 2).unwrap_or_else(|e| panic!("{how}: {e}"));
        for (step, again, left) in disk.crashes() {
            let how = format!("{how}, then after call {step}, {again:?}");
            let left = left.again();
            let files = go_on(&left, 3).unwrap_or_else(|e| panic!("{how}: {e}"));
            is_whole(&left, &files, &how);
            tried += 1;
        }
    }
    assert!(tried > 300, "{tried}");
}

#[test]
fn every_call_of_taking_up_may_fail_and_the_next_try_loses_nothing() {
    let mut tried = 0;
    for (how, disk) in cut_off().into_iter().step_by(29) {
        let calls = {
            let copy = disk.failing(u64::MAX / 2, Fault::Short);
            let before = copy.calls();
            go_on(&copy, 2).unwrap_or_else(|e| panic!("{how}: {e}"));
            copy.calls() - before
        };
        for at in 0..calls {
            for fault in [Fault::Error(ErrorKind::StorageFull), Fault::Short] {
                let failing = disk.failing(at, fault);
                let how = format!("{how}, then call {at} fails, {fault:?}");
                assert!(go_on(&failing, 2).is_err(), "{how}");
                let after = failing.again();
                let files = go_on(&after, 3).unwrap_or_else(|e| panic!("{how}: {e}"));
                is_whole(&after, &files, &how);
                tried += 1;
            }
        }
    }
    assert!(tried > 200, "{tried}");
}

#[test]
fn what_does_not_count_any_more_is_forgotten_with_its_refusals() {
    let disk = SimDisk::recording();
    let files = go_on(&disk, 1).expect("a run");
    let (dir, runs) = (files.path().to_owned(), Path::new(RUNS));
    drop(files);
    let kept = look(&disk, runs, Uuid::from_u128(1), &tenants()).expect("files");
    assert_eq!(kept.refused[&name("New")], (0..STRETCHES).flat_map(refused).count() as u64);
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let forget = Forget { again: vec![name("New")], gone: Vec::new() };
    let resume =
        |history: &RunHistory| RunFiles::resume(shared.clone(), runs, Uuid::from_u128(1), &tenants(), history, &forget);
    let files = resume(&kept.history).expect("taken up").expect("as it was looked at");
    assert_eq!(files.rejected(), None);
    assert!(!disk.files(&dir).iter().any(|path| path.ends_with("rejected.jsonl")));
    drop(files);
    assert!(resume(&kept.history).expect("readable").is_none(), "it has gone on since");
    let files = go_on(&disk, 2).expect("all of it again");
    is_whole(&disk, &files, "again");
}

#[test]
fn a_collection_that_is_gone_is_begun_anew_in_the_same_journal() {
    let disk = SimDisk::recording();
    drop(go_on(&disk, 1).expect("a run"));
    let (runs, shared) = (Path::new(RUNS), Arc::new(disk.clone()) as Arc<dyn Disk>);
    let kept = look(&disk, runs, Uuid::from_u128(1), &tenants()).expect("files");
    let forget = Forget { again: Vec::new(), gone: vec![name("New")] };
    let files = RunFiles::resume(shared, runs, Uuid::from_u128(1), &tenants(), &kept.history, &forget);
    let mut files = files.expect("taken up").expect("as it was looked at");
    assert_eq!(files.rejected(), None);
    let intent = RunRecord::Intent { collection: name("Old"), target: name("New") };
    files.record(&intent).and_then(|()| files.sync()).expect("begun anew");
    let history = look(&disk, runs, Uuid::from_u128(1), &tenants()).expect("files").history;
    let target = &history.targets[&name("New")];
    assert!(!target.is_there() && target.imported.is_empty(), "{target:?}");
}

#[test]
fn a_lost_list_of_refused_objects_shows() {
    let disk = SimDisk::default();
    let files = go_on(&disk, 1).expect("a run");
    disk.set(&files.rejected().expect("a file"), None);
    let kept = look(&disk, Path::new(RUNS), Uuid::from_u128(1), &tenants()).expect("files");
    assert!(kept.refused.is_empty());
    assert!(kept.history.targets[&name("New")].imported.iter().any(|run| run.rejected > 0));
}

/// A run that recorded this.
fn run(disk: &SimDisk, about: RunAbout, records: &[RunRecord]) {
    let mut files = RunFiles::create(Arc::new(disk.clone()), Path::new(RUNS), about).expect("files");
    for record in records {
        files.record(record).expect("a record");
    }
    files.sync().expect("synced");
}

#[test]
fn runs_come_newest_first_without_those_that_were_followed() {
    let disk = SimDisk::default();
    let intent = |target: &str| RunRecord::Intent { collection: name("Old"), target: name(target) };
    run(&disk, about(1, Op::Restore), &[intent("Followed")]);
    run(&disk, about(2, Op::Restore), &[intent("Kept"), intent("Other")]);
    run(&disk, about(3, Op::Restore), &[intent("Followed"), RunRecord::Complete]);
    run(&disk, about(4, Op::Restore), &[]);
    run(&disk, about(5, Op::Clear), &[intent("Cleared")]);
    run(&disk, RunAbout { server_url: "http://b".into(), ..about(6, Op::Restore) }, &[intent("Kept")]);
    let found = last_runs(&disk, Path::new(RUNS), Op::Restore).expect("runs");
    let ids: Vec<u128> = found.iter().map(|run| run.about.run_id.as_u128()).collect();
    assert_eq!(ids, [6, 3, 2], "one that began nothing, and one that a newer one followed, are not");
    assert_eq!(found.iter().map(|run| run.complete).collect::<Vec<_>>(), [false, true, false]);
    assert_eq!(found[2].targets, [name("Kept"), name("Other")].into());
    assert!(last_runs(&disk, Path::new("/nowhere"), Op::Restore).expect("none").is_empty());
}

#[test]
fn a_damaged_journal_is_told_with_what_it_is_about() {
    let disk = SimDisk::default();
    let files = go_on(&disk, 1).expect("a run");
    let path = files.path().join(CHECKPOINT);
    let mut bytes = disk.read(&path);
    let second = memchr::memchr_iter(b'\n', &bytes).nth(2).expect("lines");
    bytes[second + 30] ^= 1;
    disk.set(&path, Some(bytes));
    let found = last_runs(&disk, Path::new(RUNS), Op::Restore).expect("runs");
    assert!(matches!(&found[..], [EarlierRun { damage: Some(Error::Damaged { .. }), .. }]), "{found:?}");
}
