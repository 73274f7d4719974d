//! Scratch collections go: those of a run that is stopped or killed, and what stays is named.

use elysiactl::archive::runfiles::ScratchBook;
use elysiactl::archive::{OsDisk, RunAbout, RunRecord};
use elysiactl::event::{Op, Warning};

use super::*;
use crate::support::binary::Stage;
use crate::support::world::drain;

#[tokio::test]
async fn a_scratch_collection_that_is_created_late_is_removed_by_the_next_run() {
    let world = world(Sandbox::builder().seeded("Article", OBJECTS, 3, 4));
    let late = Fault::new(Kind::LandsLate(Duration::from_millis(1_500))).on("POST", "/v1/schema").times(3);
    world.sandbox.faults().add(late);
    rehearsed(&world, options(&world, &["Article"], Wish::Recreate)).await.expect_err("no answer");
    assert_eq!(journals(&world), 1, "it may come");
    let begun = std::time::Instant::now();
    while scratches(&world).is_empty() && begun.elapsed() < Duration::from_secs(20) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(scratches(&world).len(), 1, "it came");
    world.sandbox.faults().clear();
    rehearsed(&world, options(&world, &["Article"], Wish::Recreate)).await.expect("a plan");
    assert_eq!(world.sandbox.collections(), ["Article"]);
}

/// A killed run that had written down these scratch collections, each so many seconds after (or before) now.
fn killed(world: &World, scratches: &[(&CollectionName, i64)]) {
    let about = RunAbout {
        op: Op::Rehearsal,
        tool: RunAbout::this_tool(),
        run_id: uuid::Uuid::now_v7(),
        started: jiff::Timestamp::now(),
        server_url: world.client(Events::none()).url().to_owned(),
        server_version: String::new(),
        archive: String::new(),
        archive_run_id: String::new(),
        options: serde_json::Map::new(),
    };
    let mut book = ScratchBook::create(std::sync::Arc::clone(&world.disk), &world.state().runs, about).expect("a book");
    for (target, seconds) in scratches {
        let at = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(*seconds);
        book.note(&RunRecord::Scratch { target: (*target).clone(), at }).expect("noted");
    }
}

/// Plans a clear and rehearses it; what is warned of.
async fn warned(world: &World) -> Vec<Warning> {
    let (events, mut receiver) = Events::channel();
    let (client, session) = (world.client(events.clone()), world.session(events));
    let plan = clear::plan(&client, &session, options(world, &["Article"], Wish::Recreate)).await.expect("a plan");
    clear::rehearse(&Writer::new(client), &session, plan).await.expect("rehearsed");
    drop(session);
    drain(&mut receiver).into_iter().filter_map(|e| if let Event::Warning(w) = e { Some(w) } else { None }).collect()
}

#[tokio::test]
async fn what_a_killed_run_left_never_stands_in_the_way_of_another_one() {
    let mut names = CollectionName::scratch(&name("Article"), 7);
    names.sort();
    let (first, second) = (&names[0], &names[1]);
    let there = format!(r#"{{"class":"{second}","vectorizer":"none"}}"#);
    let stage = || world(Sandbox::builder().seeded("Article", OBJECTS, 3, 4).collection(&there));
    // One that may come yet, by a clock that was put back since; the other one is removed all the same.
    let world = stage();
    killed(&world, &[(first, 3_600), (second, -600)]);
    let told = warned(&world).await;
    assert!(
        told.iter().any(|w| matches!(w, Warning::ScratchRemoved { collection } if collection == second)),
        "{told:?}"
    );
    assert_eq!((scratches(&world).len(), journals(&world)), (0, 0), "{told:?}");
    // Begun a moment ago, and not there: that is waited for, and the journal stays.
    let world = stage();
    killed(&world, &[(first, 0), (second, -600)]);
    warned(&world).await;
    assert_eq!((scratches(&world).len(), journals(&world)), (0, 1));
    // The key of the killed run could see it, this one cannot.
    let world = stage();
    killed(&world, &[(first, -600), (second, -600)]);
    world.sandbox.faults().add(Fault::new(Kind::status(403, "{}")).on("GET", &format!("/v1/schema/{first}")));
    let told = warned(&world).await;
    assert!(
        told.iter().any(|w| matches!(w, Warning::ScratchStays { collection, reason } if collection == first && reason.contains("not allowed"))),
        "{told:?}"
    );
    assert_eq!((scratches(&world).len(), journals(&world)), (0, 1));
    // Deleted in word alone; and a journal that names what no rehearsal makes takes nothing away.
    let world = stage();
    let other = name("Other");
    world.sandbox.faults().now(&Change::Write(r#"{"class":"Other","properties":{}}"#.into()));
    let object = world.sandbox.objects("Other", None).remove(0);
    let id = serde_json::from_str::<Value>(&object).expect("JSON")["id"].as_str().expect("an id").to_owned();
    world.sandbox.faults().now(&Change::Delete("Other".into(), None, id));
    killed(&world, &[(&other, -600), (second, -600)]);
    world.sandbox.faults().add(Fault::new(Kind::status(200, "")).on("DELETE", &format!("/v1/schema/{second}")));
    let told = warned(&world).await;
    let stays = |collection: &CollectionName, reason: &str| {
        told.contains(&Warning::ScratchStays { collection: collection.clone(), reason: reason.into() })
    };
    assert!(stays(second, "it is still there") && stays(&other, "it is no scratch collection"), "{told:?}");
    assert_eq!((world.sandbox.collections().contains(&"Other".to_owned()), journals(&world)), (true, 1));
}

#[tokio::test]
async fn a_scratch_collection_that_somebody_wrote_to_is_left_to_a_person() {
    let mut names = CollectionName::scratch(&name("Article"), 7);
    names.sort();
    let (first, second) = (&names[0], &names[1]);
    let of = |name: &CollectionName| format!(r#"{{"class":"{name}","vectorizer":"none"}}"#);
    let builder = Sandbox::builder().seeded("Article", OBJECTS, 3, 4).collection(&of(first)).collection(&of(second));
    let world = world(builder.object(&format!(r#"{{"class":"{first}","properties":{{}}}}"#)));
    killed(&world, &[(first, -600), (second, -600)]);
    let told = warned(&world).await;
    let in_use = Warning::ScratchInUse { collection: first.clone(), objects: 1 };
    assert!(told.contains(&in_use), "{told:?}");
    assert_eq!((scratches(&world), journals(&world)), (vec![first.to_string()], 1), "the other one went");
}

#[tokio::test]
async fn a_rehearsal_whose_server_stops_answering_is_stopped_within_seconds() {
    let mut world = world(Sandbox::builder().seeded("Article", OBJECTS, 3, 4));
    world.stall = Duration::from_secs(120);
    world.sandbox.faults().add(Fault::new(Kind::Delay(Duration::from_secs(300))).on("DELETE", "/v1/schema"));
    let stop = async {
        while !world.sandbox.collections().iter().any(|name| name.contains("Rehearsal")) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        world.cancel.cancel();
    };
    let (events, mut receiver) = Events::channel();
    let run = async {
        let (client, session) = (world.client(events.clone()), world.session(events));
        let plan = clear::plan(&client, &session, options(&world, &["Article"], Wish::Recreate)).await.expect("a plan");
        clear::rehearse(&Writer::new(client), &session, plan).await
    };
    let run = tokio::time::timeout(Duration::from_secs(60), run);
    let (done, ()) = tokio::join!(Box::pin(run), stop);
    drop(done.expect("it ends soon"));
    assert_eq!(journals(&world), 1, "the next run removes what stays");
    let told = drain(&mut receiver);
    let is_said = |event: &Event| matches!(event, Event::Warning(Warning::ScratchStays { reason, .. }) if reason == "the server did not answer in time");
    assert!(told.iter().any(is_said), "{told:?}");
}

/// Runs it with a kill at the `n`th writing request; whether it was still running then.
fn killed_at(stage: &Stage, arguments: &[&str], n: usize) -> bool {
    use std::process::Stdio;
    let mut child = stage.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a child");
    loop {
        if child.try_wait().expect("a state").is_some() {
            return false;
        }
        if stage.sandbox.rehearsing_requests() >= n {
            child.kill().expect("killed");
            child.wait().expect("an end");
            return true;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn killed_at_any_request_of_a_rehearsal_the_next_run_leaves_no_scratch_collection() {
    let mut kills = 0;
    for n in 0..4 {
        let stage = Stage::new(Sandbox::builder().seeded("Article", 1_200, 3, 7));
        for method in ["DELETE", "POST", "GET"] {
            stage.sandbox.faults().add(Fault::new(Kind::Delay(Duration::from_millis(30))).on(method, "/v1/schema"));
        }
        let arguments = ["col", "clear", "Article", "--yes", "--method", "recreate"];
        kills += u32::from(killed_at(&stage, &arguments, n));
        stage.sandbox.faults().clear();
        let output = stage.run(&arguments);
        assert_eq!(output.status.code(), Some(0), "{n}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(stage.sandbox.collections(), ["Article"], "{n}");
        assert_eq!(stage.sandbox.count("Article", None), 0, "{n}");
    }
    assert!(kills > 2, "only {kills} kills came in time");
}

#[test]
fn of_several_scratch_collections_none_stays_though_one_is_gone_already_and_the_server_is_called_otherwise() {
    let builder = Sandbox::builder().seeded("A", 5, 3, 7).seeded("B", 5, 4, 7).seeded("C", 5, 5, 7);
    let stage = Stage::new(builder);
    let archive = stage.backup();
    for method in ["DELETE", "POST"] {
        stage.sandbox.faults().add(Fault::new(Kind::Delay(Duration::from_millis(50))).on(method, "/v1/schema"));
    }
    let archive = archive.to_str().expect("a path");
    // Three were created, and the removal of the first one is on its way.
    assert!(killed_at(&stage, &["col", "restore", archive, "--rename", "*=R*", "--yes"], 4), "it came too late");
    stage.sandbox.faults().clear();
    let url = stage.sandbox.url().replace("127.0.0.1", "localhost");
    let output = stage.run(&["col", "restore", archive, "--rename", "*=R*", "--yes", "--url", &url]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(stage.sandbox.collections(), ["A", "B", "C", "RA", "RB", "RC"]);
}

#[tokio::test]
async fn a_scratch_collection_that_the_key_may_not_see_stops_nobody() {
    let mut world = world(Sandbox::builder().seeded("Article", OBJECTS, 3, 4).key("k", "u", Role::Named("Article")));
    world.key = Some("k");
    let about = RunAbout {
        op: Op::Rehearsal,
        tool: RunAbout::this_tool(),
        run_id: uuid::Uuid::now_v7(),
        started: jiff::Timestamp::UNIX_EPOCH,
        server_url: world.client(Events::none()).url().to_owned(),
        server_version: String::new(),
        archive: String::new(),
        archive_run_id: String::new(),
        options: serde_json::Map::new(),
    };
    let mut book = ScratchBook::create(Arc::new(OsDisk), &world.state().runs, about).expect("a book");
    let target = CollectionName::scratch(&name("Other"), 7).remove(0);
    book.note(&RunRecord::Scratch { target, at: jiff::Timestamp::UNIX_EPOCH }).expect("noted");
    drop(book);
    let plan = rehearsed(&world, options(&world, &["Article"], Wish::Recreate)).await.expect("a plan");
    assert_eq!((plan.collections[0].rehearsed, journals(&world)), (Rehearsed::Done, 1), "it may be there");
}
