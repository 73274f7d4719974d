//! Renderers fed with made-up events at made-up times.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use elysiactl::event::{CollectionResult, Event, Events, Op, RunResult, Status};
use elysiactl::model::Clock;
use elysiactl::render::{Closing, Done, Json, Label, Note, Render, Stopwatch, Text, feed, summary};

use crate::support::samples::{at, events, name, page, planned, result, run, started};

/// A writer whose text can be read afterwards.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("a lock").clone()).expect("text")
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("a lock").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A pipe nobody reads any more.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

#[test]
fn the_json_form_of_every_event_and_warning() {
    let out = Shared::default();
    let mut json = Json::new(out.clone());
    // All at one time, so that a new event changes no other's line.
    for event in &events() {
        json.event(event, at(250)).expect("written");
    }
    for line in out.text().lines() {
        serde_json::from_str::<serde_json::Value>(line).expect("each line is JSON");
    }
    insta::assert_snapshot!(out.text());
}

#[test]
fn lines_of_text_without_a_terminal() {
    let out = Shared::default();
    let mut text = Text::new(out.clone());
    let mut feed = |milliseconds, event: Event| text.event(&event, at(milliseconds)).expect("written");
    feed(0, Event::RunStarted { op: Op::Backup, dry_run: false, version: "0.1.0" });
    feed(10, Event::PlanMade { collections: vec![planned("Article", Some(20_000)), planned("Chat", Some(4_000))] });
    feed(10, started("Article", Some(20_000)));
    for second in 0..12 {
        text.event(&page("Article", 1_000), at(second * 1_000)).expect("written");
        text.tick(at(second * 1_000)).expect("written");
    }
    let mut feed = |milliseconds, event: Event| text.event(&event, at(milliseconds)).expect("written");
    for event in events().into_iter().filter(|e| matches!(e, Event::TopologyChanged { .. } | Event::Warning(_))) {
        feed(12_000, event);
    }
    feed(13_000, Event::TopologyChanged { collection: name("Article"), whole: true, reason: String::new() });
    feed(13_500, Event::CollectionFinished(result("Article", 20_000)));
    feed(13_600, started("Chat", None));
    feed(19_000, Event::Retrying { route: "GET /v1/objects".into(), attempt: 2, wait_ms: 2_000, reason: "503".into() });
    text.tick(at(20_100)).expect("written");
    text.finish(at(20_200)).expect("written");
    insta::assert_snapshot!(out.text());
}

#[test]
fn a_clear_of_uncounted_tenants_does_not_give_a_number_for_all() {
    let out = Shared::default();
    let mut text = Text::new(out.clone());
    let mut feed = |event: Event| text.event(&event, at(10)).expect("written");
    feed(Event::RunStarted { op: Op::Clear, dry_run: false, version: "0.1.0" });
    feed(Event::PlanMade { collections: vec![planned("Many", None)] });
    feed(started("Many", None));
    feed(Event::CollectionFinished(CollectionResult { counts_verified: Some(false), ..result("Many", 600) }));
    assert!(out.text().contains("Many: at least 600 objects, took "), "{}", out.text());
}

#[test]
fn a_run_that_stands_still_says_for_how_long() {
    let out = Shared::default();
    let mut text = Text::new(out.clone());
    text.event(&Event::RunStarted { op: Op::Backup, dry_run: false, version: "0.1.0" }, at(0)).expect("written");
    text.event(&Event::PlanMade { collections: vec![planned("Article", Some(4_000))] }, at(10)).expect("written");
    // Nothing is at work yet.
    text.tick(at(11_000)).expect("written");
    text.event(&started("Article", Some(4_000)), at(12_000)).expect("written");
    text.event(&page("Article", 1_000), at(15_000)).expect("written");
    text.tick(at(22_000)).expect("written");
    text.tick(at(33_000)).expect("written");
    text.event(&page("Article", 1_000), at(40_000)).expect("written");
    text.tick(at(44_000)).expect("written");
    let still: Vec<bool> = out.text().lines().map(|line| line.contains("no progress for")).collect();
    assert_eq!(still, [false, false, true, false], "{}", out.text());
    assert!(out.text().contains("no progress for 18s"), "{}", out.text());
}

#[test]
fn without_progress_only_warnings_are_printed() {
    let out = Shared::default();
    let mut text = Text::warnings_only(out.clone());
    for event in events() {
        text.event(&event, at(0)).expect("written");
    }
    text.tick(at(60_000)).expect("written");
    assert_eq!(out.text().lines().count(), crate::support::samples::warnings().len());
    assert!(out.text().lines().all(|line| line.starts_with("warning: ")));
}

#[tokio::test]
async fn every_renderer_gets_the_same_order_and_one_that_fails_stops_nobody() {
    let (out, watch) = (Shared::default(), Stopwatch::start(Clock::fixed(at(0).time)));
    let (handle, receiver) = Events::channel();
    let renderers: Vec<Box<dyn Render>> = vec![Box::new(Json::new(Closed)), Box::new(Json::new(out.clone()))];
    for event in events() {
        handle.emit(event);
    }
    // Nothing follows `run_finished`, even if a task still holds a handle and talks.
    handle.emit(page("Article", 1));
    let told = feed(receiver, renderers, watch).await.expect_err("results that nobody got");
    assert_eq!(told.kind(), std::io::ErrorKind::BrokenPipe);
    assert_eq!(out.text().lines().count(), events().len());
    assert!(out.text().lines().last().expect("a line").contains(r#""event":"run_finished""#));
}

#[tokio::test]
async fn a_run_nobody_listens_to_goes_on() {
    let (handle, receiver) = Events::channel();
    drop(receiver);
    handle.emit(page("Article", 1));
    Events::none().emit(page("Article", 1));
}

#[test]
fn the_summary_of_one_collection() {
    let next = vec!["elysiactl archive check ./backups/Article_full_20261123_041200".into()];
    let closing = Closing { next, ..Closing::default() }
        .with(Label::Server, ["http://localhost:8080, Weaviate 1.40.0".to_owned()])
        .with(Label::Archive, ["./backups/Article_full_20261123_041200 (7.0 MiB on disk)".to_owned()]);
    let whole = run(Op::Backup, Status::Ok, vec![result("Article", 120_000)]);
    let resumed_run = RunResult { resumed_objects: 80_000, objects_per_second: 3_200.0, ..whole.clone() };
    insta::assert_snapshot!(summary(&whole, &closing) + "\n" + &summary(&resumed_run, &Closing::default()));
}

#[test]
fn the_summary_of_many_collections_names_what_is_missing() {
    let mut collections: Vec<_> = (0..23_u64).map(|n| result(&format!("Collection_{n}"), n * 777)).collect();
    collections[3].changed_seen = Some(12);
    collections[4].digest = None;
    let remark = |about: &str, text: &str| Note { about: about.into(), text: text.into() };
    let next = vec!["elysiactl archive check 'my backups/x'".into(), "elysiactl archive show 'my backups/x'".into()];
    let unchecked = "whether every node of the server was there: the key may not ask (403)".to_owned();
    let limits = [remark("Article", "creation times cannot be restored"), remark("server", "API keys are not kept")];
    let closing = Closing { next, ..Closing::default() }
        .with(Label::Unchecked, [unchecked])
        .with_notes(Label::Limits, limits)
        .with_notes(Label::Skipped, [remark("Chat", "it has tenants, which cannot be backed up yet")])
        .with_notes(Label::Incomplete, (0..22).map(|n| remark(&format!("C{n}"), "1 object without its vectors")));
    let mut result = run(Op::Backup, Status::Incomplete, collections);
    (result.retries, result.seconds) = (3, 754.2);
    insta::assert_snapshot!(summary(&result, &closing));
}

#[test]
fn the_summary_of_a_comparison() {
    let remark = |about: &str, text: &str| Note { about: about.into(), text: text.into() };
    let compared = |name, missing, different| CollectionResult {
        digest: None,
        only_left: Some(missing),
        only_right: Some(0),
        different: Some(different),
        ..result(name, 1_000)
    };
    let closing = Closing::default()
        .with_notes(Label::Differences, (0..22).map(|n| remark(&format!("Article {n}"), "missing on the server")))
        .with(Label::Differences, ["… and 21 more".to_owned()])
        .with_notes(Label::Schema, [remark("Chat", "the live collection has no property room")])
        .with_notes(Label::Note, [remark("Chat", "compared without vectors")]);
    let differing = vec![compared("Article", 40, 1), compared("Chat", 2, 0)];
    let agreeing = summary(&run(Op::Verify, Status::Ok, vec![result("Article", 120_000)]), &Closing::default());
    let differing = summary(&run(Op::Verify, Status::Incomplete, differing), &closing);
    let left_out = Closing::default().with_notes(Label::Note, [remark("Rooms", "not compared: it has tenants")]);
    let left_out = summary(&run(Op::Verify, Status::Incomplete, vec![compared("Rooms", 0, 0)]), &left_out);
    insta::assert_snapshot!([agreeing, differing, left_out].join("\n"));
}

#[test]
fn the_summary_of_a_dry_run_and_of_a_check() {
    let dry = Closing { done: Done::Planned(None), ..Closing::default() };
    let unread = |name, objects| CollectionResult { digest: None, ..result(name, objects) };
    let planned = run(Op::Backup, Status::Ok, vec![unread("Article", 1), unread("Chat", 2_000)]);
    let checked = run(Op::ArchiveCheck, Status::Ok, vec![result("Article", 120_000)]);
    insta::assert_snapshot!(summary(&planned, &dry) + "\n" + &summary(&checked, &Closing::default()));
}

#[test]
fn lines_of_text_of_a_restore() {
    let out = Shared::default();
    let mut text = Text::new(out.clone());
    let batch = |objects| Event::BatchImported {
        collection: name("Article"),
        tenant: None,
        objects,
        bytes: objects * 1_000,
        rejected: 0,
    };
    let mut feed = |milliseconds, event: Event| {
        text.event(&event, at(milliseconds)).expect("written");
        text.tick(at(milliseconds)).expect("written");
    };
    feed(0, Event::RunStarted { op: Op::Restore, dry_run: false, version: "0.1.0" });
    feed(10, Event::PlanMade { collections: vec![planned("Article", Some(20_000))] });
    feed(10, started("Article", Some(20_000)));
    feed(9_000, batch(15_000));
    feed(11_000, Event::TopologyChanged { collection: name("Article"), whole: true, reason: String::new() });
    feed(12_000, batch(5_000));
    feed(13_000, page("Article", 4_000));
    feed(22_000, page("Article", 4_000));
    feed(29_000, Event::Verified { collection: name("Article"), objects: 20_000, ok: true });
    feed(30_000, Event::CollectionFinished(result("Article", 20_000)));
    insta::assert_snapshot!(out.text());
}

#[test]
fn the_summary_of_a_restore_and_of_a_comparison_that_found_something() {
    let restored = run(Op::Restore, Status::Ok, vec![result("Article2", 120_000)]);
    let next = vec!["elysiactl col verify ./backups/Article_full_20261123_041200 --name Article2".into()];
    let closing = Closing { next, ..Closing::default() }
        .with(Label::Server, ["http://localhost:8080 (Weaviate 1.40.0)".to_owned()])
        .with_notes(Label::Note, [Note { about: "Article2".into(), text: "creation times are new".into() }])
        .with(Label::RunFiles, ["/home/me/.local/state/elysiactl/runs/7".to_owned()]);
    for (unwritten, but) in [
        (vec!["A.h".to_owned()], ", but without the values of A.h (blobHash: no server takes them back)\n"),
        (vec!["A.h".to_owned(), "B.i".to_owned()], ", but without the values of A.h and 1 more (blobHash: "),
    ] {
        let mut equal = result("Article2", 120_000);
        (equal.only_left, equal.only_right, equal.different) = (Some(0), Some(0), Some(0));
        let text = summary(&run(Op::Restore, Status::Ok, vec![equal]), &Closing { unwritten, ..Closing::default() });
        assert!(text.contains(&format!("Compared    every object is on the server as in the archive{but}")), "{text}");
    }
    let mut differing = result("Article2", 120_000);
    (differing.only_left, differing.only_right, differing.different) = (Some(1), Some(0), Some(2_000));
    let verified = run(Op::Verify, Status::Incomplete, vec![differing]);
    insta::assert_snapshot!(summary(&restored, &closing) + "\n" + &summary(&verified, &Closing::default()));
}
