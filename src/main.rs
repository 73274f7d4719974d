//! The `elysiactl` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    elysiactl::cli::main()
}
