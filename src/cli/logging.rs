//! The developer's log (`-v`), on stderr and around the bars.

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::Out;
use super::args::OutputArgs;

/// Starts the log if it was asked for. Foreign crates never log below `info`: some would print headers.
pub(super) fn start(flags: &OutputArgs, out: &Out) {
    let (ours, theirs) = match flags.verbose {
        0 => return,
        1 => (LevelFilter::DEBUG, LevelFilter::WARN),
        _ => (LevelFilter::TRACE, LevelFilter::INFO),
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(out.logs()).with_ansi(out.colour()).with_target(false);
    let which = Targets::new().with_default(theirs).with_target("elysiactl", ours);
    // Already started only where a test calls twice in one process.
    let _ = tracing_subscriber::registry().with(lines).with(which).try_init();
}
