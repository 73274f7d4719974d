//! `-v`, `-vv` and `--log-file`: one line a request, decisions, and nothing that is secret.

use sandbox::{Fault, Kind, Sandbox};

use crate::support::binary::{Stage, lines, said};

fn stage() -> Stage {
    Stage::new(Sandbox::builder().with_keys().seeded("Article", 60, 2, 4))
}

fn run(stage: &Stage, arguments: &[&str]) -> std::process::Output {
    let output = stage.command(arguments).env("WEAVIATE_API_KEY", "rootkey").output().expect("the binary runs");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(!said(&output).contains("rootkey"), "{}", said(&output));
    output
}

#[test]
fn each_request_is_one_line_with_status_time_bytes_and_tries() {
    let stage = stage();
    stage.sandbox.faults().add(Fault::new(Kind::status(502, "")).on("GET", "/v1/objects").nth(2));
    let text = said(&run(&stage, &["-v", "--no-progress", "col", "backup"]));
    let pages: Vec<&str> = text.lines().filter(|line| line.contains("GET /v1/objects")).collect();
    assert!(pages.len() >= 2 && pages.iter().all(|line| line.contains(" ms=") && line.contains("tries=")), "{text}");
    assert!(pages.iter().any(|line| line.contains("status=502") && line.contains("tries=1")), "{text}");
    assert!(pages.iter().any(|line| line.contains("received=") && line.contains("tries=2")), "{text}");
    assert!(!text.contains("after=") && !text.contains("TRACE"), "no cursor, no decision: {text}");
    let more = said(&run(&stage, &["-vv", "--no-progress", "col", "backup"]));
    assert!(more.contains("topology"), "{more}");
}

#[test]
fn the_log_goes_to_a_file_of_its_owner_alone_and_json_stays_json() {
    let stage = stage();
    let output = run(&stage, &["--json", "--log-file", "run.log", "col", "backup"]);
    assert!(lines(&output.stdout).len() > 3);
    assert!(!said(&output).contains("GET /v1/"), "{}", said(&output));
    let file = stage.folder.path().join("run.log");
    let logged = std::fs::read_to_string(&file).expect("a log");
    assert!(logged.contains("GET /v1/meta") && !logged.contains("rootkey"), "{logged}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
    }
    run(&stage, &["--log-file", "run.log", "col", "ls"]);
    assert!(std::fs::read_to_string(&file).expect("a log").len() > logged.len(), "appended to");
    let refused = stage.run(&["--log-file", "no/such/folder/run.log", "col", "ls"]);
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
}

#[cfg(target_os = "linux")]
#[test]
fn a_log_that_cannot_be_written_is_told_once_and_ends_nothing() {
    let stage = stage();
    let text = said(&run(&stage, &["--log-file", "/dev/full", "--no-progress", "col", "backup"]));
    let told: Vec<&str> = text.lines().filter(|line| line.contains("/dev/full")).collect();
    assert_eq!(told.len(), 1, "{text}");
    assert!(told[0].starts_with("warning: the log lacks lines: cannot write to /dev/full: "), "{text}");
}

#[test]
fn a_proxy_that_cannot_be_used_is_refused_before_anything_is_sent() {
    let stage = stage();
    for (name, value) in [
        ("HTTP_PROXY", "http://user:canary-57@bad host:1"),
        ("http_proxy", "::::"),
        ("ALL_PROXY", "socks5://127.0.0.1:1"),
    ] {
        let mut command = stage.command(&["col", "ls", "--url", "http://weaviate.invalid:8080"]);
        let output = command.env("WEAVIATE_API_KEY", "rootkey").env(name, value).output().expect("the binary runs");
        let text = said(&output);
        assert_eq!(output.status.code(), Some(2), "{name}: {text}");
        assert!(text.contains(name) && !text.contains("canary") && !text.contains("rootkey"), "{text}");
    }
    // This machine itself is reached without one.
    let mut command = stage.command(&["col", "ls"]);
    let output =
        command.env("WEAVIATE_API_KEY", "rootkey").env("HTTP_PROXY", "::::").output().expect("the binary runs");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}
