//! What stands against a merge is in its plan, before anything is written.

use elysiactl::event::{Class, SchemaDifference};
use elysiactl::ops::restore::{ConflictPolicy, Merge, RestoreOptions, RestoreRefusal};
use elysiactl::ops::{Error, Hint};
use sandbox::{Change, Sandbox};

use super::{CLASS, merging, moved_on, some};
use crate::backup::tenants::archive_of;
use crate::support::world::{World, world};

async fn refused(world: &World, options: RestoreOptions) -> (RestoreRefusal, Vec<Hint>) {
    world.sandbox.clear_requests();
    let error = world.refused(options).await;
    let Error::CannotRestore { refusals, .. } = &error else { panic!("{error:?}") };
    let [refusal] = &refusals[..] else { panic!("{refusals:?}") };
    assert_eq!((error.class(), world.sandbox.writing_requests()), (Class::Refused, 0));
    (refusal.clone(), error.hints())
}

async fn against(document: &str, objects: &[String], merge: Merge) -> (RestoreRefusal, Vec<Hint>) {
    let source = world(some());
    let archive = archive_of(&source.backup(source.options()).await);
    let target = world(Sandbox::builder().collection(document));
    for object in objects {
        target.sandbox.faults().now(&Change::Write(object.clone()));
    }
    let options = RestoreOptions { merge: Some(merge), ..merging(&target, &archive, ConflictPolicy::Skip) };
    refused(&target, options).await
}

#[tokio::test]
async fn a_collection_that_cannot_hold_the_objects_is_refused_by_what_it_lacks() {
    let merge = Merge { on_conflict: ConflictPolicy::Skip, ..Merge::default() };
    for (old, new, expected, hint) in [
        (
            r#""name":"title","dataType":["text"]"#,
            r#""name":"title","dataType":["int"]"#,
            SchemaDifference::OtherType {
                property: "title".into(),
                archived: vec!["text".into()],
                live: vec!["int".into()],
            },
            None,
        ),
        (
            r#""name":"title""#,
            r#""name":"other""#,
            SchemaDifference::NoProperty { property: "title".into() },
            Some(Hint::AddProperties),
        ),
        (
            r#""vectorizer":"none","vectorIndexType":"flat","#,
            r#""multiTenancyConfig":{"enabled":true},"vectorizer":"none","vectorIndexType":"flat","#,
            SchemaDifference::TenancySwitched,
            Some(Hint::OtherTenancy),
        ),
    ] {
        let (refusal, hints) = against(&CLASS.replace(old, new), &[], merge).await;
        let RestoreRefusal::DoesNotFit { differs, .. } = refusal else { panic!("{refusal:?}") };
        assert_eq!(differs, [expected]);
        assert_eq!(hints, Vec::from_iter(hint));
    }
    let other = r#"{"class":"A","id":"00000000-0000-4000-8000-0000000000ff","properties":{},"vector":[1,2]}"#;
    let (refusal, _) = against(CLASS, &[other.to_owned()], merge).await;
    let RestoreRefusal::DoesNotFit { differs, .. } = refusal else { panic!("{refusal:?}") };
    assert_eq!(differs, [SchemaDifference::OtherLength { vector: "default".into(), archived: 3, live: 2 }]);
}

#[tokio::test]
async fn a_strict_merge_refuses_any_difference_of_the_schemas() {
    let merge = Merge { on_conflict: ConflictPolicy::Skip, strict: true, ..Merge::default() };
    let document = CLASS.replace("\"properties\":[", "\"properties\":[{\"name\":\"more\",\"dataType\":[\"int\"]},");
    let (refusal, _) = against(&document, &[], merge).await;
    let RestoreRefusal::DoesNotFit { differs, .. } = refusal else { panic!("{refusal:?}") };
    assert_eq!(differs, [SchemaDifference::MoreProperty { property: "more".into() }]);
}

#[tokio::test]
async fn objects_that_differ_are_refused_unless_it_is_said_what_becomes_of_them() {
    let (world, archive) = moved_on(some()).await;
    let (refusal, hints) = refused(&world, merging(&world, &archive, ConflictPolicy::Fail)).await;
    assert!(matches!(refusal, RestoreRefusal::Conflicts { objects: 10, .. }), "{refusal:?}");
    assert_eq!(hints, [Hint::OnConflict]);
    let (refusal, hints) = refused(&world, world.restore_options(&archive)).await;
    assert!(matches!(refusal, RestoreRefusal::Exists { .. }), "{refusal:?}");
    assert_eq!(hints, [Hint::OtherName, Hint::Merge]);
}

#[tokio::test]
async fn objects_without_vectors_do_not_replace_objects_with_vectors() {
    let (world, archive) = moved_on(some()).await;
    for number in 0..30 {
        // Without vectors these differ in their properties alone.
        world.sandbox.faults().now(&Change::Write(super::object(number, "other")));
    }
    let options = RestoreOptions { vectors: false, ..merging(&world, &archive, ConflictPolicy::Overwrite) };
    let (refusal, hints) = refused(&world, options).await;
    let RestoreRefusal::WouldLose { objects, lost, .. } = refusal else { panic!("{refusal:?}") };
    assert_eq!((objects, lost, hints), (30, vec!["vectors".to_owned()], vec![Hint::KeepConflicts]));
}

#[tokio::test]
async fn inactive_tenants_and_their_references_are_not_merged() {
    let mt = CLASS.replace("\"vectorizer\"", "\"multiTenancyConfig\":{\"enabled\":true},\"vectorizer\"");
    let plain = mt.replace(r#",{"name":"to","dataType":["A"]}"#, "");
    let source = |class: &str| world(Sandbox::builder().collection(class).tenant("A", "t", "HOT"));
    let (with, without) = (source(&mt), source(&plain));
    let archive = archive_of(&without.try_backup(without.options()).await.0.expect("a backup"));
    without.sandbox.faults().now(&Change::Tenant("A".into(), "t".into(), Some("COLD")));
    let (refusal, hints) = refused(&without, merging(&without, &archive, ConflictPolicy::Skip)).await;
    assert!(matches!(refusal, RestoreRefusal::TenantsInactive { tenants: 1, .. }), "{refusal:?}");
    assert_eq!(hints, [Hint::ActivateFirst]);
    let archive = archive_of(&with.try_backup(with.options()).await.0.expect("a backup"));
    let (refusal, _) = refused(&with, merging(&with, &archive, ConflictPolicy::Skip)).await;
    assert!(matches!(&refusal, RestoreRefusal::RefersLast { properties, .. } if properties == &["to"]), "{refusal:?}");
}
