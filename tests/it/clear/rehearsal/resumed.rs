//! Restores of a collection and of one that refers to it: stopped and resumed, or refused halfway.

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
    assert!(prepared.plan.resumes.is_some());
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

/// A restore of `A` and `B` that the server refuses when it comes to `B`; why `A` stays.
async fn stays(target: &World, options: &restore::RestoreOptions) -> String {
    let options = restore::RestoreOptions { state: target.state(), ..options.clone() };
    let prepared = target.restore_plan(options).await.expect("a plan");
    let (done, events) = target.run_plan(prepared).await;
    let stopped = done.expect_err("refused");
    let why = events.iter().find_map(|event| match event {
        Event::Warning(Warning::CreatedStays { collection, reason }) if *collection == name("A") => {
            Some(reason.clone())
        }
        _ => None,
    });
    let why = why.expect("it is named");
    assert_eq!((stopped.undone.len(), stopped.class()), (0, Class::Server), "{why}: {:?}", stopped.error);
    assert!(stopped.created.iter().any(|(created, _)| *created == name("A")), "{:?}", stopped.created);
    assert_eq!(target.sandbox.collections(), ["A"]);
    why
}

/// `B` is refused.
fn refusing(builder: sandbox::Builder) -> World {
    let target = world(builder);
    target.sandbox.faults().add(Fault::new(Kind::status(422, "no")).on("POST", "/v1/schema").after(1));
    target
}

#[tokio::test]
async fn what_a_refused_restore_cannot_remove_again_stays_and_is_named() {
    let (_there, options) = with_references().await;
    let write = Change::Write(r#"{"class":"A","properties":{"x":"mine"}}"#.into());
    for (nodes, change, why) in [
        (1, write, "it holds objects"),
        (3, Change::NodeDown("node2".into()), "the server is not whole"),
        (1, Change::CreatorAfterDrop("A".into(), r#"{"class":"A"}"#.into()), "somebody made another one of that name"),
    ] {
        // Something happened by then.
        let then = Fault::new(Kind::Change(change)).on("POST", "/v1/schema").nth(2);
        let target = refusing(Sandbox::builder().nodes(nodes).fault(then));
        assert_eq!(stays(&target, &options).await, why);
    }
    // While it is counted.
    let target = refusing(Sandbox::builder());
    target.sandbox.faults().add(Fault::new(Kind::Change(Change::Anew("A".into()))).on("POST", "/v1/graphql").nth(1));
    assert_eq!(stays(&target, &options).await, "the server is not whole, or it was recreated");
    let target = refusing(Sandbox::builder());
    let uncounted = r#"{"data":{"Aggregate":{"c0":null}},"errors":[{"message":"busy","path":["Aggregate","c0"]}]}"#;
    target.sandbox.faults().add(Fault::new(Kind::status(200, uncounted)).on("POST", "/v1/graphql"));
    assert_eq!(stays(&target, &options).await, "whether it is empty is not known");
}

/// How often a restore of this asks for `A` by its name until it creates something for the `n`-th time.
async fn asked_before(options: &restore::RestoreOptions, n: usize) -> u64 {
    let target = refusing(Sandbox::builder());
    let options = restore::RestoreOptions { state: target.state(), ..options.clone() };
    let prepared = target.restore_plan(options).await.expect("a plan");
    target.run_plan(prepared).await.0.expect_err("refused");
    let seen = target.sandbox.requests();
    let creates = seen.iter().enumerate().filter(|(_, r)| r.method == "POST" && r.path == "/v1/schema");
    let until = creates.map(|(at, _)| at).nth(n - 1).expect("it creates");
    seen[..until].iter().filter(|r| r.method == "GET" && r.path == "/v1/schema/A").count() as u64
}

#[tokio::test]
async fn what_may_be_another_ones_by_now_is_not_removed_by_a_refused_restore() {
    let (_there, options) = with_references().await;
    // Refused and not there, and there in the next moment: who made it is not known.
    let target = world(Sandbox::builder());
    target.sandbox.faults().add(Fault::new(Kind::status(422, "no")).on("POST", "/v1/schema"));
    let write = Kind::Change(Change::Write(r#"{"class":"A","properties":{"x":"mine"}}"#.into()));
    // That there is none is asked twice.
    let asked = asked_before(&options, 1).await + 2;
    let next = Fault::new(write).on("GET", "/v1/schema/A").exactly().after(asked).times(1);
    target.sandbox.faults().add(next);
    let why = stays(&target, &options).await;
    assert_eq!(why, "the server did not answer when it was created, so it may be somebody else's");
    // An alias of that name: the collection behind it has another one. And one of that name with another index.
    let before = asked_before(&options, 2).await;
    for (document, expected) in [
        (r#"{"class":"Another"}"#, "its name is an alias now"),
        (r#"{"class":"A","vectorIndexType":"flat"}"#, "it is not what this run created any more"),
    ] {
        let target = refusing(Sandbox::builder());
        let another = Fault::new(Kind::status(200, document)).on("GET", "/v1/schema/A");
        target.sandbox.faults().add(another.exactly().after(before).times(1));
        assert_eq!(stays(&target, &options).await, expected);
    }
    // Tenants that nobody asked this run for.
    let there = world(
        Sandbox::builder()
            .collection(r#"{"class":"A","multiTenancyConfig":{"enabled":true}}"#)
            .collection(r#"{"class":"B"}"#),
    );
    let archive = there.backup(there.options()).await.result.archive.expect("an archive");
    let options = there.restore_options(std::path::Path::new(&archive));
    let mine = Kind::Change(Change::Tenant("A".into(), "mine".into(), Some("HOT")));
    let target = refusing(Sandbox::builder().fault(Fault::new(mine).on("POST", "/v1/schema").nth(2)));
    assert_eq!(stays(&target, &options).await, "somebody added tenants to it");
}
