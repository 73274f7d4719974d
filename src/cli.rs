//! The command line: parses, resolves settings once, calls an operation, prints, and gives the exit code. The only
//! layer that reads the environment and exits.

mod archive;
mod args;
mod backup;
mod clear;
mod closing;
mod col_show;
mod colour;
mod confirm;
mod connect;
mod create;
mod env;
mod explain;
mod failure;
mod held;
mod logging;
mod ls;
mod memory;
mod mistakes;
mod output;
mod paths;
mod proxies;
mod rehearsal;
mod remedy;
mod removal;
mod restore;
mod rm;
mod runtime;
mod schema_file;
mod secrets;
mod settings;
mod show;
mod signals;
pub mod stack;
mod verify;
mod words;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Subcommand};

pub use args::Cli;
pub use connect::Connect;
pub use env::Env;
pub use failure::{Failure, exit_code};
pub use output::{Out, Progress};
pub use runtime::{Finished, run_with_events};

/// The whole program. Gives the exit code, whatever happens.
#[must_use]
pub fn main() -> ExitCode {
    let env = Env::process();
    let command = paths::with_paths(Cli::command()).color(colour::of_help(&env));
    let cli = match command.try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => return mistakes::tell(error),
    };
    let out = Out::new(&cli.output, &env);
    let logging = logging::start(&cli.output, &out);
    let done = catch_unwind(AssertUnwindSafe(|| logging.and_then(|()| run(&cli, &env, &out))));
    done.unwrap_or_else(|panic| Err(Failure::panicked(panic.as_ref()))).unwrap_or_else(|failure| out.failure(&failure))
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Work with the collections of a server
    #[command(subcommand, visible_alias = "collection", arg_required_else_help = true)]
    Col(Box<ColCommand>),
    /// Work with archives on disk, without a server
    #[command(subcommand, arg_required_else_help = true)]
    Archive(ArchiveCommand),
}

#[derive(Debug, Subcommand)]
enum ColCommand {
    Ls(ls::flags::LsArgs),
    Show(col_show::flags::ColShowArgs),
    Backup(backup::flags::BackupArgs),
    Restore(restore::flags::RestoreArgs),
    Verify(verify::flags::VerifyArgs),
    Create(create::flags::CreateArgs),
    Rm(rm::flags::RmArgs),
    Clear(clear::flags::ClearArgs),
}

#[derive(Debug, Subcommand)]
enum ArchiveCommand {
    Show(archive::flags::ShowArgs),
    Check(archive::flags::CheckArgs),
    Cat(archive::flags::CatArgs),
}

/// One verb a line.
fn run(cli: &Cli, env: &Env, out: &Out) -> Result<ExitCode, Failure> {
    match &cli.command {
        Command::Col(command) => match &**command {
            ColCommand::Ls(args) => ls::run(args, &cli.connection, env, out),
            ColCommand::Show(args) => col_show::run(args, &cli.connection, env, out),
            ColCommand::Backup(args) => backup::run(args, &cli.connection, env, out),
            ColCommand::Restore(args) => restore::run(args, &cli.connection, env, out),
            ColCommand::Verify(args) => verify::run(args, &cli.connection, env, out),
            ColCommand::Clear(args) => clear::run(args, &cli.connection, env, out),
            ColCommand::Create(args) => create::run(args, &cli.connection, env, out),
            ColCommand::Rm(args) => rm::run(args, &cli.connection, env, out),
        },
        Command::Archive(ArchiveCommand::Show(args)) => archive::show(args, env, out),
        Command::Archive(ArchiveCommand::Check(args)) => archive::check(args, env, out),
        Command::Archive(ArchiveCommand::Cat(args)) => archive::cat(args, env, out),
    }
}
