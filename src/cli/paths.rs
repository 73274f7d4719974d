//! Paths as people type them: which flags and arguments name an archive or a folder of archives, and which a file or a
//! folder of this machine.

use std::ffi::OsStr;
use std::path::PathBuf;

use anyhow::anyhow;
use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Command, Error, ValueHint};

use super::Env;
use crate::archive::location;
use crate::model::{NotLocal, local_path};

/// The path that a value of the environment means, for a file or a folder of this machine.
pub(super) fn local_in(env: &Env, typed: &OsStr) -> Result<PathBuf, NotLocal> {
    local_path(typed, env.home())
}

/// What a flag or an argument names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    /// An archive, or a folder of archives.
    Archives,
    /// A file or a folder of this machine.
    Local,
}

impl Named {
    /// Told by its hint; `None` if it names no path.
    fn by(argument: &Arg) -> Option<Self> {
        match argument.get_value_hint() {
            ValueHint::AnyPath => Some(Self::Archives),
            ValueHint::DirPath | ValueHint::FilePath => Some(Self::Local),
            _ => None,
        }
    }
}

impl TypedValueParser for Named {
    type Value = PathBuf;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<PathBuf, Error> {
        let what = argument.map(ToString::to_string);
        let what = what.map(|what| format!(" for '{what}'")).unwrap_or_default();
        let wrong = |why: anyhow::Error| {
            let value = value.to_string_lossy();
            Error::raw(ErrorKind::ValueValidation, format!("invalid value '{value}'{what}: {why}\n")).with_cmd(command)
        };
        if value.is_empty() {
            return Err(wrong(anyhow!("it is empty")));
        }
        let env = Env::process();
        match self {
            Self::Archives => location::typed(value, env.home()).map_err(|why| wrong(why.into())),
            Self::Local => local_in(&env, value).map_err(|why| wrong(why.into())),
        }
    }
}

/// A tree of commands in which every flag and argument that names a path is read so.
pub(super) fn with_paths(command: Command) -> Command {
    let read = |argument: Arg| match Named::by(&argument) {
        Some(named) => argument.value_parser(named),
        None => argument,
    };
    command.mut_args(read).mut_subcommands(with_paths)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory;

    use super::*;

    /// Every flag that takes a path is known by its hint. Those that name archives are these alone: a path without a hint
    /// counts among them.
    #[test]
    fn every_path_of_the_command_line_is_read_so() {
        fn look(command: &Command, of_archives: &mut BTreeSet<String>, local: &mut usize) {
            for argument in command.get_arguments() {
                let named = Named::by(argument);
                let takes_one = argument.get_value_parser().type_id() == clap::value_parser!(PathBuf).type_id();
                assert_eq!(named.is_some(), takes_one, "{}", argument.get_id());
                of_archives.extend((named == Some(Named::Archives)).then(|| argument.get_id().to_string()));
                *local += usize::from(named == Some(Named::Local));
            }
            command.get_subcommands().for_each(|below| look(below, of_archives, local));
        }
        let (mut of_archives, mut local) = (BTreeSet::new(), 0);
        look(&crate::cli::Cli::command(), &mut of_archives, &mut local);
        assert!(of_archives.iter().eq(["archive", "backup_first", "output", "resume"]), "{of_archives:?}");
        assert!(local >= 10, "{local}");
        let refused = |line: &[&str]| with_paths(crate::cli::Cli::command()).try_get_matches_from(line).is_err();
        assert!(refused(&["elysiactl", "col", "backup", "-o", "s3://bucket/x"]));
        assert!(refused(&["elysiactl", "--ca-cert", "https://x", "col", "ls"]));
        assert!(refused(&["elysiactl", "archive", "check", "a", "s3://bucket/x"]));
    }
}
