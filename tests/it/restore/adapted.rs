//! `--set`: collections that are restored with other settings than the archive has, what the plan says of it, and which
//! settings are offered where a server does not take the archive's.

use std::path::{Path, PathBuf};

use elysiactl::event::{Class, Events, Status};
use elysiactl::model::{TenantMap, TenantName};
use elysiactl::ops::restore::{self, RestoreOptions, RestoreRefusal, Setting};
use elysiactl::ops::verify::VerifyOptions;
use elysiactl::ops::{Error, Hint, RunChoice, RunDiffers};
use elysiactl::weaviate::Writer;
use sandbox::{Builder, Fault, Kind, Operator, Sandbox};
use serde_json::{Value, json};

use crate::support::binary::{Stage, said};
use crate::support::said::{said_of, words};
use crate::support::world::{World, verify_options, world};

const VERSIONS: [&str; 4] = ["1.24.26", "1.28.16", "1.32.27", "1.40.0-dev"];

/// Two named vectors, words, numbers and an object: what settings there are of.
const WIDE: &str = r#"{"class":"Wide","description":"old","properties":[{"name":"t","dataType":["text"]},
    {"name":"u","dataType":["text[]"]},{"name":"n","dataType":["int"]},
    {"name":"o","dataType":["object"],"nestedProperties":[{"name":"w","dataType":["text"]}]}],
    "vectorConfig":{"a":{"vectorIndexType":"hnsw","vectorizer":{"none":{}}},
        "b":{"vectorIndexType":"flat","vectorizer":{"none":{}}}}}"#;

fn wide(n: u32) -> String {
    format!(
        r#"{{"class":"Wide","id":"00000000-0000-4000-8000-{n:012}","properties":{{"t":"t {n}","u":["x"],"n":{n},
            "o":{{"w":"w"}}}},"vectors":{{"a":[{n},1],"b":[1,{n},2]}}}}"#
    )
}

fn source() -> Builder {
    (1..=9).fold(Sandbox::builder().collection(WIDE).seeded("Plain", 12, 3, 1), |builder, n| builder.object(&wide(n)))
}

fn settings(texts: &[&str]) -> Vec<Setting> {
    texts.iter().map(|text| text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))).collect()
}

async fn archived(builder: Builder) -> (World, PathBuf) {
    let source = world(builder);
    let outcome = source.try_backup(source.options()).await.0.expect("a backup");
    let archive = PathBuf::from(outcome.result.archive.expect("an archive"));
    source.check(&archive).await.expect("a sound archive");
    // Inactive tenants are activated for it.
    let verified = source.verify(VerifyOptions { state: Some(source.state()), ..verify_options(&archive) }).await;
    assert_eq!(verified.result.status, Status::Ok, "{:?}", verified.differences);
    (source, archive)
}

fn with(world: &World, archive: &Path, texts: &[&str]) -> RestoreOptions {
    RestoreOptions { settings: settings(texts), ..world.restore_options(archive) }
}

async fn class(world: &World, name: &str) -> Value {
    let client = world.client(Events::none());
    let schema = client.schema(&name.parse().expect("a name")).await.expect("an answer").expect("a collection");
    serde_json::from_slice(&schema.text).expect("a class document")
}

#[tokio::test]
async fn a_collection_is_made_with_the_settings_that_are_wanted_on_every_version() {
    for version in VERSIONS {
        let (_source, archive) = archived(source().version(version)).await;
        let target = world(Sandbox::builder().version(version));
        let texts = [
            "shards=2",
            "Wide.shards=3",
            "Wide.description=new",
            "tokenization=field",
            "properties.u.tokenization=whitespace",
            "properties.n.indexFilterable=false",
            "invertedIndexConfig.bm25.b=0.5",
            "invertedIndexConfig.indexNullState=true",
            "vectorIndexConfig.ef=77",
            "vectorConfig.b.vectorIndexType=hnsw",
            "vectorConfig.a.quantizer=bq",
        ];
        let outcome = target.restore(with(&target, &archive, &texts)).await;
        assert_eq!(outcome.result.status, Status::Ok, "{version}: {:?}", outcome.remarks);
        let (wide, plain) = (class(&target, "Wide").await, class(&target, "Plain").await);
        assert_eq!(
            (&wide["shardingConfig"]["actualCount"], &plain["shardingConfig"]["actualCount"]),
            (&json!(3), &json!(2))
        );
        assert_eq!((&wide["description"], plain.get("description")), (&json!("new"), None));
        let tokenization = |at: usize| &wide["properties"][at]["tokenization"];
        assert_eq!((tokenization(0), tokenization(1)), (&json!("field"), &json!("whitespace")));
        assert_eq!(wide["properties"][3]["nestedProperties"][0]["tokenization"], "field");
        assert_eq!(wide["properties"][2]["indexFilterable"], false);
        for document in [&wide, &plain] {
            assert_eq!(document["invertedIndexConfig"]["bm25"], json!({"b": 0.5, "k1": 1.2}), "{version}");
            assert_eq!(document["invertedIndexConfig"]["indexNullState"], true);
        }
        let (a, b) = (&wide["vectorConfig"]["a"], &wide["vectorConfig"]["b"]);
        assert_eq!(
            (&a["vectorIndexConfig"]["ef"], &b["vectorIndexConfig"]["ef"]),
            (&json!(77), &json!(77)),
            "{version}"
        );
        assert_eq!((&b["vectorIndexType"], &a["vectorIndexConfig"]["bq"]["enabled"]), (&json!("hnsw"), &json!(true)));
        assert_eq!(plain["vectorIndexConfig"]["ef"], 77);
    }
}

#[tokio::test]
async fn plan_and_result_name_what_was_and_what_it_becomes() {
    let (_source, archive) = archived(source()).await;
    let target = world(Sandbox::builder());
    let texts = ["Wide.shards=3", "tokenization=field", "vectorConfig.b.vectorIndexType=hfresh"];
    let options = with(&target, &archive, &texts);
    let plan = target.restore_plan(options.clone()).await.expect("a plan").plan;
    let of = |name: &str| {
        let planned = plan.collections.iter().find(|planned| planned.archived.as_str() == name).expect("planned");
        words(&planned.remarks)
    };
    let expected = [
        "as asked, properties.*.tokenization becomes \"field\", it was \"word\", 2 times",
        "as asked, properties.o.nestedProperties.w.tokenization becomes \"field\", it was \"word\"",
        "as asked, shardingConfig.desiredCount becomes 3, it was 1",
        "as asked, vectorConfig.b.vectorIndexType becomes \"hfresh\", it was \"flat\"",
    ];
    let wide = of("Wide");
    for said in expected {
        assert!(wide.iter().any(|remark| remark == said), "{said}: {wide:#?}");
    }
    let left_out = wide.iter().find(|remark| remark.starts_with("as asked, these are left out: "));
    assert!(
        left_out.is_some_and(|said| said.ends_with(": vectorConfig.*.vectorIndexConfig.vectorCacheMaxObjects")),
        "{wide:#?}"
    );
    assert!(of("Plain").iter().all(|remark| !remark.contains("desiredCount")), "{:?}", of("Plain"));
    let outcome = target.restore(options).await;
    let told: Vec<String> = said_of(&outcome.remarks);
    for said in expected {
        assert!(told.iter().any(|remark| remark.contains(said)), "{said}: {told:#?}");
    }
    // The comparison by itself knows nothing of it, and says what is otherwise.
    let verified = target.verify(verify_options(&archive)).await;
    assert_eq!(verified.result.status, Status::Ok, "settings are no content");
}

#[tokio::test]
async fn a_setting_that_nothing_has_is_told_before_anything_is_sent() {
    let (_source, archive) = archived(source()).await;
    let target = world(Sandbox::builder());
    for (text, said) in [
        (
            "vectorConfig.c.quantizer=rq",
            "--set vectorConfig.c.quantizer=rq changes nothing: nothing that is chosen has such a setting; there are a, b",
        ),
        (
            "Plain.vectorConfig.a.quantizer=rq",
            "--set Plain.vectorConfig.a.quantizer=rq changes nothing: nothing that is chosen has such a setting",
        ),
        (
            "moduleConfig.text2vec-x.model=m",
            "--set moduleConfig.text2vec-x.model=m changes nothing: nothing that is chosen has such a setting",
        ),
    ] {
        target.sandbox.clear_requests();
        let error = target.refused(with(&target, &archive, &[text])).await;
        assert_eq!(error.class(), Class::Refused);
        assert_eq!(error.to_string(), said);
        assert!(matches!(error, Error::SettingUnused { .. }), "{error:?}");
        assert!(target.sandbox.requests().is_empty(), "{text}: nothing is asked for it");
    }
    let error = target.refused(with(&target, &archive, &["Plane.shards=1"])).await;
    let Error::NotInArchive { name, similar } = error else { panic!("{error:?}") };
    assert_eq!((name.as_str(), similar.len()), ("Plane", 1));
}

#[test]
fn the_program_tells_a_wrong_setting_at_once_and_offers_the_one_that_helps() {
    let source = Stage::new(Sandbox::builder().seeded("Article", 20, 2, 1).seeded("Chunk", 20, 2, 2));
    let archive = source.backup();
    let archive = archive.to_str().expect("text");
    let stage = Stage::new(Sandbox::builder());
    for (arguments, text) in [
        (&["--set", "replicationfactor=1"][..], "did you mean replicationFactor?"),
        (&["--set", "Article.shards=many"], "Article.shards takes a whole number from 1"),
        (&["--set", "shards"], "must be KEY=VALUE"),
        (&["--set", "shards=1", "--set", "shards=2"], "--set says both shards=1 and shards=2"),
    ] {
        let output = stage.run(&[&["col", "restore", archive, "-y"], arguments].concat());
        let told = said(&output);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains(text), "{text}: {told}");
        assert!(stage.sandbox.requests().is_empty(), "{text}");
    }
    stage.sandbox.operate(Operator { index_types: Some(&["flat"]), ..Operator::default() });
    let refused = stage.run(&["col", "restore", archive, "-y"]);
    let told = said(&refused);
    assert_eq!(refused.status.code(), Some(4), "{told}");
    let offer = "--set 'Article.vectorIndexType=flat' --set 'Chunk.vectorIndexType=flat'";
    assert!(told.contains(&format!("hint: restore it with another setting: {offer}")), "{told}");
    assert_eq!(stage.sandbox.collections(), Vec::<String>::new());
    let restored = stage.run(&["col", "restore", archive, "-y", "--set", "vectorIndexType=flat"]);
    let told = String::from_utf8_lossy(&restored.stdout);
    assert_eq!(restored.status.code(), Some(0), "{told}");
    assert!(told.contains("as asked, vectorIndexType becomes \"flat\", it was \"hnsw\""), "{told}");
}

#[tokio::test]
async fn more_replicas_than_nodes_are_not_made_fewer_if_somebody_asked_for_them() {
    let (_source, archive) = archived(source().nodes(3)).await;
    let target = world(Sandbox::builder().nodes(2));
    let error = target.refused(with(&target, &archive, &["Wide.replicationFactor=3"])).await;
    let Error::CannotRestore { refusals, .. } = &error else { panic!("{error:?}") };
    assert!(matches!(refusals[..], [RestoreRefusal::TooFewNodes { replicas: 3, nodes: 2, .. }]), "{refusals:?}");
    assert_eq!(error.to_string(), "cannot restore: Wide: 3 replicas need as many nodes, and the server has 2");
    let adapted = Hint::Adapt(settings(&["Wide.replicationFactor=2"]));
    assert!(error.hints().contains(&adapted), "{:?}", error.hints());
    let outcome = target.restore(with(&target, &archive, &["replicationFactor=2"])).await;
    assert_eq!(outcome.result.status, Status::Ok, "{:?}", outcome.remarks);
    assert_eq!(class(&target, "Wide").await["replicationConfig"]["factor"], 2);
}

#[tokio::test]
async fn what_is_there_keeps_its_settings_and_that_is_said() {
    let (source, archive) = archived(Sandbox::builder().seeded("Rented", 9, 2, 3).in_tenants(3)).await;
    let target = world(Sandbox::builder());
    let tenants = |names: &[&str]| {
        let pair = |name: &&str| (name.parse().expect("a name"), name.parse().expect("a name"));
        TenantMap::Only(names.iter().map(pair).collect())
    };
    let all = target.sandbox.tenants("Rented");
    assert!(all.is_empty());
    let names: Vec<String> = source.sandbox.tenants("Rented").into_iter().map(|(name, _)| name).collect();
    let first = RestoreOptions { tenants: tenants(&[&names[0]]), ..target.restore_options(&archive) };
    assert_eq!(target.try_restore(first).await.0.expect("one tenant").result.status, Status::Ok);
    let before = class(&target, "Rented").await;
    let second =
        RestoreOptions { tenants: tenants(&[&names[1]]), ..with(&target, &archive, &["vectorIndexType=flat"]) };
    let outcome = target.try_restore(second).await.0.expect("another tenant");
    let told = said_of(&outcome.remarks);
    let said = "what is there keeps its settings: --set vectorIndexType=flat is not applied";
    assert!(told.iter().any(|remark| remark.contains(said)), "{told:#?}");
    assert!(told.iter().all(|remark| !remark.contains("as asked")), "{told:#?}");
    assert_eq!(class(&target, "Rented").await, before);
}

#[tokio::test]
async fn a_run_with_other_settings_is_not_resumed() {
    let (_source, archive) = archived(source()).await;
    let target = world(Sandbox::builder());
    let begun = with(&target, &archive, &["shards=2", "vectorizer=none"]);
    let stop = Fault::new(Kind::ResetBefore).on("POST", "/v1/batch/objects");
    target.sandbox.faults().add(stop);
    assert!(target.try_restore(begun.clone()).await.0.is_err());
    target.sandbox.faults().clear();
    let resumed = |texts: &[&str]| RestoreOptions { resume: true, ..with(&target, &archive, texts) };
    for texts in [&["shards=3", "vectorizer=none"][..], &["shards=2"], &["Wide.shards=2", "vectorizer=none"]] {
        let error = target.refused(resumed(texts)).await;
        let Error::OtherRun { differs, .. } = &error else { panic!("{texts:?}: {error:?}") };
        assert!(matches!(differs[..], [RunDiffers::Choice(RunChoice::Settings)]), "{differs:?}");
    }
    // By another name of the same, and in another order.
    let outcome = target.restore(resumed(&["vectorizer=none", "shardingConfig.desiredCount=2"])).await;
    assert_eq!(outcome.result.status, Status::Ok, "{:?}", outcome.remarks);
    assert_eq!(class(&target, "Wide").await["shardingConfig"]["actualCount"], 2);
}

/// What is offered against the refusal of a restore.
fn offered(error: &Error) -> Vec<Setting> {
    let adapted = error.hints().into_iter().find_map(|hint| match hint {
        Hint::Adapt(settings) => Some(settings),
        _ => None,
    });
    adapted.unwrap_or_else(|| panic!("nothing is offered: {error} {:?}", error.hints()))
}

/// What the plan, or trying it out, refuses.
async fn stopped(world: &World, options: RestoreOptions) -> Error {
    match world.restore_plan(options).await {
        Ok(prepared) if prepared.plan.refusals.is_empty() => {
            world.run_plan(prepared).await.0.expect_err("a refusal").error
        }
        Ok(prepared) => prepared.plan.refused().expect("a refusal"),
        Err(error) => error,
    }
}

/// Restores what is refused as it was saved: nothing is there then, and with what is offered all of it comes back.
async fn follows(source: Builder, target: &World, expected: &[&str]) {
    let (_source, archive) = archived(source).await;
    let error = stopped(target, target.restore_options(&archive)).await;
    assert_eq!(error.class(), Class::Refused, "{error}");
    assert_eq!(offered(&error), settings(expected), "{error}");
    assert_eq!(target.sandbox.collections(), Vec::<String>::new());
    let options = RestoreOptions { settings: offered(&error), ..target.restore_options(&archive) };
    let outcome = target.restore(options).await;
    assert_eq!(outcome.result.status, Status::Ok, "{expected:?}: {:?}", outcome.remarks);
}

#[tokio::test]
async fn what_an_operator_forbids_is_answered_with_the_setting_that_helps() {
    let named = r#"{"class":"One","vectorConfig":{"a":{"vectorIndexType":"hnsw","vectorizer":{"none":{}},
        "vectorIndexConfig":{"bq":{"enabled":true}}},"b":{"vectorIndexType":"flat","vectorizer":{"none":{}}}}}"#;
    let words = r#"{"class":"One","properties":[{"name":"t","dataType":["text"],"tokenization":"gse"},
        {"name":"u","dataType":["text[]"],"tokenization":"gse"},{"name":"w","dataType":["text"]}]}"#;
    let shards = r#"{"class":"One","shardingConfig":{"desiredCount":3}}"#;
    let replicas = r#"{"class":"One","replicationConfig":{"factor":2}}"#;
    let plain = r#"{"class":"One"}"#;
    let compressed = r#"{"class":"One","vectorIndexConfig":{"rq":{"enabled":true,"bits":1}}}"#;
    let only = Operator::default;
    for (document, operator, expected) in [
        (
            named,
            Operator { index_types: Some(&["flat", "hfresh"]), ..only() },
            &["vectorConfig.a.vectorIndexType=flat"][..],
        ),
        (plain, Operator { index_types: Some(&["hfresh"]), ..only() }, &["vectorIndexType=hfresh"]),
        (
            named,
            Operator { compressions: Some(&["rq-8"]), ..only() },
            &["vectorConfig.a.quantizer=rq", "vectorConfig.a.vectorIndexConfig.rq.bits=8"],
        ),
        (
            compressed,
            Operator { compressions: Some(&["rq-8"]), ..only() },
            &["quantizer=rq", "vectorIndexConfig.rq.bits=8"],
        ),
        (compressed, Operator { compressions: Some(&["pq", "none"]), ..only() }, &["quantizer=none"]),
        (
            words,
            Operator { tokenizers_off: true, ..only() },
            &["properties.t.tokenization=trigram", "properties.u.tokenization=trigram"],
        ),
        (shards, Operator { one_shard: true, ..only() }, &["shards=1"]),
        (shards, Operator { most_shards: Some(2), ..only() }, &["shards=2"]),
        (replicas, Operator { most_replicas: Some(1), ..only() }, &["replicationFactor=1"]),
        (plain, Operator { least_replicas: Some(2), ..only() }, &["replicationFactor=2"]),
    ] {
        let source = Sandbox::builder().nodes(2).collection(document);
        let target = world(Sandbox::builder().nodes(2));
        target.sandbox.operate(operator);
        follows(source, &target, expected).await;
    }
}

#[tokio::test]
async fn a_dynamic_index_becomes_one_that_needs_no_queue() {
    let document =
        r#"{"class":"One","vectorIndexType":"dynamic","vectorIndexConfig":{"distance":"dot","hnsw":{"ef":9}}}"#;
    let asynchronous = Operator { async_indexing: true, ..Operator::default() };
    let source = Sandbox::builder().operator(asynchronous).collection(document);
    let target = world(Sandbox::builder());
    follows(source, &target, &["vectorIndexType=hnsw"]).await;
    let made = class(&target, "One").await;
    assert_eq!((&made["vectorIndexConfig"]["ef"], &made["vectorIndexConfig"]["distance"]), (&json!(9), &json!("dot")));
}

#[tokio::test]
async fn what_a_version_does_not_know_is_answered_with_the_setting_that_helps() {
    for (document, version, expected) in [
        (r#"{"class":"One","vectorIndexType":"hfresh"}"#, "1.32.27", &["vectorIndexType=hnsw"][..]),
        (r#"{"class":"One","vectorIndexConfig":{"rq":{"enabled":true}}}"#, "1.28.16", &["quantizer=none"]),
        (
            r#"{"class":"One","vectorIndexConfig":{"rq":{"enabled":true,"bits":4}}}"#,
            "1.32.27",
            &["vectorIndexConfig.rq.bits=8"],
        ),
        (r#"{"class":"One","vectorIndexConfig":{"sq":{"enabled":true}}}"#, "1.24.26", &["quantizer=none"]),
        (
            r#"{"class":"One","vectorConfig":{"a":{"vectorizer":{"none":{}},"vectorIndexType":"flat",
                "vectorIndexConfig":{"rq":{"enabled":true}}},"b":{"vectorizer":{"none":{}}}}}"#,
            "1.32.27",
            &["vectorConfig.a.quantizer=none"],
        ),
        (
            r#"{"class":"One","properties":[{"name":"t","dataType":["text"],"tokenization":"kagome_ja"},
                {"name":"a","dataType":["text"],"textAnalyzer":{"asciiFold":true}}]}"#,
            "1.24.26",
            &["properties.t.tokenization=trigram", "properties.a.textAnalyzer=off"],
        ),
        (
            r#"{"class":"One","invertedIndexConfig":{"stopwordPresets":{"x":["y"]}}}"#,
            "1.32.27",
            &["invertedIndexConfig.stopwordPresets=off"],
        ),
    ] {
        let target = world(Sandbox::builder().version(version));
        follows(Sandbox::builder().collection(document), &target, expected).await;
    }
}

#[tokio::test]
async fn too_many_tenants_are_answered_with_fewer_of_them() {
    let (source, archive) = archived(Sandbox::builder().seeded("Rented", 9, 2, 3).in_tenants(3)).await;
    let target = world(Sandbox::builder());
    target.sandbox.operate(Operator { most_tenants: Some(2), ..Operator::default() });
    let planned = target.restore_plan(target.restore_options(&archive)).await.expect("a plan");
    let session = target.session(Events::none());
    let writer = Writer::new(target.client(Events::none()));
    let error = restore::rehearse(&writer, &session, planned).await.expect_err("one tenant too many");
    assert!(error.hints().contains(&Hint::FewerTenants), "{:?}", error.hints());
    assert_eq!(target.sandbox.collections(), Vec::<String>::new());
    let mut names = source.sandbox.tenants("Rented").into_iter().map(|(name, _)| name.parse().expect("a name"));
    let two = names.by_ref().take(2).map(|name: TenantName| (name.clone(), name)).collect();
    let options = RestoreOptions { tenants: TenantMap::Only(two), ..target.restore_options(&archive) };
    let outcome = target.try_restore(options).await.0.expect("two tenants");
    assert_eq!((outcome.result.status, outcome.result.collections[0].tenants), (Status::Ok, 2));
}

#[tokio::test]
async fn what_no_setting_helps_against_offers_none_and_the_others_can_be_restored() {
    let suffix = r#"{"class":"Ends","properties":[{"name":"a_searchable","dataType":["text"]}]}"#;
    let (_source, archive) =
        archived(Sandbox::builder().version("1.32.27").collection(suffix).seeded("Plain", 3, 2, 1)).await;
    let target = world(Sandbox::builder());
    let error = target.refused(target.restore_options(&archive)).await;
    let Error::CannotRestore { refusals, .. } = &error else { panic!("{error:?}") };
    assert!(matches!(refusals[..], [RestoreRefusal::Unsupported { .. }]), "{refusals:?}");
    let hints = error.hints();
    assert!(!hints.iter().any(|hint| matches!(hint, Hint::Adapt(_))), "{hints:?}");
    assert!(hints.contains(&Hint::LeaveOut(vec!["Ends".parse().expect("a name")])), "{hints:?}");
    let mut options = target.restore_options(&archive);
    options.selection.exclude = vec!["Ends".into()];
    assert_eq!(target.restore(options).await.result.status, Status::Ok);
}
