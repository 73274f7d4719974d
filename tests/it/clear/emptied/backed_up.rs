//! With a backup first, nothing goes that the backup does not hold: what is written after the comparison stays, and is said.

use elysiactl::ops::PlanChange;

use super::*;
use crate::support::said::said_of;

/// More than a deletion with a backup lists ahead.
const MANY: u64 = 3_000;

async fn plan_after_backup(world: &World, wish: Wish) -> ClearPlan {
    let archive = world.backup(world.options()).await.result.archive.expect("an archive");
    let mut plan = planned(world, one(wish, options(world, &["Article"]))).await.expect("a plan");
    plan.must_be_held_in(archive.into(), jiff::Timestamp::UNIX_EPOCH);
    plan
}

/// The object with the highest id, edited.
fn edited_last(world: &World) -> String {
    let objects = world.sandbox.objects("Article", None);
    let parsed = objects.iter().map(|text| serde_json::from_str::<Value>(text).expect("an object"));
    let mut last = parsed.max_by_key(|object| object["id"].as_str().map(str::to_owned)).expect("an object");
    last["properties"]["title"] = "edited".into();
    last.to_string()
}

#[tokio::test]
async fn objects_written_while_the_backed_up_ones_are_deleted_stay_and_are_said() {
    for edited in [false, true] {
        let world = world(Sandbox::builder().seeded("Article", MANY, 3, 4));
        let plan = plan_after_backup(&world, Wish::Delete).await;
        let late = if edited { edited_last(&world) } else { article(1) };
        let write = Kind::Change(Change::Write(late));
        world.sandbox.faults().add(Fault::new(write).on("DELETE", "/v1/batch/objects").times(1));
        let (done, _) = run(&world, plan).await;
        let outcome = done.expect("an end");
        let deleted = if edited { MANY - 1 } else { MANY };
        assert_eq!((outcome.result.status, outcome.result.objects), (Status::Incomplete, deleted), "{edited}");
        assert_eq!(world.sandbox.count("Article", None), 1, "{edited}");
        let said = "1 object written after the comparison with the backup";
        assert!(said_of(&outcome.remarks).iter().any(|text| text.contains(said)), "{:?}", outcome.remarks);
    }
}

#[tokio::test]
async fn a_collection_that_is_written_to_after_the_comparison_is_not_dropped() {
    for edited in [false, true] {
        let world = world(articles());
        let plan = plan_after_backup(&world, Wish::Recreate).await;
        let late = if edited { edited_last(&world) } else { article(1) };
        let write = Kind::Change(Change::Write(late));
        // The last question before the drop: the first one of its kind stands before the comparison.
        let last = Fault::new(write).on("GET", "/v1/objects").query("sort=").nth(2);
        world.sandbox.faults().add(last);
        world.sandbox.clear_requests();
        let (done, _) = run(&world, plan).await;
        let stopped = done.expect_err("refused");
        assert!(matches!(&stopped.error, Error::NotAsPlanned { what: PlanChange::Written, .. }), "{:?}", stopped.error);
        assert_eq!((world.sandbox.writing_requests(), stopped.untouched.as_slice()), (0, &[name("Article")][..]));
        assert_eq!(world.sandbox.count("Article", None), OBJECTS + u64::from(!edited));
    }
}

#[tokio::test]
async fn without_an_answer_to_when_it_was_written_to_nothing_is_dropped_and_what_is_old_enough_is_deleted() {
    let unanswered = || Fault::new(Kind::status(422, "no sort")).on("GET", "/v1/objects").query("sort=");
    let world = world(articles());
    let plan = plan_after_backup(&world, Wish::Recreate).await;
    world.sandbox.faults().add(unanswered());
    let (done, _) = run(&world, plan).await;
    let stopped = done.expect_err("refused");
    assert!(
        matches!(&stopped.error, Error::NotAsPlanned { what: PlanChange::WritesUnknown, .. }),
        "{:?}",
        stopped.error
    );
    assert_eq!(world.sandbox.count("Article", None), OBJECTS);
    let mut plan = planned(&world, one(Wish::Delete, options(&world, &["Article"]))).await.expect("a plan");
    let archive = world.backup(world.options()).await.result.archive.expect("an archive");
    plan.must_be_held_in(archive.into(), jiff::Timestamp::UNIX_EPOCH);
    let (done, _) = run(&world, plan).await;
    let outcome = done.expect("an end");
    let left = world.sandbox.count("Article", None);
    assert_eq!((outcome.result.status, outcome.result.objects, left), (Status::Ok, OBJECTS, 0));
}

#[tokio::test]
async fn a_setting_that_somebody_changes_while_the_backup_is_compared_is_not_undone() {
    let described = || Kind::Change(Change::Describe("Article".into(), "new words"));
    let during_the_comparison = Fault::new(described()).on("GET", "/v1/objects").query("sort=").nth(2);
    // There the schema has been looked at, and the objects are counted.
    let without_a_backup = Fault::new(described()).on("POST", "/v1/graphql").nth(1);
    for (fault, has_backup) in [(during_the_comparison, true), (without_a_backup, false)] {
        let world = world(articles());
        let plan = if has_backup {
            plan_after_backup(&world, Wish::Recreate).await
        } else {
            planned(&world, one(Wish::Recreate, options(&world, &["Article"]))).await.expect("a plan")
        };
        world.sandbox.faults().add(fault);
        world.sandbox.clear_requests();
        let (done, _) = run(&world, plan).await;
        let stopped = done.expect_err("refused");
        let changed = matches!(&stopped.error, Error::NotAsPlanned { what: PlanChange::Schema, .. });
        assert!(changed && stopped.class() == Class::Refused, "{:?}", stopped.error);
        assert_eq!((world.sandbox.writing_requests(), world.sandbox.count("Article", None)), (0, OBJECTS));
        assert_eq!(schema(&world, "Article").await["description"], "new words");
        let again = planned(&world, options(&world, &["Article"])).await.expect("a plan");
        assert!(again.collections[0].unfinished.is_none(), "nothing was begun");
    }
}

#[tokio::test]
async fn what_is_written_to_a_tenant_that_sleeps_after_it_was_compared_is_not_lost() {
    for (wish, edited) in [(Wish::Recreate, true), (Wish::Recreate, false), (Wish::Delete, true), (Wish::Delete, false)]
    {
        let world = tenants::with_tenants().await;
        let states = super::tenants(&world, "Many").await;
        // The run compares it with the server: that is what this is about.
        let (backup, _) = world.try_backup(world.options()).await;
        let archive = backup.expect("a backup").result.archive.expect("an archive");
        let mut plan = planned(&world, one(wish, options(&world, &["Many"]))).await.expect("a plan");
        plan.must_be_held_in(archive.into(), jiff::Timestamp::UNIX_EPOCH);
        let id = format!("00000000-0000-0000-0000-{:012}", if edited { 2 } else { 9 });
        let late = format!(r#"{{"class":"Many","id":"{id}","tenant":"c","properties":{{}},"vector":[3,4]}}"#);
        // Two tenants are active and asked before the comparison; the third question is for the one that sleeps.
        let write = Fault::new(Kind::Change(Change::Write(late))).on("GET", "/v1/objects").query("sort=").nth(3);
        world.sandbox.faults().add(write);
        let (done, _) = run(&world, plan).await;
        let stopped = done.expect_err("refused");
        assert!(
            matches!(&stopped.error, Error::NotAsPlanned { what: PlanChange::TenantWritten { tenant }, .. } if tenant.as_str() == "c"),
            "{:?}",
            stopped.error
        );
        assert_eq!((stopped.class(), stopped.untouched.as_slice()), (Class::Refused, &[name("Many")][..]), "{wish:?}");
        assert_eq!(super::tenants(&world, "Many").await, states, "it sleeps again");
        call(&world, "PUT", "/v1/schema/Many/tenants", r#"[{"name":"c","activityStatus":"HOT"}]"#).await;
        let counts = ["a", "b", "c"].map(|tenant| world.sandbox.count("Many", Some(tenant)));
        assert_eq!(counts, [2, 2, if edited { 2 } else { 3 }], "{wish:?}");
    }
}

#[tokio::test]
async fn what_is_written_right_before_the_drop_is_not_lost() {
    let world = world(articles());
    let plan = planned(&world, one(Wish::Recreate, options(&world, &["Article"]))).await.expect("a plan");
    let write = Kind::Change(Change::Write(article(1)));
    // The first count stands before the copy of the schema, the second after it.
    world.sandbox.faults().add(Fault::new(write).on("POST", "/v1/graphql").nth(2));
    world.sandbox.clear_requests();
    let (done, _) = run(&world, plan).await;
    let stopped = done.expect_err("refused");
    let Error::NotAsPlanned { what: PlanChange::Objects { before, now, expires }, .. } = stopped.error else {
        panic!("{:?}", stopped.error)
    };
    assert_eq!((before, now, expires), (OBJECTS, OBJECTS + 1, false));
    assert_eq!((world.sandbox.writing_requests(), world.sandbox.count("Article", None)), (0, OBJECTS + 1));
}

#[tokio::test]
async fn a_deletion_that_fails_is_not_sent_again_before_its_objects_are_listed_anew() {
    let world = world(articles());
    let plan = plan_after_backup(&world, Wish::Delete).await;
    let busy = Fault::new(Kind::status(503, "busy")).on("DELETE", "/v1/batch/objects").nth(2);
    world.sandbox.faults().add(busy);
    world.sandbox.clear_requests();
    let (done, _) = run(&world, plan).await;
    let outcome = done.expect("an end");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, OBJECTS), "{:?}", outcome.remarks);
    assert_eq!(world.sandbox.count("Article", None), 0);
    let seen = world.sandbox.requests();
    let failed = seen.iter().enumerate().filter(|(_, r)| r.method == "DELETE").nth(1).expect("two").0;
    let listed = |r: &sandbox::Seen| r.method == "GET" && r.path == "/v1/objects";
    let deletes = |r: &sandbox::Seen| r.method == "DELETE";
    let next = seen[failed + 1..].iter().find(|r| listed(r) || deletes(r)).expect("it goes on");
    assert!(listed(next), "{next:?}");
}

#[tokio::test]
async fn an_object_whose_replicas_come_to_differ_stays_and_is_said() {
    let document = r#"{"class":"Article","vectorizer":"none","replicationConfig":{"factor":3}}"#;
    let builder = Sandbox::builder().nodes(3).collection(document);
    let world = world((1..=MANY).fold(builder, |builder, n| builder.object(&article(n))));
    let plan = plan_after_backup(&world, Wish::Delete).await;
    let last = format!("00000000-0000-0000-0000-{MANY:012}");
    let conflict = Kind::Change(Change::Conflict("Article".into(), last));
    world.sandbox.faults().add(Fault::new(conflict).on("DELETE", "/v1/batch/objects").times(1));
    let (done, _) = run(&world, plan).await;
    let outcome = done.expect("an end");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Incomplete, MANY - 1));
    assert_eq!(world.sandbox.count("Article", None), 1);
    let said = "not empty: 1 object with other versions on other replicas: not deleted";
    let remarks = said_of(&outcome.remarks);
    assert!(remarks.len() == 1 && remarks[0].starts_with(said), "{remarks:?}");
}

#[tokio::test]
async fn what_a_cache_between_answers_is_not_taken_for_what_is_there() {
    let world = world(articles());
    for wish in [Wish::Recreate, Wish::Delete] {
        let plan = plan_after_backup(&world, wish).await;
        // The server knows of an update that none of the pages shows.
        let newest =
            r#"{"id":"00000000-0000-0000-0000-000000000001","creationTimeUnix":1,"lastUpdateTimeUnix":4102444800000}"#;
        let newest = Kind::status(200, &format!(r#"{{"objects":[{newest}]}}"#));
        world.sandbox.faults().add(Fault::new(newest).on("GET", "/v1/objects").query("sort=").nth(1));
        world.sandbox.clear_requests();
        let (done, _) = run(&world, plan).await;
        world.sandbox.faults().clear();
        let stopped = done.expect_err("refused");
        assert!(
            matches!(&stopped.error, Error::NotAsPlanned { what: PlanChange::ListedOld, .. }),
            "{:?}",
            stopped.error
        );
        assert_eq!((world.sandbox.writing_requests(), world.sandbox.count("Article", None)), (0, OBJECTS), "{wish:?}");
    }
}

#[tokio::test]
async fn a_rehearsal_whose_request_went_out_twice_is_no_bug() {
    let world = world(articles());
    let plan = planned(&world, one(Wish::Recreate, options(&world, &["Article"]))).await.expect("a plan");
    let taken = r#"{"error":[{"message":"class name already exists"}]}"#.to_owned();
    world
        .sandbox
        .faults()
        .add(Fault::new(Kind::AppliedThen { status: 422, body: taken }).on("POST", "/v1/schema").times(1));
    let (client, session) =
        (world.client(elysiactl::event::Events::none()), world.session(elysiactl::event::Events::none()));
    let plan = clear::rehearse(&Writer::new(client), &session, plan).await.expect("a rehearsal");
    assert_eq!(plan.collections[0].method, Method::Recreate);
    assert_eq!(world.sandbox.collections(), ["Article"], "nothing is left of it");
}
