//! The guided tour: `cargo run -p tour`. Needs no server, and writes only to a temporary directory.

mod articles;
mod steps;

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

/// Set for the commands of the tour: this program is then `elysiactl`, so that one build is enough and never stale.
const AS_ELYSIACTL: &str = "ELYSIACTL_TOUR_COMMAND";

fn main() -> ExitCode {
    if std::env::var_os(AS_ELYSIACTL).is_some() {
        return elysiactl::cli::main();
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "the tour talks to a person")]
            {
                eprintln!("\nThe tour stopped: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let folder = tempfile::Builder::new().prefix("elysiactl-tour-").tempdir();
    let folder = folder.context("cannot make a temporary directory")?.keep();
    let elysiactl = || {
        let mut command = Command::new(&program);
        command.env(AS_ELYSIACTL, "1");
        command
    };
    steps::tour(&folder, &steps::Program { command: &elysiactl, run: &|mut command| command.status() })
}
