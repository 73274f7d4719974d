//! docs/commands is the help of every command, word for word. `UPDATE_DOCS=1 cargo test --test it help` writes it anew.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use clap::CommandFactory;
use elysiactl::cli::Cli;

use crate::support::binary::elysiactl;

/// Every command as the words that lead to it.
fn commands(command: &clap::Command, words: &[String], found: &mut Vec<Vec<String>>) {
    found.push(words.to_vec());
    for sub in command.get_subcommands() {
        commands(sub, &[words, &[sub.get_name().to_owned()]].concat(), found);
    }
}

fn help(words: &[String]) -> String {
    let output = elysiactl(words).arg("--help").output().expect("the binary runs");
    assert!(output.status.success() && output.stderr.is_empty(), "{words:?}");
    String::from_utf8(output.stdout).expect("text").replace("elysiactl.exe", "elysiactl")
}

#[test]
fn the_help_of_every_command_is_what_the_docs_show() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/commands");
    let update = std::env::var_os("UPDATE_DOCS").is_some();
    let mut found = Vec::new();
    commands(&Cli::command(), &[], &mut found);
    let mut files = BTreeSet::new();
    for words in found {
        let command = [&["elysiactl".to_owned()], words.as_slice()].concat();
        let name = format!("{}.md", command.join("-"));
        let page = format!("# `{}`\n\n```text\n{}\n```\n", command.join(" "), help(&words).trim_end());
        if update {
            fs::write(folder.join(&name), &page).expect("a page");
        }
        let shown = fs::read_to_string(folder.join(&name)).unwrap_or_default().replace("\r\n", "\n");
        assert_eq!(shown, page, "docs/commands/{name}: run `UPDATE_DOCS=1 cargo test --test it help`");
        files.insert(name);
    }
    let there = fs::read_dir(&folder).expect("docs/commands").map(|entry| entry.expect("an entry").file_name());
    let there: BTreeSet<String> = there.map(|name| name.into_string().expect("a name")).collect();
    assert_eq!(there, files, "docs/commands holds a page for each command and nothing else");
}

#[test]
fn the_long_name_of_col_works() {
    let long = help(&["collection".into(), "backup".into()]);
    assert_eq!(long, help(&["col".into(), "backup".into()]));
}
