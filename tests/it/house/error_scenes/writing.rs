//! Restores that cannot be gone on with: what is on the server then is said, and what was not written does not pass for it.

use std::path::PathBuf;
use std::time::Duration;

use elysiactl::event::Class;
use elysiactl::model::CollectionName;
use elysiactl::ops::restore::{RestoreOptions, RestoreStopped};
use elysiactl::ops::{Error, Hint};
use elysiactl::pipeline::import;
use elysiactl::weaviate;
use sandbox::{Builder, Fault, Kind, Sandbox};

use super::is;
use crate::support::world::{World, world};

const OBJECTS: u64 = 200;

async fn archive_of(builder: Builder) -> (World, PathBuf) {
    let source = world(builder);
    let archive = Box::pin(source.backup(source.options())).await.result.archive.expect("an archive");
    (source, archive.into())
}

/// A restore whose batches go so wrong from the second on, on a server that is waited for a moment.
async fn batches_that(kind: Kind) -> (World, RestoreStopped) {
    let (_source, archive) = archive_of(Sandbox::builder().seeded("Article", OBJECTS, 2, 1)).await;
    let target = world(Sandbox::builder());
    target.sandbox.faults().add(Fault::new(kind).on("POST", "/v1/batch/objects").after(1));
    let quick = RestoreOptions { batch_objects: Some(50), jobs: Some(1), ..target.restore_options(&archive) };
    let (done, _) = target.try_restore(RestoreOptions { patience: Duration::from_millis(200), ..quick }).await;
    (target, done.expect_err("a failure"))
}

/// Nothing is said to be there that is not, and a batch that was stored is said.
fn what_is_there_is_said(target: &World, stopped: &RestoreStopped) {
    let [(name, written)] = stopped.created.as_slice() else { panic!("{:?}", stopped.created) };
    assert_eq!((name.as_str(), *written), ("Article", 50));
    assert!((50..OBJECTS).contains(&target.sandbox.count("Article", None)));
}

#[tokio::test]
async fn a_key_that_is_refused_in_the_middle_of_a_restore_is_told_with_what_it_lacks() {
    let (target, stopped) = batches_that(Kind::status(401, r#"{"code":401,"message":"expired"}"#)).await;
    let Error::Import { source: import::Error::Wire(error), .. } = &stopped.error else { panic!("{stopped:?}") };
    assert!(matches!(error, weaviate::Error::Unauthorized { .. }), "{error:?}");
    is(&stopped.error, Class::Server, &[Hint::GiveKey]);
    what_is_there_is_said(&target, &stopped);

    let (target, stopped) = batches_that(Kind::status(403, r#"{"error":[{"message":"forbidden"}]}"#)).await;
    let Error::Import { source: import::Error::Wire(error), .. } = &stopped.error else { panic!("{stopped:?}") };
    assert!(matches!(error, weaviate::Error::Forbidden { .. }), "{error:?}");
    is(&stopped.error, Class::Server, &[Hint::GrantPermission]);
    what_is_there_is_said(&target, &stopped);
}

#[tokio::test]
async fn a_server_that_takes_no_writes_is_told_with_its_words_and_how_long_it_was_waited_for() {
    let (target, stopped) = batches_that(Kind::FailObjects(1, "not enough memory".into())).await;
    let Error::Import { source: import::Error::WritesRefused { reason, .. }, .. } = &stopped.error else {
        panic!("{stopped:?}")
    };
    assert!(reason.contains("not enough memory"), "{reason}");
    is(&stopped.error, Class::Server, &[Hint::MakeWritable]);
    what_is_there_is_said(&target, &stopped);
}

#[tokio::test]
async fn a_server_that_never_says_what_became_of_objects_ends_the_restore() {
    let (_, stopped) = batches_that(Kind::KeepResults(0)).await;
    let told = matches!(&stopped.error, Error::Import { source: import::Error::Unjudged, .. });
    assert!(told, "{stopped:?}");
    is(&stopped.error, Class::Server, &[Hint::RunAgain]);
    // The server stored them: what it did not say is not believed.
    assert_eq!(stopped.created.iter().map(|(_, written)| *written).collect::<Vec<_>>(), [50]);
}

#[tokio::test]
async fn tenants_that_the_server_says_it_made_and_did_not_end_the_restore_before_any_object() {
    let builder = Sandbox::builder().collection(r#"{"class":"Mt","multiTenancyConfig":{"enabled":true}}"#);
    let object = r#"{"class":"Mt","id":"00000000-0000-0000-0000-000000000001","tenant":"a","properties":{}}"#;
    let source = world(builder.tenant("Mt", "a", "HOT").object(object));
    let made = source.try_backup(source.options()).await.0.expect("a backup");
    let archive = PathBuf::from(made.result.archive.expect("an archive"));
    let target = world(Sandbox::builder());
    target.sandbox.faults().add(Fault::new(Kind::status(200, "[]")).on("POST", "/v1/schema/Mt/tenants"));
    let (done, _) = target.try_restore(target.restore_options(&archive)).await;
    let stopped = done.expect_err("no tenant");
    let told = matches!(&stopped.error, Error::TenantLacks { tenant, .. } if tenant.as_str() == "a");
    assert!(told, "{stopped:?}");
    is(&stopped.error, Class::Server, &[Hint::RunAgain]);
    assert!(target.sandbox.requests().iter().all(|seen| seen.path != "/v1/batch/objects"));
}

#[tokio::test]
async fn one_name_for_two_collections_is_wrong_usage_and_writes_nothing() {
    let (_source, archive) = archive_of(Sandbox::builder().seeded("Article", 5, 2, 1).seeded("Zoo", 5, 2, 1)).await;
    let target = world(Sandbox::builder());
    let name: CollectionName = "New".parse().expect("a name");
    let error = target.refused(RestoreOptions { name: Some(name), ..target.restore_options(&archive) }).await;
    assert!(matches!(error, Error::OneNameForMany { collections: 2 }), "{error:?}");
    is(&error, Class::Usage, &[Hint::RenameEach]);
    assert_eq!(target.sandbox.writing_requests(), 0);
}
