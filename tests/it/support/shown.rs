//! What the program showed, as a snapshot holds it: all of it, without what differs from run to run.

use std::process::Output;

use super::binary::{Stage, said};

/// What it wrote to stdout and to stderr.
pub(crate) fn shown(output: &Output) -> String {
    format!("{}----\n{}", String::from_utf8_lossy(&output.stdout), said(output))
}

/// Hides paths, times, rates and ids of runs.
pub(crate) fn settled(stage: &Stage) -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(&regex_of(&stage.folder.path().display().to_string()), "[folder]");
    settings.add_filter(r"/\S+/archives/", "[folder]/archives/");
    settings.add_filter(r"\d{8}_\d{6}", "[time]");
    settings.add_filter(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{21}", "[run]");
    settings.add_filter(r"127\.0\.0\.1:\d+", "[host]");
    settings.add_filter(r"Sealed      \S+ \S+, .* ago", "Sealed      [time] ago");
    settings.add_filter(r"[\d.]+s\b", "[seconds]");
    settings.add_filter(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", "[date]");
    settings.add_filter(r"its backup took [^;]+;", "its backup took [a while];");
    settings.add_filter(r"Free        [\d.]+ \w+ on that disk", "Free        [room] on that disk");
    settings.add_filter(r"(?m)^ [A-Za-z0-9]{12}  READY", " [shard]       READY");
    settings.add_filter(r"[\d,]+ objects/s", "[rate]");
    settings.add_filter(r"[\d.]+ MiB at most", "[memory] at most");
    // Which ranges are cut, and so which lines the index has, is a matter of time.
    settings.add_filter(r"[\d.]+ KiB on disk", "[size] on disk");
    settings
}

fn regex_of(path: &str) -> String {
    path.replace('.', r"\.")
}
