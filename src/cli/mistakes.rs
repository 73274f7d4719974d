//! What a person reads who typed a command wrongly, and help for who asked for it.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use console::Term;

use super::output::{fitting, stderr_columns};
use super::{Failure, exit_code};
use crate::event::Class;
use crate::render::{columns, harmless};

/// Shows what the parser has to say. Help that was asked for goes to stdout, and is no failure unless it cannot be
/// written.
pub(super) fn tell(mut error: clap::Error) -> ExitCode {
    keep_near_tips(&mut error);
    let plain = error.render().to_string();
    if error.use_stderr() {
        let shown = fitting(&harmless(&plain), stderr_columns());
        // What was typed may hold anything, and be of any length.
        if shown == plain {
            let _ = error.print();
        } else {
            let _ = io::stderr().lock().write_all(shown.as_bytes());
        }
        return exit_code(Class::Usage);
    }
    // The parser breaks sentences, and not the lines of usage.
    let shown = fitting(&plain, columns(&Term::stdout()));
    let printed = if shown == plain { error.print() } else { io::stdout().write_all(shown.as_bytes()) };
    let printed = printed.and_then(|()| io::stdout().flush());
    match printed.map_err(|e| Failure::from_stdout(&e)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if failure.class != Class::ReaderGone {
                let _ = io::stderr().lock().write_all(failure.text(false).as_bytes());
            }
            exit_code(failure.class)
        }
    }
}

/// A flag is offered in place of an unknown one only if a slip of the hand lies between them: the parser's own measure
/// finds `--stall-timeout` for `--all`.
fn keep_near_tips(error: &mut clap::Error) {
    if error.kind() != ErrorKind::UnknownArgument {
        return;
    }
    let text = |error: &clap::Error, kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    let (typed, offered) = (text(error, ContextKind::InvalidArg), text(error, ContextKind::SuggestedArg));
    if typed.zip(offered).is_some_and(|(typed, offered)| !is_near(&typed, &offered)) {
        error.remove(ContextKind::SuggestedArg);
        // It is made of the flag that was offered.
        error.remove(ContextKind::Usage);
    }
}

/// Whether one in three letters at most is another, missing, or has changed places with the next.
fn is_near(typed: &str, offered: &str) -> bool {
    let name = |flag: &str| -> Vec<char> {
        let flag = flag.trim_start_matches('-');
        flag.split(['=', ' ']).next().unwrap_or(flag).chars().collect()
    };
    let (typed, offered) = (name(typed), name(offered));
    let longer = typed.len().max(offered.len());
    let is_begun = typed.len() >= 3 && offered.starts_with(&typed);
    is_begun || slips(&typed, &offered) * 3 <= longer
}

/// How many slips lie between two words: letters that are missing, too many, or others, and neighbours that changed places.
fn slips(a: &[char], b: &[char]) -> usize {
    let mut table: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            let at = |i: usize, j: usize| table.get(&(i, j)).copied().unwrap_or_default();
            let least = if i == 0 || j == 0 {
                i + j
            } else {
                let other = usize::from(a[i - 1] != b[j - 1]);
                let one = (at(i - 1, j) + 1).min(at(i, j - 1) + 1).min(at(i - 1, j - 1) + other);
                let turned = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                if turned { one.min(at(i - 2, j - 2) + 1) } else { one }
            };
            table.insert((i, j), least);
        }
    }
    table.get(&(a.len(), b.len())).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    fn told(line: &[&str]) -> String {
        let mut error = Cli::command().try_get_matches_from(line).expect_err("refused");
        keep_near_tips(&mut error);
        error.render().to_string()
    }

    #[test]
    fn a_flag_is_offered_only_for_a_slip() {
        for (typed, offered) in [
            ("--al", None),
            ("--all", None),
            ("--force-all", None),
            ("--everything", None),
            ("--outptu", Some("--output")),
            ("--dryrun", Some("--dry-run")),
            ("--dry_run", Some("--dry-run")),
            ("--batchsize", Some("--batch-size")),
            ("--exclud", Some("--exclude")),
        ] {
            let text = told(&["elysiactl", "col", "backup", typed]);
            match offered {
                None => assert!(!text.contains("similar argument"), "{typed}: {text}"),
                Some(flag) => assert!(text.contains(&format!("'{flag}'")), "{typed}: {text}"),
            }
        }
    }
}
