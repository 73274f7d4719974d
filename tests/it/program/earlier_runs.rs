//! Journals of runs before this one: read once however many collections there are, and of a large one no more than it
//! takes.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use elysiactl::archive::RunRecord;
use elysiactl::archive::runfiles::left_active;
use elysiactl::event::{Event, Op, Status, Warning};
use elysiactl::model::CollectionName;
use sandbox::{Change, Fault, Kind, Sandbox};

use crate::backup::tenants::{archive_of, named};
use crate::support::disk_of::ReadsOf;
use crate::support::world::{World, verify_options, world};

/// Collections with one tenant active and one inactive each.
const COLLECTIONS: usize = 5;
/// Lines in the journal of a large restore.
const LINES: u64 = 2_000;

fn collection(n: usize) -> CollectionName {
    format!("Mt{n}").parse().expect("a name")
}

fn many() -> World {
    let mut builder = Sandbox::builder();
    for n in 0..COLLECTIONS {
        builder = builder.collection(&format!(r#"{{"class":"Mt{n}","multiTenancyConfig":{{"enabled":true}}}}"#));
        for (tenant, state) in [("day", "HOT"), ("night", "COLD")] {
            builder = builder.tenant(&format!("Mt{n}"), tenant, state).object(&format!(
                r#"{{"class":"Mt{n}","tenant":"{tenant}","id":"{}","properties":{{}}}}"#,
                crate::backup::tenants::id(n)
            ));
        }
    }
    world(builder)
}

fn waking(n: usize, tenants: &[&str]) -> RunRecord {
    RunRecord::Activating { target: collection(n), tenants: named(tenants), firsts: BTreeMap::new() }
}

fn inactive(n: usize, tenants: &[&str]) -> RunRecord {
    RunRecord::Deactivated { target: collection(n), tenants: named(tenants) }
}

fn left(world: &World) -> BTreeMap<CollectionName, Vec<String>> {
    let url = world.client(elysiactl::event::Events::none()).url().to_owned();
    let left = left_active(&*world.disk, &world.state().runs, &url).expect("journals");
    left.into_iter().map(|(name, tenants)| (name, tenants.keys().map(ToString::to_string).collect())).collect()
}

/// A restore of which the journal is long.
fn large_restore(world: &World) {
    let (target, now) = (collection(0), || RunRecord::Again { target: collection(0) });
    let mut records = vec![RunRecord::Intent { collection: target.clone(), target }];
    records.extend((0..LINES).map(|_| now()));
    world.killed_run(Op::Restore, &records);
}

/// Bytes that were read of each journal of a run.
type Counted = Arc<Mutex<BTreeMap<String, Vec<u64>>>>;

struct Counts(Box<dyn Read + Send>, String, usize, Counted);

impl Read for Counts {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        let read = self.0.read(bytes)?;
        self.3.lock().expect("a lock").get_mut(&self.1).expect("a journal")[self.2] += read as u64;
        Ok(read)
    }
}

/// Has what is read of journals counted from now on.
fn counted(world: &mut World) -> Counted {
    let counted = Counted::default();
    let shared = Arc::clone(&counted);
    let reads = move |file: &str, content: Box<dyn Read + Send>, _: u64| -> Box<dyn Read + Send> {
        if !file.ends_with("/checkpoint.jsonl") {
            return content;
        }
        let mut all = shared.lock().expect("a lock");
        let times = all.entry(file.to_owned()).or_default();
        times.push(0);
        Box::new(Counts(content, file.to_owned(), times.len() - 1, Arc::clone(&shared)))
    };
    world.disk = Arc::new(ReadsOf(Arc::new(reads)));
    counted
}

#[tokio::test]
async fn journals_are_read_once_for_all_collections_of_a_run() {
    let mut world = many();
    large_restore(&world);
    for n in 0..COLLECTIONS {
        world.killed_run(Op::Verify, &[waking(n, &["night"]), inactive(n, &["night"])]);
    }
    let reads = counted(&mut world);
    let outcome = world.try_backup(world.options()).await.0.expect("a backup");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 2 * COLLECTIONS as u64));
    let read = std::mem::take(&mut *reads.lock().expect("a lock"));
    assert_eq!(read.len(), 1 + COLLECTIONS, "{read:?}");
    assert!(read.values().all(|times| times.len() == 1), "{read:?}");
    assert!(read.values().flatten().all(|bytes| *bytes < 20 * LINES), "of the restore its first line: {read:?}");

    let state = Some(world.state());
    let options = elysiactl::ops::verify::VerifyOptions { state, ..verify_options(&archive_of(&outcome)) };
    assert_eq!(world.try_verify(options).await.0.expect("compared").result.status, Status::Ok);
    let read = reads.lock().expect("a lock");
    assert!(read.len() == 1 + COLLECTIONS && read.values().all(|times| times.len() == 1), "{read:?}");
}

#[tokio::test]
async fn a_run_that_put_everybody_back_leaves_no_journal_for_later_ones_to_read() {
    let world = many();
    let runs = || std::fs::read_dir(world.state().runs).map_or(0, Iterator::count);
    let outcome = world.try_backup(world.options()).await.0.expect("a backup");
    assert_eq!((outcome.result.status, runs()), (Status::Ok, 0));
    let options = || elysiactl::ops::verify::VerifyOptions {
        state: Some(world.state()),
        ..verify_options(&archive_of(&outcome))
    };
    assert_eq!(world.try_verify(options()).await.0.expect("compared").result.status, Status::Ok);
    assert_eq!(runs(), 0);
    // One that made good what a killed one had left must tell so for as long as that one tells of it.
    world.killed_run(Op::Backup, &[waking(1, &["night"])]);
    world.sandbox.faults().now(&Change::Tenant("Mt1".into(), "night".into(), Some("HOT")));
    assert_eq!(world.try_verify(options()).await.0.expect("compared").result.status, Status::Ok);
    assert_eq!((runs(), left(&world).len()), (2, 0));
}

#[tokio::test]
async fn whoever_was_left_awake_in_any_collection_is_put_back() {
    let world = many();
    for n in [1, 3] {
        world.killed_run(Op::Backup, &[waking(n, &["night"])]);
        world.sandbox.faults().now(&Change::Tenant(format!("Mt{n}"), "night".into(), Some("HOT")));
    }
    let (done, events) = world.try_backup(world.options()).await;
    assert_eq!(done.expect("a backup").result.status, Status::Ok);
    let told = events.iter().filter(|e| matches!(e, Event::Warning(Warning::TenantsLeftActive { tenants: 1, .. })));
    assert_eq!(told.count(), 2);
    for n in 0..COLLECTIONS {
        assert_eq!(world.sandbox.tenants(&format!("Mt{n}"))[1], ("night".to_owned(), "COLD"), "{n}");
    }
    assert!(left(&world).is_empty());
}

#[tokio::test]
async fn a_run_beside_this_one_that_ends_meanwhile_has_left_nobody_awake() {
    let mut world = many();
    world.killed_run(Op::Backup, &[waking(4, &["night"])]);
    world.sandbox.faults().now(&Change::Tenant("Mt4".into(), "night".into(), Some("HOT")));
    let reads = counted(&mut world);
    let ends = async {
        while reads.lock().expect("a lock").is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // It says so, and then somebody wants the tenant active.
        world.killed_run(Op::Backup, &[waking(4, &["night"]), inactive(4, &["night"])]);
    };
    let slow = Fault::new(Kind::Delay(Duration::from_millis(500))).on("GET", "/v1/objects").query("class=Mt0");
    world.sandbox.faults().add(slow);
    let ((done, events), ()) = tokio::join!(world.try_backup(world.options()), ends);
    assert_eq!(done.expect("a backup").result.status, Status::Ok);
    assert!(!events.iter().any(|e| matches!(e, Event::Warning(_))), "{events:?}");
    assert_eq!(world.sandbox.tenants("Mt4")[1], ("night".to_owned(), "HOT"));
}

#[test]
fn the_newest_run_that_says_something_of_a_tenant_is_believed() {
    let world = many();
    world.killed_run(Op::Verify, &[waking(0, &["a", "b", "c"])]);
    world.killed_run(Op::Backup, &[waking(0, &["b"]), inactive(0, &["b"]), waking(1, &["a"])]);
    world.killed_run(Op::Verify, &[waking(1, &["a"]), inactive(1, &["a"]), waking(1, &["a"])]);
    // One that cannot be read to its end says nothing.
    world.killed_run(Op::Backup, &[waking(0, &["d"]), inactive(0, &["a"]), waking(2, &["e"])]);
    let runs = world.state().runs;
    let mut names: Vec<_> = std::fs::read_dir(&runs).expect("runs").map(|e| e.expect("an entry").path()).collect();
    names.sort();
    let journal = names[3].join("checkpoint.jsonl");
    let text = std::fs::read_to_string(&journal).expect("a journal");
    std::fs::write(&journal, text.replacen(r#"["a"]"#, r#"["b"]"#, 1)).expect("written");
    // Another server's.
    let other = many();
    other.killed_run(Op::Backup, &[waking(0, &["z"])]);
    for entry in std::fs::read_dir(other.state().runs).expect("runs") {
        let path = entry.expect("an entry").path();
        std::fs::rename(&path, runs.join(path.file_name().expect("a name"))).expect("moved");
    }
    let expected = [(collection(0), vec!["a".to_owned(), "c".into()]), (collection(1), vec!["a".into()])];
    assert_eq!(left(&world), expected.into());
}
