//! ^C and its kin, at every stage of a run: soon over, exit 130, nothing that looks whole, nothing lost that is.

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use sandbox::{Builder, Fault, Kind, Sandbox};

use crate::support::binary::{Stage, lines, said};

/// A child that has not ended by then is killed, and the test fails: far more than any run here needs, far less than
/// the waits that a signal must cut short.
const PATIENCE: Duration = Duration::from_secs(60);
/// A wait that the server asks for, in seconds; longer than [`PATIENCE`].
const LATER: &str = "110";

fn articles() -> Builder {
    Sandbox::builder().seeded("Article", 400, 4, 7)
}

fn start(stage: &Stage, arguments: &[&str]) -> Child {
    let mut command = stage.command(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts")
}

fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).expect("it still runs");
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < PATIENCE, "{what} never came");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn end(mut child: Child) -> Output {
    let started = Instant::now();
    while child.try_wait().expect("a status").is_none() {
        if started.elapsed() > PATIENCE {
            child.kill().expect("killed");
            let output = child.wait_with_output().expect("it ends");
            panic!("it did not end: {} {}", String::from_utf8_lossy(&output.stdout), said(&output));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().expect("it ends")
}

/// Requests that were answered with 429.
fn put_off(stage: &Stage) -> usize {
    stage.sandbox.requests().iter().filter(|seen| seen.status == 429).count()
}

fn is_unsealed(stage: &Stage, archive: &Path) {
    let output = stage.run(&["archive", "check", archive.to_str().expect("text")]);
    assert_eq!(output.status.code(), Some(6), "{}", said(&output));
}

#[test]
fn a_signal_ends_a_backup_soon_and_what_it_leaves_is_no_archive() {
    for signals in [&[Signal::INT][..], &[Signal::TERM], &[Signal::HUP], &[Signal::INT, Signal::INT]] {
        let stage = Stage::new(articles());
        stage.sandbox.faults().add(Fault::new(Kind::too_many(LATER)).on("GET", "/v1/objects").after(4));
        let child = start(&stage, &["--json", "col", "backup", "--batch-size", "50", "--jobs", "1"]);
        until("a page that is put off", || put_off(&stage) > 0);
        for signal in signals {
            send(&child, *signal);
        }
        let output = end(child);
        assert_eq!(output.status.code(), Some(130), "{signals:?}: {}", said(&output));
        let made = stage.made();
        assert_eq!(made.len(), 1);
        is_unsealed(&stage, &made[0]);
        if signals.len() == 1 {
            let events = lines(&output.stdout);
            let last = events.last().expect("a line");
            assert_eq!((&last["event"], &last["status"]), (&"run_finished".into(), &"interrupted".into()));
            assert_eq!((&last["exit_code"], last["archive"].as_str()), (&130.into(), made[0].to_str()));
            let sealed = events.iter().any(|event| event["event"] == "part_sealed");
            assert!(sealed, "what was read is safe: the open part is sealed");
        }
        // The lock is free and the next run is whole.
        stage.sandbox.faults().clear();
        stage.backup();
    }
}

#[test]
fn a_signal_is_heard_at_every_stage() {
    for (method, path, nth, flags) in [
        ("GET", "/v1/.well-known/ready", 1, &[][..]),
        ("GET", "/v1/meta", 1, &[]),
        ("GET", "/v1/objects", 1, &[]),
        ("POST", "/v1/graphql", 1, &[]),
        ("POST", "/v1/graphql", 2, &[]),
        ("POST", "/v1/graphql", 3, &[]),
        ("GET", "/v1/schema/Article", 1, &[]),
        ("GET", "/v1/schema/Article", 1, &["--schema-only"]),
        ("GET", "/v1/aliases", 2, &[]),
        ("GET", "/v1/authz/roles", 1, &[]),
    ] {
        let stage = Stage::new(articles());
        stage.sandbox.faults().add(Fault::new(Kind::too_many(LATER)).on(method, path).exactly().nth(nth));
        let child = start(&stage, &[&["col", "backup"], flags].concat());
        until(&format!("{path} {nth}"), || put_off(&stage) > 0);
        send(&child, Signal::INT);
        let output = end(child);
        assert_eq!(output.status.code(), Some(130), "{path} {nth}: {}", said(&output));
        stage.made().iter().for_each(|made| is_unsealed(&stage, made));
    }
}

#[test]
fn a_second_signal_ends_even_a_run_whose_reader_is_stuck() {
    let many = (0..300).fold(Sandbox::builder(), |builder, n| builder.seeded(&format!("C{n:03}"), 1, 0, n));
    let stage = Stage::new(many);
    let mut child = start(&stage, &["--json", "col", "backup"]);
    let sealed = || stage.made().first().is_some_and(|made| made.join("manifest.json").exists());
    until("the manifest", sealed);
    send(&child, Signal::INT);
    let mut stderr = child.stderr.take().expect("a pipe");
    let mut heard = String::new();
    while !heard.contains("once more to stop at once") {
        let mut some = [0; 256];
        let taken = stderr.read(&mut some).expect("text");
        assert_ne!(taken, 0, "it ended before its result was taken: {heard}");
        heard += &String::from_utf8_lossy(&some[..taken]);
    }
    assert!(child.try_wait().expect("a status").is_none(), "nobody took its result yet");
    send(&child, Signal::INT);
    until("the end", || child.try_wait().expect("a status").is_some());
    assert_eq!(child.wait().expect("it ended").code(), Some(130));
}

#[test]
fn a_broken_pipe_signal_or_a_pause_does_no_harm() {
    let stage = Stage::new(articles());
    stage.sandbox.faults().add(Fault::new(Kind::Delay(Duration::from_millis(20))).on("GET", "/v1/objects"));
    let child = start(&stage, &["col", "backup", "--batch-size", "20", "--jobs", "1"]);
    until("some pages", || stage.sandbox.requests().iter().filter(|seen| seen.path == "/v1/objects").count() > 3);
    for signal in [Signal::PIPE, Signal::STOP, Signal::CONT] {
        send(&child, signal);
    }
    let output = end(child);
    assert_eq!((output.status.code(), output.status.signal()), (Some(0), None), "{}", said(&output));
    let made = stage.made();
    let check = stage.run(&["archive", "check", made[0].to_str().expect("text")]);
    assert_eq!(check.status.code(), Some(0), "{}", said(&check));
}

#[test]
fn a_killed_backup_leaves_an_unsealed_archive_and_no_lock() {
    let stage = Stage::new(articles());
    stage.sandbox.faults().add(Fault::new(Kind::too_many(LATER)).on("GET", "/v1/objects").after(4));
    let mut child = start(&stage, &["col", "backup", "--batch-size", "50", "--jobs", "1"]);
    until("a page that is put off", || put_off(&stage) > 0);
    let lock = std::fs::File::open(stage.made()[0].join(".lock")).expect("a lock");
    assert!(lock.try_lock().is_err(), "held while the run lives");
    child.kill().expect("killed");
    child.wait().expect("it ends");
    lock.try_lock().expect("free");
    is_unsealed(&stage, &stage.made()[0]);
}

#[test]
fn a_signal_ends_a_restore_soon_and_what_is_there_is_said() {
    for signal in [Signal::INT, Signal::TERM] {
        let stage = Stage::new(articles());
        let made = stage.backup();
        let batches = Fault::new(Kind::too_many(LATER)).on("POST", "/v1/batch/objects").after(3);
        stage.sandbox.faults().add(batches);
        let made = made.to_str().expect("text");
        let child =
            start(&stage, &["--json", "col", "restore", made, "--name", "Copy", "--batch-size", "50", "--jobs", "1"]);
        until("a batch that is put off", || put_off(&stage) > 0);
        let started = Instant::now();
        send(&child, signal);
        let output = end(child);
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
        assert_eq!(output.status.code(), Some(130), "{}", said(&output));
        let stored = stage.sandbox.count("Copy", None);
        assert!(said(&output).contains(&format!("at least: Copy with {stored} objects")), "{}", said(&output));
        let events = lines(&output.stdout);
        let last = events.last().expect("a line");
        assert_eq!((&last["event"], &last["exit_code"]), (&"run_finished".into(), &130.into()));
    }
}
