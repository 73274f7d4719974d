//! Plans, summaries and failures of a restore in words, made from made-up plans and outcomes.

use std::path::PathBuf;
use std::time::Duration;

use super::*;
use crate::archive::Content;
use crate::event::{Loss, Op, PlannedThere, Remark, RestoreRemark, SchemaDifference, SettingRemark};
use crate::model::{ObjectId, Reason, TenantMap};
use crate::ops::Error;
use crate::ops::StateFolders;
use crate::ops::restore::{ArchiveFacts, CollectionRestore, RestoreRefusal};

/// Stands for the command that carries a restore on.
const RESUME: &str = "elysiactl col restore X --resume";

fn name(text: &str) -> CollectionName {
    text.parse().expect("a name")
}

fn fewer_replicas() -> Remark {
    let (key, was, now) = ("replicationConfig.factor".into(), "3".into(), Some("1".into()));
    SettingRemark::SettingLost { key, was, now, loss: Some(Loss::TooFewNodes) }.into()
}

fn options() -> RestoreOptions {
    let state = StateFolders { runs: "/runs".into(), locks: "/locks".into() };
    RestoreOptions {
        memory_bytes: 64 << 20,
        patience: Duration::from_secs(60),
        differences_listed: 20,
        ..RestoreOptions::new("/backups/Article_full_20261123_041200", state)
    }
}

fn planned(archived: &str, target: &str, objects: u64) -> CollectionRestore {
    CollectionRestore {
        archived: name(archived),
        target: name(target),
        content: Content::Full,
        objects,
        left_out: None,
        bytes: objects * 4_404,
        remarks: Vec::new(),
        to_vectorise: 0,
        endpoints: Vec::new(),
        refused_integers: 0,
        unwritten: Vec::new(),
        tenants: (0, 0),
        unread: false,
        action: "create",
        there: None,
        merge: None,
    }
}

fn a_plan(collections: Vec<CollectionRestore>) -> RestorePlan {
    RestorePlan {
        aliases: Vec::new(),
        roles: Vec::new(),
        url: "http://localhost:8080/".into(),
        server_version: "1.40.0".into(),
        archive: "/backups/Article_full_20261123_041200".into(),
        about: ArchiveFacts {
            started: "2026-11-23T04:12:00Z".parse().expect("a time"),
            sealed: "2026-11-23T04:12:10Z".parse().expect("a time"),
            content: Content::Full,
            collections: collections.len(),
            objects: collections.iter().map(|planned| planned.objects).sum(),
            bytes: collections.iter().map(|planned| planned.bytes).sum(),
        },
        made: "2026-11-23T04:15:10Z".parse().expect("a time"),
        collections,
        topology_unchecked: None,
        rehearsed: crate::ops::Rehearsed::NotNeeded,
        resumes: None,
        refusals: Vec::new(),
        differences: Vec::new(),
        unfinished: None,
        options: options(),
    }
}

#[test]
fn a_plan_shows_names_numbers_and_what_will_be_different() {
    let mut article = planned("Article", "Article2", 100_000);
    article.remarks = vec![fewer_replicas(), RestoreRemark::ExpiresBy { property: "x\u{1b}[2J".into() }.into()];
    (article.to_vectorise, article.refused_integers) = (12, 1);
    let mut schema = planned("Chat", "Chat", 0);
    schema.content = Content::SchemaOnly;
    let mut plan = a_plan(vec![article, schema]);
    plan.topology_unchecked = Some("the key may not ask".into());
    insta::assert_snapshot!(plan::text(&plan) + &plan::question(&plan) + "\n" + &plan::headline(&plan));
}

#[test]
fn a_refused_plan_shows_what_is_there_and_what_stands_against_each() {
    let (mut article, mut part) = (planned("Article", "Article", 100_000), planned("Part", "Part", 3));
    article.unread = true;
    article.there = Some(PlannedThere {
        name: name("Article"),
        objects: Some(150),
        tenants: None,
        inactive_tenants: None,
        schema_differs: vec![SchemaDifference::MoreProperty { property: "q".into() }],
        aliases: vec!["Now".into(), "x\u{1b}[2J".into()],
        aliases_unseen: false,
    });
    part.there = Some(PlannedThere {
        name: name("part"),
        objects: None,
        tenants: Some(5),
        inactive_tenants: Some(2),
        schema_differs: Vec::new(),
        aliases: Vec::new(),
        aliases_unseen: true,
    });
    let mut plan = a_plan(vec![article, part, planned("Free", "Free", 1)]);
    plan.refusals = vec![
        RestoreRefusal::Exists { collection: name("Article"), there: name("Article") },
        RestoreRefusal::Exists { collection: name("Part"), there: name("part") },
        RestoreRefusal::NoRoles { server: "1.24.26".into() },
    ];
    insta::assert_snapshot!(plan::text(&plan));
    let told = serde_json::to_value(plan.told(restore_refusal)).expect("JSON");
    assert_eq!(told["refusals"][0]["kind"], "exists");
    assert_eq!(told["refusals"][0]["there"], "Article");
    assert_eq!(told["collections"][0]["there"]["objects"], 150);
    assert_eq!(told["backup_seconds"], 10.0);
}

#[test]
fn of_hundreds_of_collections_those_that_weigh_are_always_listed_and_the_others_are_folded() {
    let mut collections: Vec<_> = (0..200).map(|n| planned(&format!("C{n}"), &format!("C{n}"), n)).collect();
    for one in &mut collections[60..] {
        one.remarks = vec![fewer_replicas()];
    }
    collections[150].refused_integers = 3;
    let mut plan = a_plan(collections);
    let text = plan::collections(&plan);
    assert!(text.contains("  C49 ") && !text.contains("  C50 ") && text.contains("  C150 "), "{text}");
    let end =
        format!("  … and 149 more; --json has all\n      139 of them: {}\n", remark(Op::Restore, &fewer_replicas()));
    assert!(text.ends_with(&end), "{text}");
    plan.refusals = vec![RestoreRefusal::Exists { collection: name("C199"), there: name("C199") }];
    let text = plan::collections(&plan);
    assert!(text.contains("\n  C199 ") && text.contains("refused: the server has C199 already"), "{text}");
    assert!(text.contains("… and 148 more") && text.contains("148 of them: nothing stands against it"), "{text}");
}

#[test]
fn a_dry_run_tells_the_plan_and_that_nothing_was_written() {
    let mut plan = a_plan(vec![planned("Article", "Article2", 100_000), planned("Chat", "Chat", 1)]);
    plan.options.clamp_ints = true;
    plan.collections[1].refused_integers = 1;
    let finished = would(&plan);
    insta::assert_snapshot!(crate::render::summary(&finished.result, &finished.closing));
}

fn connect(url_from: &'static str) -> Connect {
    Connect {
        url: "http://localhost:8080".into(),
        url_from,
        key: None,
        headers: Vec::new(),
        ca_cert_pem: None,
        client_pem: None,
        exposed: Vec::new(),
        insecure: false,
        stall_timeout: Duration::from_secs(1),
    }
}

fn verify_of(plan: &RestorePlan, url_from: &'static str) -> String {
    commands::verify(&plan.archive, &plan.options, &plan.url, &connect(url_from))
}

#[test]
fn the_next_command_names_what_was_restored() {
    let mut plan = a_plan(vec![planned("Article", "Article2", 1)]);
    assert_eq!(verify_of(&plan, "default"), "elysiactl col verify /backups/Article_full_20261123_041200");
    plan.options.name = Some(name("Article2"));
    plan.options.selection.take = vec!["Art*".into()];
    plan.options.renames.insert(name("A"), name("B"));
    assert_eq!(
        verify_of(&plan, "--url"),
        "elysiactl col verify /backups/Article_full_20261123_041200 --only 'Art*' --name Article2 --rename 'A=B' --url http://localhost:8080/"
    );
    let mut plan = a_plan(vec![planned("Article", "Article", 1)]);
    plan.options.tenants = TenantMap::IntoTenant("t1".parse().expect("a name"));
    let command = verify_of(&plan, "default");
    assert!(command.ends_with("_041200 --into-tenant t1"), "{command}");
}

#[test]
fn a_restore_that_stopped_says_what_is_there_and_how_to_go_on() {
    let created = |many: u64| (0..many).map(|n| (name(&format!("C{n}")), n * 1_000)).collect();
    let stop = |created| RestoreStopped {
        error: Error::Interrupted,
        run_dir: Some(PathBuf::from("/runs/7")),
        lost: Vec::new(),
        undone: Vec::new(),
        created,
        joined: Vec::new(),
        kept: None,
        partial: Some(Box::new(RunResult { objects: 7, ..nothing(Op::Restore) })),
    };
    let failure = stopped(stop(created(2)), RESUME);
    assert_eq!((failure.class, failure.partial.as_ref().map(|p| p.objects)), (Class::Interrupted, Some(7)));
    insta::assert_snapshot!(failure.text(false));
    assert!(stopped(stop(created(12)), RESUME).hints[1].ends_with("C9 with 9,000 objects and 2 more"));
    let early = stopped(RestoreStopped { run_dir: None, partial: None, ..stop(Vec::new()) }, RESUME);
    assert!(early.hints.is_empty() && early.partial.is_some_and(|p| p.op == Op::Restore));
    let kept = stopped(RestoreStopped { kept: Some("/b/A".into()), run_dir: None, ..stop(Vec::new()) }, RESUME).hints;
    assert!(kept[0].starts_with("what it has replaced, or was about to, is kept in /b/A: "), "{kept:?}");
    let tenants = |many: u32| (0..many).filter_map(|n| format!("t{n}").parse().ok()).collect();
    let joined = vec![(name("Mt"), tenants(2), 1_500), (name("Other"), tenants(12), 0)];
    let added = stopped(RestoreStopped { joined, run_dir: None, ..stop(Vec::new()) }, RESUME);
    assert_eq!(
        added.hints,
        [
            "perhaps in Mt now, with 1,500 objects in all: t0, t1",
            "to start over, remove these tenants of Mt, or give others with --tenant TENANT=NEW",
            "perhaps in Other now, with 0 objects in all: t0, t1, t2, t3, t4, t5, t6, t7, t8, t9 and 2 more",
            "to start over, remove these tenants of Other, or give others with --tenant TENANT=NEW",
        ],
        "what was there before is nothing to remove"
    );
}

fn reason(reason: &str, objects: u64, first: Option<u128>) -> Reason {
    Reason { reason: reason.to_owned(), objects, first_id: first.map(ObjectId) }
}

#[test]
fn the_summary_tells_what_was_refused_and_what_differs() {
    let article = CollectionResult {
        objects: 99_997,
        bytes: 420 << 20,
        rejected: 3,
        rejected_reasons: vec![reason("invalid text property 't': \u{9b}2J", 2, Some(7)), reason("others", 1, None)],
        only_left: Some(3),
        only_right: Some(0),
        different: Some(1),
        ..CollectionResult::of(name("Article2"))
    };
    let chat = CollectionResult { objects: 10, bytes: 1_000, only_left: Some(0), ..CollectionResult::of(name("Chat")) };
    let archive = Some("/backups/x".into());
    let outcome = RestoreOutcome {
        about_roles: Vec::new(),
        result: RunResult {
            seconds: 12.5,
            ..RunResult::of(Op::Restore, Status::Incomplete, archive, vec![article, chat])
        },
        run_dir: "/runs/7".into(),
        rejected: Some("/runs/7/rejected.jsonl".into()),
        remarks: vec![(name("Article2"), fewer_replicas())],
        differences: Vec::new(),
        topology_unchecked: None,
    };
    insta::assert_snapshot!(crate::render::summary(&outcome.result, &closing_of(&outcome)));
}

#[test]
fn advice_fits_a_restore() {
    let error = || Error::Archive(crate::archive::Error::OutputIsFile { path: "/runs".into() });
    assert_eq!(explain(Verb::Restore, &error()).hints, ["choose another folder with --run-dir"]);
    assert_eq!(explain(Verb::Backup, &error()).hints, ["choose another folder with --output"]);
}
