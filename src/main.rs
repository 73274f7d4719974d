//! The `elysiactl` binary.

use std::process::ExitCode;

use elysiactl::cli;

fn main() -> ExitCode {
    cli::stack::on_ample_stack(cli::main)
}
