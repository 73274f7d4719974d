//! What stands against a run from the start: an operator's mode, a namespace that is away, a key that may not do or see
//! what is needed. Each is told, and nothing is sent that writes.

use std::path::PathBuf;

use elysiactl::event::{Class, Events};
use elysiactl::ops::restore::RestoreRefusal;
use elysiactl::ops::{Error, Hint, backup, remove};
use elysiactl::weaviate::{LastingCause, OperationalMode};
use sandbox::{Builder, Change, Role, Sandbox};

use super::is;
use crate::backup::tenants::{CLASS, tenants};
use crate::support::world::{World, world};

/// Why a plan to remove this collection is refused.
async fn no_removal(world: &World, collection: &str) -> Error {
    let selection = elysiactl::model::Selection { take: vec![collection.to_owned()], exclude: Vec::new() };
    let options = remove::RemovalOptions {
        selection,
        allow_protected: false,
        folder: world.options().folder,
        locks: world.state().locks,
        patience: std::time::Duration::ZERO,
    };
    let (client, session) = (world.client(Events::none()), world.session(Events::none()));
    remove::plan(&client, &session, options).await.expect_err("refused")
}

#[tokio::test]
async fn an_operational_mode_that_forbids_writing_is_named() {
    let world = world(Sandbox::builder().seeded("Article", 5, 2, 1));
    world.sandbox.faults().now(&Change::Mode("ReadOnly"));
    let error = no_removal(&world, "Article").await;
    assert!(matches!(error, Error::ModeForbids { mode: OperationalMode::ReadOnly }), "{error:?}");
    is(&error, Class::Refused, &[Hint::ChangeServer(LastingCause::Mode(OperationalMode::ReadOnly))]);
    assert_eq!(world.sandbox.writing_requests(), 0);
}

#[tokio::test]
async fn a_collection_in_a_namespace_that_is_suspended_is_named() {
    let document = r#"{"class":"beta:Doc","vectorizer":"none"}"#;
    let builder = Sandbox::builder().graphql(false).collection(document);
    let world = world(builder.change(Change::Namespace("beta".into(), "suspended")));
    let (client, session) = (world.client(Events::none()), world.session(Events::none()));
    let unread = backup::plan(&client, &session, world.options()).await.expect_err("refused");
    for error in [unread, no_removal(&world, "beta:Doc").await] {
        assert!(matches!(&error, Error::InIdleNamespace { collections } if *collections == ["beta:Doc"]), "{error:?}");
        is(&error, Class::Refused, &[Hint::ChangeServer(LastingCause::Suspended)]);
    }
    assert_eq!(world.sandbox.writing_requests(), 0);
}

/// A server with three tenants, for a key with this role.
fn night(builder: Builder, role: Role) -> World {
    let mut world = world(builder.key("rootkey", "root", Role::Root).key("somekey", "some", role));
    world.key = Some("somekey");
    world
}

fn three() -> Builder {
    tenants(Sandbox::builder().collection(CLASS), &[("a", "HOT"), ("b", "COLD"), ("c", "COLD")], 5)
}

#[tokio::test]
async fn tenants_that_the_key_does_not_see_are_not_removed_along_with_the_others() {
    let world = night(three(), Role::Sees("a"));
    let error = no_removal(&world, "Mt").await;
    assert!(matches!(&error, Error::TenantsUnseen { collection } if collection.as_str() == "Mt"), "{error:?}");
    is(&error, Class::Refused, &[Hint::GrantPermission]);
    assert_eq!(world.sandbox.tenants("Mt").len(), 3);
}

#[tokio::test]
async fn what_a_key_may_not_do_is_told_of_each_collection_before_anything_is_made() {
    let source = world(three());
    let made = source.try_backup(source.options()).await.0.expect("a backup");
    let archive = PathBuf::from(made.result.archive.expect("an archive"));
    let refusals = async |lacking| {
        let target = night(Sandbox::builder(), Role::Without(lacking));
        let error = target.refused(target.restore_options(&archive)).await;
        assert_eq!(target.sandbox.writing_requests(), 0);
        is(&error, Class::Refused, &[Hint::GrantPermission]);
        let Error::CannotRestore { refusals, .. } = error else { panic!("{error:?}") };
        refusals
    };
    let inactive = refusals("update_tenants").await;
    let told =
        matches!(&inactive[..], [RestoreRefusal::MayNotActivate { tenants: 2, first, .. }] if first.as_str() == "b");
    assert!(told, "{inactive:?}");
    let made = refusals("create_collections").await;
    let told = |lacks: &RestoreRefusal| matches!(lacks, RestoreRefusal::NotAllowed { lack, .. } if lack.action == "create_collections");
    assert!(!made.is_empty() && made.iter().all(told), "{made:?}");
}
