//! Keys, passwords and header values planted everywhere come out nowhere.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

use sandbox::{Fault, Kind, Role, Sandbox};

use crate::support::binary::{Stage, files, said};

/// Each is planted in one place; the last is how a client sends the proxy's password.
const CANARIES: [&str; 9] = [
    "canary-key-env-51",
    "canary-key-file-52",
    "canary-wcd-key-53",
    "canary-header-env-54",
    "canary-header-file-55",
    "canary-userinfo-56",
    "canary-proxy-57",
    "canary-unrelated-58",
    "bWU6Y2FuYXJ5LXByb3h5LTU3",
];
const LOUD: [&[&str]; 3] = [&[], &["-vv"], &["--json", "-vv"]];

/// `col backup` with every canary in place but the userinfo.
fn planted(stage: &Stage, url: &str, key_file: bool, flags: &[&str]) -> Command {
    planted_in(stage, &["col", "backup", "--url", url], key_file, flags)
}

/// Any command on the server with every canary in place but the userinfo.
fn planted_in(stage: &Stage, verb: &[&str], key_file: bool, flags: &[&str]) -> Command {
    let secrets = stage.folder.path().join("secrets");
    std::fs::create_dir_all(&secrets).expect("a folder");
    let (key, header) = (secrets.join("key"), secrets.join("header"));
    std::fs::write(&key, "canary-key-file-52\n").expect("written");
    std::fs::write(&header, "canary-header-file-55\n").expect("written");
    let mut command = stage.command(verb);
    command.args(flags).args(["--header", "x-openai-api-key=@env:MODULE_KEY", "--stall-timeout", "5s"]);
    command.arg("--header").arg(format!("x-cohere-api-key=@file:{}", header.display()));
    if key_file {
        command.arg("--api-key-file").arg(key);
    }
    for (name, value) in [
        ("WEAVIATE_API_KEY", "canary-key-env-51"),
        ("WCD_API_KEY", "canary-wcd-key-53"),
        ("MODULE_KEY", "canary-header-env-54"),
        ("HTTP_PROXY", "http://me:canary-proxy-57@127.0.0.1:1"),
        ("HTTPS_PROXY", "http://me:canary-proxy-57@127.0.0.1:1"),
        ("OPENAI_APIKEY", "canary-unrelated-58"),
    ] {
        command.env(name, value);
    }
    command
}

/// No canary in anything the run made.
fn is_silent(stage: &Stage, output: &Output) {
    let mut made = vec![("stdout".to_owned(), output.stdout.clone()), ("stderr".to_owned(), output.stderr.clone())];
    for below in [stage.archives(), stage.folder.path().join("state")].iter().filter(|path| path.exists()) {
        let read = |path: &std::path::PathBuf| (path.display().to_string(), std::fs::read(path).expect("a file"));
        made.extend(files(below).iter().map(read));
    }
    for (place, bytes) in made {
        let text = format!("{place} {}", String::from_utf8_lossy(&bytes));
        for canary in CANARIES {
            assert!(!text.contains(canary), "{canary} in {text}");
        }
    }
}

/// A server that is ready, and answers every other request with this status, the request's own head as the text; so
/// many times first with the status before it.
fn echoing(first: u16, times: usize, then: u16) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let asked = AtomicUsize::new(0);
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            let head = head(&stream);
            let ready = head.contains("/.well-known/");
            let (status, body) = match ready {
                true => (200, String::new()),
                false if asked.fetch_add(1, Ordering::Relaxed) < times => (first, head),
                false => (then, head),
            };
            let length = body.len();
            let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
            let _ = (&stream).write_all(answer.as_bytes());
        }
    });
    url
}

fn head(mut stream: &TcpStream) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).into_owned()
}

fn run(mut command: Command) -> Output {
    command.output().expect("the binary runs")
}

#[test]
fn a_backup_that_succeeds_shows_and_keeps_no_secret() {
    let keys = |name: &str| Sandbox::builder().seeded("Article", 300, 4, 7).key(name, "user", Role::Root);
    for (key, key_file) in [("canary-key-env-51", false), ("canary-key-file-52", true)] {
        for flags in LOUD {
            let stage = Stage::new(keys(key));
            let output = run(planted(&stage, &stage.sandbox.url(), key_file, flags));
            assert_eq!(output.status.code(), Some(0), "{}", said(&output));
            is_silent(&stage, &output);
            let made = stage.made().remove(0);
            for verb in ["show", "check"] {
                let output = run(stage.command(&["archive", verb, "--json", made.to_str().expect("text")]));
                is_silent(&stage, &output);
            }
            // Refused objects leave a file behind: in it, too, there is no secret.
            let refusing = Kind::FailIds(3, format!("the key {key} is not allowed"));
            stage.sandbox.faults().add(Fault::new(refusing).on("POST", "/v1/batch/objects"));
            let made = made.to_str().expect("text");
            for (verb, code) in [
                (&["col", "restore", made, "--name", "Copy", "-y"][..], 3),
                (&["col", "verify", made, "--name", "Copy"], 3),
            ] {
                let output = run(planted_in(&stage, verb, key_file, flags));
                assert_eq!(output.status.code(), Some(code), "{}", said(&output));
                is_silent(&stage, &output);
            }
        }
    }
}

#[test]
fn a_refused_key_is_not_repeated() {
    for key_file in [false, true] {
        for flags in LOUD {
            let stage = Stage::new(Sandbox::builder().with_keys().seeded("Article", 3, 4, 7));
            let output = run(planted(&stage, &stage.sandbox.url(), key_file, flags));
            assert_eq!(output.status.code(), Some(5), "{}", said(&output));
            is_silent(&stage, &output);
        }
    }
}

#[test]
fn a_server_that_echoes_everything_gives_nothing_away() {
    for (first, then) in [(500, 401), (503, 403), (429, 422), (502, 400)] {
        for flags in LOUD {
            let stage = Stage::new(Sandbox::builder());
            let output = run(planted(&stage, &echoing(first, 2, then), false, flags));
            assert_eq!(output.status.code(), Some(5), "{then}: {}", said(&output));
            is_silent(&stage, &output);
        }
    }
}

#[test]
fn a_server_out_of_reach_behind_a_proxy_or_not_gives_nothing_away() {
    // The second goes through the proxy, where nobody listens.
    for url in ["http://127.0.0.1:1", "http://weaviate.invalid:8080", "https://weaviate.invalid"] {
        let stage = Stage::new(Sandbox::builder());
        let output = run(planted(&stage, url, false, &["--json", "-vv"]));
        assert_eq!(output.status.code(), Some(5), "{}", said(&output));
        is_silent(&stage, &output);
    }
}

#[test]
fn a_proxy_that_refuses_and_echoes_gives_nothing_away() {
    let stage = Stage::new(Sandbox::builder());
    let proxy = echoing(407, 0, 407).replace("http://", "http://me:canary-proxy-57@");
    for url in ["http://weaviate.invalid:8080", "https://weaviate.invalid"] {
        let mut command = planted(&stage, url, false, &["--json", "-vv"]);
        command.env("HTTP_PROXY", &proxy).env("HTTPS_PROXY", &proxy).env("http_proxy", &proxy);
        let output = run(command);
        assert_eq!(output.status.code(), Some(5), "{}", said(&output));
        is_silent(&stage, &output);
    }
}

#[test]
fn a_password_in_the_address_is_refused_and_not_repeated() {
    let stage = Stage::new(Sandbox::builder());
    let inside = stage.sandbox.url().replace("http://", "http://me:canary-userinfo-56@");
    for flags in LOUD {
        let mut by_env = planted(&stage, "", false, flags);
        by_env = {
            let mut command = stage.command(&["col", "backup"]);
            command.args(flags).envs(by_env.get_envs().filter_map(|(name, value)| Some((name, value?))));
            command.env("WEAVIATE_URL", &inside);
            command
        };
        for command in [planted(&stage, &inside, false, flags), by_env] {
            let output = run(command);
            assert_eq!(output.status.code(), Some(2), "{}", said(&output));
            is_silent(&stage, &output);
        }
    }
    assert!(stage.sandbox.requests().is_empty());
}
