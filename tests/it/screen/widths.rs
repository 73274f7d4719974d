//! No line is wider than the terminal. Only a word that cannot be broken (a path, a URL, a digest) may be, on a line of its own.

use std::io::{self, Write};
use std::process::Command;
use std::sync::{Arc, Mutex};

use clap::CommandFactory;
use console::{measure_text_width, strip_ansi_codes};
use elysiactl::cli::Cli;
use elysiactl::render::{Render, Text, wrap};
use sandbox::{Builder, Sandbox};

use crate::support::binary::Stage;
use crate::support::samples::{at, events};
use crate::support::terminal::Terminal;

const WIDTHS: [usize; 3] = [60, 80, 160];

fn fits(text: &str, columns: usize, what: &str) {
    let text = strip_ansi_codes(text);
    for line in text.split(['\n', '\r']).map(str::trim_end) {
        // What goes on in the next line of a command is no word.
        let words = line.split_whitespace().filter(|word| *word != "\\").count();
        assert!(measure_text_width(line) <= columns || words <= 1, "{what}, {columns} columns:\n{line}\n\n{text}");
    }
}

#[test]
fn every_page_of_help_fits() {
    fn all(command: &clap::Command, words: &[String], found: &mut Vec<Vec<String>>) {
        found.push([words, &["--help".to_owned()]].concat());
        found.push([words, &["-h".to_owned()]].concat());
        for sub in command.get_subcommands() {
            all(sub, &[words, &[sub.get_name().to_owned()]].concat(), found);
        }
    }
    let mut found = Vec::new();
    all(&Cli::command(), &["elysiactl".to_owned()], &mut found);
    for columns in WIDTHS {
        for words in &found {
            let asked = Cli::command().term_width(columns).try_get_matches_from(words).expect_err("help");
            fits(&wrap(&asked.render().to_string(), columns), columns, &words.join(" "));
        }
    }
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("a lock").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn every_event_and_warning_fits() {
    let of: [fn() -> Option<usize>; 3] = [|| Some(60), || Some(80), || Some(160)];
    for (columns, width) in WIDTHS.into_iter().zip(of) {
        let out = Shared::default();
        let mut text = Text::new(out.clone()).fitting(width);
        for event in events() {
            text.event(&event, at(1)).expect("written");
        }
        let shown = String::from_utf8(out.0.lock().expect("a lock").clone()).expect("text");
        assert!(shown.matches("warning: ").count() > 20, "{shown}");
        fits(&shown, columns, "events and warnings");
    }
}

/// Collections with long names, tenants, named vectors and references, so that no table is a narrow one.
fn wide() -> Builder {
    let long = r#"{"class":"A_collection_with_quite_a_long_name_for_a_terminal","vectorConfig":{
        "title":{"vectorizer":{"none":{}},"vectorIndexType":"flat"},
        "description_of_the_product":{"vectorizer":{"none":{}},"vectorIndexType":"hnsw"}},
        "properties":[{"name":"text","dataType":["text"],"tokenization":"field"},{"name":"about","dataType":["Chats"]}]}"#;
    let chats = r#"{"class":"Chats","vectorizer":"none","multiTenancyConfig":{"enabled":true}}"#;
    let builder = Sandbox::builder().seeded("Article", 1_200, 4, 7).collection(chats).collection(long);
    builder.alias("Current", "Article").tenant("Chats", "anna", "HOT").tenant("Chats", "carl", "COLD")
}

/// What the binary shows at a terminal of this width, to the end.
fn shown(stage: &Stage, columns: usize, arguments: &[&str]) -> (i32, String) {
    let command: Command = stage.shell(&[], &format!("stty cols {columns} rows 40; exec \"$@\""), "sh", arguments);
    let (code, text) = Terminal::of(command).ends();
    // Each byte has come as a character of its own.
    let bytes: Vec<u8> = text.chars().filter_map(|byte| u8::try_from(byte).ok()).collect();
    (code, String::from_utf8(bytes).expect("text"))
}

#[test]
fn what_the_binary_shows_fits() {
    let stage = Stage::new(wide());
    let archive = stage.backup();
    let archive = archive.to_str().expect("text");
    for columns in WIDTHS {
        for (arguments, code) in [
            (&["col", "ls"][..], 0),
            (&["col", "show", "Current"], 0),
            (&["col", "show", "Chats"], 0),
            (&["col", "show", "A_collection_with_quite_a_long_name_for_a_terminal"], 0),
            (&["col", "backup", "--dry-run"], 0),
            (&["col", "backup"], 0),
            (&["archive", "show", archive], 0),
            (&["archive", "check", archive], 0),
            (&["archive", "check", "/nowhere/at/all"], 2),
            (&["col", "verify", archive], 0),
            (&["col", "restore", archive, "--dry-run"], 4),
            (&["col", "restore", archive, "--rename", "*=Copy_*", "--dry-run"], 0),
            (&["col", "clear", "Article", "Chats", "--dry-run"], 0),
            (&["col", "rm", "Article", "--dry-run"], 0),
            (&["col", "create", "New", "--property", "title:text", "--property", "of:Article", "--dry-run"], 0),
            (&["col", "backup", "Artikel"], 4),
            (&["col", "ls", "--url", "http://127.0.0.1:9"], 5),
            (&["col", "backup", "--tenantz", "a-name-that-is-long-enough-to-need-a-second-line-on-its-own"], 2),
            (&["col", "clear", "--help"], 0),
            (&["archive", "cat", "--help"], 0),
        ] {
            let (ended, text) = shown(&stage, columns, &[arguments, &["--no-progress"]].concat());
            assert_eq!(ended, code, "{arguments:?}: {text}");
            fits(&text, columns, &arguments.join(" "));
        }
    }
}
