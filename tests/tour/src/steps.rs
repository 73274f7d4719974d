//! The steps of the tour: each command with what it really prints, short explanations between.
#![expect(clippy::print_stdout, reason = "the tour talks to a person")]

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use sandbox::{Change, Sandbox};

use super::articles;

/// Made-up objects beside the articles, and the dimensions of their vectors.
const PASSAGES: (u64, usize) = (2_000, 384);
/// The variables that name a server, a key or a folder: the tour takes none of the user's.
const SETTINGS: [&str; 5] = ["WEAVIATE_URL", "WEAVIATE_API_KEY", "WCD_URL", "WCD_API_KEY", "ELYSIACTL_ARCHIVE_DIR"];
/// The server's clock, as it tells it, has whole seconds: what was written less than a second before a backup counts
/// as written during it.
const BEFORE_THE_BACKUP: Duration = Duration::from_millis(1_100);
/// Why a step failed whose command could not be started, or not be waited for.
const DOES_NOT_RUN: &str = "elysiactl does not run";
/// Lines of `archive cat` that are shown.
const LINES_SHOWN: usize = 2;

/// How `elysiactl` is started.
pub(crate) struct Program<'a> {
    /// The program without arguments.
    pub(crate) command: &'a dyn Fn() -> Command,
    /// Runs a command to its end and lets its output be seen.
    pub(crate) run: &'a dyn Fn(Command) -> io::Result<ExitStatus>,
}

struct Tour<'a> {
    folder: &'a Path,
    url: String,
    program: &'a Program<'a>,
}

/// Walks through all steps; writes only to `folder`. An error names the step that failed.
pub(crate) fn tour(folder: &Path, program: &Program<'_>) -> Result<()> {
    say("This tour starts a small Weaviate inside this program, backs it up, loses the data and brings it back.");
    say(&format!("Everything it writes is in {}", folder.display()));
    if cfg!(debug_assertions) {
        say("(This is a build for development. What it says about speed means nothing.)");
    }
    let builder = Sandbox::builder().collection(articles::SCHEMA);
    let builder = articles::objects().fold(builder, |builder, object| builder.object(&object));
    let sandbox = builder.seeded("Passage", PASSAGES.0, PASSAGES.1, 1).start_blocking();
    sleep(BEFORE_THE_BACKUP);
    let tour = Tour { folder, url: sandbox.url(), program };
    println!("\n$ cd {}\n$ export WEAVIATE_URL={}", folder.display(), tour.url);

    say("\n1. What would be backed up? A dry run reads, and writes nothing.");
    tour.run(&["col", "backup", "--dry-run"], 0)?;

    say("\n2. The backup. Without a name it takes every collection.");
    tour.run(&["col", "backup"], 0)?;
    has_only_read(&sandbox, "backup")?;
    let archive = the_only_entry(&folder.join("backups"))?;
    let name = format!("backups/{}", archive.file_name().unwrap_or_default().to_string_lossy());

    say("\n3. What does the archive hold? Plain files, with one object a line as the server printed it.");
    tour.run(&["archive", "show", &name], 0)?;
    tour.head(&["archive", "cat", &name, "Article"])?;

    say("\n4. Now the data is lost: both collections are dropped from the server.");
    for collection in ["Article", "Passage"] {
        sandbox.faults().now(&Change::Drop(collection.to_owned()));
    }
    say("   A restore creates them again, writes every object with its id and vectors, and then reads all of it back");
    say("   and compares it with the archive. -y: do not ask.");
    tour.run(&["col", "restore", &name, "-y"], 0)?;

    say("\n   The digests are those of step 2: the same content is back.");

    say("\n5. Does the server still hold what the archive holds? Somebody edits one title on the server now:");
    sandbox.faults().now(&Change::Write(articles::edited()));
    sandbox.clear_requests();
    tour.run(&["col", "verify", &name], 3)?;
    has_only_read(&sandbox, "comparison")?;
    say("\n   Exit code 3: it ran to its end, and something differs. Verify only reads; it puts nothing right.");
    drop(sandbox);

    say("\n6. The server has been stopped; checking an archive needs the archive alone.");
    say("   What if a disk flips a single bit? One bit in the middle of a file is changed now:");
    let part = archive.join("collections/Passage/objects-000000.jsonl");
    flip(&part)?;
    tour.run(&["archive", "check", &name], 6)?;
    say("\n   Exit code 6 means a damaged archive. The bit is put back:");
    flip(&part)?;
    tour.run(&["archive", "check", &name], 0)?;

    say("\nThat is all. What to do next:");
    for (command, what) in [
        ("cargo install --locked --path .", "installs elysiactl"),
        ("elysiactl col backup --help", "lists every flag of a backup"),
        ("elysiactl col restore --help", "and of a restore"),
        (&format!("cd {}", folder.display()), "is where the archive is; look around in it"),
        (&format!("rm -r {}", folder.display()), "removes everything the tour wrote"),
    ] {
        println!("  {command:<44} {what}");
    }
    say("README.md tells how to connect to your own server.");
    Ok(())
}

/// Backing up and comparing change nothing on the server.
fn has_only_read(sandbox: &Sandbox, what: &str) -> Result<()> {
    let writes = sandbox.writing_requests();
    ensure!(writes == 0, "the {what} sent {writes} writing requests");
    Ok(())
}

impl Tour<'_> {
    /// Prints a command as a person would type it, and gives it ready to run.
    fn command(&self, arguments: &[&str], behind: &str) -> Command {
        println!("\n$ elysiactl {}{behind}", arguments.join(" "));
        let mut command = (self.program.command)();
        for name in SETTINGS {
            command.env_remove(name);
        }
        // A restore keeps its journal in the user's folder for state: here that is one of the tour's.
        let state = if cfg!(windows) { "LOCALAPPDATA" } else { "XDG_STATE_HOME" };
        command.env(state, self.folder.join("state"));
        command.args(arguments).env("WEAVIATE_URL", &self.url).current_dir(self.folder).stdin(Stdio::null());
        command
    }

    /// Runs a command that has to end with this exit code.
    fn run(&self, arguments: &[&str], expected: i32) -> Result<()> {
        let status = (self.program.run)(self.command(arguments, "")).context(DOES_NOT_RUN)?;
        if expected != 0 {
            println!("(exit code {})", status.code().unwrap_or(-1));
        }
        ended(status, expected)
    }

    /// Runs a command and hangs up after its first lines, as `head` does.
    fn head(&self, arguments: &[&str]) -> Result<()> {
        let mut command = self.command(arguments, &format!(" | head -n {LINES_SHOWN}"));
        let mut child = command.stdout(Stdio::piped()).spawn().context(DOES_NOT_RUN)?;
        let printed = child.stdout.take().context("it has no output")?;
        for line in BufReader::new(printed).lines().take(LINES_SHOWN) {
            println!("{}", line.context("cannot read what it prints")?);
        }
        ended(child.wait().context(DOES_NOT_RUN)?, 0)
    }
}

fn ended(status: ExitStatus, expected: i32) -> Result<()> {
    ensure!(status.code() == Some(expected), "the last command ended with {status}, expected {expected}");
    Ok(())
}

fn say(text: &str) {
    println!("{text}");
}

/// The one archive in the folder.
fn the_only_entry(folder: &Path) -> Result<PathBuf> {
    let paths = |entries: fs::ReadDir| entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>();
    let listed = fs::read_dir(folder).and_then(paths).with_context(|| format!("cannot list {}", folder.display()))?;
    match listed.as_slice() {
        [one] => Ok(one.clone()),
        others => bail!("{} archives in {}, expected one", others.len(), folder.display()),
    }
}

/// Changes the lowest bit of the byte in the middle of a file, or changes it back.
fn flip(path: &Path) -> Result<()> {
    let mut bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}
