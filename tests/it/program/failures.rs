//! What a person sees and a script gets when something is wrong.

use std::process::{Output, Stdio};

use elysiactl::cli::Failure;
use elysiactl::event::Class;
use sandbox::Sandbox;
use serde_json::Value;

use crate::support::binary::{Stage, elysiactl};

fn run(arguments: &[&str]) -> Output {
    elysiactl(arguments).output().expect("the binary runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn wrong_usage_is_exit_2_and_says_nothing_on_stdout() {
    for arguments in [
        &[][..],
        &["col"],
        &["archive"],
        &["col", "backupp"],
        &["col", "backup", "--no-such-flag"],
        &["col", "backup", "--jobs", "0"],
        &["col", "backup", "--api-key-file", "/no/such/file"],
        &["col", "backup", "--header", "Authorization=Bearer sesame"],
        &["archive", "check"],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
        assert!(!said(&output).contains("sesame"));
    }
}

#[test]
fn a_key_on_the_command_line_is_refused_with_advice() {
    let output = run(&["col", "backup", "--api-key", "sesame"]);
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(said(&output), @r"
    error: --api-key is refused: a key on the command line can be read by every user of this machine

    hint: put the key into the environment variable WEAVIATE_API_KEY
    hint: or into a file, and name it with --api-key-file FILE (`-` for stdin)
    ");
}

#[test]
fn an_empty_key_is_wrong_usage_even_with_a_key_in_the_environment() {
    let mut command = elysiactl(&["col", "backup", "--api-key-file", "-"]);
    let output = command.env("WEAVIATE_API_KEY", "k").output().expect("the binary runs");
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(said(&output), @"error: the API key from stdin is empty");
}

/// A bare container: no certificates of authorities. Elsewhere they are not in files.
#[cfg(target_os = "linux")]
#[test]
fn a_machine_without_certificates_speaks_plain_http_and_is_told_what_https_needs() {
    let stage = Stage::new(Sandbox::builder().seeded("Article", 5, 2, 1));
    let bare = |arguments: &[&str]| {
        let mut command = stage.command(arguments);
        command.env("SSL_CERT_FILE", "/dev/null").env("SSL_CERT_DIR", "/no/such/folder");
        // Nothing listens there.
        command.env("HTTP_PROXY", "http://127.0.0.1:1").output().expect("the binary runs")
    };
    let listed = bare(&["col", "ls"]);
    assert_eq!((listed.status.code(), said(&listed)), (Some(0), String::new()));
    let elsewhere = bare(&["col", "ls", "--url", "http://db.example:1"]);
    assert_eq!(elsewhere.status.code(), Some(5), "{}", said(&elsewhere));
    let refused = bare(&["col", "ls", "--url", "https://127.0.0.1:1"]);
    assert_eq!(refused.status.code(), Some(2));
    insta::assert_snapshot!(said(&refused), @r"
    error: cannot set up the connection: unexpected error: No CA certificates were loaded from the system

    hint: install this machine's CA certificates (often a package named ca-certificates), or name one with --ca-cert FILE
    ");
}

#[test]
fn a_run_that_fails_still_prints_run_finished_last_with_its_exit_code() {
    let output = run(&["--json", "-vv", "--url", "http://127.0.0.1:1", "col", "backup"]);
    let lines = String::from_utf8(output.stdout.clone()).expect("text");
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let (first, last) = (&lines[0], &lines[lines.len() - 1]);
    assert_eq!((&first["event"], &first["op"]), (&"run_started".into(), &"backup".into()));
    assert_eq!((&last["event"], &last["status"]), (&"run_finished".into(), &"failed".into()));
    assert_eq!(last["exit_code"].as_i64(), output.status.code().map(Into::into));
    assert!(last["exit_code"] != 0 && said(&output).contains(last["errors"][0].as_str().expect("an error")));
    assert_eq!(last["peak_memory_bytes"].is_u64(), cfg!(any(target_os = "linux", target_os = "macos")));
}

#[cfg(unix)]
#[test]
fn help_into_a_closed_pipe_ends_quietly() {
    let mut child =
        elysiactl(&["--help"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), said(&output)), (Some(0), String::new()));
}

#[test]
fn a_failure_is_an_error_its_numbered_causes_and_hints() {
    let failure = Failure::new(Class::Server, "cannot reach http://localhost:8080")
        .because("connection refused")
        .because("connection refused")
        .because("os error 111")
        .hint("is the server running?")
        .hint("name another server with --url");
    insta::assert_snapshot!(failure.text(false), @r"
    error: cannot reach http://localhost:8080
      1: connection refused
      2: os error 111

    hint: is the server running?
    hint: name another server with --url
    ");
    insta::assert_snapshot!(failure.text(true).escape_debug().to_string().replace("\\n", "\n"), @r"
    \u{1b}[1;31merror:\u{1b}[0m cannot reach http://localhost:8080
      1: connection refused
      2: os error 111

    \u{1b}[36mhint:\u{1b}[0m is the server running?
    \u{1b}[36mhint:\u{1b}[0m name another server with --url
    ");
}

#[test]
fn a_failure_without_causes_and_hints_is_one_line() {
    assert_eq!(Failure::new(Class::Refused, "nothing matches").text(false), "error: nothing matches\n");
}

#[test]
fn a_servers_words_cannot_drive_the_terminal() {
    let failure = Failure::new(Class::Server, "refused\u{1b}[2J\u{202e}").because("x".repeat(2_000));
    let text = failure.text(false);
    assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}') && text.len() < 700, "{text}");
}

#[test]
fn a_failure_of_the_library_brings_its_causes_along() {
    #[derive(Debug, thiserror::Error)]
    #[error("cannot read the page")]
    struct Outer(#[source] std::io::Error);
    let failure = Failure::from_error(Class::Disk, &Outer(std::io::Error::other("no space")));
    assert_eq!((failure.message.as_str(), failure.causes), ("cannot read the page", vec!["no space".into()]));
}
