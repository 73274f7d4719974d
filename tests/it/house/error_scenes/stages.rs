//! A stage whose neighbour is gone, whose thread dies, or whose files fail: it says so, and nothing is done unseen.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use elysiactl::archive::digest::ObjectDigest;
use elysiactl::archive::{Archive, Error as ArchiveError, RunAbout, RunFiles};
use elysiactl::event::{Class, Events, Op};
use elysiactl::model::{CollectionName, KeyRange, ObjectText, RawObject, Renames, TenantName};
use elysiactl::ops::{Error, Hint};
use elysiactl::pipeline::activation::{self, Activation};
use elysiactl::pipeline::budget::Budget;
use elysiactl::pipeline::compare::Comparer;
use elysiactl::pipeline::guard::{self, Guard, Mark};
use elysiactl::pipeline::import::{self, Import, ImportOptions, Merging, Pass};
use elysiactl::pipeline::journal::{self, RunJournal};
use elysiactl::pipeline::keyspace::Stretch;
use elysiactl::pipeline::load::{self, Look, prove_part};
use elysiactl::pipeline::pacer::{Limits, Pacer};
use elysiactl::pipeline::present::Present;
use elysiactl::pipeline::rewrite::Rewrite;
use elysiactl::pipeline::scan::{self, Scan, Scanned};
use elysiactl::pipeline::split::SplitError;
use elysiactl::pipeline::{Batch, BatchOrigin, Objects, Page};
use elysiactl::weaviate::Writer;
use sandbox::{Change, Fault, Kind, Sandbox};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::is;
use crate::support::disk_of::{ReadsOf, written_by};
use crate::support::world::{World, verify_options, world};

const LIMITS: Limits = Limits { fixed_page_objects: Some(20), most_in_flight: 1, page_bytes: 1 << 20 };

fn article() -> CollectionName {
    "Article".parse().expect("a name")
}

fn articles() -> World {
    world(Sandbox::builder().seeded("Article", 100, 2, 1))
}

#[tokio::test]
async fn a_scan_whose_batches_nobody_takes_is_a_bug_and_counts_nothing_as_read() {
    let world = articles();
    let client = world.client(Events::none());
    client.ready().await.expect("ready");
    let scan = Scan {
        client,
        collection: article(),
        references: Arc::new([]),
        tenants: Arc::new([]),
        vectors: true,
        expected_objects: Some(100),
        counted: true,
        object_bytes: None,
        first_worker: 0,
        limits: LIMITS,
        budget: Budget::new(8 << 20),
        mark: Mark::default(),
        changed_since_ms: None,
        events: Events::none(),
        replicas: None,
    };
    let (batches, taken) = mpsc::channel(1);
    drop(taken);
    let (all, mut seen) = ([Stretch { space: 0, range: KeyRange::ALL }], Scanned::default());
    let ended = scan.run(&all, &CancellationToken::new(), batches, &mut seen).await;
    assert!(matches!(ended, Err(scan::Error::SinkGone)), "{ended:?}");
    assert_eq!(seen.objects, 0);
    let source = ended.expect_err("nobody takes them");
    is(&Error::Scan { collection: article(), source }, Class::Bug, &[Hint::Report]);
}

/// Imports one object with this text; `None`: of the results nobody takes any.
async fn imported(world: &World, text: &str, takes: bool) -> Result<(), import::Error> {
    imported_into(world, text, takes, None).await
}

/// The same, where it may meet others.
async fn imported_into(world: &World, text: &str, takes: bool, merging: Option<Merging>) -> Result<(), import::Error> {
    let schema = world.client(Events::none()).schema(&article()).await.expect("an answer").expect("a schema");
    let import = Import {
        client: Writer::new(world.client(Events::none())),
        collection: article(),
        rewrite: Rewrite::new(&schema, &Renames::default(), false, false),
        pass: Pass::All,
        vectorised: Vec::new(),
        mixed: Arc::default(),
        comparer: Comparer::new(&schema, Renames::default(), false),
        pacer: Arc::new(Mutex::new(Pacer::new(LIMITS, None))),
        stamps: Arc::default(),
        merging,
        options: ImportOptions { most_in_flight: 1, patience: Duration::from_secs(1) },
        events: Events::none(),
    };
    let object = RawObject {
        id: "00000000-0000-0000-0000-000000000007".parse().expect("an id"),
        updated_ms: None,
        text: text.to_owned().into(),
        places: ObjectText::default(),
    };
    let batch = Batch {
        space: None,
        covers: KeyRange::ALL,
        bytes: object.text.len() as u64,
        objects: Objects::new(vec![object], Page::from_file(Budget::new(1 << 20).take(1).await)),
        origin: BatchOrigin::Archived { run: 0 },
        known: Vec::new(),
    };
    let (sender, batches) = mpsc::channel(1);
    let (done, mut results) = mpsc::channel(1);
    if !takes {
        results.close();
    }
    sender.send(batch).await.expect("room");
    drop(sender);
    import.run(batches, done, &CancellationToken::new()).await
}

#[tokio::test]
async fn an_import_whose_results_nobody_takes_is_a_bug() {
    let world = articles();
    let object = r#"{"class":"Article","id":"00000000-0000-0000-0000-000000000007","properties":{}}"#;
    imported(&world, object, true).await.expect("taken");
    let ended = imported(&world, object, false).await;
    assert!(matches!(ended, Err(import::Error::SinkGone)), "{ended:?}");
    let source = ended.expect_err("nobody takes them");
    is(&Error::Import { collection: article(), source }, Class::Bug, &[Hint::Report]);
}

#[tokio::test]
async fn what_is_there_and_cannot_be_looked_at_ends_an_import() {
    let world = articles();
    let merging = Merging {
        present: Present {
            client: world.client(Events::none()),
            collection: article(),
            budget: Budget::new(1 << 20),
            pacer: Mutex::new(Pacer::new(LIMITS, None)),
            replicas: None,
            events: Events::none(),
            pages: AtomicU64::new(0),
            begun: Instant::now(),
        },
        marked: Arc::default(),
        reads_back: true,
    };
    world.sandbox.faults().add(Fault::new(Kind::status(500, "broken")).on("GET", "/v1/objects").times(100));
    let object = r#"{"class":"Article","id":"00000000-0000-0000-0000-000000000007","properties":{}}"#;
    let ended = imported_into(&world, object, true, Some(merging)).await;
    assert!(matches!(ended, Err(import::Error::Present(scan::Error::Wire(_)))), "{ended:?}");
    assert_eq!(world.sandbox.writing_requests(), 0, "nothing is sent unseen");
}

#[tokio::test]
async fn an_object_that_is_no_json_is_the_archives_damage_and_is_not_sent() {
    let world = articles();
    let ended = imported(&world, r#"{"class":"Article","properties":tru}"#, true).await;
    let Err(source @ import::Error::Text(_)) = ended else { panic!("{ended:?}") };
    is(&Error::Import { collection: article(), source }, Class::Archive, &[Hint::ArchiveDamaged]);
    assert_eq!((world.sandbox.writing_requests(), world.sandbox.count("Article", None)), (0, 100));
}

#[tokio::test]
async fn a_guard_tells_a_node_that_is_away_a_collection_that_is_gone_and_a_run_that_is_to_stop_apart() {
    let world = world(Sandbox::builder().nodes(3).seeded("Article", 100, 2, 1));
    let client = world.client(Events::none());
    let schema = client.schema(&article()).await.expect("an answer").expect("a schema");
    let stop = CancellationToken::new();
    let mut guard = Guard::new(client, schema, Events::none(), stop.clone(), Duration::ZERO);
    guard.until_whole().await.expect("whole");
    world.sandbox.faults().node_down("node3");
    let away = guard.until_whole().await.expect_err("a node away");
    assert!(matches!(&away, guard::Error::NotWhole { collection, .. } if *collection == article()), "{away:?}");
    is(&away.into(), Class::Server, &[Hint::WaitForNodes]);
    world.sandbox.faults().now(&Change::NodeUp("node3".into()));
    guard.until_whole().await.expect("whole again");
    world.sandbox.faults().now(&Change::Drop("Article".into()));
    let gone = guard.until_whole().await.expect_err("nothing is there");
    assert!(matches!(&gone, guard::Error::Removed { collection } if *collection == article()), "{gone:?}");
    is(&gone.into(), Class::Server, &[Hint::RunAgain]);
    stop.cancel();
    let stopped = guard.until_whole().await.expect_err("told to stop");
    assert!(matches!(stopped, guard::Error::Stopped), "{stopped:?}");
    is(&stopped.into(), Class::Interrupted, &[]);
}

const COLD: &str = "COLD";

/// Two inactive tenants, and what activates them. The journal's disk fails, or panics, once that is switched on.
fn inactive(panics: bool) -> (World, Activation, Arc<AtomicBool>) {
    let builder = Sandbox::builder().collection(r#"{"class":"Mt","multiTenancyConfig":{"enabled":true}}"#);
    let world = world(builder.tenant("Mt", "a", COLD).tenant("Mt", "b", COLD));
    let fails = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&fails);
    let disk = written_by(move |file, bytes| {
        if !switch.load(Ordering::SeqCst) {
            return file.write(bytes);
        }
        assert!(!panics, "a panic made by a test");
        Err(io::ErrorKind::StorageFull.into())
    });
    let about = RunAbout {
        op: Op::Backup,
        tool: RunAbout::this_tool(),
        run_id: uuid::Uuid::now_v7(),
        started: jiff::Timestamp::now(),
        server_url: world.sandbox.url(),
        server_version: String::new(),
        archive: String::new(),
        archive_run_id: String::new(),
        options: serde_json::Map::new(),
    };
    let files = RunFiles::create(Arc::new(disk), &world.state().runs, about).expect("files");
    let writer = Writer::new(world.client(Events::none()));
    let journal = RunJournal::new(files);
    let activation = Activation::new(writer, "Mt".parse().expect("a name"), None, Some(journal));
    (world, activation, fails)
}

fn named(name: &str) -> TenantName {
    name.parse().expect("a name")
}

fn all_inactive(world: &World) {
    assert!(world.sandbox.tenants("Mt").iter().all(|(_, state)| *state == COLD), "{:?}", world.sandbox.tenants("Mt"));
}

#[tokio::test]
async fn a_tenant_that_cannot_be_written_down_is_not_activated() {
    let (world, activation, fails) = inactive(false);
    fails.store(true, Ordering::SeqCst);
    let error = activation.activate(&[named("a")]).await.expect_err("a full disk");
    assert!(
        matches!(&error, activation::Error::Journal(journal::Error::Files(ArchiveError::NoSpace { .. }))),
        "{error:?}"
    );
    is(&error.into(), Class::Disk, &[Hint::MakeRoom]);
    all_inactive(&world);
}

#[tokio::test]
async fn a_journal_whose_thread_dies_is_a_bug_and_nobody_is_activated() {
    let (world, activation, fails) = inactive(true);
    fails.store(true, Ordering::SeqCst);
    let error = activation.activate(&[named("a")]).await.expect_err("a panic");
    assert!(matches!(error, activation::Error::Journal(journal::Error::Thread)), "{error:?}");
    let error = Error::from(error);
    assert!(matches!(&error, Error::Stage { what } if what == "journal"), "{error:?}");
    is(&error, Class::Bug, &[Hint::Report]);
    all_inactive(&world);
    // Half a line may be there: nothing is written behind it.
    fails.store(false, Ordering::SeqCst);
    let error = activation.activate(&[named("a")]).await.expect_err("after a panic");
    let activation::Error::Journal(journal::Error::Files(error)) = error else { panic!("{error:?}") };
    assert!(matches!(error, ArchiveError::Broken { .. }), "{error:?}");
    all_inactive(&world);
}

#[tokio::test]
async fn a_tenant_that_the_server_does_not_activate_is_told_and_deactivated_later() {
    let (world, activation, _) = inactive(false);
    let states = Fault::new(Kind::status(500, "no")).on("PUT", "/v1/schema/Mt/tenants");
    world.sandbox.faults().add(states);
    let error = activation.activate(&[named("b")]).await.expect_err("no answer");
    assert!(matches!(error, activation::Error::Wire(_)), "{error:?}");
    is(&error.into(), Class::Server, &[Hint::RunAgain]);
    assert_eq!(activation.active().await, [named("b")], "it may be active all the same");
    world.sandbox.faults().clear();
    activation.deactivate_all().await.expect("deactivated");
    all_inactive(&world);
}

/// Proves the one part of an archive; whether more is wanted is for `each` to say.
fn proven(world: &World, archive: &Path, each: bool) -> Result<(), load::Error> {
    let archive = Archive::open(&world.disk, archive).expect("an archive");
    let entry = &archive.collections()[0];
    let schema = archive.schema(entry).expect("a schema");
    let digest = ObjectDigest::new(&schema, entry.content);
    let part = archive.part(entry, &entry.parts[0], &archive.runs(entry).expect("runs")).expect("a part");
    prove_part(part, &schema.name, &digest, Look::Full, |_, _| each)
}

#[tokio::test]
async fn a_part_is_told_apart_by_a_line_that_is_no_object_a_file_that_is_another_and_a_reader_who_has_enough() {
    let world = articles();
    let archive: PathBuf = world.backup(world.options()).await.result.archive.expect("an archive").into();
    proven(&world, &archive, true).expect("sound");
    assert!(matches!(proven(&world, &archive, false), Err(load::Error::Stopped)));

    let part = archive.join("collections/Article/objects-000000.jsonl");
    let whole = std::fs::read(&part).expect("a part");
    let with = |at: usize, byte: u8| {
        let mut bytes = whole.clone();
        bytes[at] = byte;
        std::fs::File::create(&part).and_then(|mut file| file.write_all(&bytes)).expect("written");
        proven(&world, &archive, true)
    };
    let first_line = with(0, b'[');
    let told = matches!(first_line, Err(load::Error::Line { line: 1, source: SplitError::Structure { .. } }));
    assert!(told, "{first_line:?}");
    let last_line = with(whole.len() - 1, b' ');
    assert!(matches!(last_line, Err(load::Error::Archive(ArchiveError::Damaged { .. }))), "{last_line:?}");
}

#[tokio::test]
async fn a_thread_that_dies_while_an_archive_is_compared_is_a_bug_and_no_difference() {
    let mut world = articles();
    let archive: PathBuf = world.backup(world.options()).await.result.archive.expect("an archive").into();
    world.disk = Arc::new(ReadsOf(Arc::new(|name: &str, file, _| {
        assert!(!name.ends_with("objects-000000.jsonl"), "a panic made by a test");
        file
    })));
    let (done, _) = world.try_verify(verify_options(&archive)).await;
    let error = done.expect_err("a panic");
    assert!(matches!(&error, Error::Stage { what } if what == "compare"), "{error:?}");
    is(&error, Class::Bug, &[Hint::Report]);
}

/// Larger than what is written of documents and journals here.
const BLOCK: usize = 4_000;

#[tokio::test]
async fn a_thread_that_dies_while_an_archive_is_written_is_a_bug_and_nothing_is_sealed() {
    let mut world = articles();
    world.disk = Arc::new(written_by(|file, bytes| {
        assert!(bytes.len() < BLOCK, "a panic made by a test");
        file.write(bytes)
    }));
    let (done, _) = world.try_backup(world.options()).await;
    let error = done.expect_err("a panic").error;
    assert!(matches!(error, Error::Stage { .. }), "{error:?}");
    is(&error, Class::Bug, &[Hint::Report]);
    world.nothing_is_sealed();
}
