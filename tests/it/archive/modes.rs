//! What a run writes is for its user alone, whatever the umask and the folder it lies in allow.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

use sandbox::Sandbox;

use crate::support::binary::{Stage, said};

/// The binary under this umask.
fn run(stage: &Stage, umask: &str, arguments: &[&str]) -> Output {
    let mut shell = stage.shell(&[], "umask \"$0\"; exec \"$@\"", umask, arguments);
    let output = shell.output().expect("a shell");
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", said(&output));
    output
}

/// Everything below a folder, itself not, is 0600 or 0700. How many files there are.
fn are_private(folder: &Path) -> usize {
    let mut files = 0;
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let mode = std::fs::metadata(&path).expect("a mode").permissions().mode() & 0o7777;
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
        files += if path.is_dir() { are_private(&path) } else { 1 };
    }
    files
}

#[test]
fn files_and_folders_are_private_under_any_umask_and_in_any_folder() {
    for umask in ["000", "022", "077"] {
        let stage = Stage::new(Sandbox::builder().seeded("Article", 200, 2, 1));
        // A folder that others may write to.
        let (archives, journals) = (stage.archives(), stage.folder.path().join("state"));
        std::fs::create_dir(&archives).expect("a folder");
        std::fs::set_permissions(&archives, PermissionsExt::from_mode(0o775)).expect("set");
        run(&stage, umask, &["col", "backup"]);
        let archive = stage.made().remove(0);
        let archive = archive.to_str().expect("text");
        run(&stage, umask, &["col", "restore", archive, "--name", "Copy", "-y"]);
        run(&stage, umask, &["col", "clear", "Copy", "--method", "recreate", "--yes"]);
        let kept = are_private(&archives);
        assert!(kept > 5 && are_private(&journals) > 1, "umask {umask}: {kept} files");
        let own = std::fs::metadata(&archives).expect("a mode").permissions().mode() & 0o7777;
        assert_eq!(own, 0o775, "what was there before is left as it is");
    }
}
