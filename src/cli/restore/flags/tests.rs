//! `col restore`: settings from flags and a made-up environment.

use clap::Parser;

use super::*;
use crate::cli::{Cli, ColCommand, Command};
use crate::model::CollectionName;

fn parse(flags: &[&str]) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(["elysiactl", "col", "restore"].iter().chain(flags))
}

fn resolve(flags: &[&str], variables: &[(&str, &str)]) -> Result<RestoreSettings, Failure> {
    let Command::Col(command) = parse(flags).expect("flags that parse").command else { panic!("another command") };
    let ColCommand::Restore(args) = *command else { panic!("another command") };
    RestoreSettings::resolve(&args, &Env::of(variables))
}

fn restore(flags: &[&str]) -> RestoreSettings {
    resolve(&[&["--run-dir", "r"], flags].concat(), &[]).expect("settings")
}

fn name(text: &str) -> CollectionName {
    text.parse().expect("a name")
}

#[test]
fn the_archive_is_named_the_latest_or_left_open() {
    assert_eq!(restore(&[]).source, Source::Open);
    assert_eq!(restore(&["a/b"]).source, Source::Named("a/b".into()));
    assert_eq!(restore(&["--latest"]).source, Source::Latest(None));
    assert_eq!(restore(&["--latest=Article"]).source, Source::Latest(Some("Article".into())));
    assert!(parse(&["--latest", "Article"]).is_err(), "a bare flag never swallows a name");
    assert_eq!(restore(&[]).folder, PathBuf::from("./backups"));
    let elsewhere = resolve(&["--run-dir", "r"], &[("ELYSIACTL_ARCHIVE_DIR", "/a")]).expect("settings");
    assert_eq!(elsewhere.folder, PathBuf::from("/a"));
}

#[test]
fn without_flags_everything_is_restored_and_compared() {
    let settings = restore(&[]);
    assert!(!settings.dry_run && !settings.yes);
    let options = settings.options;
    assert!(options.data && options.vectors && options.verify);
    assert!(!options.revectorize && !options.clamp_ints);
    assert_eq!((options.jobs, options.batch_objects, options.name), (None, None, None));
    assert!(options.selection.take.is_empty() && options.renames.is_empty());
    assert!(options.memory_bytes <= 128 << 20);
}

#[test]
fn flags_become_settings() {
    let flags =
        ["a", "--only", "A*", "--only", "B", "--rename", "A=C", "--rename", "B=A", "--skip-vectors", "--revectorize"];
    let more = ["--clamp-ints", "--jobs", "4", "--batch-size", "50", "--memory-limit", "32MiB", "--no-verify", "-y"];
    let settings = restore(&[&flags[..], &more].concat());
    assert!(settings.yes);
    let options = settings.options;
    assert_eq!(options.selection.take, ["A*", "B"]);
    assert_eq!((options.renames.of(&name("A")), options.renames.of(&name("B"))), (&name("C"), &name("A")));
    assert_eq!((options.jobs, options.batch_objects, options.memory_bytes), (Some(4), Some(50), 32 << 20));
    assert!(options.data && !options.vectors && options.revectorize && options.clamp_ints && !options.verify);
    assert_eq!(restore(&["a", "--name", "C"]).options.name, Some(name("C")));
    assert!(!restore(&["a", "--skip-data"]).options.data);
}

#[test]
fn senseless_values_are_refused() {
    for flags in [
        &["a", "--latest"][..],
        &["--name", "not a name"],
        &["--name", "A", "--rename", "A=B"],
        &["--rename", "A"],
        &["--rename", "A=b c"],
        &["--rename", "=B"],
        &["--skip-data", "--skip-vectors"],
        &["--skip-data", "--revectorize"],
        &["--jobs", "0"],
        &["--memory-limit", "1KiB"],
    ] {
        assert!(parse(flags).is_err(), "{flags:?}");
    }
    let twice = resolve(&["--run-dir", "r", "--rename", "A=B", "--rename", "A=C"], &[]).expect_err("refused");
    assert_eq!((twice.class, twice.message.as_str()), (Class::Usage, "--rename names A twice"));
}

#[test]
fn the_folder_for_runs_is_named_or_the_users_own() {
    let state =
        |flags: &[&str], variables: &[(&str, &str)]| resolve(flags, variables).map(|settings| settings.options.state);
    let named = state(&["--run-dir", "/r"], &[]).expect("settings");
    assert_eq!((named.runs, named.locks), ("/r".into(), "/r/locks".into()));
    let missing = state(&[], &[]).expect_err("refused");
    assert_eq!(missing.class, Class::Usage);
    assert!(missing.hints[0].contains("--run-dir"));
}

#[cfg(unix)]
#[test]
fn the_users_own_is_xdg_or_below_home() {
    let runs = |variables: &[(&str, &str)]| resolve(&[], variables).expect("settings").options.state.runs;
    let home = ("HOME", "/home/me");
    assert_eq!(runs(&[home]), PathBuf::from("/home/me/.local/state/elysiactl/runs"));
    assert_eq!(runs(&[home, ("XDG_STATE_HOME", "/s")]), PathBuf::from("/s/elysiactl/runs"));
    assert_eq!(runs(&[home, ("XDG_STATE_HOME", "s")]), PathBuf::from("/home/me/.local/state/elysiactl/runs"));
    let locks = resolve(&[], &[("XDG_STATE_HOME", "/s")]).expect("settings").options.state.locks;
    assert_eq!(locks, PathBuf::from("/s/elysiactl/locks"));
}
