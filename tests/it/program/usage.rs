//! What a person meets who types something unusual, or whose machine is set up so: paths that are none, a stdout that is
//! full, files that others may read, and the words for each.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Output, Stdio};

use sandbox::Sandbox;

use crate::support::binary::{Stage, lines, said};

fn stage() -> Stage {
    Stage::new(Sandbox::builder().seeded("Article", 20, 2, 1))
}

fn ends(stage: &Stage, arguments: &[&str], code: i32) -> Output {
    let output = stage.run(arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
    output
}

/// What lies in the folder that a stage runs in.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn an_address_is_no_folder_and_none_is_made_of_it() {
    let stage = stage();
    for arguments in [
        &["col", "backup", "-o", "s3://bucket/x"][..],
        &["col", "backup", "--output=gs://bucket"],
        &["col", "backup", "--run-dir", "file:///tmp/x"],
        &["col", "restore", "s3://bucket/x"],
        &["col", "verify", "https://x/y"],
        &["archive", "check", "s3://bucket/x"],
        &["col", "clear", "Article", "--backup-first", "s3://bucket/x"],
        &["col", "rm", "Article", "-o", "azure://x"],
        &["--api-key-file", "vault://x", "col", "ls"],
    ] {
        let output = ends(&stage, arguments, 2);
        assert!(said(&output).contains("is not supported"), "{arguments:?}: {}", said(&output));
    }
    let mut command = stage.command(&["col", "backup"]);
    let output = command.env("ELYSIACTL_ARCHIVE_DIR", "s3://bucket/x").output().expect("it runs");
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert_eq!(names(stage.folder.path()), [""; 0]);
}

#[test]
fn a_tenant_that_is_named_twice_is_refused_by_every_verb() {
    let stage = stage();
    let twice = ["--tenant", "a", "--tenant", "a"];
    for verb in [&["col", "backup"][..], &["col", "clear", "Chat"], &["col", "restore", "x"], &["col", "verify", "x"]] {
        let output = ends(&stage, &[verb, &twice].concat(), 2);
        assert!(said(&output).contains("--tenant names a twice"), "{verb:?}: {}", said(&output));
    }
}

#[test]
fn a_tilde_in_quotes_is_home() {
    let stage = stage();
    let home = stage.folder.path().join("home");
    std::fs::create_dir(&home).expect("a folder");
    let run = |arguments: &[&str], folder: &str| {
        let output =
            stage.command(arguments).env("HOME", &home).env("ELYSIACTL_ARCHIVE_DIR", folder).output().expect("it runs");
        (output.status.code(), said(&output))
    };
    assert_eq!(run(&["col", "backup", "-o", "~/b"], "x").0, Some(0));
    assert_eq!(run(&["col", "backup"], "~/c").0, Some(0));
    assert_eq!((names(&home.join("b")).len(), names(&home.join("c")).len()), (1, 1));
    let (code, words) = run(&["col", "backup", "-o", "~other/b"], "x");
    assert!(code == Some(2) && words.contains("only ~/ is known"), "{words}");
    assert_eq!(run(&["col", "backup", "-o", "./~/b"], "x").0, Some(0), "a folder of that name can be meant");
    assert_eq!(names(stage.folder.path()), ["home", "state", "~"], "what is beside them holds the locks");
}

#[test]
#[cfg(target_os = "linux")]
fn a_stdout_that_is_full_is_told_and_one_that_is_closed_is_not() {
    let stage = stage();
    let archive = stage.backup();
    let archive = archive.to_str().expect("text");
    for arguments in [
        &["--json", "col", "backup"][..],
        &["col", "backup"],
        &["--json", "archive", "check", archive],
        &["archive", "check", archive],
        &["--json", "archive", "show", archive],
        &["archive", "cat", archive],
        &["col", "ls"],
        &["--json", "col", "ls"],
        &["col", "show", "Article"],
        &["--json", "col", "restore", archive, "--name", "Copy", "--dry-run"],
        &["--help"],
        &["--version"],
    ] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a device");
        let output = stage.command(arguments).stdout(full).output().expect("it runs");
        assert_eq!(output.status.code(), Some(7), "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains("cannot write to stdout"), "{arguments:?}: {}", said(&output));
        let mut child =
            stage.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", said(&output));
        assert!(!said(&output).contains("stdout"), "{arguments:?}: {}", said(&output));
    }
}

#[test]
fn what_is_typed_wrongly_is_answered_in_plain_words() {
    let stage = stage();
    for (arguments, words) in [
        (&["col", "backup", "-z", "zstd"][..], "--compress=zstd or -z=zstd"),
        (&["col", "backup", "-z", "Article", "lz4"], "--compress=lz4 or -z=lz4"),
        (&["col", "backup", "--batch-size", "0"], "must lie between 1 and 4294967295"),
        (&["col", "backup", "--batch-size", "-1"], "--batch-size"),
        (&["col", "create", "A", "--replicas", "0"], "must lie between 1 and"),
        (&["col", "create", "A", "--shards", "many"], "not a whole number"),
    ] {
        let output = ends(&stage, arguments, 2);
        assert!(said(&output).contains(words), "{arguments:?}: {}", said(&output));
        assert!(!said(&output).contains("non-zero"), "{arguments:?}: {}", said(&output));
    }
    let output = ends(&stage, &["col", "backup", "--all"], 2);
    assert!(!said(&output).contains("stall-timeout"), "{}", said(&output));
    let output = ends(&stage, &["col", "backup", "--bogus\u{1b}[2J"], 2);
    assert!(!said(&output).contains('\u{1b}'), "{:?}", said(&output));
    ends(&stage, &["col", "backup", "-z=zstd"], 0);
}

#[test]
fn a_secret_that_everybody_may_read_is_warned_of() {
    let stage = stage();
    let key = stage.folder.path().join("key");
    std::fs::write(&key, "a-key-of-the-test\n").expect("written");
    let archives = stage.archives();
    std::fs::create_dir(&archives).expect("a folder");
    let mode = |path: &Path, mode: u32| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("a mode");
    };
    let warned = |key_mode: u32, folder_mode: u32, header: bool| {
        mode(&key, key_mode);
        mode(&archives, folder_mode);
        let value = format!("X-Secret=@file:{}", key.display());
        let flag = if header { ["--header", value.as_str()] } else { ["--api-key-file", key.to_str().expect("text")] };
        let output = ends(&stage, &[&["--json"], &flag[..], &["col", "backup"]].concat(), 0);
        let warnings = lines(&output.stdout).into_iter().filter(|event| event["event"] == "warning");
        let mut kinds: Vec<String> = warnings.map(|w| w["warning"].as_str().expect("a kind").to_owned()).collect();
        kinds.retain(|kind| kind != "key_over_http");
        assert!(!said(&output).contains("a-key-of-the-test"));
        kinds
    };
    for header in [false, true] {
        assert_eq!(warned(0o600, 0o755, header), [""; 0]);
        assert_eq!(warned(0o640, 0o775, header), [""; 0]);
        assert_eq!(warned(0o644, 0o755, header), ["secret_readable_by_all"]);
        assert_eq!(warned(0o602, 0o1777, header), ["writable_by_all", "writable_by_all"]);
    }
    // What a shell makes of `<(…)` is nobody's file.
    let output = stage
        .shell(&[], r#""$@" --api-key-file <(printf a-key-of-the-test)"#, "x", &["--json", "col", "backup"])
        .output()
        .expect("a shell");
    assert!(output.status.code() != Some(7), "{}", said(&output));
}

#[test]
fn run_files_that_cannot_be_written_are_not_the_folder_of_archives() {
    const CHAT: &str = r#"{"class":"Chat","vectorizer":"none","multiTenancyConfig":{"enabled":true},"properties":[{"name":"t","dataType":["text"]}]}"#;
    let stage = Stage::new(Sandbox::builder().collection(CHAT).tenant("Chat", "a", "COLD"));
    let file = stage.folder.path().join("file");
    std::fs::write(&file, "").expect("written");
    for verb in [&["col", "backup"][..], &["col", "rm", "Chat", "--yes"], &["col", "create", "New"]] {
        let output = stage.command(verb).env("XDG_STATE_HOME", file.join("state")).output().expect("it runs");
        assert_eq!(output.status.code(), Some(7), "{verb:?}: {}", said(&output));
        let words = said(&output);
        assert!(words.contains("set XDG_STATE_HOME") && !words.contains("--output"), "{verb:?}: {words}");
    }
}
