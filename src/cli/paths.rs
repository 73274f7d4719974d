//! Paths as people type them: `~/` is their home, and an address is no path.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Command, Error, ValueHint};

use super::Env;
use crate::model::scheme;

/// The variable that says where somebody is at home.
const HOME: &str = if cfg!(windows) { "USERPROFILE" } else { "HOME" };

/// The path that is meant by what was typed: a shell leaves a `~` in quotes, or behind `=`, as it is. A path that really
/// begins so is written `./~/…`.
pub(super) fn local(typed: &OsStr, home: Option<OsString>) -> anyhow::Result<PathBuf> {
    let path = Path::new(typed);
    if let Some(scheme) = typed.to_str().and_then(scheme) {
        bail!("{scheme}:// is not supported: files and folders of this machine are");
    }
    let Some(first) = path.components().next().map(std::path::Component::as_os_str) else { return Ok(path.to_owned()) };
    if !first.as_encoded_bytes().starts_with(b"~") {
        return Ok(path.to_owned());
    }
    if first != "~" {
        bail!("only ~/ is known, no other's home; write ./~… for a name that begins with ~");
    }
    let home = home.with_context(|| format!("~ stands for {HOME}, which is not set"))?;
    Ok(Path::new(&home).join(path.strip_prefix("~").unwrap_or(path)))
}

/// The same for a value of the environment.
pub(super) fn local_in(env: &Env, typed: &OsStr) -> anyhow::Result<PathBuf> {
    local(typed, env.raw(HOME))
}

/// Reads a flag's or an argument's path.
#[derive(Debug, Clone, Copy)]
struct LocalPath;

impl TypedValueParser for LocalPath {
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
        local_in(&Env::process(), value).map_err(wrong)
    }
}

/// A tree of commands in which every flag and argument that names a file or a folder is read so.
pub(super) fn with_local_paths(command: Command) -> Command {
    let is_path = |argument: &Arg| matches!(argument.get_value_hint(), ValueHint::DirPath | ValueHint::FilePath);
    command
        .mut_args(|argument| if is_path(&argument) { argument.value_parser(LocalPath) } else { argument })
        .mut_subcommands(with_local_paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every flag that takes a path is known by its hint.
    #[test]
    fn every_path_of_the_command_line_is_read_so() {
        use clap::CommandFactory;
        fn look(command: &Command, found: &mut usize) {
            for argument in command.get_arguments() {
                let is_path = matches!(argument.get_value_hint(), ValueHint::DirPath | ValueHint::FilePath);
                let takes_one = argument.get_value_parser().type_id() == clap::value_parser!(PathBuf).type_id();
                assert_eq!(is_path, takes_one, "{}", argument.get_id());
                *found += usize::from(is_path);
            }
            command.get_subcommands().for_each(|below| look(below, found));
        }
        let mut found = 0;
        look(&crate::cli::Cli::command(), &mut found);
        assert!(found >= 20, "{found}");
        let read = |line: &[&str]| with_local_paths(crate::cli::Cli::command()).try_get_matches_from(line).is_err();
        assert!(read(&["elysiactl", "col", "backup", "-o", "s3://bucket/x"]));
        assert!(read(&["elysiactl", "--ca-cert", "https://x", "col", "ls"]));
        assert!(read(&["elysiactl", "archive", "check", "a", "s3://bucket/x"]));
    }

    #[test]
    fn a_tilde_is_home_and_an_address_is_no_path() {
        let path = |typed: &str| local(OsStr::new(typed), Some("/home/me".into()));
        for (typed, meant) in [
            ("~", "/home/me"),
            ("~/b", "/home/me/b"),
            ("./~/b", "./~/b"),
            ("a/~/b", "a/~/b"),
            ("/a://b", "/a://b"),
            ("./s3://bucket", "./s3://bucket"),
            ("-", "-"),
        ] {
            assert_eq!(path(typed).expect("a path"), Path::new(meant), "{typed}");
        }
        for typed in ["s3://bucket/x", "file:///tmp/x", "HTTPS://x", "~other/b", "~~"] {
            assert!(path(typed).is_err(), "{typed}");
        }
        assert!(local(OsStr::new("~/b"), None).is_err());
    }
}
