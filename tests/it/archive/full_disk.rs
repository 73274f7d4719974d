//! Disks without room, real ones: a file system of so many bytes, and files that may not grow further. A few sizes of each, twenty by night.

#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};

use sandbox::{Builder, Sandbox};
use serde_json::Value;

use crate::support::binary::{Stage, archived_digests, lines};
use crate::support::tier;

/// Collections that no disk of these tests has room for: 15 MB as they are, more than 4 MiB compressed.
fn library() -> Builder {
    ["Article", "Book"].iter().fold(Sandbox::builder(), |builder, name| builder.seeded(name, 2_200, 300, 7))
}

const BACKUP: [&str; 7] = ["--json", "col", "backup", "--batch-size", "100", "--jobs", "2"];

/// Sizes from 64 KiB on at even distances, in KiB; a few of them, or all twenty.
fn sizes(most: u64) -> Vec<u64> {
    (0..20).map(|n| 64 + (most - 64) * n / 19).step_by(tier::step(6)).collect()
}

/// What a backup without room, and the one that carries it on, ended with.
struct Lived {
    first: (i32, Value),
    second: (i32, Value),
    /// The archives in the end.
    kept: PathBuf,
}

/// Backs up by `first`, and carries it on after `room`; `$0` is the size in KiB, `"$@"` the command that backs up.
fn live(stage: &Stage, within: &[&str], backup: &[&str], [first, room]: [&str; 2], kib: u64) -> Lived {
    let folder = stage.folder.path().join(kib.to_string());
    std::fs::create_dir_all(folder.join("archives")).expect("a folder");
    let script = format!(
        r#"cd "$HERE"; {first} >first 2>said; echo $? >code; {room}; "$@" --resume >second 2>>said; echo $? >>code
        cp -r archives kept"#
    );
    let mut run = stage.shell(within, &script, &kib.to_string(), backup);
    // A profile that has no room is none.
    run.env_remove("LLVM_PROFILE_FILE").env("ELYSIACTL_ARCHIVE_DIR", folder.join("archives")).env("HERE", &folder);
    assert!(run.status().expect("a shell").success(), "{kib} KiB");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("written");
    let codes: Vec<i32> = read("code").lines().map(|code| code.parse().expect("a number")).collect();
    let last = |name: &str| lines(read(name).as_bytes()).pop().unwrap_or_else(|| panic!("{kib} KiB: {}", read("said")));
    Lived { first: (codes[0], last("first")), second: (codes[1], last("second")), kept: folder.join("kept") }
}

/// The first said that there is no room, the second is what it would have been at once.
fn is_honest(stage: &Stage, clean: &Path, lived: &Lived, how: &str) {
    let (code, last) = &lived.first;
    let words = last["errors"][0].as_str().unwrap_or_default();
    assert!(*code == 7 && words.contains("no space for"), "{how}: {code} {last}");
    assert_eq!(lived.second.0, 0, "{how}: {}", lived.second.1);
    let name = Path::new(lived.second.1["archive"].as_str().expect("an archive")).file_name().expect("a name");
    let archive = lived.kept.join(name);
    assert_eq!(archived_digests(&archive), archived_digests(clean), "{how}");
    let checked = stage.run(&["archive", "check", archive.to_str().expect("text")]);
    assert_eq!(checked.status.code(), Some(0), "{how}");
}

#[test]
fn files_that_may_not_grow_end_a_backup_with_words_and_it_is_carried_on() {
    let stage = Stage::new(library());
    let clean = stage.backup();
    // A block is 512 bytes in some shells and 1,024 in others: files end before the archive does either way.
    let sizes = sizes(1_024);
    for kib in sizes {
        let lived = live(&stage, &[], &BACKUP, [r#"(ulimit -f "$0"; exec "$@")"#, ":"], kib);
        is_honest(&stage, &clean, &lived, &format!("files of {kib} blocks"));
    }
}

#[test]
#[ignore = "mounts a file system of its own, which not every machine allows; .ci/run runs it where it may be done"]
fn a_disk_without_room_ends_a_backup_with_words_and_it_is_carried_on() {
    let alone = ["unshare", "--map-root-user", "--mount"];
    let stage = Stage::new(library());
    let clean = stage.backup();
    for kib in sizes(4_096) {
        let steps = [r#"mount -t tmpfs -o size="$0"k tmpfs archives && "$@""#, "mount -o remount,size=64m archives"];
        // The plan refuses a plain archive that will not fit; how large a compressed one will be nobody knows.
        let lived = live(&stage, &alone, &[&BACKUP[..], &["--compress"]].concat(), steps, kib);
        is_honest(&stage, &clean, &lived, &format!("{kib} KiB"));
    }
}
