//! What was written down as done is held against what is there: what cannot be trusted is sent again, and named; what is
//! not the run's own is refused.

use elysiactl::archive::{RunAbout, RunFiles, RunRecord};
use elysiactl::event::{Class, Event, Events, Op, Status, Warning};
use elysiactl::model::{KeyChange, TenantMap, TenantName};
use elysiactl::ops::restore::{RestoreOptions, RestoreOutcome, RestoreRefusal};
use elysiactl::ops::{Altered, Distrust, Error};
use elysiactl::weaviate::Writer;
use sandbox::{Change, Fault, Kind, Sandbox};

use super::{
    articles, batches_of_the_first_run, forge, held, in_runs, resume_collection, resumed, sent, small, stopped,
    written_down,
};
use crate::backup::tenants::{CLASS, tenants};
use crate::support::said::said_of;
use crate::support::world::{World, world};

/// Stops a restore after so many batches.
async fn stop(target: &World, options: &RestoreOptions, batches: u64) {
    let plan = target.restore_plan(RestoreOptions { jobs: Some(1), ..options.clone() }).await.expect("a plan");
    target.sandbox.faults().add(Fault::new(Kind::ResetBefore).on("POST", "/v1/batch/objects").after(batches));
    let done = target.run_plan(plan).await.0;
    target.sandbox.faults().clear();
    assert!(stopped(done, "a stop").is_some());
}

/// Why the plan to resume is refused; nothing is sent.
async fn not_as_left(target: &World, options: &RestoreOptions) -> Altered {
    target.sandbox.clear_requests();
    let error = target.refused(resumed(options)).await;
    assert_eq!((error.class(), target.sandbox.writing_requests()), (Class::Refused, 0));
    let Error::CannotRestore { refusals, .. } = error else { panic!("{error:?}") };
    let [RestoreRefusal::NotAsLeft { what, .. }] = &refusals[..] else { panic!("{refusals:?}") };
    what.clone()
}

/// Resumes to the end, and gives why what was written down does not count: the plan knows it, and the run says the same.
async fn distrusted(target: &World, options: &RestoreOptions) -> (RestoreOutcome, Vec<Event>, Distrust) {
    let plan = target.restore_plan(resumed(options)).await.expect("a plan");
    let carried = plan.plan.resumes.clone().expect("a run");
    let [(_, _, why)] = &carried.again[..] else { panic!("{:?}", carried.again) };
    assert_eq!(carried.objects, 0, "nothing of it counts");
    let (done, events) = target.run_plan(plan).await;
    let reason = |event: &Event| match event {
        Event::Warning(Warning::SentAgain { reason, .. }) => Some(reason.clone()),
        _ => None,
    };
    assert_eq!(events.iter().filter_map(reason).collect::<Vec<_>>(), [why.to_string()]);
    (done.expect("restored"), events, why.clone())
}

#[tokio::test]
async fn objects_that_the_server_lost_are_sent_again_and_that_is_said() {
    let (source, archive) = articles(120).await;
    let target = world(Sandbox::builder());
    let options = small(&target, &archive);
    stop(&target, &options, batches_of_the_first_run(&archive)).await;
    let written = written_down(&target, &options).expect("a run");
    assert!(written > 0);
    for id in held(&target, "Article", None, &[]).keys() {
        target.sandbox.faults().now(&Change::Delete("Article".into(), None, id.clone()));
    }
    let (outcome, events, why) = distrusted(&target, &options).await;
    assert_eq!((outcome.result.status, outcome.result.objects, sent(&events)), (Status::Ok, 120, 120));
    assert!(matches!(why, Distrust::Fewer { written: lost, counted: 0 } if lost == written), "{why:?}");
    assert!(held(&source, "Article", None, &[]) == held(&target, "Article", None, &[]));
}

#[tokio::test]
async fn a_run_whose_list_of_refused_objects_is_lost_sends_all_of_them_again() {
    let (_source, archive) = articles(120).await;
    let target = world(Sandbox::builder());
    let options = small(&target, &archive);
    let refusing = || Fault::new(Kind::FailIds(4, "invalid text property".into())).on("POST", "/v1/batch/objects");
    target.sandbox.faults().add(refusing());
    let plan = target.restore_plan(options.clone()).await.expect("a plan");
    target.sandbox.faults().add(Fault::new(Kind::ResetBefore).on("POST", "/v1/batch/objects").after(40));
    let first = stopped(target.run_plan(plan).await.0, "a stop").expect("stopped");
    target.sandbox.faults().clear();
    assert!(written_down(&target, &options).unwrap_or(0) > 0);
    std::fs::remove_file(first.run_dir.expect("a run").join("rejected.jsonl")).expect("a list");
    target.sandbox.faults().add(refusing());
    let (outcome, events, why) = distrusted(&target, &options).await;
    assert_eq!((outcome.result.status, sent(&events)), (Status::Incomplete, 120));
    assert!(matches!(why, Distrust::RefusedLost { refused: 1.., kept: 0 }), "{why:?}");
    let listed = std::fs::read_to_string(outcome.rejected.expect("a list")).expect("text");
    assert_eq!(listed.lines().count() as u64, outcome.result.collections[0].rejected);
}

#[tokio::test]
async fn a_journal_that_tells_of_other_numbers_than_the_archive_counts_for_nothing() {
    let (source, archive) = articles(120).await;
    let more = |record: &str| match record.split_once("\"objects\":") {
        Some((before, number)) if record.contains("imported") => format!("{before}\"objects\":9{number}"),
        _ => record.to_owned(),
    };
    let other_sum = |record: &str| match record.split_once("\"objects\":120") {
        Some((before, after)) if record.contains("finished") => format!("{before}\"objects\":119{after}"),
        _ => record.to_owned(),
    };
    for is_written in [false, true] {
        let target = world(Sandbox::builder());
        let options = small(&target, &archive);
        if is_written {
            // All is written and counted, and nothing can be compared.
            let plan = target.restore_plan(options.clone()).await.expect("a plan");
            target.sandbox.faults().add(Fault::new(Kind::ResetBefore).on("GET", "/v1/objects").exactly());
            assert!(stopped(target.run_plan(plan).await.0, "a stop").is_some());
            target.sandbox.faults().clear();
        } else {
            stop(&target, &options, batches_of_the_first_run(&archive)).await;
        }
        forge(&target, |record| if is_written { other_sum(record) } else { more(record) });
        let (outcome, events, why) = distrusted(&target, &options).await;
        assert_eq!((outcome.result.status, sent(&events)), (Status::Ok, 120));
        let is_expected = if is_written { why == Distrust::Contradiction } else { matches!(why, Distrust::OtherIds) };
        assert!(is_expected, "{why:?}");
        assert!(held(&source, "Article", None, &[]) == held(&target, "Article", None, &[]));
    }
}

#[tokio::test]
async fn a_tenant_that_is_gone_is_made_again_with_all_its_objects() {
    let builder = tenants(Sandbox::builder().collection(CLASS), &[("a", "HOT"), ("b", "COLD"), ("c", "HOT")], 20);
    let (source, archive) = in_runs(world(builder)).await;
    let target = world(Sandbox::builder());
    let options = RestoreOptions { jobs: Some(1), ..small(&target, &archive) };
    stop(&target, &options, 7).await;
    assert!(written_down(&target, &options).unwrap_or(0) >= 40);
    target.sandbox.faults().now(&Change::Tenant("Mt".into(), "a".into(), None));
    let (outcome, _, why) = distrusted(&target, &options).await;
    assert_eq!(outcome.result.status, Status::Ok);
    assert!(matches!(&why, Distrust::TenantGone { tenant } if tenant.as_str() == "a"), "{why:?}");
    assert_eq!(target.sandbox.tenants("Mt"), source.sandbox.tenants("Mt"));
    for tenant in ["a", "b", "c"] {
        assert!(held(&source, "Mt", Some(tenant), &[]) == held(&target, "Mt", Some(tenant), &[]), "{tenant}");
    }
}

#[tokio::test]
async fn tenants_that_the_killed_run_left_awake_sleep_in_the_end() {
    let builder = tenants(Sandbox::builder().collection(CLASS), &[("a", "COLD"), ("b", "COLD")], 20);
    let (source, archive) = in_runs(world(builder)).await;
    let target = world(Sandbox::builder());
    let options = small(&target, &archive);
    stop(&target, &options, 2).await;
    for tenant in ["a", "b"] {
        target.sandbox.faults().now(&Change::Tenant("Mt".into(), tenant.into(), Some("HOT")));
    }
    let (outcome, _) = resume_collection(&target, &options, "left awake").await;
    assert_eq!(outcome.result.status, Status::Ok, "{:?}", outcome.remarks);
    assert_eq!(target.sandbox.tenants("Mt"), source.sandbox.tenants("Mt"));
}

#[tokio::test]
async fn a_collection_that_was_removed_is_made_anew_by_the_resumed_run() {
    let (source, archive) = articles(60).await;
    let target = world(Sandbox::builder());
    let options = small(&target, &archive);
    stop(&target, &options, 3).await;
    target.sandbox.faults().now(&Change::Drop("Article".into()));
    stop(&target, &resumed(&options), 2).await;
    assert!(target.sandbox.count("Article", None) < 60);
    // Once more, and this time to the end: the journal knows that it was begun anew.
    target.sandbox.faults().now(&Change::Drop("Article".into()));
    let (outcome, _, why) = distrusted(&target, &options).await;
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 60), "{:?}", outcome.remarks);
    assert_eq!(why, Distrust::Gone);
    assert!(held(&source, "Article", None, &[]) == held(&target, "Article", None, &[]));
}

#[tokio::test]
async fn a_collection_that_is_another_one_by_now_is_refused() {
    let (_source, archive) = articles(60).await;
    let target = world(Sandbox::builder());
    let options = small(&target, &archive);
    stop(&target, &options, 5).await;
    target.sandbox.faults().now(&Change::Drop("Article".into()));
    let writer = Writer::new(target.client(Events::none()));
    let other = r#"{"class":"Article","vectorizer":"none","vectorIndexType":"flat"}"#;
    writer.create_collection(other).await.expect("created");
    let what = not_as_left(&target, &options).await;
    let Altered::Changed { differences } = what else { panic!("{what}") };
    let is_index = |differs: &KeyChange| matches!(differs, KeyChange::Other { key, .. } if key == "vectorIndexType");
    assert!(differences.iter().any(is_index), "{differences:?}");
}

/// The collection's class document, as its source has it.
async fn document(source: &World, class: &str) -> String {
    let schema = source.client(Events::none()).schema(&class.parse().expect("a name")).await.expect("an answer");
    String::from_utf8(schema.expect("a schema").text.to_vec()).expect("text")
}

/// Somebody drops a collection and makes it again, with the same schema and objects of their own.
async fn recreated(target: &World, document: &str) {
    target.sandbox.faults().now(&Change::Drop("Article".into()));
    Writer::new(target.client(Events::none())).create_collection(document).await.expect("created");
    for n in 0..60 {
        let id = format!("00000000-0000-0000-0000-0000000000{n:02}");
        let object = format!(r#"{{"class":"Article","id":"{id}","properties":{{}},"vector":[1,2,3]}}"#);
        target.sandbox.faults().now(&Change::Write(object));
    }
}

#[tokio::test]
async fn a_collection_that_somebody_made_again_is_not_written_to() {
    let (source, archive) = articles(60).await;
    let document = document(&source, "Article").await;
    let target = world(Sandbox::builder());
    let options = small(&target, &archive);
    stop(&target, &options, 5).await;
    let before_it_was_made_again = target.restore_plan(resumed(&options)).await.expect("a plan");
    recreated(&target, &document).await;
    assert_eq!(not_as_left(&target, &options).await, Altered::OtherShards);
    // Nor where that happens while a person looks at the plan.
    target.sandbox.clear_requests();
    let refused = target.run_plan(before_it_was_made_again).await.0.expect_err("another one");
    let Error::CannotRestore { refusals, .. } = &refused.error else { panic!("{:?}", refused.error) };
    assert!(matches!(&refusals[..], [RestoreRefusal::NotAsLeft { .. }]), "{refusals:?}");
    assert_eq!(target.sandbox.writing_requests(), 0);
}

#[tokio::test]
async fn a_tenant_that_somebody_made_again_is_not_written_to() {
    let builder = tenants(Sandbox::builder().collection(CLASS), &[("a", "HOT"), ("b", "HOT")], 20);
    let (source, archive) = in_runs(world(builder)).await;
    for batches in [1, 4] {
        let target = world(Sandbox::builder());
        let options = RestoreOptions { jobs: Some(1), ..small(&target, &archive) };
        stop(&target, &options, batches).await;
        assert!(written_down(&target, &options).unwrap_or(0) > 0);
        let first = if target.sandbox.count("Mt", Some("a")) > 0 { "a" } else { "b" };
        // The server's clock has steps of a millisecond.
        tokio::time::sleep(std::time::Duration::from_millis(3)).await;
        target.sandbox.faults().now(&Change::Tenant("Mt".into(), first.into(), None));
        target.sandbox.faults().now(&Change::Tenant("Mt".into(), first.into(), Some("HOT")));
        for object in source.sandbox.objects("Mt", Some(first)) {
            let of_tenant = object.replacen('{', &format!(r#"{{"tenant":"{first}","#), 1);
            target.sandbox.faults().now(&Change::Write(of_tenant));
        }
        let what = not_as_left(&target, &options).await;
        assert!(matches!(&what, Altered::OtherTenant { tenant } if tenant.as_str() == first), "{what}");
    }
}

#[tokio::test]
async fn a_collection_that_somebody_made_again_without_tenants_gets_none() {
    let builder = || tenants(Sandbox::builder().collection(CLASS), &[("a", "HOT"), ("b", "HOT")], 20);
    let (_source, archive) = in_runs(world(builder())).await;
    let target = world(builder());
    target.sandbox.faults().now(&Change::Tenant("Mt".into(), "a".into(), None));
    let a: TenantName = "a".parse().expect("a name");
    let options = RestoreOptions { tenants: TenantMap::Only([(a.clone(), a)].into()), ..small(&target, &archive) };
    stop(&target, &options, 1).await;
    target.sandbox.faults().now(&Change::Drop("Mt".into()));
    let plain = r#"{"class":"Mt","vectorizer":"none"}"#;
    Writer::new(target.client(Events::none())).create_collection(plain).await.expect("created");
    assert_eq!(not_as_left(&target, &options).await, Altered::NoTenants);
}

#[tokio::test]
async fn an_empty_tenant_is_not_told_from_the_one_that_was_left_and_is_filled() {
    let builder = tenants(Sandbox::builder().collection(CLASS), &[("a", "HOT"), ("b", "HOT")], 20);
    let (_source, archive) = in_runs(world(builder)).await;
    let target = world(Sandbox::builder());
    let options = RestoreOptions { jobs: Some(1), ..small(&target, &archive) };
    stop(&target, &options, 4).await;
    for tenant in ["a", "b"] {
        target.sandbox.faults().now(&Change::Tenant("Mt".into(), tenant.into(), None));
        target.sandbox.faults().now(&Change::Tenant("Mt".into(), tenant.into(), Some("HOT")));
    }
    let (done, events) = target.try_restore(resumed(&options)).await;
    let outcome = done.expect("filled");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 40), "{:?}", outcome.remarks);
    assert_eq!(["a", "b"].map(|tenant| target.sandbox.count("Mt", Some(tenant))), [20, 20]);
    let again = |e: &Event| matches!(e, Event::Warning(Warning::SentAgain { objects: 28, .. }));
    assert!(events.iter().any(again), "{events:?}");
}

#[tokio::test]
async fn objects_of_another_time_are_told_where_nobody_tells_of_shards() {
    let (source, archive) = articles(60).await;
    let document = document(&source, "Article").await;
    let target = world(Sandbox::builder());
    let options = small(&target, &archive);
    stop(&target, &options, 5).await;
    assert!(written_down(&target, &options).unwrap_or(0) > 0);
    // The server's clock has steps of a millisecond.
    tokio::time::sleep(std::time::Duration::from_millis(3)).await;
    target.sandbox.faults().now(&Change::Drop("Article".into()));
    Writer::new(target.client(Events::none())).create_collection(&document).await.expect("created");
    for object in source.sandbox.objects("Article", None) {
        target.sandbox.faults().now(&Change::Write(object));
    }
    target.sandbox.faults().add(Fault::new(Kind::status(403, "{}")).on("GET", "/v1/schema/Article/shards"));
    assert_eq!(not_as_left(&target, &options).await, Altered::OtherObjects);
}

#[tokio::test]
async fn a_collection_that_goes_between_plan_and_run_is_not_made_again_unseen() {
    let (_source, archive) = articles(60).await;
    let target = world(Sandbox::builder());
    let options = small(&target, &archive);
    stop(&target, &options, 5).await;
    let plan = target.restore_plan(resumed(&options)).await.expect("a plan");
    target.sandbox.faults().now(&Change::Drop("Article".into()));
    target.sandbox.clear_requests();
    let refused = target.run_plan(plan).await.0.expect_err("gone");
    let Error::CannotRestore { refusals, .. } = &refused.error else { panic!("{:?}", refused.error) };
    assert!(matches!(&refusals[..], [RestoreRefusal::NotAsLeft { what: Altered::Gone, .. }]), "{refusals:?}");
    assert_eq!(target.sandbox.writing_requests(), 0);
}

#[tokio::test]
async fn a_finished_restore_is_compared_again_and_never_called_equal_unseen() {
    let (source, archive) = articles(60).await;
    let document = document(&source, "Article").await;
    let target = world(Sandbox::builder());
    let options = small(&target, &archive);
    target.try_restore(options.clone()).await.0.expect("restored");
    let id = held(&target, "Article", None, &[]).into_keys().next().expect("an object");
    let object = format!(r#"{{"class":"Article","id":"{id}","properties":{{}},"vector":[1,2,3]}}"#);
    target.sandbox.faults().now(&Change::Write(object));
    target.sandbox.clear_requests();
    let (outcome, _) = resume_collection(&target, &options, "written to since").await;
    assert_eq!((outcome.result.status, outcome.result.collections[0].different), (Status::Incomplete, Some(1)));
    let (outcome, _) =
        resume_collection(&target, &RestoreOptions { verify: false, ..options.clone() }, "not compared").await;
    assert_eq!((outcome.result.status, outcome.result.collections[0].different), (Status::Ok, None));
    let said = "it was restored by an earlier run: nothing was sent, and nothing compared";
    assert!(said_of(&outcome.remarks).iter().any(|text| text == said), "{:?}", outcome.remarks);
    assert_eq!(target.sandbox.writing_requests(), 0);
    recreated(&target, &document).await;
    assert_eq!(not_as_left(&target, &options).await, Altered::OtherShards);
}

/// A run that was about to create this archive's collection, and was killed.
async fn only_meant(target: &World, options: &RestoreOptions) {
    // The journal of a run that could not create anything says just that.
    let plan = target.restore_plan(options.clone()).await.expect("a plan");
    target.sandbox.faults().add(Fault::new(Kind::ResetBefore).on("POST", "/v1/schema"));
    let done = target.run_plan(plan).await.0;
    target.sandbox.faults().clear();
    assert!(stopped(done, "meant").is_some() && target.sandbox.collections().is_empty());
    assert_eq!(written_down(target, options), Some(0));
}

#[tokio::test]
async fn what_it_may_have_made_is_taken_over_only_if_it_is_equal_and_empty() {
    let (source, archive) = articles(60).await;
    let schema = document(&source, "Article").await;
    let object = r#"{"class":"Article","id":"00000000-0000-0000-0000-0000000000aa","properties":{},"vector":[1,2,3]}"#;
    let other = schema.replace("\"hnsw\"", "\"flat\"");
    assert_ne!(other, schema);

    let holds_one = |what: &Altered| matches!(what, Altered::HoldsObjects { objects: 1 });
    let is_another = |what: &Altered| matches!(what, Altered::AnotherOne { differences } if !differences.is_empty());
    for (made, written) in [(None, false), (Some(&schema), false), (Some(&schema), true), (Some(&other), false)] {
        let target = world(Sandbox::builder());
        let options = small(&target, &archive);
        only_meant(&target, &options).await;
        if let Some(made) = made {
            let writer = Writer::new(target.client(Events::none()));
            writer.create_collection(made).await.expect("created");
        }
        if written {
            target.sandbox.faults().now(&Change::Write(object.into()));
        }
        if written {
            let what = not_as_left(&target, &options).await;
            assert!(holds_one(&what), "{what}");
        } else if made == Some(&other) {
            let what = not_as_left(&target, &options).await;
            assert!(is_another(&what), "{what}");
        } else {
            let (outcome, _) = resume_collection(&target, &options, "taken over").await;
            assert_eq!(outcome.result.status, Status::Ok);
            assert!(held(&source, "Article", None, &[]) == held(&target, "Article", None, &[]));
        }
    }
}

#[tokio::test]
async fn what_cannot_be_counted_or_has_tenants_is_not_taken_over() {
    let (source, archive) = articles(60).await;
    let schema = document(&source, "Article").await;
    let target = world(Sandbox::builder());
    let options = small(&target, &archive);
    only_meant(&target, &options).await;
    Writer::new(target.client(Events::none())).create_collection(&schema).await.expect("created");
    let uncounted = r#"{"data":{"Aggregate":{"c0":null}},"errors":[{"message":"busy","path":["Aggregate","c0"]}]}"#;
    target.sandbox.faults().add(Fault::new(Kind::status(200, uncounted)).on("POST", "/v1/graphql"));
    let what = not_as_left(&target, &options).await;
    assert!(matches!(&what, Altered::MayHoldObjects { reason } if reason == "busy"), "{what}");

    let builder = tenants(Sandbox::builder().collection(CLASS), &[("a", "HOT")], 20);
    let (_source, archive) = in_runs(world(builder)).await;
    let target = world(Sandbox::builder());
    let options = small(&target, &archive);
    only_meant(&target, &options).await;
    Writer::new(target.client(Events::none())).create_collection(CLASS).await.expect("created");
    target.sandbox.faults().now(&Change::Tenant("Mt".into(), "mine".into(), Some("HOT")));
    let what = not_as_left(&target, &options).await;
    assert!(matches!(&what, Altered::HasTenants { first } if first.as_str() == "mine"), "{what}");
}

#[tokio::test]
async fn what_was_made_between_plan_and_run_is_not_taken_over_either() {
    let (_source, archive) = articles(60).await;
    let target = world(Sandbox::builder());
    let options = small(&target, &archive);
    only_meant(&target, &options).await;
    let plan = target.restore_plan(resumed(&options)).await.expect("a plan");
    let writer = Writer::new(target.client(Events::none()));
    writer.create_collection(r#"{"class":"Article","vectorIndexType":"flat"}"#).await.expect("created");
    target.sandbox.clear_requests();
    let refused = target.run_plan(plan).await.0.expect_err("another one");
    let Error::CannotRestore { refusals, .. } = &refused.error else { panic!("{:?}", refused.error) };
    assert!(
        matches!(&refusals[..], [RestoreRefusal::NotAsLeft { what: Altered::AnotherOne { .. }, .. }]),
        "{refusals:?}"
    );
    assert_eq!((target.sandbox.writing_requests(), refused.created.len()), (0, 0));
}

#[tokio::test]
async fn what_was_compared_already_is_not_sent_again_but_compared() {
    let builder = Sandbox::builder().seeded("Article", 60, 3, 4).seeded("Author", 60, 3, 5);
    let (source, archive) = in_runs(world(builder)).await;
    let target = world(Sandbox::builder());
    let options = small(&target, &archive);
    let plan = target.restore_plan(options.clone()).await.expect("a plan");
    // Both collections are made first, and the second one is written to when the first one is compared.
    target.sandbox.faults().add(Fault::new(Kind::ResetBefore).on("POST", "/v1/batch/objects").after(14));
    assert!(stopped(target.run_plan(plan).await.0, "a stop").is_some());
    target.sandbox.faults().clear();
    target.sandbox.clear_requests();
    let plan = target.restore_plan(resumed(&options)).await.expect("a plan");
    let (done, events) = target.run_plan(plan).await;
    let outcome = done.expect("restored");
    assert_eq!(outcome.result.status, Status::Ok, "{:?}", outcome.remarks);
    let listed = |class: &str| {
        let asked = format!("class={class}");
        target.sandbox.requests().iter().filter(|r| r.path == "/v1/objects" && r.query.contains(&asked)).count()
    };
    assert!(listed("Article") > 0, "somebody may have written to it since");
    assert!(listed("Author") > 0);
    let of = |class: &str| {
        events.iter().any(|e| matches!(e, Event::BatchImported { collection, .. } if collection.as_str() == class))
    };
    assert!(!of("Article") && of("Author"));
    let first = &outcome.result.collections[0];
    assert_eq!((first.objects, first.only_left, first.digest.is_some()), (60, Some(0), true));
    for class in ["Article", "Author"] {
        assert!(held(&source, class, None, &[]) == held(&target, class, None, &[]), "{class}");
    }
}

#[tokio::test]
async fn a_run_that_began_nothing_is_none() {
    let (_source, archive) = articles(30).await;
    let target = world(Sandbox::builder());
    let options = small(&target, &archive);
    target.killed_run(Op::Restore, &[]);
    let plan = target.restore_plan(resumed(&options)).await.expect("a plan");
    assert!(plan.plan.resumes.is_none());
    // One of another archive that has to do with nothing of this is in nobody's way.
    let about = RunAbout {
        op: Op::Restore,
        tool: RunAbout::this_tool(),
        run_id: uuid::Uuid::now_v7(),
        started: jiff::Timestamp::now(),
        server_url: target.client(Events::none()).url().to_owned(),
        server_version: String::new(),
        archive: "/elsewhere".into(),
        archive_run_id: "another".into(),
        options: serde_json::Map::new(),
    };
    let mut files = RunFiles::create(target.disk.clone(), &target.state().runs, about).expect("files");
    let (collection, other) = ("Other".parse().expect("a name"), "Other".parse().expect("a name"));
    files.record(&RunRecord::Intent { collection, target: other }).expect("a record");
    files.sync().expect("synced");
    let plan = target.restore_plan(resumed(&options)).await.expect("a plan");
    assert!(plan.plan.resumes.is_none());
    assert_eq!(target.run_plan(plan).await.0.expect("restored").result.status, Status::Ok);
}
