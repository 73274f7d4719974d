//! Archives made to do harm, through the binary: each is refused with exit 6, soon, and nothing
//! outside the archive is opened or changed. What needs forged frames is tested beside the reader in src/archive.

use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use sandbox::{Fault, Kind, Sandbox};

use crate::support::binary::{Stage, files, forge, said};

const CANARY: &str = "outside-canary";

/// Puts something else in the place of a file.
type Maker<'a> = &'a dyn Fn(&Hostile, &Path);

struct Hostile {
    stage: Stage,
    archive: PathBuf,
    outside: PathBuf,
}

/// An archive, and a folder beside it that nobody may look into.
fn hostile() -> Hostile {
    let stage = Stage::new(Sandbox::builder().seeded("Article", 20, 2, 1));
    let archive = stage.backup();
    let outside = stage.folder.path().join("outside");
    std::fs::create_dir(&outside).expect("a folder");
    std::fs::write(outside.join("objects-000000.jsonl"), CANARY).expect("written");
    Hostile { stage, archive, outside }
}

impl Hostile {
    /// Every verb refuses it, and the folder beside it is as it was.
    fn is_refused(&self, what: &str) {
        let before = self.seen();
        for verb in ["check", "show", "cat"] {
            // A show reads the manifest and the set of files alone; what is in them is for the others.
            let output = self.stage.run(&["archive", verb, self.archive.to_str().expect("text")]);
            let code = output.status.code();
            assert!(code == Some(6) || (verb == "show" && code == Some(0)), "{what}, {verb}: {}", said(&output));
            let all = format!("{}{}", String::from_utf8_lossy(&output.stdout), said(&output));
            assert!(!all.contains(CANARY), "{what}, {verb}: {all}");
        }
        assert_eq!(self.seen(), before, "{what}");
    }

    fn seen(&self) -> Vec<(PathBuf, i64, u64)> {
        let look = |path: PathBuf| {
            let about = path.symlink_metadata().expect("a file");
            (path, about.mtime_nsec(), about.len())
        };
        files(&self.outside).into_iter().map(look).collect()
    }
}

#[test]
fn names_that_lead_out_of_the_archive_are_refused() {
    for name in [
        "../../outside",
        "..",
        ".",
        "",
        "/etc",
        "a/b",
        "a\\\\b",
        "Article/../Article",
        "C:",
        "con",
        "nul.txt",
        "Article ",
        "Article.",
        "Art\\u0000icle",
        "Art\\nicle",
        "\\u202eArticle",
    ] {
        let hostile = hostile();
        let named = |manifest: &str| manifest.replace("\"folder\":\"Article\"", &format!("\"folder\":\"{name}\""));
        forge(&hostile.archive, named);
        hostile.is_refused(&format!("a folder {name:?}"));
        forge(&hostile.archive, |m| m.replace("collections/Article/", &format!("collections/{name}/")));
        hostile.is_refused(&format!("a folder and files {name:?}"));
    }
    for file in ["../objects-000000.jsonl", "/etc/passwd", "objects-000000.jsonl/../objects-000000.jsonl", "x", ""] {
        let hostile = hostile();
        forge(&hostile.archive, |m| m.replace("objects-000000.jsonl", file));
        hostile.is_refused(&format!("a part {file:?}"));
    }
}

#[test]
fn links_pipes_folders_and_sockets_in_place_of_files_are_refused_and_nothing_hangs() {
    let target = |hostile: &Hostile| hostile.outside.join("objects-000000.jsonl");
    let makers: [(&str, Maker); 5] = [
        ("a link", &|hostile, at| symlink(target(hostile), at).expect("linked")),
        ("a link to nothing", &|_, at| symlink("nowhere", at).expect("linked")),
        ("a link to a terminal", &|_, at| symlink("/dev/tty", at).expect("linked")),
        ("a pipe", &|_, at| mknodat(CWD, at, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a pipe")),
        ("a folder", &|_, at| std::fs::create_dir(at).expect("a folder")),
    ];
    for (what, make) in makers {
        for file in [
            "manifest.json",
            "SHA256SUMS",
            "collections/Article/index.jsonl",
            "collections/Article/objects-000000.jsonl",
        ] {
            let hostile = hostile();
            let at = hostile.archive.join(file);
            std::fs::remove_file(&at).expect("removed");
            make(&hostile, &at);
            hostile.is_refused(&format!("{what} for {file}"));
        }
    }
    for folder in ["collections", "collections/Article"] {
        let hostile = hostile();
        let (at, away) = (hostile.archive.join(folder), hostile.outside.join("away"));
        std::fs::rename(&at, &away).expect("moved");
        symlink(&away, &at).expect("linked");
        hostile.is_refused(&format!("a link for {folder}"));
    }
}

#[test]
fn an_archive_that_is_a_link_a_file_or_a_pipe_is_refused() {
    let hostile = hostile();
    let below = hostile.stage.folder.path();
    symlink(&hostile.archive, below.join("link")).expect("linked");
    std::fs::write(below.join("file"), "x").expect("written");
    mknodat(CWD, below.join("pipe"), FileType::Fifo, Mode::RUSR, 0).expect("a pipe");
    for name in ["link", "file", "pipe", "link/", "/dev/null"] {
        for verb in ["check", "show", "cat"] {
            let output = hostile.stage.run(&["archive", verb, name]);
            assert_eq!(output.status.code(), Some(6), "{name}, {verb}: {}", said(&output));
        }
    }
}

#[test]
fn an_unsealed_archive_with_a_pipe_for_a_journal_does_not_hang() {
    let hostile = hostile();
    std::fs::remove_file(hostile.archive.join("manifest.json")).expect("removed");
    let journal = hostile.archive.join("checkpoint.jsonl");
    mknodat(CWD, &journal, FileType::Fifo, Mode::RUSR, 0).expect("a pipe");
    hostile.is_refused("a pipe for a journal");
}

/// A journal that belongs to a backup of this server which was interrupted, so that every backup looks at its lock.
fn unsealed(stage: &Stage) -> PathBuf {
    stage.sandbox.faults().add(Fault::new(Kind::status(403, "{}")).on("GET", "/v1/objects").after(2));
    let output = stage.run(&["col", "backup", "-q"]);
    assert_eq!(output.status.code(), Some(5), "{}", said(&output));
    stage.sandbox.faults().clear();
    let archive = stage.made().pop().expect("an archive");
    assert!(!archive.join("manifest.json").exists());
    archive
}

#[test]
fn what_lies_in_the_place_of_a_lock_holds_nobody_up_and_is_left_alone() {
    type At<'a> = &'a dyn Fn(&Path);
    let makers: [(&str, At); 6] = [
        ("a pipe", &|at| mknodat(CWD, at, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a pipe")),
        ("a link to nothing", &|at| symlink("../made-by-a-link", at).expect("linked")),
        ("a link to a pipe", &|at| {
            let pipe = at.with_file_name("pipe");
            mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a pipe");
            symlink(&pipe, at).expect("linked");
        }),
        ("a link to a device", &|at| symlink("/dev/zero", at).expect("linked")),
        ("a socket", &|at| drop(std::os::unix::net::UnixListener::bind(at).expect("a socket"))),
        ("a folder", &|at| std::fs::create_dir(at).expect("a folder")),
    ];
    for (what, make) in makers {
        let stage = Stage::new(Sandbox::builder().seeded("Article", 40, 2, 1));
        let archive = unsealed(&stage);
        let lock = archive.join(".lock");
        let _ = std::fs::remove_file(&lock);
        make(&lock);
        let before = lock.symlink_metadata().expect("it").ino();
        let output = stage.run(&["--json", "col", "backup"]);
        assert_eq!(output.status.code(), Some(0), "{what}: {}", said(&output));
        let named = format!("--resume={}", archive.display());
        for flag in ["--resume", &named] {
            let output = stage.run(&["col", "backup", flag]);
            assert_eq!(output.status.code(), Some(6), "{what} {flag}: {}", said(&output));
            assert!(said(&output).contains(".lock: not a regular file"), "{what} {flag}: {}", said(&output));
        }
        assert_eq!(lock.symlink_metadata().expect("still there").ino(), before, "{what}");
        assert!(!stage.archives().join("made-by-a-link").exists(), "{what}");
    }
}

#[test]
fn a_lock_of_runs_that_is_a_link_or_a_pipe_is_refused() {
    let stage = Stage::new(Sandbox::builder().seeded("Article", 5, 2, 1));
    let archive = stage.backup();
    let restore = ["col", "restore", archive.to_str().expect("text"), "--name", "Copy"];
    let locks = stage.folder.path().join("state/elysiactl/locks");
    assert_eq!(stage.run(&restore).status.code(), Some(0));
    let lock = files(&locks).pop().expect("a lock");
    std::fs::remove_file(&lock).expect("removed");
    mknodat(CWD, &lock, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a pipe");
    let output = stage.run(&["col", "rm", "Copy", "--yes"]);
    assert_eq!(output.status.code(), Some(7), "{}", said(&output));
    assert!(said(&output).contains("not a regular file"), "{}", said(&output));
}
