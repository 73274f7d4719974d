//! The log: one line a request (`-v`), decisions too (`-vv`), on stderr around the bars, and in a file.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::args::OutputArgs;
use super::{Failure, Out};
use crate::event::Class;
use crate::model::path_text;
use crate::render::Logs;

/// Starts the log if it was asked for. Foreign crates never log below `info`: some would print headers.
pub(super) fn start(flags: &OutputArgs, out: &Out) -> Result<(), Failure> {
    let file = flags.log_file.as_deref().map(|path| open(path, out)).transpose()?;
    let on_screen = (flags.verbose > 0).then(|| {
        let lines = tracing_subscriber::fmt::layer().with_writer(out.logs()).with_ansi(out.colour()).with_target(false);
        lines.with_filter(which(flags.verbose))
    });
    let in_file = file.map(|file| {
        let lines = tracing_subscriber::fmt::layer().with_writer(file).with_ansi(false).with_target(false);
        lines.with_filter(which(flags.verbose.max(1)))
    });
    if on_screen.is_some() || in_file.is_some() {
        // Already started only where a test calls twice in one process.
        let _ = tracing_subscriber::registry().with(on_screen).with(in_file).try_init();
    }
    Ok(())
}

/// A log in a file. A run does not end since its log cannot be written, but that is said, once.
struct LogFile {
    file: File,
    path: String,
    /// Where it is said.
    stderr: Logs,
    told: AtomicBool,
}

impl<'a> MakeWriter<'a> for LogFile {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

impl Write for &LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Err(error) = (&self.file).write_all(bytes)
            && !self.told.swap(true, Ordering::Relaxed)
        {
            let path = &self.path;
            let _ =
                writeln!(self.stderr.make_writer(), "warning: the log lacks lines: cannot write to {path}: {error}");
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is logged.
fn which(verbose: u8) -> Targets {
    let (ours, theirs) = match verbose {
        0 | 1 => (LevelFilter::DEBUG, LevelFilter::WARN),
        _ => (LevelFilter::TRACE, LevelFilter::INFO),
    };
    Targets::new().with_default(theirs).with_target("elysiactl", ours)
}

/// A path that cannot be one is a wrong flag; a disk that takes nothing is the disk.
fn class_of(error: &io::Error) -> Class {
    use io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    match error.kind() {
        StorageFull | QuotaExceeded | ReadOnlyFilesystem => Class::Disk,
        _ => Class::Usage,
    }
}

/// Opens the file to append to, for its owner alone.
fn open(path: &Path, out: &Out) -> Result<LogFile, Failure> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let failed = |error: std::io::Error| {
        let what = format!("cannot write the log to {}", path_text(path));
        let failed = Failure::of(class_of(&error))(anyhow::Error::new(error).context(what));
        failed.hint("name another file with --log-file")
    };
    let file = options.open(path).map_err(failed)?;
    Ok(LogFile { file, path: path_text(path), stderr: out.logs(), told: AtomicBool::new(false) })
}
