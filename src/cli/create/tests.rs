//! Files that are no class documents, flags that become one, and plans in words.

use std::path::PathBuf;

use clap::Parser;

use super::*;
use crate::cli::Cli;
use crate::cli::{ColCommand, Command};
use crate::event::{CreationRemark, Loss, SettingRemark};
use crate::ops::create::Shape;
use crate::weaviate::{Tenant, TenantState};

fn args(line: &[&str]) -> Result<CreateArgs, String> {
    let line = [&["elysiactl", "col", "create"], line].concat();
    match Cli::try_parse_from(line).map_err(|e| e.to_string())?.command {
        Command::Col(command) => match *command {
            ColCommand::Create(args) => Ok(args),
            other => panic!("another command: {other:?}"),
        },
        other @ Command::Archive(_) => Err(format!("{other:?}")),
    }
}

fn options_of(line: &[&str]) -> Result<CreationOptions, Failure> {
    let env = Env::of(&[("HOME", "/home/me")]);
    options(&args(line).expect("flags that parse"), &env)
}

fn file(text: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("f.json");
    std::fs::write(&path, text).expect("a file");
    (folder, path)
}

fn refused(flag: &str, text: &[u8]) -> Failure {
    let (_folder, path) = file(text);
    let (flag, path) = (format!("--{flag}"), path.display().to_string());
    let line = if flag == "--schema-file" { vec![&*flag, &*path] } else { vec!["A", "--multi-tenant", &flag, &path] };
    options_of(&line).expect_err("refused")
}

#[test]
fn what_is_no_class_document_is_told_in_one_sentence() {
    for (text, why) in [
        (&b"not json"[..], "is not JSON"),
        (b"", "is not JSON"),
        (b"{\"class\":\"A\"", "is not JSON"),
        (b"\xff\xfe{}", "is UTF-16"),
        (b"\xff{}", "is not JSON"),
        (b"[]", "it is no JSON object"),
        (b"\"A\"", "it is no JSON object"),
        (b"{}", "it has no \"class\""),
        (b"{\"classes\":[{\"class\":\"A\"},{\"class\":\"B\"}]}", "it lists 2 collections"),
        (b"{\"class\":null}", "\"class\" is no text"),
        (b"{\"class\":\"no such-name\"}", "is not a valid collection name"),
        (b"{\"class\":\"../x\"}", "is not a valid collection name"),
        (b"{\"class\":\"A\",\"properties\":{}}", "\"properties\" is no list"),
        (b"{\"class\":\"A\",\"properties\":[{\"name\":\"a\"}]}", "property 1 of 1 has no name"),
        (b"{\"class\":\"A\",\"properties\":[7]}", "property 1 of 1 has no name"),
        (b"{\"class\":\"A\",\"vectorConfig\":[]}", "\"vectorConfig\" is no JSON object"),
    ] {
        let failure = refused("schema-file", text);
        assert_eq!(failure.class, Class::Usage);
        assert!(failure.message.contains(why), "{failure:?}");
    }
    let deep = [b"{\"class\":\"A\",\"x\":".to_vec(), b"[".repeat(100_000)].concat();
    assert!(refused("schema-file", &deep).message.contains("is not JSON"));
    let large = [b"{\"class\":\"A\",\"x\":\"".to_vec(), b"a".repeat(16 << 20), b"\"}".to_vec()].concat();
    assert!(refused("schema-file", &large).message.contains("too large for a class document: above 16 MiB"));
    let missing = options_of(&["--schema-file", "/no/such/file"]).expect_err("refused");
    assert_eq!((missing.class, missing.causes.len()), (Class::Usage, 1));
    assert_eq!(options_of(&["--schema-file", "/"]).expect_err("refused").class, Class::Usage);
}

#[test]
fn what_is_no_list_of_tenants_is_told_in_one_sentence() {
    for (text, why) in [
        (&b"nope"[..], "is not JSON"),
        (b"{}", "it is no JSON list"),
        (b"[\"a\"]", "holds no list of tenants"),
        (b"[{\"name\":\"a b\",\"activityStatus\":\"HOT\"}]", "is not a valid tenant name"),
        (
            b"[{\"name\":\"a\",\"activityStatus\":\"HOT\"},{\"name\":\"a\",\"activityStatus\":\"COLD\"}]",
            "a is in it twice",
        ),
    ] {
        let failure = refused("tenants-file", text);
        assert_eq!(failure.class, Class::Usage);
        assert!(failure.message.contains(why), "{failure:?}");
    }
    let (_folder, path) = file(br#"[{"name":"a","activityStatus":"ACTIVE"}]"#);
    let path = path.display().to_string();
    let plain = options_of(&["A", "--tenants-file", &path]).expect_err("refused");
    assert!(plain.message.contains("A is not multi-tenant"), "{plain:?}");
    let options = options_of(&["A", "--multi-tenant", "--tenants-file", &path]).expect("options");
    assert_eq!(options.tenants[0].state, TenantState::Hot);
}

#[test]
fn flags_become_a_class_document() {
    let text =
        |line: &[&str]| String::from_utf8(options_of(line).expect("options").schema.text.to_vec()).expect("text");
    assert_eq!(text(&["Article"]), r#"{"class":"Article","properties":[],"vectorizer":"none"}"#);
    let all = text(&[
        "Article",
        "--property",
        "title:text",
        "--property",
        "by:Author",
        "--property",
        "years:int[]",
        "--vectorizer",
        "text2vec-openai",
        "--index",
        "flat",
        "--distance",
        "l2-squared",
        "--replicas",
        "3",
        "--shards",
        "2",
    ]);
    let document: serde_json::Value = serde_json::from_str(&all).expect("JSON");
    assert_eq!(
        document,
        serde_json::json!({
            "class": "Article", "vectorizer": "text2vec-openai", "vectorIndexType": "flat",
            "properties": [
                {"name": "title", "dataType": ["text"]}, {"name": "by", "dataType": ["Author"]},
                {"name": "years", "dataType": ["int[]"]},
            ],
            "vectorIndexConfig": {"distance": "l2-squared"}, "replicationConfig": {"factor": 3},
            "shardingConfig": {"desiredCount": 2},
        })
    );
    assert!(options_of(&["A", "--multi-tenant"]).expect("options").schema.multi_tenant);
    assert!(
        options_of(&["A", "--property", "a:text", "--property", "A:int"]).expect_err("twice").message.contains("twice")
    );
}

#[test]
fn flags_that_make_no_sense_are_refused_while_parsing() {
    for line in [
        &[][..],
        &["no such-name"],
        &["A", "--property", "title"],
        &["A", "--property", ":text"],
        &["A", "--property", "1st:text"],
        &["A", "--property", "a b:text"],
        &["A", "--property", "title:strng"],
        &["A", "--property", "o:object"],
        &["A", "--property", "title:No-Such"],
        &["A", "--replicas", "0"],
        &["A", "--shards", "2", "--multi-tenant"],
        &["A", "--index", "hfresh"],
        &["A", "--distance", "euclid"],
        &["--schema-file", "f", "--property", "a:text"],
        &["--schema-file", "f", "--multi-tenant"],
        &["--schema-file", "f", "--replicas", "2"],
    ] {
        assert!(args(line).is_err(), "{line:?}");
    }
    assert!(args(&["A", "--property", "o:object"]).expect_err("refused").contains("--schema-file"));
}

fn a_plan() -> CreationPlan {
    let tenant = |name: &str, state| Tenant { name: name.parse().expect("a name"), state };
    let own = |text: &str| text.to_owned();
    CreationPlan {
        url: "http://localhost:8080".into(),
        server_version: "1.40.0".into(),
        name: "Article".parse().expect("a name"),
        shape: Shape {
            properties: (0..52).map(|n| (format!("p{n}"), own(if n == 1 { "x\u{1b}[2J" } else { "text" }))).collect(),
            vectors: vec![(own("default"), None, Some(own("none"))), (own("v"), Some(own("flat")), None)],
            replicas: Some(3),
            shards: Some(2),
            multi_tenant: true,
        },
        tenants: vec![tenant("a", TenantState::Hot), tenant("b", TenantState::Cold)],
        remarks: vec![
            SettingRemark::SettingLost {
                key: "replicationConfig.factor".into(),
                was: "3".into(),
                now: Some("1".into()),
                loss: Some(Loss::TooFewNodes),
            }
            .into(),
        ],
        rehearsed: crate::ops::Rehearsed::Done,
        topology_unchecked: Some("the key may not ask".into()),
    }
}

#[test]
fn a_plan_shows_what_will_be_created() {
    let mut plan = a_plan();
    plan.shape.properties.truncate(3);
    insta::assert_snapshot!(plan::text(&plan));
    assert!(plan::text(&a_plan()).contains("and 2 more\n"));
}

#[test]
fn the_summaries_say_what_was_made_and_what_is_missing() {
    let mut plan = a_plan();
    plan.shape.properties.clear();
    let dry = would(&plan);
    let collection = CollectionResult { tenants: 250, ..CollectionResult::of("Article".parse().expect("a name")) };
    let outcome = CreationOutcome {
        result: RunResult { seconds: 0.2, ..RunResult::of(Op::Create, Status::Incomplete, None, vec![collection]) },
        remarks: vec![CreationRemark::TenantsToInactive { tenants: 1 }.into()],
        additions: vec!["description".into(), "replicationConfig".into()],
        missing: vec![CreationRemark::TenantsNotThere { tenants: 2, of: 250 }],
        topology_unchecked: None,
    };
    let done = crate::render::summary(&outcome.result, &closing_of(&outcome, true));
    assert!(!crate::render::summary(&outcome.result, &closing_of(&outcome, false)).contains("added"));
    insta::assert_snapshot!(crate::render::summary(&dry.result, &dry.closing) + "---\n" + &done);
}

#[test]
fn a_creation_that_stopped_says_what_may_be_there() {
    let name = || "Article".parse().expect("a name");
    let failure = stopped(CreationStopped { error: Error::Interrupted, perhaps_there: Some(name()) });
    assert!(failure.hints[0].starts_with("Article may be there now"), "{failure:?}");
    assert!(stopped(CreationStopped { error: Error::Interrupted, perhaps_there: None }).hints.is_empty());
}
