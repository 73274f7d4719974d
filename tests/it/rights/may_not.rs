//! What the roles of a key do not let it do is refused in the plan, also of a dry run, before anything is sent that writes;
//! what is about some tenants names these.

use std::process::Output;

use elysiactl::ops::restore::RestoreRefusal;
use elysiactl::ops::{Error, Lack, LackOf, backup};
use sandbox::{Builder, Fault, Kind, Role, Sandbox};

use crate::backup::tenants::{CLASS, tenants};
use crate::support::binary::{Stage, said};
use crate::support::world::world;

fn keys(builder: Builder, role: Role) -> Builder {
    builder.key("rootkey", "root", Role::Root).key("somekey", "some", role)
}

fn mixed(role: Role) -> Stage {
    let builder = tenants(Sandbox::builder().collection(CLASS), &[("a", "HOT"), ("b", "HOT")], 5);
    Stage::new(keys(builder, role))
}

fn run(stage: &Stage, key: &str, arguments: &[&str]) -> Output {
    stage.command(arguments).env("WEAVIATE_API_KEY", key).output().expect("the binary runs")
}

/// Refused with these words, and nothing was sent that writes.
fn refused(stage: &Stage, arguments: &[&str], words: &str) {
    stage.sandbox.clear_requests();
    let output = run(stage, "somekey", arguments);
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), said(&output));
    assert_eq!(output.status.code(), Some(4), "{arguments:?}: {text}");
    assert!(text.contains(words), "{arguments:?}: {words:?} is not in {text}");
    assert_eq!(stage.sandbox.writing_requests(), 0, "{arguments:?}");
}

fn asked_for_rights(stage: &Stage) -> usize {
    let requests = stage.sandbox.requests();
    requests.iter().filter(|request| request.path == "/v1/users/own-info").count()
}

/// An archive of everything, as a path.
fn archived(stage: &Stage) -> String {
    let output = run(stage, "rootkey", &["-q", "col", "backup"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    stage.made().remove(0).to_str().expect("text").to_owned()
}

#[test]
fn a_dry_run_with_a_key_that_may_not_create_does_not_say_that_it_would() {
    let source = Stage::new(keys(Sandbox::builder().seeded("Article", 20, 3, 1), Role::Root));
    let archive = archived(&source);
    for lacking in ["create_collections", "create_data", "update_data", "read_data"] {
        let target = Stage::new(keys(Sandbox::builder(), Role::Without(lacking)));
        let words = format!("the key may not {lacking} on Article");
        for dry_run in [&["--dry-run"][..], &["-y"]] {
            refused(&target, &[&["col", "restore", &archive], dry_run].concat(), &words);
            assert_eq!(asked_for_rights(&target), 1, "{lacking}");
        }
    }
    let target = Stage::new(keys(Sandbox::builder(), Role::Without("create_collections")));
    refused(&target, &["col", "create", "New", "--dry-run"], "the key may not create_collections on New");
    // Where nothing is told of roles, the server is the one to refuse.
    let untold = Fault::new(Kind::status(404, "no")).on("GET", "/v1/users/own-info");
    let target = Stage::new(keys(Sandbox::builder(), Role::Without("create_collections")).fault(untold));
    let output = run(&target, "somekey", &["col", "restore", &archive, "--dry-run"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

#[test]
fn a_dry_run_with_a_key_that_may_not_remove_does_not_say_that_it_would() {
    let stage = Stage::new(keys(Sandbox::builder().seeded("Article", 20, 3, 1), Role::Without("delete_collections")));
    refused(&stage, &["col", "rm", "Article", "--dry-run"], "the key may not delete_collections on Article");
    assert_eq!(stage.sandbox.count("Article", None), 20);
}

#[test]
fn a_clear_with_a_key_for_one_tenant_touches_none_of_them() {
    let stage = mixed(Role::DataOf(&["delete_data"], "a"));
    let words = "the key may not delete_data on Mt for its tenant b";
    refused(&stage, &["col", "clear", "Mt", "--method", "delete", "-y"], words);
    refused(&stage, &["col", "clear", "Mt", "--method", "delete", "-y"], "hint: --tenant chooses");
    refused(&stage, &["col", "clear", "Mt", "--method", "delete", "--tenant", "b", "-y"], words);
    assert_eq!([stage.sandbox.count("Mt", Some("a")), stage.sandbox.count("Mt", Some("b"))], [5, 5]);
    let output = run(&stage, "somekey", &["col", "clear", "Mt", "--method", "delete", "--tenant", "a", "-y"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!([stage.sandbox.count("Mt", Some("a")), stage.sandbox.count("Mt", Some("b"))], [0, 5]);
}

#[test]
fn a_restore_with_a_key_for_one_tenant_writes_nothing_or_that_tenant() {
    let source = mixed(Role::Root);
    let archive = archived(&source);
    let target = Stage::new(keys(Sandbox::builder(), Role::DataOf(&["create_data", "update_data"], "a")));
    refused(&target, &["col", "restore", &archive, "-y"], "the key may not create_data on Mt for its tenant b");
    let output = run(&target, "somekey", &["col", "restore", &archive, "--tenant", "a", "-y"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(target.sandbox.count("Mt", Some("a")), 5);
}

#[test]
fn a_backup_with_a_key_that_may_read_one_tenant_says_what_it_takes() {
    let stage = mixed(Role::DataOf(&["read_data"], "a"));
    for tenant in [&[][..], &["--tenant", "a"]] {
        let arguments = [&["col", "backup"][..], tenant].concat();
        refused(&stage, &arguments, "the key may not read_data on Mt for all of its tenants");
        refused(&stage, &arguments, "hint: servers list objects, also those of a single tenant, only to a key");
    }
    assert!(stage.made().is_empty());
}

#[tokio::test]
async fn a_backup_names_every_collection_that_the_key_may_not_read() {
    let builder = Sandbox::builder().seeded("Article", 5, 3, 1).seeded("Chat", 5, 3, 1);
    let mut world = world(builder.key("somekey", "some", Role::Without("read_data")));
    world.key = Some("somekey");
    let client = world.client(elysiactl::event::Events::none());
    let session = world.session(elysiactl::event::Events::none());
    let error = backup::plan(&client, &session, world.options()).await.expect_err("refused");
    let Error::NotAllowed { lacks } = error else { panic!("{error:?}") };
    let lack = |on: &str| Lack { action: "read_data", on: on.parse().expect("a name"), of: LackOf::Collection };
    assert_eq!(lacks, [lack("Article"), lack("Chat")]);
    let refusal = RestoreRefusal::NotAllowed { collection: "Chat".parse().expect("a name"), lack: lack("Chat") };
    let facts = serde_json::to_value(refusal).expect("JSON");
    assert_eq!((&facts["kind"], &facts["lack"]["of"]), (&"not_allowed".into(), &"collection".into()));
}
