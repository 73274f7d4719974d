//! What is told above the bars stays on the screen, whole: while they are drawn, and once they are gone.

use std::time::Duration;

use indicatif::{InMemoryTerm, TermLike};
use sandbox::{Builder, Fault, Kind, Sandbox};

use crate::support::binary::Stage;
use crate::support::terminal::Terminal;

const ROWS: u16 = 40;
const WARNING: &str = "warning: cannot ask whether every node of the server is there: this version of Weaviate cannot be asked for its nodes";
const STOPPING: &str = "stopping at a safe place; once more to stop at once";
const CTRL_C: &str = "\u{3}";

/// Two collections on a server that cannot be asked for its nodes.
fn nodeless() -> Builder {
    Sandbox::builder().version("1.24").seeded("Article", 1_200, 4, 7).seeded("Chat", 300, 4, 8)
}

/// The binary at a terminal of this width that echoes what is typed, and all that came from it.
struct Screen {
    terminal: Terminal,
    columns: u16,
    came: String,
}

impl Screen {
    fn open(stage: &Stage, columns: u16, arguments: &[&str]) -> Self {
        let script = format!("stty echo cols {columns} rows {ROWS}; exec \"$@\"");
        let terminal = Terminal::of(stage.shell(&[], &script, "sh", arguments));
        Self { terminal, columns, came: String::new() }
    }

    fn waits_for(&mut self, text: &str) {
        self.came += &self.terminal.waits_for(text);
        self.came += text;
    }

    /// The lines on the screen now.
    fn lines(&self) -> Vec<String> {
        shown(&self.came, self.columns)
    }

    /// The exit code, and the lines on the screen once it has ended.
    fn ends(self) -> (i32, Vec<String>) {
        let (code, rest) = self.terminal.ends();
        (code, shown(&(self.came + &rest), self.columns))
    }
}

fn shown(came: &str, columns: u16) -> Vec<String> {
    // Each byte has come as a character of its own.
    let bytes: Vec<u8> = came.chars().filter_map(|byte| u8::try_from(byte).ok()).collect();
    let screen = InMemoryTerm::new(ROWS, columns);
    screen.write_str(&String::from_utf8_lossy(&bytes)).expect("shown");
    screen.contents().lines().map(str::to_owned).collect()
}

fn words(lines: &[String]) -> String {
    lines.join("\n").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_bar(line: &str) -> bool {
    line.contains(['━', '╸', '─']) || line.contains(" %")
}

#[test]
fn a_warning_of_several_lines_stands_whole_above_the_bars_and_when_they_are_gone() {
    let stage = Stage::new(nodeless());
    let archive = stage.backup();
    let archive = archive.to_str().expect("text");
    for columns in [60, 80] {
        for (arguments, path, ends_with) in [
            (&["col", "verify", archive][..], "/v1/objects", "No differences: 2 collections, 1,500 objects"),
            (&["col", "backup"], "/v1/objects", "Backed up 2 collections, 1,500 objects"),
            (&["col", "restore", archive, "--rename", "*=Copy_*", "--dry-run"], "/v1/schema", "nothing was written"),
        ] {
            // Ended before bars are drawn, and after.
            for milliseconds in [0, 400] {
                let slow = Fault::new(Kind::Delay(Duration::from_millis(milliseconds))).on("GET", path).times(4);
                stage.sandbox.faults().add(slow);
                let (code, lines) = Screen::open(&stage, columns, arguments).ends();
                let (text, run) = (words(&lines), format!("{arguments:?}, {columns} columns: {lines:#?}"));
                assert!(code == 0 && text.contains(WARNING) && text.contains(ends_with), "{run}");
                assert!(!lines.iter().any(|line| is_bar(line)), "{run}");
                stage.sandbox.faults().clear();
            }
        }
    }
}

#[test]
fn a_run_that_is_stopped_leaves_no_bar() {
    for columns in [60, 80] {
        let stage = Stage::new(nodeless());
        let archive = stage.backup();
        let archive = archive.to_str().expect("text");
        let slow = Fault::new(Kind::Delay(Duration::from_millis(400))).on("POST", "/v1/batch/objects");
        stage.sandbox.faults().add(slow);
        let restore = ["col", "restore", archive, "--rename", "*=Copy_*", "-y", "--batch-size", "50", "--jobs", "2"];
        let mut screen = Screen::open(&stage, columns, &restore);
        screen.waits_for(" %");
        screen.waits_for(" %");
        let lines = screen.lines();
        assert!(words(&lines).contains(WARNING) && lines.iter().any(|line| is_bar(line)), "{lines:#?}");
        screen.terminal.types(CTRL_C);
        let (code, lines) = screen.ends();
        let text = words(&lines);
        assert_eq!(code, 130, "{lines:#?}");
        assert!([WARNING, STOPPING, "error: interrupted"].iter().all(|told| text.contains(told)), "{lines:#?}");
        assert!(!lines.iter().any(|line| is_bar(line)), "{columns} columns: {lines:#?}");
    }
}
