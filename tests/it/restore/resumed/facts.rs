//! Which run is resumed, and what is said where it is another one, or none.

use std::path::Path;

use elysiactl::archive::RunAbout;
use elysiactl::event::{Class, Events, Status};
use elysiactl::model::TenantMap;
use elysiactl::ops::restore::{AliasPolicy, RestoreOptions, RestoreRefusal, as_begun, left_open};
use elysiactl::ops::{Error, RunChoice, RunDiffers};
use sandbox::{Fault, Kind, Sandbox};

use super::{
    articles, batches_of_the_first_run, forge, held, journal, resume_collection, resumed, small, stopped, written_down,
};
use crate::support::world::{World, world};

/// A server with half of a collection, by a run that was stopped.
async fn half(archive: &Path) -> (World, RestoreOptions) {
    let target = world(Sandbox::builder());
    let options = small(&target, archive);
    // One after the other, so that the first run of ids is done before anything of the second is sent.
    let plan = target.restore_plan(RestoreOptions { jobs: Some(1), ..options.clone() }).await.expect("a plan");
    let batches = batches_of_the_first_run(archive);
    target.sandbox.faults().add(Fault::new(Kind::ResetBefore).on("POST", "/v1/batch/objects").after(batches));
    let done = target.run_plan(plan).await.0;
    target.sandbox.faults().clear();
    assert!(stopped(done, "half").is_some() && written_down(&target, &options).unwrap_or(0) > 0);
    (target, options)
}

/// What is different.
async fn refused(target: &World, options: RestoreOptions) -> Vec<RunDiffers> {
    target.sandbox.clear_requests();
    let error = target.refused(options).await;
    assert_eq!((error.class(), target.sandbox.writing_requests()), (Class::Refused, 0), "{error:?}");
    match error {
        Error::OtherRun { differs, .. } => differs,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_was_begun_otherwise_is_refused_and_what_differs_is_named() {
    let (_source, archive) = articles(90).await;
    let (target, options) = half(&archive).await;
    let same = resumed(&options);
    let other = [
        RestoreOptions { name: Some("Other".parse().expect("a name")), ..same.clone() },
        RestoreOptions { tenants: TenantMap::IntoTenant("one".parse().expect("a name")), ..same.clone() },
        RestoreOptions { data: false, ..same.clone() },
        RestoreOptions { vectors: false, ..same.clone() },
        RestoreOptions { revectorize: true, ..same.clone() },
        RestoreOptions { clamp_ints: true, ..same.clone() },
        RestoreOptions { aliases: AliasPolicy::Skip, ..same.clone() },
        RestoreOptions { roles: true, ..same.clone() },
        RestoreOptions { settings: vec!["objectTtl=off".parse().expect("a setting")], ..same.clone() },
    ];
    let mut found = Vec::new();
    for options in other {
        for differs in refused(&target, options).await {
            let RunDiffers::Choice(choice) = differs else { panic!("{differs}") };
            found.push(choice);
        }
    }
    // Another name is a new name of what others refer to as well.
    assert_eq!(
        found,
        [
            RunChoice::Collections,
            RunChoice::Renames,
            RunChoice::Tenants,
            RunChoice::Data,
            RunChoice::Vectors,
            RunChoice::Revectorize,
            RunChoice::ClampInts,
            RunChoice::Aliases,
            RunChoice::Roles,
            RunChoice::Settings,
        ]
    );
    let elsewhere = archive.with_file_name("moved");
    std::fs::rename(&archive, &elsewhere).expect("moved");
    let differs = refused(&target, RestoreOptions { archive: elsewhere.clone(), ..same }).await;
    assert!(matches!(&differs[..], [RunDiffers::ArchivePlace { .. }]), "{differs:?}");
    std::fs::rename(&elsewhere, &archive).expect("moved back");
    // Nothing of that was in the way of carrying it on, with what only tunes another.
    let tuned = RestoreOptions { jobs: Some(1), batch_objects: Some(30), memory_bytes: 32 << 20, ..options };
    let (outcome, _) = resume_collection(&target, &tuned, "tuned").await;
    assert_eq!(outcome.result.status, Status::Ok);
}

#[tokio::test]
async fn another_archive_and_another_server_are_refused() {
    let (_source, archive) = articles(90).await;
    let (target, _) = half(&archive).await;
    let (_other_source, other_archive) = articles(91).await;
    let differs = refused(&target, resumed(&small(&target, &other_archive))).await;
    assert!(matches!(&differs[..], [RunDiffers::Archive { .. }]), "{differs:?}");

    let elsewhere = World { folder: target.folder, ..world(Sandbox::builder()) };
    let differs = refused(&elsewhere, resumed(&small(&elsewhere, &archive))).await;
    assert!(matches!(&differs[0], RunDiffers::Server { url } if *url != elsewhere.sandbox.url()), "{differs:?}");
}

#[tokio::test]
async fn an_archive_in_the_place_of_the_runs_own_is_not_restored_in_its_stead() {
    let (_source, archive) = articles(90).await;
    let (target, options) = half(&archive).await;
    let (_other_source, other) = articles(91).await;
    let (session, url) = (target.session(Events::none()), target.sandbox.url());
    let found = || left_open(&session, options.state.runs.clone(), &url);
    assert_eq!(found().await.expect("its own"), Some(archive.clone()));
    std::fs::rename(&archive, archive.with_file_name("moved")).expect("moved");
    std::fs::rename(&other, &archive).expect("another one in its place");
    let error = found().await.expect_err("another one");
    let Error::OtherRun { run, differs } = &error else { panic!("{error:?}") };
    assert!(matches!(&differs[..], [RunDiffers::ArchiveReplaced { .. }]), "{differs:?}");
    assert_eq!(error.class(), Class::Refused);
    let differs = refused(&target, resumed(&options)).await;
    assert!(matches!(&differs[..], [RunDiffers::ArchiveReplaced { .. }]), "{differs:?}");
    assert!(as_begun(&session, &options, &url, run).await.is_none(), "no line can resume it");
}

#[cfg(unix)]
#[tokio::test]
async fn the_same_archive_by_another_way_is_the_same() {
    let (_source, archive) = articles(90).await;
    let (target, options) = half(&archive).await;
    let link = target.folder.path().join("link");
    std::os::unix::fs::symlink(&archive, &link).expect("a link");
    let inside = link.join("collections").join("..");
    let (outcome, _) = resume_collection(&target, &RestoreOptions { archive: inside, ..options }, "by a link").await;
    assert_eq!(outcome.result.status, Status::Ok);
}

#[tokio::test]
async fn another_major_version_of_the_tool_is_refused() {
    let (_source, archive) = articles(90).await;
    let (target, options) = half(&archive).await;
    let version = format!("\"version\":\"{}\"", RunAbout::this_tool().version);
    forge(&target, |record| record.replace(&version, "\"version\":\"999.0.0\""));
    let differs = refused(&target, resumed(&options)).await;
    assert!(matches!(&differs[..], [RunDiffers::Version { version }] if version == "999.0.0"), "{differs:?}");
}

#[tokio::test]
async fn without_an_unfinished_run_a_new_one_is_begun() {
    let (source, archive) = articles(60).await;
    let target = world(Sandbox::builder());
    let options = small(&target, &archive);
    let plan = target.restore_plan(resumed(&options)).await.expect("a plan");
    assert!(plan.plan.resumes.is_none());
    let outcome = target.run_plan(plan).await.0.expect("restored");
    assert_eq!(outcome.result.status, Status::Ok);
    assert!(held(&source, "Article", None, &[]) == held(&target, "Article", None, &[]));
}

#[tokio::test]
async fn a_run_that_got_to_its_end_is_told_again_and_nothing_is_sent() {
    let (_source, archive) = articles(60).await;
    let target = world(Sandbox::builder());
    let options = small(&target, &archive);
    let first = target.try_restore(options.clone()).await.0.expect("restored").result;
    target.sandbox.clear_requests();
    let before = std::fs::read(journal(&target)).expect("a journal");
    let (outcome, _) = resume_collection(&target, &options, "told again").await;
    assert_eq!((outcome.result.status, target.sandbox.writing_requests()), (Status::Ok, 0));
    assert_eq!(outcome.result.collections, first.collections, "as it was told first");
    assert_eq!(std::fs::read(journal(&target)).expect("a journal"), before);
    // Once it was removed, it is restored anew.
    target.sandbox.faults().now(&sandbox::Change::Drop("Article".into()));
    let plan = target.restore_plan(resumed(&options)).await.expect("a plan");
    assert!(plan.plan.resumes.is_none());
    assert_eq!(target.run_plan(plan).await.0.expect("restored").result.objects, 60);
}

#[tokio::test]
async fn a_run_that_was_followed_by_another_is_not_carried_on() {
    let (_source, archive) = articles(90).await;
    let (target, options) = half(&archive).await;
    target.sandbox.faults().now(&sandbox::Change::Drop("Article".into()));
    target.try_restore(options.clone()).await.0.expect("a new run, as nothing is in the way");
    let plan = target.restore_plan(resumed(&options)).await.expect("a plan");
    assert!(plan.plan.resumes.expect("the last one").complete, "what the first one lacks is not sent");
}

#[tokio::test]
async fn without_the_flag_the_refusal_names_the_run_and_changes_nothing() {
    let (_source, archive) = articles(90).await;
    let (target, options) = half(&archive).await;
    let before = target.files();
    let error = target.refused(options.clone()).await;
    let Error::Unfinished { run, refusals, .. } = &error else { panic!("{error:?}") };
    assert!(matches!(&refusals[..], [RestoreRefusal::Exists { .. }]) && error.class() == Class::Refused, "{error:?}");
    assert!(target.state().runs.join(run.run_id.to_string()).is_dir());
    // Another restore is in the way of nothing that it left, and hears nothing of it.
    let other = RestoreOptions { vectors: false, ..options.clone() };
    assert!(matches!(target.refused(other).await, Error::CannotRestore { .. }));
    // A plan to carry it on writes nothing either.
    let plan = target.restore_plan(resumed(&options)).await.expect("a plan");
    let carried = plan.plan.resumes.clone().expect("the run");
    assert_eq!((carried.of, Some(carried.objects)), (90, written_down(&target, &options)));
    assert_eq!(target.files(), before);
}

#[tokio::test]
async fn two_that_carry_one_run_on_do_not_both() {
    let (_source, archive) = articles(90).await;
    let (target, options) = half(&archive).await;
    let plan = target.restore_plan(resumed(&options)).await.expect("a plan");
    let slow = target.restore_plan(resumed(&options)).await.expect("a plan");
    target.run_plan(plan).await.0.expect("carried on");
    target.sandbox.clear_requests();
    let late = target.run_plan(slow).await.0.expect_err("it has gone on");
    assert!(matches!(late.error, Error::WentOn { .. }), "{:?}", late.error);
    assert_eq!(target.sandbox.writing_requests(), 0);
}

#[tokio::test]
async fn a_run_that_is_still_at_work_is_not_carried_on() {
    let (_source, archive) = articles(90).await;
    let (target, options) = half(&archive).await;
    let plan = target.restore_plan(resumed(&options)).await.expect("a plan");
    let held = target.held_by_another_run("Article");
    let before = target.files();
    target.sandbox.clear_requests();
    let stopped = target.run_plan(plan).await.0.expect_err("held");
    // Whether it is to be resumed or begun: it is not called a run that did not get to its end.
    let (resumed, begun) = (target.refused(resumed(&options)).await, target.refused(options.clone()).await);
    for error in [stopped.error, resumed, begun] {
        assert_eq!((error.class(), target.sandbox.writing_requests()), (Class::Locked, 0), "{error:?}");
        assert!(error.to_string().contains("process 4711, started 2026-01-02 03:04:05Z"), "{error}");
    }
    assert_eq!(target.files(), before, "its journal least of all");
    drop(held);
    let (outcome, _) = resume_collection(&target, &options, "free again").await;
    assert_eq!(outcome.result.status, Status::Ok);
}

#[tokio::test]
async fn a_journal_that_is_damaged_is_told_and_not_passed_over() {
    let (_source, archive) = articles(90).await;
    let (target, options) = half(&archive).await;
    let journal = journal(&target);
    let mut bytes = std::fs::read(&journal).expect("a journal");
    let second = bytes.iter().position(|byte| *byte == b'\n').expect("lines");
    bytes[second + 40] ^= 1;
    std::fs::write(&journal, bytes).expect("damage");
    let error = target.refused(resumed(&options)).await;
    assert_eq!(error.class(), Class::Archive, "{error:?}");
}
