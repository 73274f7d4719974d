//! The guided tour: `cargo run --example tour`. Needs no server, and writes only to a temporary directory.

mod articles;
mod steps;

use std::process::{Command, ExitCode};

/// Set for the commands of the tour: this program is then `elysiactl`, so that one build is enough and never stale.
const AS_ELYSIACTL: &str = "ELYSIACTL_TOUR_COMMAND";

fn main() -> ExitCode {
    if std::env::var_os(AS_ELYSIACTL).is_some() {
        return elysiactl::cli::main();
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            #[expect(clippy::print_stderr, reason = "the tour talks to a person")]
            {
                eprintln!("\nThe tour stopped: {reason}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let program = std::env::current_exe().map_err(|e| format!("cannot find this program: {e}"))?;
    let folder = tempfile::Builder::new().prefix("elysiactl-tour-").tempdir();
    let folder = folder.map_err(|e| format!("cannot make a temporary directory: {e}"))?.keep();
    let elysiactl = || {
        let mut command = Command::new(&program);
        command.env(AS_ELYSIACTL, "1");
        command
    };
    steps::tour(&folder, &steps::Program { command: &elysiactl, run: &|mut command| command.status() })
}
