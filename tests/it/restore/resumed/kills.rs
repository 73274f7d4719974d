//! The binary, killed at any moment and run again with the line it says, or with `--resume`.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use sandbox::{Fault, Kind, Sandbox};

use crate::support::binary::{Stage, lines, said};
use crate::support::tier;

/// Lives of a restore, each killed twice: on every commit, by night, before a release.
const KILLS: [u64; 3] = [6, 250, 2_500];
/// When the first kill of a life comes, in hundredths of the time that a whole restore takes: at the earliest, at the latest.
const MOMENTS: [u64; 2] = [10, 95];
/// And the second one: so many hundredths at most, since less is left to do.
const LEFT: u64 = 60;

/// A server with what is in an archive beside it, both of which the binary knows.
pub(super) fn stage() -> (Stage, String, BTreeMap<String, Vec<String>>) {
    let stage = Stage::new(
        Sandbox::builder().seeded("Article", 250, 3, 7).seeded("Author", 250, 3, 8).alias("Live", "Article"),
    );
    stage.sandbox.faults().add(Fault::new(Kind::Delay(Duration::from_millis(10))).on("GET", "/v1/objects"));
    let output = stage.run(&["col", "backup", "-q", "--batch-size", "10", "--jobs", "8"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    stage.sandbox.faults().clear();
    let archive = stage.made().remove(0).display().to_string();
    let held = held(&stage);
    for class in ["Article", "Author"] {
        stage.sandbox.faults().now(&sandbox::Change::Drop(class.into()));
    }
    (stage, archive, held)
}

pub(super) fn held(stage: &Stage) -> BTreeMap<String, Vec<String>> {
    let plain = |line: String| {
        let mut object: serde_json::Value = serde_json::from_str(&line).expect("an object");
        for member in ["creationTimeUnix", "lastUpdateTimeUnix"] {
            object.as_object_mut().expect("an object").remove(member);
        }
        object.to_string()
    };
    let of = |class: &str| {
        let mut lines: Vec<String> = stage.sandbox.objects(class, None).into_iter().map(plain).collect();
        lines.sort_unstable();
        lines
    };
    ["Article", "Author"].map(|class| (class.to_owned(), of(class))).into()
}

pub(super) fn restoring<'a>(archive: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["col", "restore", archive, "--batch-size", "10", "--jobs", "2"], more].concat()
}

fn slow(stage: &Stage) {
    stage.sandbox.faults().add(Fault::new(Kind::Delay(Duration::from_millis(25))).on("POST", "/v1/batch/objects"));
    stage.sandbox.faults().add(Fault::new(Kind::Delay(Duration::from_millis(25))).on("POST", "/v1/schema"));
}

/// Kills one run after a while; whether that was before its end.
fn killed(stage: &Stage, arguments: &[&str], after: Duration) -> bool {
    let mut child = stage.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a child");
    std::thread::sleep(after);
    let in_time = child.try_wait().expect("a state").is_none();
    child.kill().expect("killed");
    child.wait().expect("an end");
    in_time
}

#[test]
fn killed_at_any_moment_twice_it_is_carried_on_and_equal() {
    let kills = tier::amount("ELYSIACTL_TEST_KILLS", KILLS);
    let [first, last] = MOMENTS;
    let whole = {
        let (stage, archive, _) = stage();
        slow(&stage);
        let begun = Instant::now();
        assert_eq!(stage.run(&restoring(&archive, &[])).status.code(), Some(0));
        begun.elapsed()
    };
    let (mut in_time, mut carried) = (0, 0);
    for n in 0..kills {
        let (stage, archive, expected) = stage();
        slow(&stage);
        let part = |hundredths: u64| whole * u32::try_from(hundredths).expect("few") / 100;
        in_time += u32::from(killed(&stage, &restoring(&archive, &[]), part(first + (last - first) * n / kills)));
        in_time += u32::from(killed(&stage, &restoring(&archive, &["--resume"]), part(first + 37 * n % LEFT)));
        stage.sandbox.faults().clear();
        let output = stage.run(&restoring(&archive, &["--resume", "--json"]));
        assert_eq!(output.status.code(), Some(0), "kill {n}: {}", said(&output));
        let events = lines(&output.stdout);
        let finished = events.last().expect("run_finished");
        assert_eq!((finished["status"].as_str(), finished["objects"].as_u64()), (Some("ok"), Some(500)), "kill {n}");
        carried += u32::from(events.iter().any(|event| event["event"] == "resumed"));
        assert_eq!(held(&stage), expected, "kill {n}");
        assert_eq!(stage.sandbox.aliases(), [("Live".to_owned(), "Article".to_owned())], "kill {n}");
        let verify = stage.run(&["col", "verify", &archive, "-q"]);
        assert_eq!(verify.status.code(), Some(0), "kill {n}: {}", said(&verify));
    }
    assert!(in_time > 2 && carried > 1, "{in_time} kills came before the end, {carried} runs were carried on");
    eprintln!("{in_time} of {} kills came before the end, {carried} of {kills} runs were carried on", 2 * kills);
}

/// The command in backquotes of a text.
fn command_in(text: &str) -> Vec<String> {
    let command = text.split('`').find(|part| part.starts_with("elysiactl ")).unwrap_or_else(|| panic!("{text}"));
    command.split(' ').skip(1).map(|word| word.trim_matches('\'').to_owned()).collect()
}

#[test]
fn the_line_that_is_said_carries_it_on() {
    let (stage, archive, expected) = stage();
    let dies = || Fault::new(Kind::status(401, "")).on("POST", "/v1/batch/objects").after(15);
    stage.sandbox.faults().add(dies());
    let output = stage.run(&restoring(&archive, &["--only", "Article", "--name", "New", "--alias", "skip"]));
    assert_eq!(output.status.code(), Some(5), "{}", said(&output));
    let stopped = said(&output);
    assert!(stopped.contains(" --resume` resumes it from here"), "{stopped}");

    // Without the flag nothing is touched, and the refusal says the same line.
    stage.sandbox.faults().clear();
    let again = stage.run(&restoring(&archive, &["--only", "Article", "--name", "New", "--alias", "skip"]));
    assert_eq!(again.status.code(), Some(4), "{}", said(&again));
    let refused = said(&again);
    assert!(refused.contains("did not get to its end") && refused.contains("` resumes that run"), "{refused}");
    assert_eq!(command_in(&refused), command_in(&stopped));

    let command = command_in(&stopped);
    let mut dry: Vec<&str> = command.iter().map(String::as_str).collect();
    dry.push("--dry-run");
    let plan = stage.run(&dry);
    let told = String::from_utf8_lossy(&plan.stdout).into_owned();
    assert!(plan.status.success() && told.contains("Resumes run ") && told.contains(" of 250 objects"), "{told}");

    let carried = stage.run(&command.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(carried.status.code(), Some(0), "{}", said(&carried));
    assert_eq!(stage.sandbox.count("New", None), 250);
    let as_article = |line: &String| line.replace("\"New\"", "\"Article\"");
    let new: Vec<String> = stage.sandbox.objects("New", None).iter().map(as_article).collect();
    assert_eq!(new.len(), expected["Article"].len());
    // And once more: it is done.
    let once_more = stage.run(&command.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(once_more.status.code(), Some(0), "{}", said(&once_more));
}

#[test]
fn without_an_archive_the_last_restore_is_meant() {
    let (stage, archive, expected) = stage();
    stage.sandbox.faults().add(Fault::new(Kind::status(401, "")).on("POST", "/v1/batch/objects").after(15));
    let output = stage.run(&restoring(&archive, &[]));
    assert_eq!(output.status.code(), Some(5), "{}", said(&output));
    stage.sandbox.faults().clear();
    let output = stage.run(&["col", "restore", "--resume"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(held(&stage), expected);
    let none = stage.run(&["col", "restore", "--resume"]);
    assert_eq!(none.status.code(), Some(2), "nothing to carry on, and no archive named: {}", said(&none));
}
