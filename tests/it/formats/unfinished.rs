//! Runs of earlier builds that were killed: resumed to what an unbroken run makes, or refused by name.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sandbox::{Builder, Change, Sandbox};
use serde_json::{Value, json};

use super::source::{OBJECTS, content, id, library, odd, without_circle};
use super::{FIRST, LAST_1_0, OF_1_1, OF_1_2, WRITTEN_IN, copy, fixture, journal, minor};
use crate::support::binary::{Stage, archived_digests, files, lines, said};

/// The folder of a killed run, moved to a server and a folder of this machine: its journals say these instead.
fn moved(build: &str, name: &str, builder: Builder) -> Stage {
    let stage = Stage::new(builder);
    copy(&fixture(build, name), stage.folder.path());
    for path in files(stage.folder.path()).iter().filter(|path| path.ends_with("checkpoint.jsonl")) {
        journal(path, |record| moved_record(record, &stage));
    }
    stage
}

fn moved_record(record: &mut Value, stage: &Stage) {
    let target = record["target"].as_str().unwrap_or_default().to_owned();
    let members = record.as_object_mut().expect("a record");
    for (name, value) in members {
        match name.as_str() {
            "server_url" | "source_url" => *value = stage.sandbox.url().into(),
            "archive" | "safety" => {
                let path = value.as_str().expect("a path");
                *value = path.replace(WRITTEN_IN, stage.folder.path().to_str().expect("a path")).into();
            }
            // What this server calls the shards of its collections, and when it created their objects.
            "shards" if !target.is_empty() => *value = json!(stage.sandbox.shards(&target)),
            "stamped" => *value = json!({"first_ms": 0, "last_ms": i64::MAX}),
            "firsts" => {
                for (tenant, first) in value.as_object_mut().expect("tenants") {
                    let object = &stage.sandbox.objects(&target, Some(tenant))[0];
                    let object: Value = serde_json::from_str(object).expect("an object");
                    first["updated_ms"] = object["lastUpdateTimeUnix"].clone();
                }
            }
            _ => {}
        }
    }
}

/// The only archive of the stage, and what its run said at the end.
fn finished(output: &std::process::Output) -> Value {
    let all = lines(&output.stdout);
    all.last().expect("a last line").clone()
}

fn printed(stage: &Stage, archive: &Path, class: &str) -> BTreeMap<String, String> {
    let output = stage.run(&["archive", "cat", archive.to_str().expect("a path"), class]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    content(&String::from_utf8(output.stdout).expect("text").lines().map(str::to_owned).collect::<Vec<_>>())
}

#[test]
fn backups_are_resumed_to_what_an_unbroken_one_is() {
    for build in [FIRST, LAST_1_0, OF_1_1, OF_1_2] {
        // The run had activated a tenant.
        let source = if minor(build) > 0 { odd().tenant("Shop", "south", "HOT") } else { library() };
        let (code, whole) = if minor(build) > 0 { (3, "odd") } else { (0, "plain") };
        let stage = moved(build, "killed-backup", source);
        let output = stage.run(&["col", "backup", "--resume", "--json"]);
        assert_eq!(output.status.code(), Some(code), "{build}: {}", said(&output));
        let end = finished(&output);
        let archives: Vec<PathBuf> = stage.made();
        assert_eq!(archives.len(), 1, "{build}: no other archive is begun");
        assert_eq!(end["resumed_objects"], if minor(build) > 0 { 2 * OBJECTS } else { OBJECTS }, "{build}: {end}");
        let checked = stage.run(&["archive", "check", archives[0].to_str().expect("a path")]);
        assert_eq!(checked.status.code(), Some(0), "{build}: {}", said(&checked));
        assert_eq!(archived_digests(&archives[0]), archived_digests(&fixture(build, whole)), "{build}");
        assert_eq!(printed(&stage, &archives[0], "Author"), content(&stage.sandbox.objects("Author", None)), "{build}");
        assert!(stage.sandbox.tenants("Shop").iter().all(|(name, status)| name != "south" || *status == "COLD"));
    }
}

/// What a restore that was killed had left: its collections, and the objects it had written. What they refer to need not
/// be there, and was when they were written.
fn left(build: &str) -> Builder {
    let folder = fixture(build, "killed-restore");
    let schemas = files(&folder).into_iter().filter(|path| path.ends_with("schema.json"));
    let document = |path: PathBuf| fs::read_to_string(path).expect("a schema");
    let builder = schemas.map(document).fold(Sandbox::builder(), |builder, document| builder.collection(&document));
    let written = fs::read_to_string(folder.join("left.jsonl")).expect("objects");
    let stub = |id: &String| json!({"class": "Author", "id": id}).to_string();
    let authors: Vec<String> = (0..OBJECTS).map(id).collect();
    let builder = authors.iter().fold(builder, |builder, id| builder.object(&stub(id)));
    let builder = written.lines().fold(builder, Builder::object);
    let stubs = authors.into_iter().filter(|id| !written.contains(&format!(r#""id":"{id}""#)));
    stubs.fold(builder, |builder, id| builder.change(Change::Delete("Author".to_owned(), None, id)))
}

#[test]
fn a_restore_is_resumed_and_tells_what_had_been_refused() {
    for build in [OF_1_1, OF_1_2] {
        let stage = moved(build, "killed-restore", left(build));
        let archive = stage.made().remove(0);
        // One more was written than written down.
        assert_eq!(stage.sandbox.count("Author", None), 3);
        let output = stage.run(&["col", "restore", archive.to_str().expect("a path"), "--resume", "--yes", "--json"]);
        assert_eq!(output.status.code(), Some(3), "one object was refused: {}", said(&output));
        let end = finished(&output);
        assert_eq!((&end["resumed_objects"], &end["collections"][0]["rejected"]), (&json!(2), &json!(1)), "{end}");
        for class in ["Author", "Book"] {
            let mut archived = printed(&stage, &archive, class);
            // Refused by a server that was another one then, and kept in the file of refused objects.
            if class == "Author" {
                archived.remove(&id(0)).expect("the object");
            }
            assert_eq!(content(&stage.sandbox.objects(class, None)), archived, "{class}");
        }
    }
}

#[test]
fn a_restore_of_a_build_that_resumed_none_is_refused_and_a_new_one_is_not_kept_from_it() {
    let stage = moved(LAST_1_0, "killed-restore", left(LAST_1_0));
    let archive = stage.made().remove(0);
    let restore = ["col", "restore", archive.to_str().expect("a path"), "--yes"];
    let output = stage.run(&[&restore[..], &["--resume"]].concat());
    assert_eq!((output.status.code(), stage.sandbox.writing_requests()), (Some(4), 0), "{}", said(&output));
    assert!(said(&output).contains("did not get to its end, and is not what is asked for now"), "{}", said(&output));
    let output = stage.run(&[&restore[..], &["--rename", "*=*2"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(stage.sandbox.count("Author2", None), OBJECTS);
}

#[test]
fn clears_are_resumed_whether_the_collection_had_been_dropped_or_not() {
    for build in [LAST_1_0, OF_1_1, OF_1_2] {
        for gone in [true, false] {
            let source = if gone { library().change(Change::Drop("Book".to_owned())) } else { library() };
            let stage = moved(build, "killed-clear", source);
            let schema = |stage: &Stage| printed_schema(stage, "Book");
            let before = schema(&Stage::new(library()));
            let output = stage.run(&["col", "clear", "Book", "--method", "recreate", "--resume", "--yes"]);
            assert_eq!(output.status.code(), Some(0), "{build} {gone}: {}", said(&output));
            assert!(said(&output).contains("Resumes run "), "{build} {gone}: {}", said(&output));
            assert_eq!((stage.sandbox.count("Author", None), stage.sandbox.count("Book", None)), (OBJECTS, 0));
            assert_eq!(schema(&stage), before, "{build} {gone}");
        }
    }
}

/// A collection's class document, as `col show` prints it.
fn printed_schema(stage: &Stage, class: &str) -> Value {
    let output = stage.run(&["col", "show", class, "--json"]);
    let shown: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    shown["schema"].clone()
}

#[test]
fn what_a_rehearsal_left_is_removed() {
    let scratch = "ElysiactlRehearsal";
    for build in [OF_1_1, OF_1_2] {
        let run =
            files(&fixture(build, "killed-rehearsal")).into_iter().find(|path| path.ends_with("checkpoint.jsonl"));
        let text = fs::read_to_string(run.expect("a journal")).expect("a journal");
        let name = text.split('"').find(|word| word.starts_with(scratch)).expect("a name").to_owned();
        let stage = moved(build, "killed-rehearsal", without_circle().collection(&json!({"class": name}).to_string()));
        assert_eq!(stage.sandbox.collections().len(), 3);
        let archive = fixture(build, "plain");
        let output = stage.run(&["col", "restore", archive.to_str().expect("a path"), "--yes", "--rename", "*=*2"]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert_eq!(stage.sandbox.collections(), ["Author", "Author2", "Book", "Book2"]);
        assert_eq!(stage.sandbox.count("Author2", None), OBJECTS);
        let runs = files(&stage.folder.path().join("state/elysiactl/runs"));
        assert_eq!(runs.len(), 1, "the journal of the restore alone: {runs:?}");
    }
}
