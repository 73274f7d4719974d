//! Plans and failures of a removal in words, made from made-up plans.

use std::path::PathBuf;
use std::time::Duration;

use super::*;
use crate::event::Covers;
use crate::model::{Schema, Selection};
use crate::ops::firsts::Firsts;
use crate::ops::held::HeldIn;
use crate::ops::live_collections::Standing;
use crate::ops::remove::RemovalOptions;
use crate::weaviate::{Bound, Count, Tenant, TenantState};

fn name(text: &str) -> CollectionName {
    text.parse().expect("a name")
}

fn standing(text: &str, objects: Option<u64>) -> Standing {
    Standing {
        schema: Schema::parse(format!(r#"{{"class":"{text}"}}"#).into()).expect("a schema"),
        objects: objects.map_or_else(|| Count::Unknown { reason: "the key may not".into() }, Count::Exact),
        tenants: None,
        referenced_by: Vec::new(),
        aliases: Vec::new(),
        aliases_unseen: false,
        twin: None,
        held_in: None,
        shards: Vec::new(),
        firsts: Firsts::default(),
        topology_unchecked: None,
    }
}

fn a_plan(collections: Vec<Standing>) -> RemovalPlan {
    RemovalPlan {
        url: "http://localhost:8080".into(),
        server_version: "1.40.0".into(),
        collections: collections.into_iter().map(|standing| CollectionRemoval { standing, agreed: None }).collect(),
        topology_unchecked: None,
        options: RemovalOptions {
            selection: Selection::default(),
            allow_protected: false,
            folder: "/backups".into(),
            locks: "/locks".into(),
            patience: Duration::ZERO,
        },
    }
}

fn busy_plan() -> RemovalPlan {
    let mut article = standing("Article", Some(100_000));
    article.held_in = Some(HeldIn {
        path: "/backups/Article_full_20261123_041200".into(),
        sealed: "2026-11-23T04:12:00Z".parse().expect("a time"),
        archived: 99_000,
        live: Some(100_000),
        covers: Covers::Fewer,
        newest_ms: None,
    });
    article.referenced_by = (0..12).map(|n| (name(&format!("C{n}")), "to".to_owned())).collect();
    article.aliases = vec!["Now".into()];
    let tenant = |text: &str, state| Tenant { name: text.parse().expect("a tenant"), state };
    let mut chat = standing("Chat", Some(3));
    chat.aliases_unseen = true;
    chat.tenants = Some(vec![tenant("a", TenantState::Hot), tenant("b", TenantState::Cold)]);
    let mut plan = a_plan(vec![article, chat, standing("Unknown", None)]);
    plan.topology_unchecked = Some("the key may not ask\u{1b}[2J".into());
    plan
}

#[test]
fn a_plan_shows_what_is_lost_and_what_hangs_on_it() {
    let plan = busy_plan();
    insta::assert_snapshot!(plan::text(&plan) + &plan::headline(&plan));
}

#[test]
fn a_dry_run_tells_the_plan_and_that_nothing_was_sent() {
    let finished = would(&a_plan(vec![standing("Article", Some(1))]));
    insta::assert_snapshot!(crate::render::summary(&finished.result, &finished.closing));
    assert!(would(&busy_plan()).closing.objects == crate::render::Objects::Uncounted);
}

fn saved(text: &str, tenants: bool) -> SafetyCopy {
    let archive = PathBuf::from(format!("/my backups/.safety/{text}_schema_1"));
    let folder = archive.join("collections").join(text);
    SafetyCopy { schema: folder.join("schema.json"), tenants: tenants.then(|| folder.join("tenants.json")), archive }
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
fn a_removal_that_stopped_says_what_is_gone_and_how_to_bring_it_back() {
    let last = WireError::Lost { route: "DELETE /v1/schema/Chat".into(), reason: "reset".into() };
    let (route, elapsed) = ("DELETE /v1/schema/Chat".into(), Duration::from_secs(1));
    let source = WireError::Exhausted { route, attempts: 1, elapsed, bound: Bound::Once, last: Box::new(last) };
    let stop = RemovalStopped {
        error: Error::NotDropped { collection: name("Chat"), source: Some(source) },
        removed: vec![(name("Article"), saved("Article", false))],
        saved: Some(saved("Chat", true)),
        left: vec![name("Chat"), name("Zebra")],
        dangling: (0..12).map(|n| (format!("Now{n}"), name("Article"))).collect(),
        aliases_unseen: vec![name("Article")],
        partial: None,
    };
    let failure = stopped(stop, &connect());
    assert_eq!(failure.class, Class::Server);
    insta::assert_snapshot!(failure.text(false));
    let early = RemovalStopped {
        error: Error::Interrupted,
        removed: Vec::new(),
        saved: None,
        left: vec![name("A")],
        dangling: Vec::new(),
        aliases_unseen: Vec::new(),
        partial: None,
    };
    assert_eq!(stopped(early, &connect()).hints, ["nothing was removed"]);
}

#[test]
fn the_summary_names_the_saved_schemas_and_what_came_back() {
    let one = |text: &str, objects| CollectionResult { objects, ..CollectionResult::of(name(text)) };
    let collections = vec![one("Article", 100_000), one("Chat", 3)];
    let outcome = RemovalOutcome {
        result: RunResult { seconds: 0.4, ..RunResult::of(Op::Rm, Status::Incomplete, None, collections) },
        saved: vec![(name("Article"), saved("Article", false)), (name("Chat"), saved("Chat", true))],
        back: vec![name("Chat")],
        dangling: vec![("Now".into(), name("Article"))],
        aliases_unseen: vec![name("Article")],
        topology_unchecked: None,
    };
    insta::assert_snapshot!(crate::render::summary(&outcome.result, &closing_of(&outcome)));
}
