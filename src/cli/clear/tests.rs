//! Plans and failures of a clear in words, made from made-up results.

use std::path::PathBuf;
use std::time::Duration;

use super::*;
use crate::event::{ClearRemark, WhyLeft};

fn name(text: &str) -> CollectionName {
    text.parse().expect("a name")
}

fn saved(text: &str) -> SafetyCopy {
    let archive = PathBuf::from(format!("/my backups/.safety/{text}_schema_1"));
    SafetyCopy { schema: archive.join("collections").join(text).join("schema.json"), tenants: None, archive }
}

fn connect() -> Connect {
    Connect {
        url: "http://h:8080".into(),
        url_from: "--url",
        key: None,
        headers: Vec::new(),
        ca_cert_pem: None,
        client_pem: None,
        exposed: Vec::new(),
        insecure: false,
        stall_timeout: Duration::from_secs(1),
    }
}

#[test]
fn a_clear_that_stopped_says_what_is_gone_and_how_it_comes_back() {
    let stop = ClearStopped {
        error: Error::AutoCreated { collection: name("Article"), attempts: 6 },
        run_dir: Some("/state/runs/1".into()),
        done: vec![name("A"), name("B")],
        dropped: Some((name("Article"), saved("Article"))),
        partly: None,
        untouched: (0..12).map(|n| name(&format!("C{n}"))).collect(),
        partial: Box::new(super::super::runtime::nothing(Op::Clear)),
        safe_in: None,
    };
    let failure = stopped(&stop, &connect(), "elysiactl col clear Article --resume");
    assert_eq!(failure.class, Class::Server, "it was dropped: that is no refusal any more");
    insta::assert_snapshot!(failure.text(false));
    let theirs = ClearStopped { error: Error::Recreated { collection: name("Article") }, done: Vec::new(), ..stop };
    let failure = stopped(&theirs, &connect(), "elysiactl col clear Article --resume");
    assert_eq!(failure.class, Class::Server);
    let text = failure.text(false);
    assert!(text.contains("that one was left alone") && !text.contains("--resume") && !text.contains("again to have"));
    let late = ClearStopped {
        error: Error::NotDropped { collection: name("Article"), source: None },
        dropped: None,
        partly: Some(name("Article")),
        ..theirs
    };
    let text = stopped(&late, &connect(), "elysiactl col clear Article --resume").text(false);
    assert!(text.contains("was sent, and may still be carried out") && !text.contains("part of Article"), "{text}");
    let stop = late;
    let partly = ClearStopped {
        error: Error::Interrupted,
        dropped: None,
        partly: Some(name("Article")),
        done: Vec::new(),
        untouched: Vec::new(),
        ..stop
    };
    insta::assert_snapshot!(
        "interrupted",
        stopped(&partly, &connect(), "elysiactl col clear Article --resume").text(false)
    );
}

#[test]
fn the_summary_names_what_was_saved_and_what_is_left() {
    let one = |text: &str, objects| CollectionResult { objects, ..CollectionResult::of(name(text)) };
    let collections = vec![one("Article", 100_000), one("Chat", 3)];
    let outcome = ClearOutcome {
        result: RunResult { seconds: 0.4, ..RunResult::of(Op::Clear, Status::Incomplete, None, collections) },
        saved: vec![(name("Article"), saved("Article"))],
        remarks: vec![(name("Chat"), ClearRemark::NotEmpty { objects: 2, why: WhyLeft::SinceRecreated }.into())],
        uncounted: false,
        run_dir: "/state/runs/1".into(),
        topology_unchecked: None,
    };
    insta::assert_snapshot!(crate::render::summary(&outcome.result, &closing_of(&outcome)));
}
