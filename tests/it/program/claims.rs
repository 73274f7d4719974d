//! Runs of one machine that reach one server by different URLs: what one is at work on, no other changes.

use std::time::Duration;

use elysiactl::event::{Class, Event, Events, Status, Warning};
use elysiactl::model::Selection;
use elysiactl::ops::restore::{Instead, Lost};
use elysiactl::ops::{Error, remove};
use elysiactl::pipeline::import;
use elysiactl::weaviate::{Client, Connection, Writer};
use sandbox::{Builder, Fault, Kind, Proxy, Sandbox};

use crate::support::world::{QUICK, World, world};

const OBJECTS: u64 = 300;

fn articles() -> Builder {
    Sandbox::builder().seeded("Article", OBJECTS, 4, 7)
}

fn client(url: &str) -> Client {
    let connection = Connection::new(Connection::parse_url(url).expect("a URL"));
    Client::with_policy(connection, Events::none(), 7, QUICK).expect("a client")
}

/// Removes `Article` by this URL, with the state of this world, as `col rm Article --yes` does.
async fn remove_by(world: &World, url: &str) -> Result<remove::RemovalOutcome, Error> {
    let options = remove::RemovalOptions {
        selection: Selection { take: vec!["Article".into()], exclude: Vec::new() },
        allow_protected: false,
        folder: world.options().folder,
        locks: world.state().locks,
        patience: Duration::from_secs(5),
    };
    let (client, session) = (client(url), world.session(Events::none()));
    let plan = remove::plan(&client, &session, options).await?;
    remove::run(&Writer::new(client), &session, plan).await.map_err(|stopped| stopped.error)
}

#[tokio::test]
async fn a_restore_is_not_disturbed_by_a_removal_through_another_url() {
    let from = world(articles());
    let archive = from.backup(from.options()).await.result.archive.expect("an archive");
    let target = world(Sandbox::builder());
    target.sandbox.faults().add(Fault::new(Kind::Delay(Duration::from_millis(60))).on("POST", "/v1/batch/objects"));
    // A balancer, of which nothing but its answers tells that it leads to the same server.
    let balancer = Proxy::start(target.sandbox.port(), None);
    let urls = [
        target.sandbox.url(),
        format!("http://localhost:{}", target.sandbox.port()),
        format!("http://127.0.0.1:{}", balancer.port()),
    ];
    let mut options = target.restore_options(archive.as_ref());
    (options.jobs, options.batch_objects) = (Some(1), Some(20));
    let removals = async {
        while target.sandbox.count("Article", None) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        for url in &urls {
            let refused = remove_by(&target, url).await.expect_err("a run is at work");
            assert_eq!(refused.class(), Class::Locked, "{url}: {refused:?}");
            let pid = format!("process {}, started", std::process::id());
            assert!(refused.to_string().contains(&pid), "{refused}");
        }
        assert!(target.sandbox.count("Article", None) < OBJECTS, "it was at work all the while");
    };
    let ((done, _), ()) = tokio::join!(target.try_restore(options), removals);
    assert_eq!(done.expect("undisturbed").result.objects, OBJECTS);
    // Over is over, and nothing stays but the gate.
    let left: Vec<_> = std::fs::read_dir(target.state().locks).expect("a folder").collect();
    assert_eq!(left.len(), 1, "{left:?}");
    remove_by(&target, &urls[2]).await.expect("removed");
}

#[tokio::test]
async fn what_was_removed_under_a_restore_is_told_and_not_taken_for_a_count() {
    let from = world(articles());
    let archive = from.backup(from.options()).await.result.archive.expect("an archive");
    let target = world(Sandbox::builder());
    // Somebody without a lock on this machine drops it, and auto-schema makes another one for the next batch.
    let drop = Kind::Change(sandbox::Change::Drop("Article".into()));
    target.sandbox.faults().add(Fault::new(drop).on("POST", "/v1/batch/objects").nth(3));
    let mut options = target.restore_options(archive.as_ref());
    (options.jobs, options.batch_objects) = (Some(1), Some(20));
    let (done, _) = target.try_restore(options).await;
    let stopped = done.expect_err("another collection");
    // Two batches of 20 went with the one that was dropped.
    let instead = Instead { objects: Some(OBJECTS - 40), by_auto_schema: true };
    let lost = Lost { collection: "Article".parse().expect("a name"), written: OBJECTS, there: Some(instead) };
    assert!(
        matches!(&stopped.error, Error::Lost { lost: named, .. } if *named == [lost.clone()]),
        "{:?}",
        stopped.error
    );
    assert_eq!((stopped.class(), stopped.created.as_slice(), stopped.lost), (Class::Server, &[][..], vec![lost]));
}

#[tokio::test]
async fn what_else_ended_a_restore_of_a_removed_collection_is_told_with_what_helps() {
    let from = world(articles());
    let archive = from.backup(from.options()).await.result.archive.expect("an archive");
    let target = world(Sandbox::builder());
    let (drop, mode) = (sandbox::Change::Drop("Article".into()), sandbox::Change::Mode("ReadOnly"));
    let batches = |change, nth| Fault::new(Kind::Change(change)).on("POST", "/v1/batch/objects").nth(nth);
    target.sandbox.faults().add(batches(drop, 3));
    target.sandbox.faults().add(batches(mode, 6));
    let mut options = target.restore_options(archive.as_ref());
    (options.jobs, options.batch_objects) = (Some(1), Some(20));
    let (done, _) = target.try_restore(options).await;
    let error = done.expect_err("a mode").error;
    let Error::Lost { lost, source } = &error else { panic!("{error:?}") };
    assert!(lost.len() == 1 && matches!(**source, Error::Import { .. }), "{source:?}");
    let helps = error.hints();
    assert!(matches!(helps.as_slice(), [elysiactl::ops::Hint::ChangeServer(_)]), "{helps:?}");
    let causes = std::iter::successors(std::error::Error::source(&error), |cause| cause.source());
    assert!(causes.map(ToString::to_string).any(|cause| cause.contains("read-only")), "{error:?}");
}

#[tokio::test]
async fn what_was_removed_where_nothing_is_made_up_ends_the_restore_soon() {
    let from = world(articles());
    let archive = from.backup(from.options()).await.result.archive.expect("an archive");
    let target = world(Sandbox::builder().auto_schema(false));
    let drop = Kind::Change(sandbox::Change::Drop("Article".into()));
    target.sandbox.faults().add(Fault::new(drop).on("POST", "/v1/batch/objects").nth(3));
    let mut options = target.restore_options(archive.as_ref());
    (options.jobs, options.batch_objects) = (Some(1), Some(20));
    let (done, _) = target.try_restore(options).await;
    let stopped = done.expect_err("nothing is there");
    let lost = Lost { collection: "Article".parse().expect("a name"), written: 40, there: None };
    assert!(
        matches!(&stopped.error, Error::Lost { lost: named, source } if *named == [lost.clone()]
            && matches!(**source, Error::Import { source: import::Error::Removed, .. })),
        "{:?}",
        stopped.error
    );
    assert_eq!((stopped.class(), stopped.created.len()), (Class::Server, 0));
    let asked = target.sandbox.requests().into_iter().filter(|r| r.path.starts_with("/v1/objects/")).count();
    assert_eq!(asked, 0, "no object is asked for");
    let written = target.sandbox.requests().into_iter().filter(|r| r.path == "/v1/batch/objects").count();
    assert!(written <= 6, "{written} batches");
}

#[tokio::test]
async fn a_collection_that_is_backed_up_is_removed_by_no_other_run_of_this_machine() {
    let source = world(articles());
    source.sandbox.faults().add(Fault::new(Kind::Delay(Duration::from_millis(30))).on("GET", "/v1/objects"));
    let options = elysiactl::ops::backup::BackupOptions { page_objects: Some(10), jobs: Some(1), ..source.options() };
    let removal = async {
        while source.sandbox.requests().iter().filter(|r| r.path == "/v1/objects").count() < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let refused = remove_by(&source, &source.sandbox.url()).await.expect_err("a run reads it");
        assert_eq!(refused.class(), Class::Locked, "{refused:?}");
        assert!(refused.to_string().contains("col backup on http"), "{refused}");
    };
    let ((done, _), ()) = tokio::join!(Box::pin(source.try_backup(options)), removal);
    assert_eq!(done.expect("undisturbed").result.objects, OBJECTS);
    remove_by(&source, &source.sandbox.url()).await.expect("removed, now that it is over");
}

#[tokio::test]
async fn a_collection_that_another_run_changes_is_not_backed_up_and_two_backups_are_no_trouble() {
    let source = world(articles());
    let held = source.held_by_another_run("Article");
    let (done, _) = Box::pin(source.try_backup(source.options())).await;
    assert_eq!(done.expect_err("it is being changed").error.class(), Class::Locked);
    drop(held);
    let (first, second) =
        tokio::join!(Box::pin(source.try_backup(source.options())), Box::pin(source.try_backup(source.options())));
    assert!(first.0.is_ok() && second.0.is_ok());
}

#[tokio::test]
async fn objects_that_vanish_while_they_are_backed_up_are_told_and_no_success() {
    let source = world(articles());
    let objects = source.sandbox.objects("Article", None);
    let ids = objects.iter().map(|text| serde_json::from_str::<serde_json::Value>(text).expect("JSON")["id"].clone());
    for id in ids.skip(100) {
        let id = id.as_str().expect("an id").to_owned();
        let delete = Kind::Change(sandbox::Change::Delete("Article".into(), None, id));
        source.sandbox.faults().add(Fault::new(delete).on("GET", "/v1/objects").nth(4));
    }
    let options = elysiactl::ops::backup::BackupOptions { page_objects: Some(10), jobs: Some(1), ..source.options() };
    let (done, events) = Box::pin(source.try_backup(options)).await;
    let outcome = done.unwrap_or_else(|stopped| panic!("{:?}", stopped.error));
    let vanished = outcome.manifest.collections[0].consistency.vanished;
    let gone = OBJECTS - outcome.result.objects;
    assert_eq!((outcome.result.status, vanished), (Status::Incomplete, Some(gone)));
    assert!(gone >= 150, "{gone}");
    let told = |e: &Event| matches!(e, Event::Warning(Warning::ObjectsVanished { objects, .. }) if *objects == gone);
    assert!(events.iter().any(told), "{events:?}");
}
