//! The commands that a restore ends with: the one that compares, and the one that carries it on.

use std::path::Path;

use crate::archive::location;
use crate::cli::Connect;
use crate::cli::args::TenantArgs;
use crate::cli::closing::path_flag;
use crate::ops::restore::{AliasPolicy, RestoreOptions, Setting};
use crate::render::{quoted, shell_path};

/// The command that compares what was restored with its archive.
pub(super) fn verify(archive: &Path, options: &RestoreOptions, url: &str, connect: &Connect) -> String {
    let command = format!("elysiactl col verify {}{}", shell_path(archive), chosen(options));
    command + &connect.url_flag(url)
}

/// The command that resumes a restore which did not get to its end. `run_dir`: the folder of runs, where it was named.
pub(super) fn resume(options: &RestoreOptions, run_dir: Option<&Path>, url: &str, connect: &Connect) -> String {
    let mut command = format!("elysiactl col restore {}", shell_path(location::lasting(&options.archive)));
    command += &chosen(options);
    let flags = [
        (!options.data, "--skip-data"),
        (!options.vectors, "--skip-vectors"),
        (options.revectorize, "--revectorize"),
        (options.clamp_ints, "--clamp-ints"),
        (options.roles, "--with-roles"),
        (options.aliases == AliasPolicy::Overwrite, "--alias overwrite"),
        (options.aliases == AliasPolicy::Skip, "--alias skip"),
        (options.settings.contains(&Setting::NoVectorizer), "--set vectorizer=none"),
        (options.settings.contains(&Setting::NoObjectTtl), "--set objectTtl=off"),
        (!options.verify, "--no-verify"),
    ];
    for (_, flag) in flags.iter().filter(|(given, _)| *given) {
        command = command + " " + flag;
    }
    for origin in &options.allowed_endpoints {
        command = command + " --allow-endpoint " + &quoted(&origin.to_string());
    }
    if let Some(jobs) = options.jobs {
        command = command + " --jobs " + &jobs.to_string();
    }
    if let Some(objects) = options.batch_objects {
        command = command + " --batch-size " + &objects.to_string();
    }
    command + &path_flag("--run-dir", run_dir) + " --resume" + &connect.url_flag(url)
}

/// The flags that choose collections and tenants, and name them.
fn chosen(options: &RestoreOptions) -> String {
    let mut flags = String::new();
    for chosen in &options.selection.take {
        flags = flags + " --only " + &quoted(chosen);
    }
    if let Some(name) = &options.name {
        flags = flags + " --name " + &quoted(name.as_str());
    }
    for (old, new) in options.renames.pairs() {
        flags = flags + " --rename " + &quoted(&format!("{old}={new}"));
    }
    for pattern in options.renames.patterns() {
        flags = flags + " --rename " + &quoted(&pattern.to_string());
    }
    flags + &TenantArgs::of(&options.tenants)
}
