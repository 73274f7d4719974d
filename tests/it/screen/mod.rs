//! What a person sees: bars, lines, summaries, help, logs.

/// What is told above the bars stays on the screen, whole.
#[cfg(unix)]
mod above;
/// Bars on a terminal held in memory.
mod bars;
/// `--help` of every command, equal to docs/commands.
mod help;
/// `-v`, `-vv` and `--log-file`: one line a request, and nothing that is secret.
mod logs;
/// JSON, lines of text and summaries for made-up events.
mod render;
/// What a server, an archive or a path holds cannot steer a terminal, and what is shown can be pasted.
#[cfg(unix)]
mod steering;
/// No line is wider than the terminal, at 60, 80 and 160 columns.
#[cfg(unix)]
mod widths;
