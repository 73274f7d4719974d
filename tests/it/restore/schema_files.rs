//! `--schema-file`: a class document that is asked for in place of the archived one.

use std::path::{Path, PathBuf};

use elysiactl::event::{Class, Events, SchemaDifference, Status};
use elysiactl::model::Schema;
use elysiactl::ops::restore::{RestoreOptions, RestoreRefusal, SchemaFile};
use elysiactl::ops::{Error, Hint, RunChoice, RunDiffers};
use sandbox::{Fault, Kind, Sandbox};
use serde_json::{Value, json};

use crate::support::binary::{Stage, said};
use crate::support::said::{said_of, words};
use crate::support::world::{World, world};

async fn archived() -> (World, PathBuf) {
    let source = world(Sandbox::builder().seeded("Article", 30, 3, 1).seeded("Chunk", 10, 2, 2));
    let outcome = source.backup(source.options()).await;
    let archive = PathBuf::from(outcome.result.archive.expect("an archive"));
    (source, archive)
}

/// The archived class document of Article, edited.
fn edited(archive: &Path, edit: impl FnOnce(&mut Value)) -> SchemaFile {
    let text = std::fs::read(archive.join("collections/Article/schema.json")).expect("a class document");
    let mut document = serde_json::from_slice(&text).expect("JSON");
    edit(&mut document);
    SchemaFile { path: "schema.json".into(), schema: Schema::parse(document.to_string().into()).expect("a schema") }
}

fn with(world: &World, archive: &Path, file: SchemaFile) -> RestoreOptions {
    let mut options = RestoreOptions { schema_file: Some(file), ..world.restore_options(archive) };
    options.selection.take = vec!["Article".into()];
    options
}

async fn class(world: &World, name: &str) -> Value {
    let schema = world.client(Events::none()).schema(&name.parse().expect("a name")).await.expect("an answer");
    serde_json::from_slice(&schema.expect("a collection").text).expect("JSON")
}

fn other_layout(document: &mut Value) {
    document["class"] = json!("News");
    document["vectorIndexType"] = json!("flat");
    document["vectorIndexConfig"] = json!({"distance": "dot"});
    let properties = document["properties"].as_array_mut().expect("properties");
    properties.push(json!({"name": "added", "dataType": ["int"]}));
    properties.push(json!({"name": "next", "dataType": ["News"]}));
}

#[tokio::test]
async fn an_edited_document_is_what_is_made_under_the_new_name_and_every_object_comes_back() {
    let (_source, archive) = archived().await;
    let target = world(Sandbox::builder());
    let options = RestoreOptions {
        name: Some("News".parse().expect("a name")),
        settings: vec!["shards=2".parse().expect("a setting")],
        ..with(&target, &archive, edited(&archive, other_layout))
    };
    let plan = target.restore_plan(options.clone()).await.expect("a plan").plan;
    let planned = words(&plan.collections[0].remarks);
    for said in [
        "as asked, vectorIndexType becomes \"flat\", it was \"hnsw\"",
        "as asked, vectorIndexConfig.distance becomes \"dot\", it was \"cosine\"",
        "as asked, shardingConfig.desiredCount becomes 2, it was 1",
    ] {
        assert!(planned.iter().any(|remark| remark == said), "{said}: {planned:#?}");
    }
    assert!(planned.iter().any(|remark| remark.starts_with("as asked, properties.added becomes ")), "{planned:#?}");
    let outcome = target.restore(options).await;
    assert_eq!(outcome.result.status, Status::Ok, "{:?}", outcome.remarks);
    assert!(said_of(&outcome.remarks).iter().any(|said| said.contains("vectorIndexType becomes")));
    let made = class(&target, "News").await;
    assert_eq!((&made["vectorIndexType"], &made["vectorIndexConfig"]["distance"]), (&json!("flat"), &json!("dot")));
    assert_eq!(made["shardingConfig"]["actualCount"], 2);
    let last = made["properties"].as_array().and_then(|all| all.last()).expect("properties");
    assert_eq!((&last["name"], &last["dataType"]), (&json!("next"), &json!(["News"])));
}

#[tokio::test]
async fn what_does_not_hold_the_objects_is_refused_property_by_property() {
    let (_source, archive) = archived().await;
    let target = world(Sandbox::builder());
    let file = edited(&archive, |document| {
        let properties = document["properties"].as_array_mut().expect("properties");
        properties.retain(|property| property["name"] != "title");
        for property in properties.iter_mut().filter(|property| property["name"] == "count") {
            property["dataType"] = json!(["text"]);
            property["indexRangeFilters"] = json!(false);
        }
        document["multiTenancyConfig"] = json!({"enabled": true});
    });
    target.sandbox.clear_requests();
    let error = target.refused(with(&target, &archive, file)).await;
    let Error::CannotRestore { refusals, .. } = &error else { panic!("{error:?}") };
    assert!(matches!(refusals[..], [RestoreRefusal::FileDoesNotFit { .. }]), "{refusals:?}");
    let Some(RestoreRefusal::FileDoesNotFit { differs, .. }) = refusals.first() else { panic!("{refusals:?}") };
    let types = |types: &str| vec![types.to_owned()];
    assert_eq!(
        differs[..],
        [
            SchemaDifference::TenancySwitched,
            SchemaDifference::NoProperty { property: "title".into() },
            SchemaDifference::OtherType { property: "count".into(), archived: types("int"), live: types("text") },
        ]
    );
    assert_eq!(target.sandbox.writing_requests(), 0);
    // Without objects there is nothing to hold.
    let file = edited(&archive, |document| document["properties"] = json!([]));
    let options = RestoreOptions { data: false, ..with(&target, &archive, file) };
    let outcome = target.try_restore(options).await.0.expect("the schema alone");
    assert_eq!(outcome.result.status, Status::Ok, "{:?}", outcome.remarks);
    assert_eq!(class(&target, "Article").await["properties"], json!([]));
}

#[tokio::test]
async fn a_document_the_server_refuses_and_keeps_a_half_of_is_refused_in_its_words_and_leaves_nothing() {
    let (_source, archive) = archived().await;
    for edit in
        [(|document| document["vectorIndexConfig"] = json!({"distance": "foo"})) as fn(&mut Value), |document| {
            let gone = ["vectorizer", "vectorIndexType", "vectorIndexConfig"];
            document.as_object_mut().expect("an object").retain(|key, _| !gone.contains(&key.as_str()));
            let index = json!({"distance": "foo"});
            document["vectorConfig"] =
                json!({"v": {"vectorizer": {"none": {}}, "vectorIndexType": "hnsw", "vectorIndexConfig": index}});
        }]
    {
        let target = world(Sandbox::builder());
        let options = RestoreOptions { data: false, ..with(&target, &archive, edited(&archive, edit)) };
        // Without a rehearsal: the run itself meets it.
        let stopped = target.try_restore(options).await.0.expect_err("refused");
        let Error::CannotRestore { refusals, .. } = &stopped.error else { panic!("{:?}", stopped.error) };
        assert!(matches!(refusals[..], [RestoreRefusal::Unmakeable { .. }]), "{refusals:?}");
        assert!(refusals[0].to_string().contains("unrecognized distance metric"), "{}", refusals[0]);
        assert!(stopped.created.is_empty() && target.sandbox.collections().is_empty(), "{:?}", stopped.created);
    }
}

#[tokio::test]
async fn one_document_is_for_one_collection_and_for_that_one() {
    let (_source, archive) = archived().await;
    let target = world(Sandbox::builder());
    target.sandbox.clear_requests();
    let mut options = with(&target, &archive, edited(&archive, |_| {}));
    options.selection.take = Vec::new();
    let error = target.refused(options).await;
    assert!(matches!(error, Error::OneSchemaForMany { collections: 2 }), "{error:?}");
    assert_eq!((error.class(), error.hints()), (Class::Usage, vec![Hint::ChooseOne]));
    let error = target.refused(with(&target, &archive, edited(&archive, |d| d["class"] = json!("Chunk")))).await;
    assert!(matches!(error, Error::SchemaOfAnother { .. }), "{error:?}");
    assert_eq!(error.to_string(), "the class document in --schema-file is of Chunk, and not of Article");
    assert!(target.sandbox.requests().is_empty(), "nothing is asked for it");
}

#[tokio::test]
async fn a_run_with_another_document_is_not_resumed() {
    let (_source, archive) = archived().await;
    let target = world(Sandbox::builder());
    let file = || edited(&archive, |document| document["description"] = json!("one"));
    target.sandbox.faults().add(Fault::new(Kind::ResetBefore).on("POST", "/v1/batch/objects"));
    assert!(target.try_restore(with(&target, &archive, file())).await.0.is_err());
    target.sandbox.faults().clear();
    let resumed = |file: Option<SchemaFile>| {
        let mut options = RestoreOptions { resume: true, schema_file: file, ..target.restore_options(&archive) };
        options.selection.take = vec!["Article".into()];
        options
    };
    for other in [None, Some(edited(&archive, |document| document["description"] = json!("two")))] {
        let error = target.refused(resumed(other)).await;
        let Error::OtherRun { differs, .. } = &error else { panic!("{error:?}") };
        assert!(matches!(differs[..], [RunDiffers::Choice(RunChoice::Schema)]), "{differs:?}");
    }
    let outcome = target.restore(resumed(Some(file()))).await;
    assert_eq!(outcome.result.status, Status::Ok, "{:?}", outcome.remarks);
    assert_eq!(class(&target, "Article").await["description"], "one");
}

#[test]
fn the_program_reads_the_file_within_bounds_and_names_it_where_a_run_is_resumed() {
    let source = Stage::new(Sandbox::builder().seeded("Article", 20, 2, 1));
    let archive = source.backup();
    let text = |path: &Path| path.to_str().expect("text").to_owned();
    let stage = Stage::new(Sandbox::builder());
    let file = stage.folder.path().join("edited schema.json");
    let restore = |more: &[&str]| {
        let (archive, file) = (text(&archive), text(&file));
        stage.run(&[&["col", "restore", &archive, "--schema-file", &file, "-y"], more].concat())
    };
    for (content, words) in [
        (&b"{"[..], "is not JSON"),
        (br#"{"classes":[]}"#, "holds no class document"),
        (br#"{"class":"Article","Class":"B"}"#, "cannot be trusted"),
        (br#"{"class":"Other"}"#, "is of Other, and not of Article"),
    ] {
        std::fs::write(&file, content).expect("written");
        let output = restore(&[]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(words), "{words}: {}", said(&output));
    }
    assert_eq!(stage.sandbox.writing_requests(), 0);
    let archived = std::fs::read_to_string(archive.join("collections/Article/schema.json")).expect("a class document");
    std::fs::write(&file, archived.replacen("\"name\":\"score\"", "\"name\":\"scores\"", 1)).expect("written");
    let output = restore(&[]);
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    let told = "Article: the class document in --schema-file cannot hold it: it has no property score";
    assert!(said(&output).contains(told), "{}", said(&output));
    std::fs::write(&file, archived.replacen("\"flat\"", "\"hnsw\"", 1)).expect("written");
    stage.sandbox.faults().add(Fault::new(Kind::ResetBefore).on("POST", "/v1/batch/objects"));
    let output = restore(&["-q"]);
    assert_eq!(output.status.code(), Some(5), "{}", said(&output));
    let flag = format!("--schema-file '{}'", text(&file));
    assert!(said(&output).contains(&flag) && said(&output).contains("--resume"), "{}", said(&output));
    stage.sandbox.faults().clear();
    let output = restore(&["--resume"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}
