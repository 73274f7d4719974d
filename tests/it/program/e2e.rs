//! The binary from end to end: exit codes, `--json`, pipes, the environment, `--dry-run`.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use sandbox::{Builder, Change, Fault, Kind, Role, Sandbox};
use serde_json::Value;

use crate::support::binary::{Stage, files, forge, hex, lines, said};

fn articles() -> Builder {
    Sandbox::builder().seeded("Article", 300, 4, 7)
}

/// Runs it, and holds its exit code; gives what it said on stderr.
fn ends(stage: &Stage, arguments: &[&str], code: i32) -> String {
    let output = stage.run(arguments);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    assert_eq!(code != 0, text.starts_with("error: ") || text.contains("\nerror: ") || code == 3, "{text}");
    text
}

/// The digest of the first collection.
fn digest(stage: &Stage, archive: &str) -> String {
    let output = stage.run(&["archive", "show", "--json", archive]);
    let manifest: Value = serde_json::from_slice(&output.stdout).expect("a document");
    manifest["collections"][0]["digest"].as_str().expect("a digest").to_owned()
}

fn text(path: &std::path::Path) -> &str {
    path.to_str().expect("text")
}

#[test]
fn exit_0_is_done_and_proven() {
    let stage = Stage::new(articles());
    ends(&stage, &["col", "backup"], 0);
    let made = stage.made().remove(0);
    for verb in ["check", "show", "cat"] {
        ends(&stage, &["archive", verb, text(&made)], 0);
        // By its name alone it is found in the folder of archives.
        ends(&stage, &["archive", verb, made.file_name().and_then(|n| n.to_str()).expect("a name")], 0);
    }
    ends(&stage, &["collection", "backup", "A*", "--exclude", "B*", "-z", "--jobs", "2", "--batch-size", "50"], 0);
}

#[test]
fn exit_2_is_wrong_usage_and_no_request_is_sent() {
    let stage = Stage::new(articles());
    for arguments in [
        &["col", "backup", "--header", "no-equals-sign"][..],
        &["col", "backup", "--header", "x y=z"],
        &["col", "backup", "--header", "x-openai-api-key=on-argv"],
        &["col", "backup", "--header", "x-tenant=@env:NOT_SET"],
        &["col", "backup", "--header", "x-tenant=@file:/no/such/file"],
        &["col", "backup", "-z=rar"],
        &["col", "backup", "--api-key", "on-argv"],
        &["col", "backup", "--api-key=on-argv"],
        &["col", "backup", "--url", "ftp://host"],
        &["col", "backup", "--url", ""],
        &["col", "backup", "--memory-limit", "1KiB"],
        &["col", "backup", "--stall-timeout", "0s"],
        &["col", "backup", "--schema-only", "--skip-vectors"],
        &["col", "backup", "--ca-cert", "/no/such/file"],
        &["archive", "check", "no/such/archive"],
    ] {
        let text = ends(&stage, arguments, 2);
        assert!(!text.contains("on-argv"), "{text}");
    }
    ends(&stage, &["col", "backup", "[A"], 2);
    assert!(stage.made().is_empty() && stage.sandbox.writing_requests() == 0);
}

#[test]
fn exit_3_is_an_archive_that_lacks_something() {
    let tenants = r#"{"class":"Mt","multiTenancyConfig":{"enabled":true}}"#;
    let stage = Stage::new(articles().collection(tenants).tenant("Mt", "away", "FROZEN"));
    assert!(ends(&stage, &["col", "backup"], 3).contains("Mt"));
    let stage = Stage::new(articles());
    let first: Value = serde_json::from_str(&stage.sandbox.objects("Article", None)[0]).expect("an object");
    let id = first["id"].as_str().expect("an id").to_owned();
    stage.sandbox.faults().now(&Change::Unprintable("Article".into(), id));
    ends(&stage, &["col", "backup"], 3);
    // What is there is sound all the same.
    ends(&stage, &["archive", "check", text(&stage.made()[0])], 0);
}

#[test]
fn exit_4_is_refused_and_nothing_is_made() {
    let stage = Stage::new(articles());
    assert!(ends(&stage, &["col", "backup", "Articel"], 4).contains("Article"), "a name like it is offered");
    ends(&stage, &["col", "backup", "Z*"], 4);
    ends(&stage, &["col", "backup", "--exclude", "*"], 4);
    ends(&Stage::new(Sandbox::builder()), &["col", "backup"], 4);
    assert!(stage.made().is_empty());
    ends(&stage, &["archive", "cat", text(&stage.backup()), "Other"], 4);
}

#[test]
fn exit_5_is_a_server_away_not_whole_or_not_willing() {
    let stage = Stage::new(articles());
    ends(&stage, &["col", "backup", "--url", "http://127.0.0.1:1"], 5);
    let page = Kind::Status { status: 200, headers: Vec::new(), body: "<html>hello</html>".into() };
    ends(&Stage::new(articles().fault(Fault::new(page))), &["col", "backup"], 5);
    let stage = Stage::new(articles().with_keys());
    ends(&stage, &["col", "backup"], 5);
    for key in ["wrong-key", "nonekey"] {
        let output = stage.command(&["col", "backup", "Article"]).env("WEAVIATE_API_KEY", key).output();
        let output = output.expect("the binary runs");
        assert!(matches!(output.status.code(), Some(4 | 5)), "{key}: {}", said(&output));
    }
    let stage = Stage::new(articles().nodes(3));
    stage.sandbox.faults().node_down("node2");
    ends(&stage, &["col", "backup"], 5);
    assert!(stage.made().is_empty());
}

#[test]
fn exit_6_is_an_archive_that_is_none_or_not_whole() {
    let stage = Stage::new(articles());
    let (damaged, unsealed, newer) = (stage.backup(), stage.backup(), stage.backup());
    let part = damaged.join("collections/Article/objects-000000.jsonl");
    let mut bytes = std::fs::read(&part).expect("a part");
    bytes[100] ^= 1;
    std::fs::write(&part, bytes).expect("written");
    for verb in ["check", "cat"] {
        assert!(ends(&stage, &["archive", verb, text(&damaged)], 6).contains("objects-000000.jsonl"));
    }
    std::fs::remove_file(unsealed.join("manifest.json")).expect("removed");
    std::fs::write(unsealed.join("checkpoint.jsonl"), "").expect("written");
    forge(&newer, |manifest| manifest.replacen("\"major\":1", "\"major\":2", 1));
    let other = stage.folder.path().join("other");
    std::fs::create_dir(&other).expect("a folder");
    for archive in [&unsealed, &newer, &other] {
        for verb in ["check", "show", "cat"] {
            ends(&stage, &["archive", verb, text(archive)], 6);
        }
    }
    assert!(ends(&stage, &["archive", "check", text(&newer)], 6).contains("hint: use elysiactl"));
}

#[test]
fn exit_7_is_an_output_that_takes_no_archive() {
    let stage = Stage::new(articles());
    let (made, file) = (stage.backup(), stage.folder.path().join("file"));
    std::fs::write(&file, "mine").expect("written");
    for output in [&made, &file, &file.join("below")] {
        ends(&stage, &["col", "backup", "-o", text(output)], 7);
    }
    assert_eq!(std::fs::read(&file).expect("a file"), b"mine");
    ends(&stage, &["archive", "check", text(&made)], 0);
}

#[test]
fn json_is_all_of_stdout_and_begins_and_ends_as_documented() {
    let stage = Stage::new(articles());
    for quiet in [&[][..], &["-q"]] {
        let output = stage.run(&[&["--json", "col", "backup"], quiet].concat());
        let events = lines(&output.stdout);
        assert_eq!(said(&output).is_empty(), quiet == ["-q"], "{}", said(&output));
        is_a_run(&events, "backup");
        let archive = events.last().expect("a line")["archive"].as_str().expect("an archive").to_owned();
        let output = stage.run(&[&["--json", "archive", "check", &archive], quiet].concat());
        is_a_run(&lines(&output.stdout), "archive_check");
        assert!(said(&output).lines().all(|line| !line.starts_with('{')), "{}", said(&output));
    }
}

fn is_a_run(events: &[Value], op: &str) {
    let (first, last) = (&events[0], events.last().expect("a line"));
    assert_eq!((&first["event"], &first["op"]), (&"run_started".into(), &op.into()));
    let ends = events.iter().filter(|event| event["event"] == "run_finished").count();
    assert_eq!((&last["event"], &last["op"], ends), (&"run_finished".into(), &op.into(), 1));
    let members: BTreeSet<&str> = last.as_object().expect("an object").keys().map(String::as_str).collect();
    let documented = [
        "archive",
        "bytes",
        "collections",
        "dry_run",
        "errors",
        "event",
        "exit_code",
        "objects",
        "objects_per_second",
        "op",
        "peak_memory_bytes",
        "planned_archive",
        "resumed_objects",
        "retries",
        "seconds",
        "status",
        "time",
    ];
    assert_eq!(members, documented.into());
    assert_eq!((&last["status"], &last["exit_code"], &last["objects"]), (&"ok".into(), &0.into(), &300.into()));
    assert_eq!(last["collections"][0]["name"], "Article");
}

#[test]
fn quiet_leaves_stdout_empty_and_the_archive_is_the_same() {
    let stage = Stage::new(articles());
    let loud = stage.run(&["col", "backup"]);
    assert!(!loud.stdout.is_empty() && !loud.stderr.is_empty());
    let quiet = stage.run(&["col", "backup", "-q", "--no-progress"]);
    assert_eq!((quiet.status.code(), quiet.stdout.len(), said(&quiet)), (Some(0), 0, String::new()));
    let made = stage.made();
    assert_eq!(digest(&stage, text(&made[0])), digest(&stage, text(&made[1])));
    let check = stage.run(&["archive", "check", "-q", text(&made[0])]);
    assert!(check.stdout.is_empty() && check.stderr.is_empty());
}

#[test]
fn every_line_of_cat_is_an_object_and_all_of_them_come() {
    let stage = Stage::new(articles().seeded("Other", 40, 0, 3));
    let made = stage.backup();
    let all = lines(&stage.run(&["archive", "cat", text(&made)]).stdout);
    let one = lines(&stage.run(&["archive", "cat", text(&made), "Other"]).stdout);
    assert_eq!((all.len(), one.len()), (340, 40));
    assert!(one.iter().all(|object| object["class"] == "Other"));
}

#[cfg(unix)]
#[test]
fn a_reader_of_cat_who_has_enough_is_no_failure() {
    let stage = Stage::new(Sandbox::builder().seeded("Article", 20_000, 4, 7));
    let made = stage.backup();
    let mut command = stage.command(&["archive", "cat", text(&made)]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut head = String::new();
    BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut head).expect("a line");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), said(&output)), (Some(0), String::new()));
    assert!(serde_json::from_str::<Value>(&head).is_ok());
}

#[cfg(unix)]
#[test]
fn a_backup_whose_reader_has_gone_is_sealed_all_the_same() {
    let stage = Stage::new(articles());
    for json in [&[][..], &["--json"]] {
        let mut command = stage.command(&[&["col", "backup"], json].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        drop((child.stdout.take(), child.stderr.take()));
        assert_eq!(child.wait().expect("it ends").code(), Some(0));
    }
    for made in stage.made() {
        ends(&stage, &["archive", "check", text(&made)], 0);
    }
}

#[test]
fn sha256sums_is_what_sha256sum_takes() {
    let stage = Stage::new(articles());
    for codec in ["none", "zstd", "gzip", "lz4"] {
        let before = stage.made();
        let compress = format!("--compress={codec}");
        let flags = if codec == "none" { Vec::new() } else { vec![compress.as_str()] };
        ends(&stage, &[&["col", "backup"], flags.as_slice()].concat(), 0);
        let made = stage.made().into_iter().find(|path| !before.contains(path)).expect("an archive");
        let sums = std::fs::read_to_string(made.join("SHA256SUMS")).expect("sums");
        let mut named = BTreeSet::from([made.join("SHA256SUMS"), made.join("manifest.json")]);
        for line in sums.lines() {
            let (sum, file) = line.split_once("  ").expect("a sum and a file");
            assert_eq!(sum, hex(std::fs::read(made.join(file)).expect("a file")), "{codec} {file}");
            named.insert(made.join(file));
        }
        assert_eq!(named, files(&made).into_iter().collect(), "{codec}: every file and no other");
    }
}

#[test]
fn a_key_goes_only_to_the_server_it_belongs_to() {
    // Both take both keys, so that whichever is sent opens the door: exit 5 means that none was.
    let taking = || articles().key("first-key", "a", Role::Root).key("second-key", "b", Role::Root);
    let (first, second) = (Stage::new(taking()), Stage::new(taking()));
    let (a, b) = (("WEAVIATE_URL", first.sandbox.url()), ("WCD_URL", second.sandbox.url()));
    let (a_key, b_key) = (("WEAVIATE_API_KEY", "first-key".into()), ("WCD_API_KEY", "second-key".into()));
    let flag = ["--url".to_owned(), first.sandbox.url()];
    for (variables, flags, code, asked) in [
        (vec![&a, &a_key], &[][..], 0, [true, false]),
        (vec![&a, &a_key, &b, &b_key], &[], 0, [true, false]),
        (vec![&b, &b_key], &[], 0, [false, true]),
        (vec![&b, &b_key, &a_key], &[], 0, [false, true]),
        (vec![&a, &b_key], &[], 5, [true, false]),
        (vec![&a, &b, &b_key], &[], 5, [true, false]),
        (vec![&b, &a_key], &[], 5, [false, true]),
        (vec![&b, &b_key], &flag, 5, [true, false]),
        (vec![&b, &b_key, &a_key], &flag, 0, [true, false]),
    ] {
        first.sandbox.clear_requests();
        second.sandbox.clear_requests();
        let mut command = first.command(&["col", "backup", "-q"]);
        command.env_remove("WEAVIATE_URL").envs(variables.iter().map(|(name, value)| (name, value))).args(flags);
        let output = command.output().expect("the binary runs");
        assert_eq!(output.status.code(), Some(code), "{variables:?} {flags:?}: {}", said(&output));
        let found = [&first, &second].map(|stage| !stage.sandbox.requests().is_empty());
        assert_eq!(found, asked, "{variables:?} {flags:?}");
    }
}

#[test]
fn the_folder_of_archives_is_the_flags_then_the_environments_then_backups() {
    let stage = Stage::new(articles());
    for (flag, variable, folder) in
        [(Some("by-flag"), Some("by-env"), "by-flag"), (None, Some("by-env"), "by-env"), (None, Some(""), "backups")]
    {
        let mut command = stage.command(&["col", "backup", "-q"]);
        command.args(flag.map(|flag| format!("-o={flag}")));
        command.env_remove("ELYSIACTL_ARCHIVE_DIR").envs(variable.map(|value| ("ELYSIACTL_ARCHIVE_DIR", value)));
        assert!(command.status().expect("the binary runs").success());
        let made = std::fs::read_dir(stage.folder.path().join(folder)).expect("the folder").count();
        assert_eq!(made, 1, "{folder}");
    }
}

#[test]
fn a_dry_run_writes_nothing_and_sends_nothing_that_writes() {
    let stage = Stage::new(articles());
    for flags in [&[][..], &["--json"], &["-z"], &["--schema-only"]] {
        let output = stage.run(&[&["col", "backup", "--dry-run"], flags].concat());
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert!(!output.stdout.is_empty(), "the plan is the result");
    }
    assert_eq!(files(stage.folder.path()), Vec::<std::path::PathBuf>::new());
    assert_eq!(std::fs::read_dir(stage.folder.path()).expect("a folder").count(), 0, "not even a folder");
    assert_eq!(stage.sandbox.writing_requests(), 0);
    stage.backup();
    assert_eq!(stage.sandbox.writing_requests(), 0, "a backup only reads");
}

#[test]
fn verify_ends_with_0_where_everything_agrees_and_with_3_where_something_differs() {
    let stage = Stage::new(articles().seeded("Copy", 300, 4, 7).seeded("Other", 5, 4, 7));
    let made = stage.backup();
    ends(&stage, &["col", "verify", text(&made)], 0);
    let output = stage.run(&["col", "verify", text(&made)]);
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("No differences: 3 collections"), "{output:?}");
    ends(&stage, &["col", "verify", text(&made), "--only", "Article", "--name", "Copy", "--sample", "50%"], 0);
    ends(&stage, &["col", "verify", text(&made), "--rename", "Article=Copy", "--rename", "Copy=Article"], 0);
    let id = r#""id":"00000000-0000-0000-0000-000000000007""#;
    let object = format!(r#"{{"class":"Article",{id},"properties":{{"title":"a"}},"vector":[1,2,3,4]}}"#);
    stage.sandbox.faults().now(&Change::Write(object.clone()));
    stage.sandbox.clear_requests();
    let again = stage.backup();
    stage.sandbox.faults().now(&Change::Write(object.replace(r#":"a""#, r#":"b""#)));
    let output = stage.run(&["col", "verify", text(&again), "--jobs", "2", "--memory-limit", "32MiB"]);
    let words = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(3), "{words}");
    assert!(words.starts_with("Differences found: 3 collections"), "{words}");
    let line = r#"Article 00000000-0000-0000-0000-000000000007: properties.title: archived "a", live "b""#;
    assert!(words.contains(line) && words.contains("1 object with other content"), "{words}");
    let output = stage.run(&["col", "verify", text(&made), "--json", "--limit", "7", "-q"]);
    assert_eq!(output.status.code(), Some(3));
    let events = lines(&output.stdout);
    let differing: Vec<&Value> = events.iter().filter(|event| event["event"] == "object_differs").collect();
    assert_eq!((differing.len(), &differing[0]["kind"]), (1, &Value::from("only_right")));
    let last = events.last().expect("an event");
    assert_eq!(
        (&last["event"], &last["op"], &last["exit_code"]),
        (&"run_finished".into(), &"verify".into(), &3.into())
    );
    assert_eq!(last["collections"][0]["only_right"], 1);
    assert_eq!(stage.sandbox.writing_requests(), 0);
}

#[test]
fn verify_lists_as_many_differences_as_asked_for_and_says_how_many_are_left() {
    let stage = Stage::new(articles().seeded("Empty", 0, 4, 7));
    let made = stage.backup();
    for (limit, left) in [("30", "… and 270 more: `--limit N` names more of them"), ("300", "")] {
        let options = ["col", "verify", text(&made), "--only", "Article", "--name", "Empty", "--limit", limit];
        let output = stage.run(&options);
        let words = String::from_utf8_lossy(&output.stdout);
        assert_eq!(words.matches(": missing on the server").count().to_string(), limit, "{words}");
        assert!(words.contains(left) && words.contains("… and") != left.is_empty(), "{words}");
    }
}

#[test]
fn verify_refuses_names_and_shares_that_make_no_sense() {
    let stage = Stage::new(articles().seeded("Other", 5, 4, 7));
    let made = stage.backup();
    let verify = |more: &[&str], code: i32| ends(&stage, &[&["col", "verify", text(&made)][..], more].concat(), code);
    for more in [
        &["--name", "New"][..],
        &["--name", "a-b"],
        &["--rename", "Article"],
        &["--rename", "Article=Other"],
        &["--rename", "Article=A", "--rename", "Article=B"],
        &["--sample", "0%"],
        &["--sample", "101%"],
        &["--sample", "few"],
    ] {
        verify(more, 2);
    }
    verify(&["--only", "Nothing"], 4);
    assert!(verify(&["--rename", "Article=Absent"], 4).contains("Absent"));
    assert!(verify(&["--rename", "Article=Absent", "--rename", "Other=Gone"], 4).contains("Absent, Gone"));
    ends(&stage, &["col", "verify", "no/such/archive"], 2);
}

#[test]
fn restore_ends_with_0_and_an_equal_copy_and_its_json_ends_with_one_result() {
    let stage = Stage::new(articles());
    let made = stage.backup();
    ends(&stage, &["col", "restore", text(&made)], 4);
    let output = stage.run(&["--json", "col", "restore", text(&made), "--name", "Copy", "--batch-size", "7"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let events = lines(&output.stdout);
    let last = events.last().expect("a line");
    assert_eq!((&last["op"], &last["exit_code"], &last["status"]), (&"restore".into(), &0.into(), &"ok".into()));
    assert_eq!((&last["collections"][0]["only_left"], &last["collections"][0]["rejected"]), (&0.into(), &0.into()));
    let imported: u64 =
        events.iter().filter(|e| e["event"] == "batch_imported").filter_map(|e| e["objects"].as_u64()).sum();
    assert_eq!(imported, stage.sandbox.count("Article", None));
    ends(&stage, &["col", "verify", text(&made), "--name", "Copy"], 0);
}

#[test]
fn a_restore_that_lost_objects_to_refusals_ends_with_3_and_names_the_file() {
    let stage = Stage::new(articles());
    let made = stage.backup();
    let refusing = Kind::FailIds(3, "invalid text property".into());
    stage.sandbox.faults().add(Fault::new(refusing).on("POST", "/v1/batch/objects"));
    let output = stage.run(&["col", "restore", text(&made), "--name", "Copy"]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    let summary = String::from_utf8_lossy(&output.stdout).into_owned();
    let path = summary
        .lines()
        .find_map(|l| l.strip_prefix("Rejected"))
        .and_then(|l| l.split("listed in ").nth(1))
        .expect("a path");
    let rejected = std::fs::read_to_string(path.trim().trim_matches('\'')).expect("a file");
    let stored = stage.sandbox.count("Copy", None);
    assert_eq!(rejected.lines().count() as u64 + stored, stage.sandbox.count("Article", None));
    assert!(!summary.contains("Missing"), "what was refused is told once: {summary}");
}

#[test]
fn a_dry_run_of_a_restore_writes_nothing_anywhere() {
    let stage = Stage::new(articles());
    let made = stage.backup();
    let before = files(stage.folder.path());
    for more in [&["--name", "Copy"][..], &["--name", "Copy", "--skip-vectors"], &["--name", "Copy", "--skip-data"]] {
        ends(&stage, &[&["col", "restore", text(&made), "--dry-run"][..], more].concat(), 0);
    }
    ends(&stage, &["col", "restore", "--dry-run", "--name", "Copy"], 0);
    ends(&stage, &["col", "restore", text(&made), "--dry-run"], 4);
    assert_eq!((files(stage.folder.path()), stage.sandbox.writing_requests()), (before, 0));
}
