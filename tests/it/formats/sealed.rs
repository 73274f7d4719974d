//! Archives that earlier builds sealed: read, checked, restored, and compared object by object.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use elysiactl::event::{SkipReason, Status};
use elysiactl::ops::verify::VerifyOptions;
use sandbox::Sandbox;
use serde_json::{Value, json};

use super::source::{OBJECTS, TENANTS, UNPRINTABLE, content, id, library, odd};
use super::{FIRST, LAST_1_0, OF_1_1, OF_1_2, fixture, minor};
use crate::support::binary::{archived_digests, elysiactl, lines, said};
use crate::support::world::{World, verify_options, world};

const BUILDS: [&str; 4] = [FIRST, LAST_1_0, OF_1_1, OF_1_2];
const CODECS: [&str; 4] = ["plain", "zstd", "gzip", "lz4"];

fn manifest(archive: &Path) -> Value {
    serde_json::from_slice(&fs::read(archive.join("manifest.json")).expect("a manifest")).expect("JSON")
}

/// What a server holds, or an archive: objects by id, of the tenant if one is given.
fn held(world: &World, class: &str, tenant: Option<&str>) -> BTreeMap<String, String> {
    content(&world.sandbox.objects(class, tenant))
}

/// What a server that was made as the one of the fixtures holds, but for the vector that nobody could read.
fn expected(source: &World, class: &str, incomplete: bool) -> BTreeMap<String, String> {
    let mut objects = held(source, class, None);
    if incomplete && class == "Book" {
        let object = objects.get_mut(&id(UNPRINTABLE)).expect("the object");
        let mut without: Value = serde_json::from_str(object).expect("an object");
        without.as_object_mut().expect("an object").remove("vector").expect("a vector");
        *object = without.to_string();
    }
    objects
}

/// Restores an archive into an empty server, and holds that this has what the source had.
async fn comes_back(archive: &Path, source: &World, incomplete: bool) -> World {
    let target = world(Sandbox::builder());
    let (done, _) = target.try_restore(target.restore_options(archive)).await;
    let outcome = done.unwrap_or_else(|stopped| panic!("{}: {:?}", archive.display(), stopped.error));
    let all = if incomplete { Status::Incomplete } else { Status::Ok };
    assert!([Status::Ok, all].contains(&outcome.result.status), "{}: {:?}", archive.display(), outcome.remarks);
    for class in ["Author", "Book"] {
        assert_eq!(held(&target, class, None), expected(source, class, incomplete), "{}: {class}", archive.display());
    }
    let options = VerifyOptions { state: Some(target.state()), ..verify_options(archive) };
    let compared = target.verify(options).await;
    assert!(compared.differences.is_empty(), "{}: {:?}", archive.display(), compared.differences);
    target
}

#[tokio::test]
async fn of_every_build_and_codec_all_objects_come_back() {
    let source = world(library());
    let mut digests = Vec::new();
    for build in BUILDS {
        for codec in CODECS {
            let archive = fixture(build, codec);
            let format = json!({"major": 1, "minor": minor(build)});
            assert_eq!(manifest(&archive)["format"], format, "{build} {codec}");
            let checked = source.check(&archive).await.unwrap_or_else(|error| panic!("{build} {codec}: {error:?}"));
            assert_eq!((checked.result.status, checked.result.objects), (Status::Ok, 2 * OBJECTS), "{build} {codec}");
            for class in ["Author", "Book"] {
                let archived = content(&source.lines(&archive, class));
                assert_eq!(archived, held(&source, class, None), "{build} {codec}: {class}");
            }
            comes_back(&archive, &source, false).await;
            digests.push(archived_digests(&archive));
        }
    }
    digests.dedup();
    assert_eq!(digests.len(), 1, "the same objects have the same digests, whoever wrote them: {digests:?}");
}

#[tokio::test]
async fn what_an_archive_lacks_is_still_said_and_the_rest_comes_back() {
    let source = world(odd());
    for build in BUILDS {
        let archive = fixture(build, "odd");
        let said_there = manifest(&archive);
        let incomplete = json!([{"collection": "Book", "tenant": null, "id": id(UNPRINTABLE)}]);
        assert_eq!(said_there["incomplete"], incomplete, "{build}");
        let (tenant, reason) = match minor(build) {
            0 => (json!(null), "multi-tenant"),
            1 => (json!("east"), "offloaded to other storage"),
            _ => (json!("east"), "offloaded"),
        };
        let skipped = &said_there["skipped"][0];
        assert_eq!((&skipped["collection"], &skipped["tenant"]), (&json!("Shop"), &tenant), "{build}: {skipped}");
        assert!(skipped["reason"].as_str().expect("a reason").contains(reason), "{build}: {skipped}");
        let checked = source.check(&archive).await.unwrap_or_else(|error| panic!("{build}: {error:?}"));
        let why = &checked.manifest.skipped[0].reason;
        assert_eq!(matches!(why, SkipReason::Told { .. }), minor(build) < 2, "{build}: {why:?}");
        let target = comes_back(&archive, &source, true).await;
        if minor(build) > 0 {
            for (tenant, _, _) in TENANTS {
                let (there, was) = (held(&target, "Shop", Some(tenant)), held(&source, "Shop", Some(tenant)));
                assert_eq!(there, was, "{tenant}");
            }
        }
    }
}

#[test]
fn every_archive_is_shown_and_printed() {
    for build in BUILDS {
        for name in CODECS.iter().copied().chain(["odd"]) {
            let archive = fixture(build, name).to_str().expect("a path").to_owned();
            let shown = elysiactl(&["archive", "show", &archive, "--json"]).output().expect("the binary runs");
            assert_eq!(shown.status.code(), Some(0), "{build} {name}: {}", said(&shown));
            let shown: Value = serde_json::from_slice(&shown.stdout).expect("JSON");
            assert_eq!(shown["codec"], if CODECS[1..].contains(&name) { name } else { "none" }, "{shown}");
            let printed = elysiactl(&["archive", "cat", &archive, "Author"]).output().expect("the binary runs");
            assert_eq!(printed.status.code(), Some(0), "{build} {name}: {}", said(&printed));
            assert_eq!(lines(&printed.stdout).len() as u64, OBJECTS, "{build} {name}");
        }
    }
}
