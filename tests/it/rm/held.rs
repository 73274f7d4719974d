//! What `col rm` and `col clear` say of the archives that hold what is about to go: never more than they hold.

use std::path::{Path, PathBuf};
use std::time::Duration;

use elysiactl::archive::Content;
use elysiactl::event::{Covers, Events};
use elysiactl::model::{Clock, Selection, TenantName};
use elysiactl::ops::clear::{self, Wish};
use elysiactl::ops::held::HeldIn;
use elysiactl::ops::{backup, remove};
use elysiactl::weaviate::Writer;
use jiff::{SignedDuration, Timestamp};
use sandbox::{Builder, Change, Sandbox};

use crate::support::forged;
use crate::support::world::{World, world};

fn articles() -> Builder {
    Sandbox::builder().seeded("Article", 40, 3, 4)
}

fn selection() -> Selection {
    Selection { take: vec!["Article".to_owned()], exclude: Vec::new() }
}

/// By a plan to remove it.
pub(crate) async fn before_rm(world: &World) -> Option<HeldIn> {
    let options = remove::RemovalOptions {
        selection: selection(),
        allow_protected: false,
        folder: world.options().folder,
        locks: world.folder.path().join("state/locks"),
        patience: Duration::ZERO,
    };
    let events = Events::none();
    let plan = remove::plan(&world.client(events.clone()), &world.session(events), options).await.expect("a plan");
    plan.collections[0].standing.held_in.clone()
}

/// By a plan to clear it, or these tenants of it.
async fn before_clear(world: &World, tenants: &[&str]) -> Option<HeldIn> {
    let options = clear::ClearOptions {
        selection: selection(),
        tenants: tenants.iter().map(|name| name.parse().expect("a tenant")).collect(),
        wish: Wish::Auto,
        allow_protected: false,
        folder: world.options().folder,
        state: world.state(),
        memory_bytes: 16 << 20,
        patience: Duration::ZERO,
        rehearse: true,
        resumes: false,
    };
    let events = Events::none();
    let plan = clear::plan(&world.client(events.clone()), &world.session(events), options).await.expect("a plan");
    plan.collections[0].standing.held_in.clone()
}

/// By both, which say the same.
async fn held(world: &World) -> Option<HeldIn> {
    let held = before_rm(world).await;
    assert_eq!(before_clear(world, &[]).await, held);
    assert_eq!(world.sandbox.writing_requests(), 0);
    held
}

async fn covers(world: &World) -> Option<Covers> {
    held(world).await.map(|held| held.covers)
}

async fn backed_up(world: &World, options: backup::BackupOptions) -> PathBuf {
    let archive = world.try_backup(options).await.0.expect("a backup").result.archive.expect("an archive").into();
    world.sandbox.clear_requests();
    archive
}

/// As if the server's clock had gone on for ten minutes since.
fn begun_earlier(archive: &Path) {
    forged::says(archive, |manifest| {
        let at = &mut manifest["source"]["server_time_ms"];
        *at = (at.as_i64().expect("a time") - 600_000).into();
    });
}

/// As if the server's clock had stood ten minutes later: nothing on it was written since.
pub(crate) fn begun_later(archive: &Path) {
    forged::says(archive, |manifest| {
        let at = &mut manifest["source"]["server_time_ms"];
        *at = (at.as_i64().expect("a time") + 600_000).into();
    });
}

/// Backs everything up, and nothing was written since, by the server's clock.
pub(crate) async fn backed_up_before_now(world: &World) -> PathBuf {
    let archive = backed_up(world, world.options()).await;
    begun_later(&archive);
    archive
}

/// Somebody removes the collection and makes it again, with as many other objects: so it looks as well where another server
/// stands behind the URL by now.
async fn recreated(world: &World) {
    let (client, name) = (world.client(Events::none()), "Article".parse().expect("a name"));
    let schema = client.schema(&name).await.expect("asked").expect("there");
    world.sandbox.faults().now(&Change::Drop("Article".into()));
    let document = String::from_utf8(schema.text.to_vec()).expect("text");
    Writer::new(client).create_collection(&document).await.expect("made");
    more(world, 0..40);
    world.sandbox.clear_requests();
}

fn more(world: &World, objects: std::ops::Range<u32>) {
    for n in objects {
        let object = format!(
            r#"{{"class":"Article","id":"00000000-0000-4000-9000-{n:012}","properties":{{"title":"late"}},"vector":[1,2,3]}}"#
        );
        world.sandbox.faults().now(&Change::Write(object));
    }
}

#[tokio::test]
async fn an_archive_that_holds_everything_is_named_with_its_objects() {
    for version in ["1.24", "1.32", "1.40"] {
        let world = world(articles().version(version));
        let path = backed_up(&world, world.options()).await;
        let held = held(&world).await.expect("an archive");
        assert_eq!((held.path, held.archived, held.live, held.covers), (path, 40, Some(40), Covers::Everything));
    }
}

#[tokio::test]
async fn an_archive_of_the_same_server_by_another_spelling_of_its_address_holds_it() {
    let mut world = world(articles());
    let path = backed_up(&world, world.options()).await;
    world.respell();
    let held = before_rm(&world).await.expect("an archive");
    assert_eq!((held.path, held.covers), (path, Covers::Everything));
}

#[tokio::test]
async fn an_archive_of_another_collection_of_that_name_holds_nothing_of_this_one() {
    for version in ["1.24", "1.40"] {
        let world = world(articles().version(version));
        let path = backed_up(&world, world.options()).await;
        begun_later(&path);
        recreated(&world).await;
        let held = held(&world).await.expect("an archive");
        assert_eq!((held.path, held.archived, held.live, held.covers), (path, 40, Some(40), Covers::OtherCollection));
    }
}

#[tokio::test]
async fn an_archive_of_other_tenants_of_the_same_names_holds_nothing_of_these() {
    const TENANTS: [&str; 4] = ["t000000", "t000001", "t000002", "t000003"];
    let world = world(Sandbox::builder().seeded("Article", 5, 3, 4).in_tenants(4));
    for tenant in TENANTS {
        world.sandbox.faults().now(&Change::Tenant("Article".into(), tenant.into(), Some("HOT")));
    }
    let path = backed_up(&world, world.options()).await;
    begun_later(&path);
    assert_eq!(covers(&world).await, Some(Covers::Everything));
    let own = world.sandbox.objects("Article", Some("t000003"));
    for tenant in TENANTS {
        world.sandbox.faults().now(&Change::Tenant("Article".into(), tenant.into(), None));
        world.sandbox.faults().now(&Change::Tenant("Article".into(), tenant.into(), Some("HOT")));
        for object in &own {
            // The same ids: another server has the same documents, loaded at another time.
            let mut object: serde_json::Value = serde_json::from_str(object).expect("an object");
            object["tenant"] = tenant.into();
            world.sandbox.faults().now(&Change::Write(object.to_string()));
        }
    }
    let found = held(&world).await.expect("an archive");
    assert_eq!((found.path, found.archived, found.live), (path, 20, Some(20)));
    assert_eq!(found.covers, Covers::OtherCollection);
    let chosen = before_clear(&world, &["t000002"]).await.expect("an archive");
    assert_eq!(chosen.covers, Covers::OtherCollection);
}

#[tokio::test]
async fn an_archive_of_another_collection_hides_no_older_one_that_holds_this_one() {
    let world = world(articles());
    backed_up(&world, world.options()).await;
    recreated(&world).await;
    let without = backed_up(&world, backup::BackupOptions { content: Content::NoVectors, ..world.options() }).await;
    let found = held(&world).await.expect("an archive");
    assert_eq!((found.path, found.covers), (without, Covers::NoVectors));
    let whole = backed_up(&world, world.options()).await;
    begun_later(&whole);
    // More of them than are looked at, and newer.
    let other = backed_up(&world, world.options()).await;
    begun_later(&other);
    forged::says(&other, |manifest| manifest["collections"][0]["shards"] = serde_json::json!(["elsewhere"]));
    for n in 0..9 {
        copied(&other, &other.with_file_name(format!("Other_full_20990101_00000{n}")));
    }
    let found = before_rm(&world).await.expect("an archive");
    assert_eq!((found.path, found.covers), (whole, Covers::Everything));
}

fn copied(from: &Path, to: &Path) {
    std::fs::create_dir(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        let at = to.join(entry.file_name().expect("a name"));
        if entry.is_dir() {
            copied(&entry, &at);
        } else {
            std::fs::copy(&entry, &at).expect("a copy");
        }
    }
}

#[tokio::test]
async fn where_the_archive_names_no_shards_its_newest_object_decides() {
    let world = world(articles());
    let path = backed_up(&world, world.options()).await;
    begun_later(&path);
    recreated(&world).await;
    forged::says(&path, |manifest| {
        manifest["collections"][0].as_object_mut().expect("an object").shift_remove("shards").expect("shards");
    });
    assert_eq!(covers(&world).await, Some(Covers::ChangesUnknown));
}

#[tokio::test]
async fn fifty_archived_and_a_hundred_and_fifty_live_are_told_apart() {
    let world = world(articles());
    backed_up(&world, world.options()).await;
    more(&world, 0..110);
    let held = held(&world).await.expect("an archive");
    assert_eq!((held.archived, held.live, held.covers), (40, Some(150), Covers::Fewer));
}

#[tokio::test]
async fn as_many_objects_of_which_none_is_in_the_archive_are_seen_by_their_times() {
    let world = world(articles());
    begun_earlier(&backed_up(&world, world.options()).await);
    for id in world.sandbox.objects("Article", None) {
        let object: serde_json::Value = serde_json::from_str(&id).expect("an object");
        let id = object["id"].as_str().expect("an id").to_owned();
        world.sandbox.faults().now(&Change::Delete("Article".into(), None, id));
    }
    more(&world, 0..30);
    let found = covers(&world).await;
    assert!(matches!(found, Some(Covers::WrittenSince { .. })), "{found:?}");
}

#[tokio::test]
async fn one_object_changed_since_is_seen_by_its_time() {
    let world = world(articles());
    begun_earlier(&backed_up(&world, world.options()).await);
    let mut changed: serde_json::Value =
        serde_json::from_str(&world.sandbox.objects("Article", None)[7]).expect("an object");
    changed["properties"]["title"] = "edited".into();
    world.sandbox.faults().now(&Change::Write(changed.to_string()));
    let found = covers(&world).await;
    assert!(matches!(found, Some(Covers::WrittenSince { .. })), "{found:?}");
}

#[tokio::test]
async fn a_clock_that_is_wrong_here_changes_nothing_of_that() {
    for hours in [-30, 30] {
        let world = world(articles());
        let world = World { clock: Clock::fixed(Timestamp::now() + SignedDuration::from_hours(hours)), ..world };
        backed_up(&world, world.options()).await;
        assert_eq!(covers(&world).await, Some(Covers::Everything), "{hours}");
    }
}

#[tokio::test]
async fn the_clock_of_the_machine_that_made_the_archive_does_not_hide_what_was_written_since() {
    let mut world = world(articles());
    world.clock = Clock::fixed(Timestamp::now() + SignedDuration::from_hours(30));
    let archive = backed_up(&world, world.options()).await;
    world.clock = Clock::system();
    more(&world, 0..1);
    let id = "00000000-0000-4000-9000-000000000000".to_owned();
    world.sandbox.faults().now(&Change::Delete("Article".into(), None, id));
    let mut changed: serde_json::Value =
        serde_json::from_str(&world.sandbox.objects("Article", None)[7]).expect("an object");
    changed["properties"]["title"] = "edited".into();
    world.sandbox.faults().now(&Change::Write(changed.to_string()));
    assert_eq!(covers(&world).await, Some(Covers::ChangesUnknown), "within a second or two");
    begun_earlier(&archive);
    let found = covers(&world).await;
    assert!(matches!(found, Some(Covers::WrittenSince { .. })), "{found:?}");
    // An archive that does not tell the time of the server proves nothing.
    forged::says(&archive, |manifest| {
        manifest["source"].as_object_mut().expect("an object").shift_remove("server_time_ms");
    });
    assert_eq!(covers(&world).await, Some(Covers::ChangesUnknown));
}

#[tokio::test]
async fn an_archive_of_replicas_that_went_on_to_differ_does_not_hold_everything() {
    let world = world(articles());
    let archive = backed_up(&world, world.options()).await;
    forged::says(&archive, |manifest| {
        let found =
            serde_json::json!({"compared": 40, "repaired": 0, "differing": 1, "counts_moved": false, "reason": null});
        manifest["collections"][0]["replica_check"] = found;
    });
    assert_eq!(covers(&world).await, Some(Covers::Incomplete));
}

#[tokio::test]
async fn many_objects_are_not_looked_at_for_their_times_and_that_is_said() {
    let world = world(Sandbox::builder().seeded("Article", 10_001, 2, 7));
    backed_up(&world, world.options()).await;
    assert_eq!(covers(&world).await, Some(Covers::ChangesUnknown));
    assert!(!world.sandbox.requests().iter().any(|seen| seen.path.contains("sort=")));
}

#[tokio::test]
async fn without_vectors_nothing_is_held_and_an_older_full_one_is_named_before_it() {
    let world = world(articles());
    backed_up(&world, backup::BackupOptions { content: Content::NoVectors, ..world.options() }).await;
    assert_eq!(covers(&world).await, Some(Covers::NoVectors));
    let full = backed_up(&world, world.options()).await;
    backed_up(&world, backup::BackupOptions { content: Content::NoVectors, ..world.options() }).await;
    backed_up(&world, backup::BackupOptions { content: Content::SchemaOnly, ..world.options() }).await;
    let held = held(&world).await.expect("an archive");
    assert_eq!((held.path, held.covers), (full, Covers::Everything));
}

#[tokio::test]
async fn of_a_schema_alone_nothing_is_held() {
    let world = world(articles());
    backed_up(&world, backup::BackupOptions { content: Content::SchemaOnly, ..world.options() }).await;
    assert_eq!(held(&world).await, None);
}

#[tokio::test]
async fn tenants_that_were_not_chosen_are_lacking_and_those_that_were_are_held() {
    let world = world(Sandbox::builder().seeded("Article", 5, 3, 4).in_tenants(4));
    let tenants: Vec<TenantName> = vec!["t000000".parse().expect("a tenant")];
    backed_up(&world, backup::BackupOptions { tenants, ..world.options() }).await;
    let lacks = Covers::LacksTenants { tenants: 3, first: "t000001".parse().expect("a tenant") };
    assert_eq!(covers(&world).await, Some(lacks));
    let held = before_clear(&world, &["t000000"]).await.expect("an archive");
    assert_eq!((held.archived, held.live, held.covers), (5, Some(5), Covers::Everything));
    let other = before_clear(&world, &["t000002"]).await.expect("an archive");
    assert_eq!((other.archived, matches!(other.covers, Covers::LacksTenants { tenants: 1, .. })), (0, true));
}

#[tokio::test]
async fn tenants_that_are_not_active_are_not_counted() {
    let world = world(Sandbox::builder().seeded("Article", 5, 3, 4).in_tenants(4));
    let options = backup::BackupOptions { state: Some(world.state()), ..world.options() };
    backed_up(&world, options).await;
    let held = held(&world).await.expect("an archive");
    assert_eq!((held.archived, held.live, held.covers), (20, None, Covers::Uncounted));
}

/// A folder with nothing but the manifest of another archive.
fn manifest_alone(archive: &Path) {
    let forged = archive.with_file_name("Forged_full_20990101_000000");
    std::fs::create_dir(&forged).expect("a folder");
    std::fs::copy(archive.join("manifest.json"), forged.join("manifest.json")).expect("a copy");
    std::fs::remove_dir_all(archive).expect("removed");
}

#[tokio::test]
async fn a_manifest_without_the_files_it_names_holds_nothing() {
    let empty = world(Sandbox::builder().collection(r#"{"class":"Article","vectorizer":"none"}"#));
    let archive = backed_up(&empty, empty.options()).await;
    more(&empty, 0..3);
    assert_eq!(covers(&empty).await, Some(Covers::Fewer), "whole, and with no objects in it");
    manifest_alone(&archive);
    assert_eq!(held(&empty).await, None);
    let full = world(articles());
    manifest_alone(&backed_up(&full, full.options()).await);
    assert_eq!(held(&full).await, None);
}

#[tokio::test]
async fn a_part_of_another_size_and_a_missing_manifest_hold_nothing() {
    let world = world(articles());
    let archive = backed_up(&world, world.options()).await;
    let part = archive.join("collections/Article/objects-000000.jsonl");
    let bytes = std::fs::read(&part).expect("a part");
    std::fs::write(&part, &bytes[1..]).expect("written");
    assert_eq!(held(&world).await, None);
    std::fs::write(&part, &bytes).expect("written");
    assert_eq!(covers(&world).await, Some(Covers::Everything));
    std::fs::rename(archive.join("manifest.json"), archive.join("checkpoint.jsonl")).expect("renamed");
    assert_eq!(held(&world).await, None);
}

#[tokio::test]
async fn a_server_whose_newest_object_is_not_the_archives_is_of_another_state() {
    let world = world(articles());
    let path = backed_up(&world, world.options()).await;
    begun_later(&path);
    assert_eq!(covers(&world).await, Some(Covers::Everything));
    // As after the restore of a native backup, or of a disk: as many objects, and none newer than the archive.
    let object = world.sandbox.objects("Article", None).remove(0);
    world.sandbox.faults().now(&Change::Write(object));
    assert_eq!(covers(&world).await, Some(Covers::ChangesUnknown));
}
