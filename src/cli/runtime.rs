//! Runs one operation with everything around it: renderers, signals, exactly one `run_finished`, the closing words.

mod open_files;

use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread::{self, available_parallelism};
use std::time::Duration;

use anyhow::Context;
use futures_util::FutureExt;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;

use super::{Failure, Out, failure, memory, signals};
use crate::event::{Class, Event, Events, Op, RunResult, Status};
use crate::model::Clock;
use crate::render::{Closing, Moment, Stopwatch, feed, size, summary, verdict};

/// Threads of the runtime at most: one page takes microseconds of theirs.
const THREADS: usize = 8;
/// How long blocking work that was given up may hold up the end.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// A run that came to its end, whether complete or not.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The result. `exit_code`, `seconds`, `objects_per_second` and `peak_memory_bytes` are filled in here.
    pub result: RunResult,
    /// What else the summary says.
    pub closing: Closing,
}

/// Runs `body` and shows it; `dry_run`: it only shows what would be done. `run_started` is the first event and `run_finished` the last; `body` emits neither.
/// It should end soon after the token is cancelled, with a failure of [`Class::Interrupted`].
pub fn run_with_events<F, Run>(out: &Out, op: Op, dry_run: bool, body: F) -> Result<ExitCode, Failure>
where
    F: FnOnce(Events, CancellationToken) -> Run,
    Run: Future<Output = Result<Finished, Failure>>,
{
    let runtime = runtime()?;
    let (done, shown) = runtime.block_on(async {
        let cancel = match signals::listen(out.screen(), out.pauses()) {
            Ok(cancel) => cancel,
            Err(error) => return (Err(no_start(error)), Ok(())),
        };
        let (events, receiver) = Events::channel();
        let watch = Stopwatch::start(Clock::system());
        let screen = tokio::spawn(feed(receiver, out.renderers(), watch.clone()));
        events.emit(Event::RunStarted { op, dry_run, version: env!("CARGO_PKG_VERSION") });
        let run = AssertUnwindSafe(async { body(events.clone(), cancel).await });
        let done = run.catch_unwind().await.unwrap_or_else(|panic| Err(Failure::panicked(panic.as_ref())));
        let mut end = watch.now();
        end.elapsed = end.elapsed.saturating_sub(out.pauses().spent());
        let done = complete(op, dry_run, done, end);
        events.emit(Event::RunFinished(match &done {
            Ok(finished) => finished.result.clone(),
            Err(failure) => failure.partial.as_deref().cloned().unwrap_or_else(|| nothing(op)),
        }));
        drop(events);
        (done, screen.await.unwrap_or(Ok(())))
    });
    runtime.shutdown_timeout(LAST_WAIT);
    let finished = done?;
    match shown.map_err(|error| Failure::from_stdout(&error)) {
        // The run is done, whoever hears of it.
        Err(failure) if failure.class != Class::ReaderGone => return Err(failure),
        _ => {}
    }
    if out.wants_words() {
        match out.text(&summary(&finished.result, &finished.closing)) {
            Err(failure) if failure.class != Class::ReaderGone => return Err(failure),
            _ => {}
        }
    } else if !out.json()
        && let Some(verdict) = verdict(&finished.result, &finished.closing)
    {
        out.note(&format!("warning: {verdict}\n"));
    }
    Ok(ExitCode::from(finished.result.exit_code))
}

/// Runs the body of a reading command and gives what it read. Warnings are shown as they come; nothing else is.
pub(super) fn read<F, Run, T>(out: &Out, body: F) -> Result<T, Failure>
where
    F: FnOnce(Events) -> Run,
    Run: Future<Output = Result<T, Failure>>,
{
    let runtime = runtime()?;
    let done = runtime.block_on(async {
        let cancel = signals::listen(out.screen(), out.pauses()).map_err(no_start)?;
        let (events, receiver) = Events::channel();
        let screen = tokio::spawn(feed(receiver, Out::warnings(), Stopwatch::start(Clock::system())));
        let reading = AssertUnwindSafe(async { body(events).await }).catch_unwind();
        let done = tokio::select! {
            done = reading => done.unwrap_or_else(|panic| Err(Failure::panicked(panic.as_ref()))),
            () = cancel.cancelled() => Err(Failure::new(Class::Interrupted, "interrupted")),
        };
        let _ = screen.await;
        done
    });
    runtime.shutdown_timeout(LAST_WAIT);
    done
}

/// Files that must be allowed to be open at once: those of the runtime, of a run, and some connections.
const LEAST_FILES: u64 = 32;

/// Refuses to begin what would fail for want of open files, in words instead of panics.
#[cfg(unix)]
fn enough_files() -> Result<(), Failure> {
    use rustix::process::{Resource, getrlimit};
    match getrlimit(Resource::Nofile).current {
        Some(files) if files < LEAST_FILES => {
            let text = format!("only {files} files may be open at once, and at least {LEAST_FILES} are needed");
            Err(Failure::new(Class::Disk, text).hint("raise the limit: ulimit -n 1024"))
        }
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
fn enough_files() -> Result<(), Failure> {
    Ok(())
}

/// Address space that must be allowed, in bytes. It is reserved, not used: 64 MiB by the allocator for each of a dozen
/// threads, 32 MiB for each large buffer, and the stacks. Below 512 MiB backups were seen to abort.
const LEAST_ADDRESS_SPACE: u64 = 1 << 30;

/// Refuses to begin what would abort for want of address space, without a word of its own.
fn enough_address_space(allowed: Option<u64>) -> Result<(), Failure> {
    match allowed {
        Some(bytes) if bytes < LEAST_ADDRESS_SPACE => {
            let (have, need) = (size(bytes), size(LEAST_ADDRESS_SPACE));
            let text = format!("only {have} of address space may be used, and at least {need} are needed");
            Err(Failure::new(Class::Disk, text).hint("raise the limit: ulimit -v 2097152"))
        }
        _ => Ok(()),
    }
}

/// Threads beside those of the runtime that must be allowed: for files, names of hosts and signals.
const FILE_THREADS: usize = 8;

/// Bytes of the stack of a thread that is only tried.
const TRIED_STACK: usize = 64 << 10;

/// Refuses to begin what would fail for want of threads. They are begun all at once, and end at once.
fn enough_threads(needed: usize, stack: usize) -> Result<(), Failure> {
    let gate = Mutex::new(());
    let closed = gate.lock();
    let begun: std::io::Result<()> = thread::scope(|scope| {
        let one = || thread::Builder::new().stack_size(stack).spawn_scoped(scope, || drop(gate.lock()));
        let mut all = (0..needed).map(|_| one());
        let begun = all.try_for_each(|one| one.map(drop));
        drop(closed);
        begun
    });
    let begun = begun.with_context(|| format!("fewer than {needed} threads may be begun, and as many are needed"));
    let hint = "raise the limit of processes: ulimit -u, or pids.max of the container";
    begun.map_err(|error| Failure::of(Class::Disk)(error).hint(hint))
}

fn runtime() -> Result<Runtime, Failure> {
    open_files::raise_limit();
    enough_files()?;
    enough_address_space(memory::address_space())?;
    let threads = available_parallelism().map_or(1, usize::from).min(THREADS);
    enough_threads(threads + FILE_THREADS, TRIED_STACK)?;
    Builder::new_multi_thread().worker_threads(threads).enable_all().build().map_err(no_start)
}

fn no_start(error: std::io::Error) -> Failure {
    Failure::of(Class::Bug)(anyhow::Error::new(error).context("cannot start the runtime"))
}

/// Fills in what only the end of a run knows. A failure gets a result too, for `run_finished`.
fn complete(op: Op, dry_run: bool, done: Result<Finished, Failure>, at: Moment) -> Result<Finished, Failure> {
    match done {
        Ok(mut finished) => {
            let class = match finished.result.status {
                Status::Ok => None,
                Status::Incomplete => Some(Class::Incomplete),
                Status::Refused => Some(Class::Refused),
                Status::Interrupted => Some(Class::Interrupted),
                Status::Failed => Some(Class::Bug),
            };
            finished.result.exit_code = class.map_or(0, failure::code);
            finished.result.dry_run = dry_run;
            measure(&mut finished.result, at);
            Ok(finished)
        }
        Err(mut failed) => {
            let mut result = failed.partial.take().map_or_else(|| nothing(op), |partial| *partial);
            result.status = failed.status();
            result.dry_run = dry_run;
            result.exit_code = failure::code(failed.class);
            result.errors = failed.errors();
            measure(&mut result, at);
            Err(failed.after(result))
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people, not a count")]
fn measure(result: &mut RunResult, at: Moment) {
    result.seconds = (at.elapsed.as_secs_f64() * 1_000.0).round() / 1_000.0;
    let rate = result.objects.saturating_sub(result.resumed_objects) as f64 / at.elapsed.as_secs_f64();
    result.objects_per_second = if rate.is_finite() && !result.dry_run { rate.round() } else { 0.0 };
    result.peak_memory_bytes = memory::peak();
}

/// The result of a run that did nothing.
pub(super) fn nothing(op: Op) -> RunResult {
    let nothing = RunResult::of(op, Status::Failed, None, Vec::new());
    RunResult { exit_code: failure::code(Class::Bug), ..nothing }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Env};

    fn quiet() -> Out {
        let line = ["elysiactl", "--quiet", "archive", "check", "x"];
        Out::new(&Cli::try_parse_from(line).expect("flags that parse").output, &Env::of(&[]))
    }

    #[test]
    fn a_run_ends_with_the_exit_code_of_its_status() {
        let result = RunResult { status: Status::Incomplete, ..nothing(Op::Backup) };
        let finished = Finished { result, closing: Closing::default() };
        let code = run_with_events(&quiet(), Op::Backup, false, async |events, cancel| {
            events.emit(Event::PlanMade { collections: Vec::new() });
            assert!(!cancel.is_cancelled());
            Ok(finished)
        });
        assert_eq!(format!("{:?}", code.expect("finished")), format!("{:?}", ExitCode::from(3)));
    }

    #[test]
    fn threads_that_may_not_be_begun_end_a_run_before_it_begins() {
        assert!(enough_threads(THREADS + FILE_THREADS, TRIED_STACK).is_ok());
        // No system has such a stack to give.
        let refused = enough_threads(1, usize::MAX / 4).expect_err("no thread");
        assert_eq!((refused.class, refused.causes.len()), (Class::Disk, 1), "{}", refused.text(false));
    }

    #[test]
    fn a_panic_inside_a_run_is_a_bug_and_the_run_is_finished_all_the_same() {
        let failed = run_with_events(&quiet(), Op::Backup, false, async |_, _| panic!("a permit is missing"));
        let failure = failed.expect_err("a failure");
        assert_eq!((failure.class, failure.causes[0].as_str()), (Class::Bug, "a permit is missing"));
        assert_eq!(failure.partial.expect("a result").exit_code, 1);
    }

    #[test]
    fn work_that_hangs_after_the_end_does_not_hold_it_up() {
        let failed = run_with_events(&quiet(), Op::Backup, false, async |events, _| {
            let _lost = tokio::spawn(async move {
                let _events = events;
                std::future::pending::<()>().await;
            });
            Err(Failure::new(Class::Server, "gone"))
        });
        assert_eq!(failed.expect_err("a failure").class, Class::Server);
    }

    fn moment() -> Moment {
        Moment { time: jiff::Timestamp::UNIX_EPOCH, elapsed: Duration::from_secs(2) }
    }

    #[test]
    fn a_finished_run_gets_its_exit_code_and_its_measures() {
        for (status, code) in [(Status::Ok, 0), (Status::Incomplete, 3), (Status::Interrupted, 130)] {
            let result = RunResult { status, objects: 10, ..nothing(Op::Backup) };
            let done = complete(Op::Backup, false, Ok(Finished { result, closing: Closing::default() }), moment());
            let result = done.expect("finished").result;
            assert_eq!((result.exit_code, result.seconds, result.objects_per_second), (code, 2.0, 5.0));
        }
    }

    #[test]
    fn a_dry_run_says_so_however_it_ends() {
        let result = RunResult { objects: 10, ..nothing(Op::Backup) };
        let done = complete(Op::Backup, true, Ok(Finished { result, closing: Closing::default() }), moment());
        let result = done.expect("finished").result;
        assert_eq!((result.dry_run, result.objects_per_second), (true, 0.0));
        let failed = complete(Op::Backup, true, Err(Failure::new(Class::Refused, "no")), moment());
        assert!(failed.expect_err("failed").partial.expect("a result").dry_run);
    }

    #[test]
    fn what_an_interrupted_run_had_done_is_not_the_speed_of_this_one() {
        let result = RunResult { status: Status::Ok, objects: 10, resumed_objects: 8, ..nothing(Op::Backup) };
        let done = complete(Op::Backup, false, Ok(Finished { result, closing: Closing::default() }), moment());
        let result = done.expect("finished").result;
        assert_eq!((result.seconds, result.objects_per_second), (2.0, 1.0));
    }

    #[test]
    fn a_failed_run_keeps_what_it_did_and_says_why() {
        let partial = RunResult { objects: 7, archive: Some("a".into()), ..nothing(Op::Backup) };
        let failure = Failure::new(Class::Server, "no answer").because("refused").after(partial);
        let failed = complete(Op::Backup, false, Err(failure), moment()).expect_err("failed");
        let result = failed.partial.expect("a result");
        assert_eq!((result.status, result.exit_code, result.objects), (Status::Failed, 5, 7));
        assert_eq!(result.errors, ["no answer", "refused"]);
    }
}
