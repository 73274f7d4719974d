//! What a key with few rights is told of aliases and roles: servers leave out of their lists what it may not see, without a
//! word, so an empty list is never taken for "there are none".

use std::path::PathBuf;

use elysiactl::archive::manifest::{Limit, LimitKind};
use elysiactl::event::{Events, Status};
use elysiactl::ops::restore::{AliasPolicy, AliasStep, RestoreOptions, RestoreOutcome, RestoreRefusal, RoleStep};
use elysiactl::ops::{Error, Hint, backup};
use sandbox::{Builder, Fault, Kind, Role, Sandbox};

use crate::support::said::{said_of, words};
use crate::support::world::{World, world};

/// What a backup and a restore of collections take, and no more.
const FEW: &[&str] = &[
    "read_collections",
    "create_collections",
    "update_collections",
    "read_data",
    "create_data",
    "update_data",
    "read_nodes",
    "read_cluster",
];

const EDITOR: &str = r#"{"name":"editor","permissions":[
    {"action":"read_collections","collections":{"collection":"Art*"}}]}"#;
const OTHER_EDITOR: &str = r#"{"name":"editor","permissions":[]}"#;

fn source() -> Builder {
    Sandbox::builder().seeded("Article", 20, 3, 1).alias("Live", "Article").role(EDITOR)
}

/// A world in which only this key is used.
fn with_key(builder: Builder, role: Role) -> World {
    let mut world = world(builder.key("canary-key", "few", role));
    world.key = Some("canary-key");
    world
}

async fn backed_up(world: &World) -> (PathBuf, Vec<Limit>) {
    let outcome = world.try_backup(world.options()).await.0.expect("a backup");
    assert_eq!(outcome.result.status, Status::Ok);
    (PathBuf::from(outcome.result.archive.expect("an archive")), outcome.manifest.limits)
}

/// An archive with the alias and the role, and the world that it lies in.
async fn archived() -> (World, PathBuf) {
    let world = with_key(source(), Role::Root);
    let archive = backed_up(&world).await.0;
    (world, archive)
}

fn kinds(limits: &[Limit]) -> Vec<(LimitKind, Option<&str>)> {
    let unseen = [LimitKind::Aliases, LimitKind::Roles, LimitKind::Collections];
    let beside = limits.iter().filter(|limit| unseen.contains(&limit.kind));
    beside.map(|limit| (limit.kind, limit.collection.as_deref())).collect()
}

async fn restored(world: &World, options: RestoreOptions) -> RestoreOutcome {
    world.try_restore(options).await.0.unwrap_or_else(|stopped| panic!("stopped: {:?}", stopped.error))
}

fn said(outcome: &RestoreOutcome, text: &str) -> bool {
    said_of(&outcome.remarks).iter().any(|said| said.contains(text))
}

#[tokio::test]
async fn an_archive_says_that_aliases_and_roles_were_kept_from_the_key() {
    let few = with_key(source(), Role::Only(FEW));
    let session = few.session(Events::none());
    let plan = backup::plan(&few.client(Events::none()), &session, few.options()).await.expect("a plan");
    let unseen = [(LimitKind::Aliases, None), (LimitKind::Roles, None)];
    assert_eq!(kinds(&plan.limits), unseen);
    assert_eq!(kinds(&backed_up(&few).await.1), unseen);
    let some = with_key(source(), Role::Only(&["read_collections", "read_data", "read_nodes", "read_aliases"]));
    assert_eq!(kinds(&backed_up(&some).await.1), [(LimitKind::Roles, None)]);
}

#[tokio::test]
async fn a_backup_of_all_says_that_collections_were_kept_from_the_key() {
    let some = with_key(source().seeded("Hidden", 5, 3, 1), Role::Shown("Article"));
    assert_eq!(kinds(&backed_up(&some).await.1), [(LimitKind::Collections, None)]);
    // Whoever names collections has them, or hears which one is not there.
    let mut named = some.options();
    named.selection.take = vec!["Article".to_owned()];
    let outcome = some.try_backup(named).await.0.expect("a backup");
    assert_eq!(kinds(&outcome.manifest.limits), []);
}

#[tokio::test]
async fn a_restore_tells_that_the_archive_may_lack_what_was_kept_from_the_backups_key() {
    let few = with_key(source(), Role::Only(FEW));
    let (archive, _) = backed_up(&few).await;
    let target = with_key(Sandbox::builder(), Role::Root);
    let outcome = restored(&target, target.restore_options(&archive)).await;
    assert!(
        said(&outcome, "aliases may be missing: the key of the backup could not see them all"),
        "{:?}",
        outcome.remarks
    );
    assert!(!said(&outcome, "roles"), "they were not asked for");
    let mut options = RestoreOptions { roles: true, aliases: AliasPolicy::Skip, ..target.restore_options(&archive) };
    options.renames.insert("Article".parse().expect("a name"), "New".parse().expect("a name"));
    let outcome = restored(&target, options).await;
    assert!(
        said(&outcome, "roles may be missing: the key of the backup could not see them all"),
        "{:?}",
        outcome.remarks
    );
    assert!(!said(&outcome, "aliases"), "they are left alone");
}

#[tokio::test]
async fn nothing_is_said_of_it_where_the_key_sees_all_or_nothing_is_known() {
    for role in [Role::Root, Role::Viewer] {
        assert_eq!(kinds(&backed_up(&with_key(source(), role)).await.1), []);
    }
    for version in ["1.24.26", "1.28.16", "1.40.0-dev"] {
        let open = world(Sandbox::builder().version(version).seeded("Article", 20, 3, 1));
        assert_eq!(kinds(&backed_up(&open).await.1), [], "{version}: auth is off");
    }
    for status in [404, 500] {
        let untold = with_key(source(), Role::Only(FEW));
        untold.sandbox.faults().add(Fault::new(Kind::status(status, "no")).on("GET", "/v1/users/own-info"));
        assert_eq!(kinds(&backed_up(&untold).await.1), [], "{status}");
    }
    // 1.28 has roles and no aliases.
    let older = Sandbox::builder().version("1.28.16").seeded("Article", 20, 3, 1);
    assert_eq!(kinds(&backed_up(&with_key(older, Role::Only(FEW))).await.1), [(LimitKind::Roles, None)]);
}

#[tokio::test]
async fn a_list_that_may_not_be_asked_for_is_one_that_was_not_seen() {
    let open = world(Sandbox::builder().seeded("Article", 20, 3, 1));
    for path in ["/v1/aliases", "/v1/authz/roles"] {
        open.sandbox.faults().add(Fault::new(Kind::status(403, "no")).on("GET", path));
    }
    assert_eq!(kinds(&backed_up(&open).await.1), [(LimitKind::Aliases, None), (LimitKind::Roles, None)]);
}

#[tokio::test]
async fn an_alias_that_is_hidden_stays_as_it_is_and_that_is_said() {
    let (_source, archive) = archived().await;
    let target = Sandbox::builder().seeded("Other", 1, 2, 3).alias("Live", "Other");
    let target = with_key(target, Role::Only(FEW));
    let options = target.restore_options(&archive);
    let plan = target.restore_plan(options.clone()).await.expect("a plan").plan;
    assert_eq!(plan.aliases[0].step, AliasStep::Hidden);
    assert!(
        words(&[plan.aliases[0].remark()])[0].contains("the key may not see it (read_aliases)"),
        "{}",
        words(&[plan.aliases[0].remark()])[0]
    );
    let outcome = restored(&target, options.clone()).await;
    assert_eq!(outcome.result.status, Status::Ok, "{:?}", outcome.remarks);
    assert!(said(&outcome, "the alias Live is there and stays as it is"), "{:?}", outcome.remarks);
    assert_eq!(target.sandbox.aliases(), [("Live".to_owned(), "Other".to_owned())]);
}

#[tokio::test]
async fn an_alias_that_is_hidden_cannot_be_overwritten_and_nothing_is_written() {
    let (_source, archive) = archived().await;
    let target = Sandbox::builder().seeded("Other", 1, 2, 3).alias("Live", "Other");
    let target = with_key(target, Role::Only(FEW));
    let options = RestoreOptions { aliases: AliasPolicy::Overwrite, ..target.restore_options(&archive) };
    let refused = target.refused(options).await;
    assert_eq!(refused.hints(), [Hint::KeepAliases]);
    let Error::CannotRestore { refusals, .. } = refused else { panic!("a refusal") };
    assert!(
        matches!(&refusals[..], [RestoreRefusal::AliasHidden { alias, .. }] if alias.as_str() == "Live"),
        "{refusals:?}"
    );
    assert_eq!(target.sandbox.writing_requests(), 0);
}

#[tokio::test]
async fn an_alias_that_the_key_may_make_but_not_see_is_not_said_to_stand() {
    let (_source, archive) = archived().await;
    let makes: Vec<&'static str> = FEW.iter().copied().chain(["create_aliases"]).collect();
    let makes = Role::Only(makes.leak());
    let target = with_key(Sandbox::builder(), makes);
    let outcome = restored(&target, target.restore_options(&archive)).await;
    assert_eq!(outcome.result.status, Status::Ok, "{:?}", outcome.remarks);
    assert!(said(&outcome, "the server took the alias Live for it; whether it stands for it is unseen"));
    assert_eq!(target.sandbox.aliases(), [("Live".to_owned(), "Article".to_owned())]);
    // Whether the request came through is not known, and the key may not look.
    let lost = with_key(Sandbox::builder(), makes);
    lost.sandbox.faults().add(Fault::new(Kind::ResetAfter).on("POST", "/v1/aliases"));
    let outcome = restored(&lost, lost.restore_options(&archive)).await;
    assert_eq!(outcome.result.status, Status::Incomplete);
    assert!(said(&outcome, "whether the alias Live stands for it is not known"), "{:?}", outcome.remarks);
    // It may not even be made.
    let few = with_key(Sandbox::builder(), Role::Only(FEW));
    let plan = few.restore_plan(few.restore_options(&archive)).await.expect("a plan").plan;
    let foretold = "the alias Live is created for Article if the server lets the key, which lacks create_aliases";
    assert_eq!(words(&[plan.aliases[0].remark()])[0], foretold);
    let outcome = restored(&few, few.restore_options(&archive)).await;
    assert_eq!(outcome.result.status, Status::Incomplete);
    assert!(said(&outcome, "the alias Live could not be set: POST /v1/aliases: not allowed"), "{:?}", outcome.remarks);
}

#[tokio::test]
async fn an_alias_may_be_a_collections_name_in_another_spelling_but_not_an_aliass() {
    let both = Sandbox::builder().seeded("Article", 20, 3, 1).alias("ARTICLE", "Article");
    let source = world(both);
    let (archive, _) = backed_up(&source).await;
    let target = world(Sandbox::builder());
    let outcome = restored(&target, target.restore_options(&archive)).await;
    assert_eq!(outcome.result.status, Status::Ok, "{:?}", outcome.remarks);
    assert_eq!(target.sandbox.aliases(), [("ARTICLE".to_owned(), "Article".to_owned())]);

    let target = world(Sandbox::builder().seeded("Other", 1, 2, 3).alias("ArticlE", "Other"));
    let mut options = target.restore_options(&archive);
    options.renames.insert("Article".parse().expect("a name"), "New".parse().expect("a name"));
    let refused = target.refused(options).await;
    assert_eq!(refused.hints(), [Hint::SkipAliases]);
    let Error::CannotRestore { refusals, .. } = refused else { panic!("a refusal") };
    assert!(
        matches!(&refusals[..], [RestoreRefusal::AliasSimilar { there, .. }] if there == "ArticlE"),
        "{refusals:?}"
    );
    assert_eq!(target.sandbox.writing_requests(), 0);
}

#[tokio::test]
async fn a_role_that_the_key_may_not_see_is_made_unless_it_is_there_and_never_said_to_be() {
    let (_source, archive) = archived().await;
    let with_roles = |world: &World| RestoreOptions { roles: true, ..world.restore_options(&archive) };
    let makes: Vec<&'static str> = FEW.iter().copied().chain(["create_roles", "create_aliases"]).collect();
    let makes = Role::Only(makes.leak());

    let target = with_key(Sandbox::builder(), makes);
    let plan = target.restore_plan(with_roles(&target)).await.expect("a plan").plan;
    assert_eq!(plan.roles[0].step, RoleStep::Hidden);
    assert_eq!(
        words(&[plan.roles[0].remark()])[0],
        "the role editor is created, unless it is there already, which the key may not see (read_roles)"
    );
    let outcome = restored(&target, with_roles(&target)).await;
    assert_eq!(outcome.result.status, Status::Ok, "{:?}", outcome.about_roles);
    assert_eq!(
        words(&outcome.about_roles),
        [
            "the server took the role editor; whether it is there as it was is unseen: the key may not see it (read_roles); no user has it yet"
        ]
    );
    assert_eq!(target.sandbox.roles(), ["editor"]);

    let taken = with_key(Sandbox::builder().role(OTHER_EDITOR), makes);
    let outcome = restored(&taken, with_roles(&taken)).await;
    assert_eq!(outcome.result.status, Status::Incomplete);
    assert_eq!(
        words(&outcome.about_roles),
        [
            "the role editor is there already and stays as it is, whatever it allows: the key may not see it (read_roles)"
        ]
    );

    let few = with_key(Sandbox::builder(), Role::Only(FEW));
    let plan = few.restore_plan(with_roles(&few)).await.expect("a plan").plan;
    assert!(words(&[plan.roles[0].remark()])[0].contains("if the server lets the key, which lacks create_roles"));
    let outcome = restored(&few, with_roles(&few)).await;
    assert_eq!(outcome.result.status, Status::Incomplete);
    assert!(
        words(&outcome.about_roles)[0]
            .starts_with("the role editor could not be created: POST /v1/authz/roles: not allowed")
    );
    assert!(few.sandbox.roles().is_empty());

    let lost = with_key(Sandbox::builder(), makes);
    lost.sandbox.faults().add(Fault::new(Kind::ResetAfter).on("POST", "/v1/authz/roles").exactly());
    let outcome = restored(&lost, with_roles(&lost)).await;
    assert_eq!(outcome.result.status, Status::Incomplete);
    assert!(words(&outcome.about_roles)[0].starts_with("whether the role editor is there is not known"));
}

/// `Src` refers to `Tgt`, and `Ring` to itself.
fn referring() -> Builder {
    let refers =
        |class: &str, to: &str| format!(r#"{{"class":"{class}","properties":[{{"name":"r","dataType":["{to}"]}}]}}"#);
    Sandbox::builder()
        .collection(r#"{"class":"Tgt","properties":[{"name":"t","dataType":["text"]}]}"#)
        .collection(&refers("Src", "Tgt"))
        .object(r#"{"class":"Src","id":"00000000-0000-4000-8000-000000000001","properties":{}}"#)
}

async fn refusals(world: &World, options: RestoreOptions) -> Vec<RestoreRefusal> {
    let plan = world.restore_plan(options.clone()).await.expect("a plan").plan;
    let Error::CannotRestore { refusals, .. } = world.refused(options).await else { panic!("a refusal") };
    assert_eq!(plan.refusals, refusals, "the plan foretells it");
    assert_eq!(world.sandbox.writing_requests(), 0);
    refusals
}

#[tokio::test]
async fn a_reference_to_what_the_key_may_not_read_is_foretold_whether_it_is_there_or_made_in_the_same_run() {
    let source = with_key(referring(), Role::Root);
    let archive = backed_up(&source).await.0;
    let unreadable = |refusal: &RestoreRefusal| {
        matches!(refusal, RestoreRefusal::TargetUnreadable { collection, property, target, lacks }
            if collection.as_str() == "Src" && property == "r" && target.as_str() == "Tgt" && *lacks == "read_collections")
    };
    let there = r#"{"class":"Tgt","properties":[{"name":"t","dataType":["text"]}]}"#;
    for builder in [Sandbox::builder().collection(there), Sandbox::builder()] {
        let target = with_key(builder, Role::Named("Src"));
        let mut only = target.restore_options(&archive);
        only.selection.take = vec!["Src".to_owned()];
        let found = refusals(&target, only).await;
        assert!(matches!(&found[..], [one] if unreadable(one)), "{found:?}");
    }
    let target = with_key(Sandbox::builder(), Role::Named("Src"));
    let mut found = refusals(&target, target.restore_options(&archive)).await;
    // Nor may it create Tgt, or fill it.
    found.retain(
        |refusal| !matches!(refusal, RestoreRefusal::NotAllowed { collection, .. } if collection.as_str() == "Tgt"),
    );
    assert!(
        matches!(&found[..], [RestoreRefusal::Unreadable { there, .. }, refers] if there.as_str() == "Tgt" && unreadable(refers)),
        "{found:?}"
    );
    let error = target.refused(target.restore_options(&archive)).await;
    assert_eq!(error.hints(), [Hint::GrantPermission, Hint::WithoutComparison]);
}

#[tokio::test]
async fn a_role_that_is_taken_and_not_there_is_not_said_to_be_made() {
    let (_source, archive) = archived().await;
    let target = with_key(Sandbox::builder(), Role::Root);
    // As a server does that has roles switched off.
    target.sandbox.faults().add(Fault::new(Kind::status(201, "")).on("POST", "/v1/authz/roles").exactly());
    let outcome = restored(&target, RestoreOptions { roles: true, ..target.restore_options(&archive) }).await;
    assert_eq!(outcome.result.status, Status::Incomplete);
    assert_eq!(words(&outcome.about_roles), ["the role editor is not there as it was, whatever the server answered"]);
}

#[tokio::test]
async fn an_answer_of_a_gateway_or_to_a_key_that_is_not_known_is_no_right_to_read() {
    for (status, may) in [(401, None), (502, None), (403, Some(false)), (404, Some(true)), (422, Some(true))] {
        let world = with_key(Sandbox::builder(), Role::Root);
        world.sandbox.faults().add(sandbox::Fault::new(sandbox::Kind::status(status, "")).on("GET", "/v1/objects"));
        let client = world.client(elysiactl::event::Events::none());
        let asked = client.may_read_objects(&"Tgt".parse().expect("a name")).await;
        assert_eq!(asked.as_ref().ok().copied(), may, "{status}: {asked:?}");
    }
}
