//! What stands beside the objects of a restore: aliases, roles, settings that are wanted otherwise, and what is said of
//! what cannot come back.

use std::path::{Path, PathBuf};

use elysiactl::archive::manifest::LimitKind;
use elysiactl::event::{Event, Events, Status, Warning};
use elysiactl::model::CollectionName;
use elysiactl::ops::restore::{AliasPolicy, AliasStep, RestoreOptions, RestoreOutcome, RestoreRefusal};
use elysiactl::ops::{Error, Hint, check};
use sandbox::{Builder, Fault, Kind, Role, Sandbox};

use crate::support::forged;
use crate::support::said::{said_of, words};
use crate::support::world::{World, drain, verify_options, world};

fn name(text: &str) -> CollectionName {
    text.parse().expect("a name")
}

fn source() -> Builder {
    Sandbox::builder()
        .seeded("Article", 20, 3, 1)
        .seeded("Chunk", 10, 3, 2)
        .alias("Live", "Article")
        .alias("Bits", "Chunk")
}

async fn backed_up(world: &World) -> PathBuf {
    PathBuf::from(world.try_backup(world.options()).await.0.expect("a backup").result.archive.expect("an archive"))
}

async fn restored(world: &World, options: RestoreOptions) -> RestoreOutcome {
    world.try_restore(options).await.0.unwrap_or_else(|stopped| panic!("stopped: {:?}", stopped.error))
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(alias, of)| ((*alias).to_owned(), (*of).to_owned())).collect()
}

fn said(outcome: &RestoreOutcome, text: &str) -> bool {
    said_of(&outcome.remarks).iter().any(|said| said.contains(text))
}

fn renamed(world: &World, archive: &Path, old: &str, new: &str) -> RestoreOptions {
    let mut options = world.restore_options(archive);
    options.renames.insert(name(old), name(new));
    options
}

#[tokio::test]
async fn missing_aliases_are_made_for_the_collections_under_their_new_names() {
    let source = world(source());
    let archive = backed_up(&source).await;
    let target = world(Sandbox::builder());
    let outcome = restored(&target, renamed(&target, &archive, "Article", "New")).await;
    assert_eq!(outcome.result.status, Status::Ok, "{:?}", outcome.remarks);
    assert_eq!(target.sandbox.aliases(), pairs(&[("Bits", "Chunk"), ("Live", "New")]));
    assert!(said(&outcome, "the alias Live stands for it"), "{:?}", outcome.remarks);
}

#[tokio::test]
async fn an_alias_that_exists_stays_or_moves_or_is_left_alone_as_was_asked() {
    let world = world(source());
    let archive = backed_up(&world).await;
    for (number, (policy, live)) in
        [(AliasPolicy::Keep, "Article"), (AliasPolicy::Skip, "Article"), (AliasPolicy::Overwrite, "New2")]
            .iter()
            .enumerate()
    {
        let mut options = renamed(&world, &archive, "Article", &format!("New{number}"));
        options.selection.take = vec!["Article".into()];
        options.aliases = *policy;
        let plan = world.restore_plan(options.clone()).await.expect("a plan").plan;
        let steps: Vec<&AliasStep> = plan.aliases.iter().map(|alias| &alias.step).collect();
        match policy {
            AliasPolicy::Keep => assert_eq!(steps, [&AliasStep::Keep { of: name("Article") }]),
            AliasPolicy::Overwrite => assert_eq!(steps, [&AliasStep::Overwrite { was: name("Article") }]),
            AliasPolicy::Skip => assert!(steps.is_empty()),
        }
        let outcome = restored(&world, options).await;
        assert_eq!(outcome.result.status, Status::Ok, "{:?}", outcome.remarks);
        assert_eq!(world.sandbox.aliases(), pairs(&[("Bits", "Chunk"), ("Live", live)]));
        assert_eq!(said(&outcome, "and no more for Article"), *policy == AliasPolicy::Overwrite);
    }
}

#[tokio::test]
async fn an_alias_is_not_moved_to_a_collection_that_is_not_whole() {
    let world = world(source());
    let archive = backed_up(&world).await;
    let mut options = renamed(&world, &archive, "Article", "New");
    options.selection.take = vec!["Article".into()];
    options.aliases = AliasPolicy::Overwrite;
    let refused = Kind::FailIds(3, "invalid text property".into());
    world.sandbox.faults().add(Fault::new(refused).on("POST", "/v1/batch/objects"));
    let outcome = restored(&world, options).await;
    assert_eq!(outcome.result.status, Status::Incomplete);
    assert!(outcome.result.collections[0].rejected > 0);
    assert!(said(&outcome, "the alias Live stays with Article, since not everything"), "{:?}", outcome.remarks);
    assert_eq!(world.sandbox.aliases(), pairs(&[("Bits", "Chunk"), ("Live", "Article")]));
}

#[tokio::test]
async fn an_alias_that_somebody_moved_since_the_plan_is_left_to_them() {
    let world = world(source());
    let archive = backed_up(&world).await;
    let mut options = renamed(&world, &archive, "Article", "New");
    options.selection.take = vec!["Article".into()];
    options.aliases = AliasPolicy::Overwrite;
    let prepared = world.restore_plan(options).await.expect("a plan");
    let moved = reqwest::Client::new()
        .put(format!("{}/v1/aliases/Live", world.sandbox.url()))
        .body(r#"{"class":"Chunk"}"#)
        .header("content-type", "application/json");
    assert!(moved.send().await.expect("an answer").status().is_success());
    let outcome = world.run_plan(prepared).await.0.unwrap_or_else(|stopped| panic!("stopped: {:?}", stopped.error));
    assert_eq!(outcome.result.status, Status::Incomplete);
    assert!(said(&outcome, "the alias Live stays with Chunk: somebody moved it"), "{:?}", outcome.remarks);
    assert_eq!(world.sandbox.aliases(), pairs(&[("Bits", "Chunk"), ("Live", "Chunk")]));
}

#[tokio::test]
async fn an_alias_whose_name_is_a_collections_is_refused_before_anything_is_written() {
    let source = world(source());
    let archive = backed_up(&source).await;
    for (target, options) in [
        // Of the server, and of this very run.
        (world(Sandbox::builder().seeded("Live", 1, 2, 3)), None),
        (world(Sandbox::builder()), Some("live")),
    ] {
        let mut wanted = match options {
            Some(new) => renamed(&target, &archive, "Chunk", new),
            None => target.restore_options(&archive),
        };
        let Error::CannotRestore { refusals, .. } = target.refused(wanted.clone()).await else { panic!("a refusal") };
        assert!(
            matches!(&refusals[..], [RestoreRefusal::AliasTaken { alias, .. }] if alias.as_str() == "Live"),
            "{refusals:?}"
        );
        assert_eq!(target.sandbox.writing_requests(), 0);
        wanted.aliases = AliasPolicy::Skip;
        assert_eq!(restored(&target, wanted).await.result.status, Status::Ok);
        assert!(target.sandbox.aliases().is_empty());
    }
}

#[tokio::test]
async fn an_alias_whose_name_no_server_takes_is_told_by_a_check_and_refused() {
    let source = world(Sandbox::builder().seeded("Article", 4, 2, 1).alias("Live", "Article"));
    let archive = backed_up(&source).await;
    for alias in ["../schema/Article", "Gräß", ""] {
        let listed = [("Live", "Article"), (alias, "Article"), ("*", "Gone")];
        let listed = listed.map(|(alias, class)| serde_json::json!({"alias": alias, "class": class}));
        let text = serde_json::json!({"aliases": listed}).to_string();
        forged::replace(&archive, "aliases.json", text.as_bytes());
        let (events, mut receiver) = Events::channel();
        let options = check::CheckOptions { archive: archive.clone(), readers: 1, memory_bytes: 128 << 20 };
        check::run(&source.session(events), options).await.expect("no damage");
        let told =
            |e: &Event| matches!(e, Event::Warning(Warning::AliasesUnfit { aliases: 2, first }) if first == alias);
        assert!(drain(&mut receiver).iter().any(told), "{alias:?}");
        let target = world(Sandbox::builder());
        let mut wanted = target.restore_options(&archive);
        let Error::CannotRestore { refusals, .. } = target.refused(wanted.clone()).await else { panic!("a refusal") };
        let unfit = |refusal: &RestoreRefusal| matches!(refusal, RestoreRefusal::AliasUnfit { alias: named, .. } if named == alias);
        assert!(refusals.len() == 1 && unfit(&refusals[0]), "{refusals:?}");
        assert_eq!(target.sandbox.writing_requests(), 0);
        wanted.aliases = AliasPolicy::Skip;
        assert_eq!(restored(&target, wanted).await.result.status, Status::Ok);
        assert!(target.sandbox.aliases().is_empty());
    }
}

#[tokio::test]
async fn a_collection_whose_name_begins_with_a_small_letter_gets_the_name_that_servers_keep() {
    let source = world(Sandbox::builder().seeded("Article", 4, 2, 1).alias("Live", "Article"));
    let archive = backed_up(&source).await;
    let small = |text: &str| text.replace("\"class\":\"Article\"", "\"class\":\"article\"");
    forged::lines(&archive, small);
    for file in ["aliases.json", "collections/Article/schema.json"] {
        let text = std::fs::read_to_string(archive.join(file)).expect("a document");
        assert_ne!(small(&text), text, "{file}");
        forged::replace(&archive, file, small(&text).as_bytes());
    }
    forged::says(&archive, |manifest| manifest["collections"][0]["name"] = "article".into());
    source.check(&archive).await.expect("no damage");
    let target = world(Sandbox::builder());
    let outcome = restored(&target, target.restore_options(&archive)).await;
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 4), "{:?}", outcome.remarks);
    assert!(said(&outcome, "the archive calls it article, a name that no server keeps"), "{:?}", outcome.remarks);
    assert_eq!(target.sandbox.collections(), ["Article"]);
    assert_eq!(target.sandbox.aliases(), pairs(&[("Live", "Article")]));
    assert_eq!(target.verify(verify_options(&archive)).await.result.status, Status::Ok);
}

#[tokio::test]
async fn a_server_without_aliases_is_named_and_all_else_comes_back() {
    let source = world(source());
    let archive = backed_up(&source).await;
    let target = world(Sandbox::builder().version("1.24.26"));
    let outcome = restored(&target, target.restore_options(&archive)).await;
    assert_eq!(outcome.result.status, Status::Ok, "{:?}", outcome.remarks);
    assert!(
        said(&outcome, "without its alias Live: the server, Weaviate 1.24.26, has no aliases"),
        "{:?}",
        outcome.remarks
    );
}

#[tokio::test]
async fn an_alias_that_cannot_be_set_is_named_and_the_objects_are_there() {
    let source = world(source());
    let archive = backed_up(&source).await;
    let target = world(Sandbox::builder());
    target.sandbox.faults().add(Fault::new(Kind::status(403, "no")).on("POST", "/v1/aliases"));
    let outcome = restored(&target, target.restore_options(&archive)).await;
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Incomplete, 30));
    assert!(said(&outcome, "the alias Live could not be set"), "{:?}", outcome.remarks);
    // The answer is lost, and the alias is there all the same.
    let target = world(Sandbox::builder());
    target.sandbox.faults().add(Fault::new(Kind::ResetAfter).on("POST", "/v1/aliases"));
    let outcome = restored(&target, target.restore_options(&archive)).await;
    assert_eq!(outcome.result.status, Status::Ok, "{:?}", outcome.remarks);
    assert_eq!(target.sandbox.aliases().len(), 2);
}

const EDITOR: &str = r#"{"name":"editor","permissions":[
    {"action":"update_data","data":{"collection":"Article","tenant":"*","object":"*"}},
    {"action":"read_collections","collections":{"collection":"Art*"}}]}"#;

fn with_role(builder: Builder, role: &str) -> World {
    let mut world = world(builder.role(role).key("rootkey", "root", Role::Root));
    world.key = Some("rootkey");
    world
}

#[tokio::test]
async fn missing_roles_are_made_for_the_collections_under_their_new_names_and_others_never_changed() {
    let source = with_role(source(), EDITOR);
    let archive = backed_up(&source).await;
    let target = with_role(Sandbox::builder(), r#"{"name":"other","permissions":[]}"#);
    let mut options = RestoreOptions { roles: true, ..renamed(&target, &archive, "Article", "New") };
    let outcome = restored(&target, options.clone()).await;
    assert_eq!(outcome.result.status, Status::Ok, "{:?} {:?}", outcome.remarks, outcome.about_roles);
    assert_eq!(target.sandbox.roles(), ["other", "editor"]);
    assert_eq!(words(&outcome.about_roles), ["the role editor was created; no user has it yet"]);

    // The same again: it is there, with the same permissions.
    options.renames.insert(name("Chunk"), name("Chunk2"));
    options.selection.take = vec!["Chunk".into()];
    let again = restored(&target, options).await;
    assert_eq!((again.result.status, again.about_roles.len()), (Status::Ok, 0), "{:?}", again.about_roles);

    let taken = with_role(Sandbox::builder(), r#"{"name":"editor","permissions":[]}"#);
    let outcome = restored(&taken, RestoreOptions { roles: true, ..taken.restore_options(&archive) }).await;
    assert_eq!(outcome.result.status, Status::Incomplete, "it was asked for and is not there as it was");
    assert_eq!(words(&outcome.about_roles), ["the role editor is there with other permissions and stays as it is"]);
}

#[tokio::test]
async fn without_the_flag_no_role_is_touched_and_where_there_are_none_the_flag_is_refused() {
    let source = with_role(source(), EDITOR);
    let archive = backed_up(&source).await;
    let target = with_role(Sandbox::builder(), r#"{"name":"other","permissions":[]}"#);
    restored(&target, target.restore_options(&archive)).await;
    assert_eq!(target.sandbox.roles(), ["other"]);
    for version in ["1.24.26", "1.28.16", "1.40.0-dev"] {
        let without = world(Sandbox::builder().version(version));
        let options = RestoreOptions { roles: true, ..without.restore_options(&archive) };
        let Error::CannotRestore { refusals, .. } = without.refused(options).await else { panic!("a refusal") };
        assert!(matches!(&refusals[..], [RestoreRefusal::NoRoles { .. }]), "{version}: {refusals:?}");
        assert_eq!(without.sandbox.writing_requests(), 0);
    }
}

#[tokio::test]
async fn a_role_with_actions_that_the_server_does_not_know_is_foretold_with_them_and_nothing_is_written() {
    const NEWER: &str = r#"{"name":"newer","permissions":[{"action":"read_mcp"},{"action":"manage_namespaces"},
        {"action":"read_collections","collections":{"collection":"*"}}]}"#;
    let source = with_role(source(), NEWER);
    let archive = backed_up(&source).await;
    let with_roles = |world: &World| RestoreOptions { roles: true, ..world.restore_options(&archive) };
    let older = with_role(Sandbox::builder().version("1.32.27"), r#"{"name":"other","permissions":[]}"#);
    let error = older.refused(with_roles(&older)).await;
    assert_eq!(
        error.to_string(),
        "cannot restore: the role newer cannot be created: Weaviate 1.32.27 does not know read_mcp, manage_namespaces"
    );
    assert_eq!(error.hints(), [Hint::WithoutRoles]);
    let Error::CannotRestore { refusals, .. } = error else { panic!("a refusal") };
    assert!(matches!(&refusals[..], [RestoreRefusal::RoleUnknown { role, .. }] if role == "newer"), "{refusals:?}");
    assert_eq!((older.sandbox.writing_requests(), older.sandbox.roles()), (0, vec!["other".to_owned()]));
    // The server's own words, for one that is sent all the same.
    let same = with_role(Sandbox::builder(), r#"{"name":"other","permissions":[]}"#);
    let outcome = restored(&same, with_roles(&same)).await;
    assert_eq!(
        (outcome.result.status, same.sandbox.roles()),
        (Status::Ok, vec!["other".to_owned(), "newer".to_owned()])
    );
    // A role that is there is not made, and need not be known.
    let there = with_role(Sandbox::builder().version("1.32.27"), r#"{"name":"newer","permissions":[]}"#);
    assert!(there.restore_plan(with_roles(&there)).await.expect("a plan").plan.refusals.is_empty());
}

#[tokio::test]
async fn vectors_made_of_those_referred_to_cost_nothing_and_what_is_gone_is_named_in_the_plan() {
    let made = r#"{"class":"Doc","vectorizer":"ref2vec-centroid","moduleConfig":{"ref2vec-centroid":{"referenceProperties":["has"]}},
        "properties":[{"name":"has","dataType":["Para"]}]}"#;
    let id = |n: u32| format!("00000000-0000-4000-8000-{n:012}");
    let doc = |n: u32, to: u32| {
        let beacon = format!("weaviate://localhost/Para/{}", id(to));
        format!(r#"{{"class":"Doc","id":"{}","properties":{{"has":[{{"beacon":"{beacon}"}}]}},"vector":[1,2]}}"#, id(n))
    };
    let para = r#"{"class":"Para","properties":[{"name":"t","dataType":["text"]}]}"#;
    let there = |n: u32| format!(r#"{{"class":"Para","id":"{}","properties":{{}},"vector":[1,2]}}"#, id(n));
    let builder = Sandbox::builder().modules(&["ref2vec-centroid"]).collection(para).collection(made);
    let builder = builder.object(&there(1)).object(&there(2)).object(&doc(11, 1)).object(&doc(12, 2));
    let source = world(builder);
    let gone = format!("{}/v1/objects/Para/{}", source.sandbox.url(), id(2));
    assert!(reqwest::Client::new().delete(gone).send().await.expect("an answer").status().is_success());
    let archive = backed_up(&source).await;
    let target = world(Sandbox::builder().modules(&["ref2vec-centroid"]));
    let plan = target.restore_plan(target.restore_options(&archive)).await.expect("a plan").plan;
    assert!(plan.refusals.is_empty(), "{:?}", plan.refusals);
    let doc = plan.collections.iter().find(|planned| planned.target.as_str() == "Doc").expect("the collection");
    let gone =
        format!("the object Para/{}, which it refers to, is not in the archive: vectors made of it are lost", id(2));
    let said = words(&doc.remarks);
    assert!(said.contains(&gone), "{said:?}");
    assert!(said.iter().any(|text| text.contains("the server itself makes new vectors")));
    assert_eq!(doc.to_vectorise, 0);
}

#[tokio::test]
async fn a_vectoriser_that_the_server_lacks_can_be_left_out() {
    let class = r#"{"class":"Made","vectorizer":"text2vec-openai","moduleConfig":{"text2vec-openai":{"model":"x"}},
        "properties":[{"name":"t","dataType":["text"],"moduleConfig":{"text2vec-openai":{"skip":true}}}]}"#;
    let object = |n: u32, vector: &str| {
        format!(r#"{{"class":"Made","id":"00000000-0000-4000-8000-{n:012}","properties":{{"t":"x"}}{vector}}}"#)
    };
    let builder = Sandbox::builder().modules(&["text2vec-openai"]).makes_vectors(2).collection(class);
    let source = world(builder.object(&object(1, r#","vector":[1,2]"#)).object(&object(2, "")));
    let archive = backed_up(&source).await;
    let target = world(Sandbox::builder().modules(&[]));
    let Error::CannotRestore { refusals, .. } = target.refused(target.restore_options(&archive)).await else {
        panic!("a refusal")
    };
    assert!(matches!(&refusals[..], [RestoreRefusal::Module { .. }]), "{refusals:?}");
    let options = RestoreOptions {
        settings: vec!["vectorizer=none".parse().expect("a setting")],
        ..target.restore_options(&archive)
    };
    let outcome = restored(&target, options).await;
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 2), "{:?}", outcome.remarks);
    assert!(said(&outcome, "without its vectorizer (text2vec-openai)"), "{:?}", outcome.remarks);
    target.equals(&archive, "Made", "Made");
}

#[tokio::test]
async fn settings_of_a_module_that_the_server_lacks_are_left_out_beside_named_vectors() {
    let class = r#"{"class":"Asked","moduleConfig":{"generative-openai":{"model":"x"}},"vectorConfig":{"v":{
        "vectorIndexType":"hnsw","vectorizer":{"none":{}}}},"properties":[{"name":"t","dataType":["text"]}]}"#;
    let object = r#"{"class":"Asked","id":"00000000-0000-4000-8000-000000000001","properties":{"t":"x"},
        "vectors":{"v":[1,2]}}"#;
    for version in ["1.24.26", "1.28.16", "1.32.27", "1.40.0-dev"] {
        let source = world(Sandbox::builder().version(version).collection(class).object(object));
        let archive = backed_up(&source).await;
        let target = world(Sandbox::builder().version(version).modules(&[]));
        let plan = target.restore_plan(target.restore_options(&archive)).await.expect("a plan").plan;
        let remarks = words(&plan.collections[0].remarks).join("; ");
        assert!(remarks.contains("moduleConfig.generative-openai") && remarks.contains("not enabled"), "{remarks}");
        let outcome = restored(&target, target.restore_options(&archive)).await;
        assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 1), "{:?}", outcome.remarks);
        assert!(said(&outcome, "moduleConfig.generative-openai"), "{version}: {:?}", outcome.remarks);
    }
}

#[tokio::test]
async fn a_collection_whose_objects_expire_is_refused_with_the_way_out_where_the_server_has_no_schedule() {
    let class =
        r#"{"class":"Short","objectTtlConfig":{"enabled":true,"defaultTtl":3600,"deleteOn":"_creationTimeUnix"}}"#;
    let source = world(Sandbox::builder().ttl().collection(class));
    let archive = backed_up(&source).await;
    let target = world(Sandbox::builder());
    let stopped = target.try_restore(target.restore_options(&archive)).await.0.expect_err("no schedule");
    assert!(matches!(stopped.error, Error::CannotRestore { .. }), "{:?}", stopped.error);
    assert_eq!(stopped.error.hints(), [Hint::NoObjectTtl]);
    assert_eq!(target.sandbox.collections(), Vec::<String>::new());
    let options = RestoreOptions {
        settings: vec!["objectTtl=off".parse().expect("a setting")],
        ..target.restore_options(&archive)
    };
    assert_eq!(restored(&target, options).await.result.status, Status::Ok);
}

#[tokio::test]
async fn what_cannot_come_back_is_in_the_manifest_and_in_the_plan() {
    let class = r#"{"class":"Short","vectorIndexConfig":{"pq":{"enabled":true}},
        "objectTtlConfig":{"enabled":true,"defaultTtl":3600,"deleteOn":"_creationTimeUnix"}}"#;
    let source = world(Sandbox::builder().ttl().collection(class));
    let outcome = source.try_backup(source.options()).await.0.expect("a backup");
    assert_eq!(outcome.result.status, Status::Ok);
    let kinds: Vec<LimitKind> = outcome.manifest.limits.iter().map(|limit| limit.kind).collect();
    assert!(kinds.contains(&LimitKind::ObjectTtl) && kinds.contains(&LimitKind::Compression), "{kinds:?}");
    let archive = PathBuf::from(outcome.result.archive.expect("an archive"));
    let target = world(Sandbox::builder());
    let plan = target.restore_plan(target.restore_options(&archive)).await.expect("a plan").plan;
    let remarks = words(&plan.collections[0].remarks).join("; ");
    assert!(remarks.contains("objects expire") && remarks.contains("has to be trained again: pq"), "{remarks}");
    let without = RestoreOptions {
        settings: vec!["objectTtl=off".parse().expect("a setting")],
        ..target.restore_options(&archive)
    };
    let outcome = restored(&target, without).await;
    assert!(said(&outcome, "objects do not expire"), "{:?}", outcome.remarks);
}

#[tokio::test]
async fn a_look_that_is_refused_after_a_gateway_answered_does_not_stop_a_finished_restore() {
    let source = world(source());
    let archive = backed_up(&source).await;
    let target = world(Sandbox::builder());
    let plan = target.restore_plan(target.restore_options(&archive)).await.expect("a plan");
    target.sandbox.faults().add(Fault::new(Kind::bad_gateway()).on("POST", "/v1/aliases"));
    target.sandbox.faults().add(Fault::new(Kind::status(422, "no")).on("GET", "/v1/aliases/Live"));
    let (done, _) = target.run_plan(plan).await;
    let outcome = done.unwrap_or_else(|stopped| panic!("{:?}", stopped.error));
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Incomplete, 30));
    assert!(said(&outcome, "the alias Live could not be set"), "{:?}", outcome.remarks);
}
