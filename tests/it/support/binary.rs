//! The binary with nothing of the caller's environment, a sandbox for it, and what its tests share.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use sandbox::{Builder, Sandbox};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// What a child needs to run at all, and to be counted in the coverage.
const KEPT: [&str; 2] = ["LLVM_PROFILE_FILE", "SystemRoot"];

/// `elysiactl` with these arguments, an empty environment and nothing on stdin.
pub(crate) fn elysiactl<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_elysiactl"));
    command.args(arguments).env_clear().stdin(Stdio::null());
    for name in KEPT {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    command
}

/// A sandbox, and a folder that the binary runs in and keeps its archives in.
pub(crate) struct Stage {
    pub(crate) sandbox: Sandbox,
    pub(crate) folder: TempDir,
}

impl Stage {
    pub(crate) fn new(builder: Builder) -> Self {
        Self { sandbox: builder.start_blocking(), folder: tempfile::tempdir().expect("a folder") }
    }

    /// `elysiactl` inside the folder, with the sandbox and the folder of archives in its environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = elysiactl(arguments);
        command.current_dir(self.folder.path());
        command.env("WEAVIATE_URL", self.sandbox.url()).env("ELYSIACTL_ARCHIVE_DIR", self.archives());
        command.env("XDG_STATE_HOME", self.folder.path().join("state"));
        command
    }

    /// A shell's script around the binary, which it finds as `"$@"`; `$0` is what `zero` says. The shell itself is what
    /// `outer` starts.
    #[cfg(unix)]
    pub(crate) fn shell(&self, outer: &[&str], script: &str, zero: &str, arguments: &[&str]) -> Command {
        let direct = self.command(arguments);
        let words = [outer, &["sh", "-c", script, zero]].concat();
        let mut shell = Command::new(words[0]);
        shell.args(&words[1..]).arg(direct.get_program()).args(direct.get_args()).current_dir(self.folder.path());
        shell.env_clear().envs(direct.get_envs().filter_map(|(name, value)| Some((name, value?))));
        shell.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        shell
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the binary runs")
    }

    pub(crate) fn archives(&self) -> PathBuf {
        self.folder.path().join("archives")
    }

    /// What lies in the folder of archives, sealed or not.
    pub(crate) fn made(&self) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(self.archives()) else { return Vec::new() };
        entries.map(|entry| entry.expect("an entry").path()).collect()
    }

    /// Backs up, and gives the new archive.
    pub(crate) fn backup(&self) -> PathBuf {
        let before = self.made();
        let output = self.run(&["col", "backup", "-q"]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        self.made().into_iter().find(|path| !before.contains(path)).expect("a new archive")
    }
}

pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The lines of stdout, each of which must be JSON.
pub(crate) fn lines(stdout: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(stdout).expect("text");
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"))).collect()
}

/// Every file below a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        let is_dir = entry.file_type().expect("a type").is_dir();
        if is_dir { found.extend(files(&entry.path())) } else { found.push(entry.path()) }
    }
    found.sort();
    found
}

/// Changes a manifest's text as someone would who can compute hashes.
pub(crate) fn forge(archive: &Path, change: impl FnOnce(&str) -> String) {
    const KEY: &str = "\"self_sha256\":\"";
    let path = archive.join("manifest.json");
    let text = std::fs::read_to_string(&path).expect("a manifest");
    let body = change(&text[..text.rfind(KEY).expect("a checksum")]);
    assert!(!text.starts_with(&body), "nothing was changed");
    let sum = hex(&body);
    std::fs::write(&path, format!("{body}{KEY}{sum}\"}}\n")).expect("written");
}

/// The digests of an archive's collections, as its manifest has them.
pub(crate) fn archived_digests(archive: &Path) -> Vec<String> {
    let text = std::fs::read(archive.join("manifest.json")).expect("a manifest");
    let manifest: Value = serde_json::from_slice(&text).expect("JSON");
    let collections = manifest["collections"].as_array().expect("collections");
    collections.iter().map(|c| c["digest"].as_str().expect("a digest").to_owned()).collect()
}

/// SHA-256 as `sha256sum` prints it.
pub(crate) fn hex(bytes: impl AsRef<[u8]>) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
