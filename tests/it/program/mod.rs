//! The program from end to end: arguments, exit codes, signals, and several runs beside or after one another.

/// Runs that reach one server by different URLs.
mod claims;
/// Dry runs of every verb: they tell the whole plan, never look like runs, and send nothing that writes.
#[cfg(unix)]
mod dry_runs;
/// The binary from end to end: exit codes, `--json`, pipes, the environment, `--dry-run`.
mod e2e;
/// Journals of runs before this one: read once, and who was left active is put back.
mod earlier_runs;
/// Exit codes and messages of the binary when something is wrong.
mod failures;
/// ^C and its kin, at every stage of a run.
#[cfg(unix)]
mod signals;
/// The guided tour of the README, with the built binary.
mod tour;
/// Paths that are none, a stdout that is full, files that others may read, slips of the hand.
#[cfg(unix)]
mod usage;
