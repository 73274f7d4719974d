//! Restores of a collection and of one that refers to it: stopped and carried on, or refused halfway.

use elysiactl::event::{Class, Event, Events, Warning};
use elysiactl::ops::{Rehearsed, restore};
use elysiactl::weaviate::Writer;
use sandbox::{Change, Fault, Kind, Sandbox};

use super::name;
use crate::support::world::{World, world};

/// An archive of `A`, and of `B` that refers to it.
async fn with_references() -> (World, restore::RestoreOptions) {
    let there = world(
        Sandbox::builder()
            .collection(r#"{"class":"A"}"#)
            .collection(r#"{"class":"B","properties":[{"name":"to","dataType":["A"]}]}"#)
            .object(r#"{"class":"A","properties":{"x":"y"}}"#),
    );
    let archive = there.backup(there.options()).await.result.archive.expect("an archive");
    let options = there.restore_options(std::path::Path::new(&archive));
    (there, options)
}

#[tokio::test]
async fn a_resumed_restore_rehearses_what_an_earlier_attempt_could_not_create() {
    let (_there, options) = with_references().await;
    let target = world(Sandbox::builder());
    let writer = Writer::new(target.client(Events::none()));
    let session = target.session(Events::none());
    let options = restore::RestoreOptions { state: target.state(), ..options };
    let prepared = target.restore_plan(options.clone()).await.expect("a plan");
    let prepared = restore::rehearse(&writer, &session, prepared).await.expect("rehearsed");
    // The server is away when A is to be created for good: its intent is written down, and it is not there.
    target.sandbox.faults().add(Fault::new(Kind::ResetBefore).on("POST", "/v1/schema"));
    let (done, _) = target.run_plan(prepared).await;
    done.expect_err("not created");
    target.sandbox.faults().clear();
    let resumed = restore::RestoreOptions { resume: true, ..options };
    let prepared = target.restore_plan(resumed).await.expect("a plan");
    assert!(prepared.plan.carries_on.is_some());
    let prepared = restore::rehearse(&writer, &session, prepared).await.expect("rehearsed");
    assert_eq!(prepared.plan.rehearsed, Rehearsed::Done);
    let (done, _) = target.run_plan(prepared).await;
    assert_eq!(done.expect("restored").result.objects, 1);
}

#[tokio::test]
async fn a_run_with_nothing_left_to_create_does_not_say_that_a_rehearsal_is_due() {
    let (_there, options) = with_references().await;
    let target = world(Sandbox::builder());
    let (writer, session) = (Writer::new(target.client(Events::none())), target.session(Events::none()));
    let options = restore::RestoreOptions { state: target.state(), ..options };
    let prepared = target.restore_plan(options.clone()).await.expect("a plan");
    target.sandbox.faults().add(Fault::new(Kind::ResetBefore).on("POST", "/v1/batch/objects"));
    target.run_plan(prepared).await.0.expect_err("no objects");
    target.sandbox.faults().clear();
    let resumed = restore::RestoreOptions { resume: true, ..options };
    let prepared = target.restore_plan(resumed).await.expect("a plan");
    let prepared = restore::rehearse(&writer, &session, prepared).await.expect("rehearsed");
    assert_eq!(prepared.plan.rehearsed, Rehearsed::NotNeeded);
}

#[tokio::test]
async fn what_a_refused_restore_cannot_remove_again_stays_and_is_named() {
    let write = || Change::Write(r#"{"class":"A","properties":{"x":"mine"}}"#.into());
    for (nodes, change, why) in
        [(1, write(), "it holds objects"), (3, Change::NodeDown("node2".into()), "the server is not whole")]
    {
        let (_there, options) = with_references().await;
        let target = world(Sandbox::builder().nodes(nodes));
        let options = restore::RestoreOptions { state: target.state(), ..options };
        let prepared = target.restore_plan(options).await.expect("a plan");
        // B is refused, and something happened by then.
        target.sandbox.faults().add(Fault::new(Kind::Change(change)).on("POST", "/v1/schema").nth(2));
        target.sandbox.faults().add(Fault::new(Kind::status(422, "no")).on("POST", "/v1/schema").after(1));
        let (done, events) = target.run_plan(prepared).await;
        let stopped = done.expect_err("refused");
        assert_eq!((stopped.undone.len(), stopped.class()), (0, Class::Server), "{:?}", stopped.error);
        assert!(stopped.created.iter().any(|(created, _)| *created == name("A")), "{:?}", stopped.created);
        let told = events.iter().any(|event| {
            matches!(event, Event::Warning(Warning::CreatedStays { collection, reason })
                if *collection == name("A") && reason == why)
        });
        assert!(told, "{why}: {events:?}");
        assert_eq!(target.sandbox.collections(), ["A"]);
    }
}
