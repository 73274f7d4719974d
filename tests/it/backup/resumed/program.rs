//! The same by the program: it is killed and run again, says the line that carries a backup on, and asks at a terminal.

use std::process::Stdio;

use super::*;
use crate::support::binary::{Stage, archived_digests, lines, said};
use crate::support::terminal::Terminal;

/// The archives that a run had begun to write down: one that is killed before leaves a folder with nothing in it to resume.
fn begun(stage: &Stage) -> Vec<PathBuf> {
    let holds = |path: &Path| path.metadata().is_ok_and(|file| file.len() > 0);
    let is_begun = |path: &PathBuf| ["checkpoint.jsonl", "manifest.json"].iter().any(|file| holds(&path.join(file)));
    stage.made().into_iter().filter(is_begun).collect()
}

/// T2: killed at blind moments, resumed and killed again, until it is done.
#[test]
fn killed_and_carried_on_until_it_is_done_it_equals_an_unbroken_one() {
    let kills = tier::amount("ELYSIACTL_TEST_KILLS", [20, 500, 5_000]);
    let stage = Stage::new(library());
    let clean = stage.backup();
    stage.sandbox.faults().add(Fault::new(Kind::Delay(Duration::from_millis(3))));
    let whole = Instant::now();
    stage.backup();
    let whole = whole.elapsed();
    let (mut killed, mut round) = (0, 0_u32);
    while killed < kills {
        let before = begun(&stage);
        let mut archive = None;
        loop {
            round += 1;
            let resume =
                archive.as_ref().map_or("--resume".to_owned(), |path: &PathBuf| format!("--resume={}", path.display()));
            let mut child = stage
                .command(&["col", "backup", "-q", "--batch-size", "10", "--jobs", "2", &resume])
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .expect("it starts");
            // Moments all over the run, and some after its end.
            std::thread::sleep(whole * (round * 37 % 120) / 100);
            let in_time = child.try_wait().expect("a state").is_none();
            child.kill().expect("killed or over");
            let output = child.wait_with_output().expect("an end");
            archive = archive.or_else(|| begun(&stage).into_iter().find(|path| !before.contains(path)));
            if !in_time {
                assert_eq!(output.status.code(), Some(0), "{}", said(&output));
                break;
            }
            killed += 1;
        }
        let archive = archive.expect("an archive");
        assert_eq!(begun(&stage).len(), before.len() + 1, "each is carried on, none is begun anew");
        assert_eq!(archived_digests(&archive), archived_digests(&clean), "after {killed} kills");
        let checked = stage.run(&["archive", "check", archive.to_str().expect("text")]);
        assert_eq!(checked.status.code(), Some(0), "{}", said(&checked));
    }
    eprintln!("{killed} kills in {round} runs");
}

#[test]
fn an_interrupted_run_says_how_to_carry_it_on_and_the_next_one_names_it() {
    let stage = Stage::new(library());
    stage.sandbox.faults().add(Fault::new(Kind::status(403, "{}")).on("GET", PAGES).after(9));
    let first = stage.run(&["col", "backup", "--batch-size", "40"]);
    assert_eq!(first.status.code(), Some(5));
    let archive = stage.made().remove(0);
    let line = format!("elysiactl col backup --resume={}", archive.display());
    assert!(said(&first).contains(&line), "{}", said(&first));
    stage.sandbox.faults().clear();
    let other = stage.run(&["col", "backup"]);
    assert_eq!(other.status.code(), Some(0));
    assert!(said(&other).contains("was interrupted") && said(&other).contains(&line), "{}", said(&other));
    let dry = stage.run(&["--json", "col", "backup", "--resume", "--dry-run"]);
    assert_eq!(lines(&dry.stdout).last().expect("a line")["archive"].as_str(), archive.to_str());
    let stem = archive.file_name().and_then(|name| name.to_str()).expect("a name");
    let carried = stage.run(&["col", "backup", &format!("--resume={stem}")]);
    assert_eq!(carried.status.code(), Some(0), "{}", said(&carried));
    assert!(said(&carried).contains("resuming"), "{}", said(&carried));
    let once_more = stage.run(&["col", "backup", &format!("--resume={stem}")]);
    assert_eq!(once_more.status.code(), Some(0), "it is done: {}", said(&once_more));
    let nothing = stage.run(&["col", "backup", "--resume"]);
    assert_eq!(nothing.status.code(), Some(0));
    assert!(said(&nothing).contains("a new one begins"), "{}", said(&nothing));
}

#[test]
fn the_line_that_carries_a_backup_on_repeats_the_address_and_the_folder_that_were_typed() {
    for is_first in [false, true] {
        let stage = Stage::new(library());
        let (url, runs, folder) = (stage.sandbox.url(), stage.folder.path().join("runs"), stage.archives());
        let folder = folder.to_str().expect("text");
        let backup_first = ["col", "clear", "Article", "--yes", "--backup-first", folder];
        // One page of each collection is the plan's.
        let (command, planned) = if is_first { (&backup_first[..], 1) } else { (&["col", "backup"][..], 4) };
        stage.sandbox.faults().add(Fault::new(Kind::status(403, "{}")).on("GET", PAGES).after(planned));
        let typed = ["--url", &url, "--run-dir", runs.to_str().expect("text")];
        let output = stage.run(&[command, &typed].concat());
        assert_eq!(output.status.code(), Some(5), "{}", said(&output));
        let line = format!(
            "elysiactl col backup --resume={} --run-dir {} --url {url}",
            stage.made().remove(0).display(),
            runs.display()
        );
        assert!(said(&output).contains(&line), "{}", said(&output));
    }
}

#[test]
fn at_a_terminal_an_interrupted_backup_is_offered_with_one_question() {
    for (answer, archives) in [("\n", 1), ("y\n", 1), ("n\n", 2)] {
        let stage = Stage::new(library());
        stage.sandbox.faults().add(Fault::new(Kind::status(403, "{}")).on("GET", PAGES).after(9));
        let first = stage.run(&["col", "backup", "--batch-size", "40"]);
        assert_eq!(first.status.code(), Some(5), "{}", said(&first));
        stage.sandbox.faults().clear();
        let mut terminal = Terminal::open(&stage, &["col", "backup"]);
        let asked = terminal.waits_for("[Y/n] ");
        assert!(asked.contains("was interrupted; ") && asked.contains(" are safe in it. Resume it? "), "{asked}");
        terminal.types(answer);
        let (code, rest) = terminal.ends();
        assert_eq!((code, stage.made().len()), (0, archives), "{answer:?}: {rest}");
        assert_eq!(rest.contains("resuming"), archives == 1, "{rest}");
        for made in stage.made().iter().filter(|made| archives == 1 || made.join("manifest.json").exists()) {
            let checked = stage.run(&["archive", "check", made.to_str().expect("text")]);
            assert_eq!(checked.status.code(), Some(0), "{}", said(&checked));
        }
    }
}
