//! What a server, an archive or a path holds cannot steer a terminal, and what is shown to be typed next names what is
//! meant, byte for byte.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::process::Command;

use elysiactl::model::is_plain;
use sandbox::{Builder, Sandbox};
use serde_json::Value;

use crate::support::binary::{Stage, files, lines, said};
use crate::support::terminal::Terminal;

/// Legal in JSON as they are, each one harmful or unseen: C1 controls (U+009B begins a command of a terminal), DEL, zero
/// width, direction, line and paragraph separators, tags, private use.
const STEERING: &str =
    "\u{9b}2J\u{9d}0;t\u{9c}\u{85}\u{7f}\u{200b}\u{202e}\u{61c}\u{2028}\u{2029}\u{feff}\u{e0041}\u{f8ff}";

fn article() -> Builder {
    let object = format!(
        r#"{{"class":"Article","id":"00000000-0000-0000-0000-000000000001","properties":{{"title":"x{STEERING}y"}}}}"#
    );
    Sandbox::builder()
        .collection(r#"{"class":"Article","description":"d","vectorizer":"none","properties":[{"name":"title","dataType":["text"]}]}"#)
        .object(&object)
}

/// The lines that a terminal showed, which nothing could steer.
fn harmless(shown: &str) -> Vec<String> {
    let lines: Vec<String> = shown.lines().map(|line| line.trim_end_matches('\r').to_owned()).collect();
    for line in &lines {
        assert!(line.chars().all(is_plain), "{line:?}");
    }
    lines
}

#[test]
fn cat_escapes_at_a_terminal_and_leaves_a_pipe_its_bytes() {
    let stage = Stage::new(article());
    let archive = stage.backup();
    let cat = ["archive", "cat", archive.to_str().expect("text")];
    let piped = stage.run(&cat).stdout;
    let part = files(&archive).into_iter().find(|path| path.to_string_lossy().contains("objects-")).expect("a part");
    assert_eq!(piped, std::fs::read(part).expect("read"));
    assert!(String::from_utf8_lossy(&piped).contains("x\u{9b}2J\u{9d}0;t\u{9c}\u{85}\u{7f}\u{200b}\u{202e}"));
    let (code, shown) = Terminal::open(&stage, &cat).ends();
    let shown = harmless(&shown);
    assert_eq!((code, shown.len()), (0, 1));
    assert_eq!(vec![serde_json::from_str::<Value>(&shown[0]).expect("JSON")], lines(&piped));
}

#[test]
fn json_at_a_terminal_means_what_it_means_in_a_pipe() {
    let described = |document: &str| Stage::new(Sandbox::builder().collection(&document.replace("TEXT", STEERING)));
    let stage = described(
        r#"{"class":"Article","description":"TEXT","vectorizer":"none","properties":[{"name":"title","description":"TEXT","dataType":["text"]}]}"#,
    );
    let show = ["--json", "col", "show", "Article"];
    let piped: Value = serde_json::from_slice(&stage.run(&show).stdout).expect("JSON");
    assert!(piped.to_string().contains('\u{9b}'));
    let (code, shown) = Terminal::open(&stage, &show).ends();
    let shown = harmless(&shown).join("\n");
    assert_eq!((code, serde_json::from_str::<Value>(&shown).expect("JSON")), (0, piped));
    for words in [&["col", "show", "Article"][..], &["col", "ls"], &["--json", "col", "backup"], &["col", "backup"]] {
        let mut command = stage.command(words);
        let output = command.output().expect("it runs");
        assert_eq!(output.status.code(), Some(0), "{words:?}: {}", said(&output));
        harmless(&said(&output));
        if !words.contains(&"--json") {
            harmless(&String::from_utf8_lossy(&output.stdout));
        }
    }
}

/// Runs a line of a shell where the binary is `elysiactl`.
fn pasted(stage: &Stage, line: &str) -> std::process::Output {
    let direct = stage.command(&[]);
    let mut shell = Command::new("bash");
    let script = format!("elysiactl() {{ \"$BIN\" \"$@\"; }}\n{line}\n");
    shell.args(["-c", &script]).current_dir(stage.folder.path()).env_clear().env("BIN", direct.get_program());
    shell.envs(direct.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.output().expect("a shell")
}

#[test]
fn what_is_shown_to_be_typed_next_names_the_path_meant_whatever_is_in_it() {
    let names: [&[u8]; 7] = [
        b"caf\xe9",
        b"line\nbreak",
        b"\x1b[2Jclear",
        b"c1-\xc2\x9b2J",
        "nul\u{202e}gnp\u{200b}".as_bytes(),
        b"it's $HOME `id`",
        b"$'quoted\\351'",
    ];
    for name in names {
        let stage = Stage::new(Sandbox::builder().seeded("Article", 5, 2, 1));
        let folder = OsString::from_vec(name.to_vec());
        let backup = stage.command(&["col", "backup", "-o"]).arg(&folder).output().expect("it runs");
        assert_eq!(backup.status.code(), Some(0), "{folder:?}: {}", said(&backup));
        let words = String::from_utf8(backup.stdout.clone()).expect("text");
        harmless(&words);
        harmless(&said(&backup));
        let made = std::fs::read_dir(stage.folder.path().join(&folder)).expect("a folder");
        let made: Vec<PathBuf> = made.map(|entry| entry.expect("an entry").path()).collect();
        assert_eq!(made.len(), 1, "{folder:?}");
        let next = words.split_once("Next: ").expect("a command").1.lines().next().expect("a line");
        let checked = pasted(&stage, next);
        assert_eq!(checked.status.code(), Some(0), "{next}: {}", said(&checked));
        // The error names the same path, and pasting it names it too.
        let manifest = made[0].join("manifest.json");
        std::fs::write(&manifest, "{").expect("written");
        let damaged = pasted(&stage, next);
        assert_eq!(damaged.status.code(), Some(6), "{next}: {}", said(&damaged));
        let text = said(&damaged);
        harmless(&text);
        let place = text.lines().find_map(|line| line.split_once("error: ")).expect("an error").1;
        let place = place.rsplit_once(": ").map_or(place, |(place, _)| place);
        let there = pasted(&stage, &format!("test -f {place}"));
        assert_eq!(there.status.code(), Some(0), "{place}");
    }
}

#[test]
fn a_run_and_its_journal_keep_a_path_that_is_not_utf_8() {
    let stage = Stage::new(Sandbox::builder().seeded("Article", 5, 2, 1));
    let folder = OsStr::from_bytes(b"caf\xe9");
    let backup = stage.command(&["--json", "col", "backup", "-o"]).arg(folder).output().expect("it runs");
    assert_eq!(backup.status.code(), Some(0), "{}", said(&backup));
    let last = lines(&backup.stdout).pop().expect("a last event");
    let archive = last["archive"].as_str().expect("a path");
    assert!(archive.starts_with(r"$'caf\351/"), "{archive}");
    let shown = pasted(&stage, &format!("elysiactl archive show {archive}"));
    assert_eq!(shown.status.code(), Some(0), "{}", said(&shown));
    let planned = |line: &str| {
        let output = pasted(&stage, &format!("elysiactl --json {line}"));
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        lines(&output.stdout)
    };
    let planned_restore = planned(&format!("col restore {archive} --name Other --dry-run"));
    assert!(planned_restore.iter().any(|e| e["event"] == "restore_planned" && e["archive"] == archive));
    let planned_removal = planned(r"col rm Article -o $'caf\351' --dry-run");
    assert!(planned_removal.iter().any(|e| e["collections"][0]["held_in"]["archive"] == archive));
    let first = ["--json", "col", "clear", "Article", "--yes", "--backup-first"];
    let cleared = stage.command(&first).arg(folder).output().expect("it runs");
    assert_eq!(cleared.status.code(), Some(0), "{}", said(&cleared));
}
