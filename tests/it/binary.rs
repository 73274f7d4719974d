//! The binary with nothing of the caller's environment.

use std::process::{Command, Stdio};

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
