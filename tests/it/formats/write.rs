//! Writes the fixtures of one build, with its binary.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sandbox::{Builder, Fault, Kind, Sandbox};

use super::source::{library, odd, without_circle};
use super::{WRITTEN_IN, copy, fixture};

/// A request that is not answered until its run is killed.
const NEVER: Duration = Duration::from_secs(600);
/// How long a run may take to get to the request at which it is killed.
const SOON: Duration = Duration::from_secs(60);
/// How long a run is left alone at that request, so that it writes down what it knows.
const AT_REST: Duration = Duration::from_secs(3);

/// One build, and the folder of its fixtures.
struct Build {
    program: PathBuf,
    fixtures: PathBuf,
}

impl Build {
    /// `elysiactl` of this build, which keeps all that it writes in one folder.
    fn command(&self, sandbox: &Sandbox, arguments: &[&str]) -> Command {
        let folder = Path::new(WRITTEN_IN);
        let mut command = Command::new(&self.program);
        command.args(arguments).env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.env("WEAVIATE_URL", sandbox.url()).env("XDG_STATE_HOME", folder.join("state"));
        command.env("ELYSIACTL_ARCHIVE_DIR", folder.join("archives"));
        command
    }

    /// Whether the help of a command says this.
    fn says(&self, words: &[&str], what: &str) -> bool {
        let mut command = Command::new(&self.program);
        let help = command.args(words).arg("--help").env_clear().output().expect("the program of the build");
        String::from_utf8_lossy(&help.stdout).contains(what)
    }

    /// Backs up, and keeps the archive as `name`.
    fn sealed(&self, name: &str, builder: Builder, arguments: &[&str]) {
        clean();
        let sandbox = builder.start_blocking();
        let all = [&["col", "backup"], arguments].concat();
        let code = self.command(&sandbox, &all).status().expect("a backup").code();
        assert!(matches!(code, Some(0 | 3)), "{name}: {code:?}");
        self.keep(name, &archives()[0]);
    }

    /// Runs a command until the server keeps it waiting at `at`, and kills it.
    fn killed(&self, sandbox: &Sandbox, arguments: &[&str], at: Fault) {
        sandbox.faults().add(at);
        let child = self.command(sandbox, arguments).spawn().expect("the program of the build");
        kill_at_rest(child, sandbox, arguments);
        sandbox.faults().clear();
    }

    fn keep(&self, name: &str, from: &Path) {
        let to = self.fixtures.join(name);
        let _ = fs::remove_dir_all(&to);
        copy(from, &to);
    }
}

fn clean() {
    let _ = fs::remove_dir_all(WRITTEN_IN);
}

fn archives() -> Vec<PathBuf> {
    let entries = fs::read_dir(Path::new(WRITTEN_IN).join("archives")).expect("archives");
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

/// Kills a run once nothing has been asked for a while.
fn kill_at_rest(mut child: Child, sandbox: &Sandbox, what: &[&str]) {
    let began = Instant::now();
    let (mut seen, mut since) = (0, Instant::now());
    // A watch may go on asking: what counts is that nothing is struck, and some time went by.
    while since.elapsed() < AT_REST {
        assert!(child.try_wait().expect("a child").is_none(), "{what:?} came to its end");
        assert!(began.elapsed() < SOON, "{what:?} is never at rest");
        let struck = sandbox.faults().struck();
        if struck == 0 || struck != seen {
            (seen, since) = (struck, Instant::now());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().expect("killed");
    child.wait().expect("gone");
}

/// The page of a collection's objects, once a plan has taken its sample.
fn page(query: &str) -> Fault {
    Fault::new(Kind::Delay(NEVER)).on("GET", "/v1/objects").query(query).after(1)
}

/// What a server holds of the collections of `library`, an object a line.
fn left(sandbox: &Sandbox) -> String {
    ["Author", "Book"].iter().flat_map(|class| sandbox.objects(class, None)).map(|line| line + "\n").collect()
}

impl Build {
    fn archives_of_every_kind(&self) {
        self.sealed("plain", library(), &[]);
        for codec in ["zstd", "gzip", "lz4"] {
            self.sealed(codec, library(), &[&format!("--compress={codec}")]);
        }
        self.sealed("odd", odd(), &[]);
    }

    /// A backup killed in the last collection, or, if the build reads tenants, in one that it has activated.
    fn killed_backup(&self) {
        clean();
        let reads_tenants = self.says(&["col", "backup"], "--tenant");
        let (builder, at) = if reads_tenants { (odd(), page("tenant=south")) } else { (library(), page("class=Book")) };
        let at = if reads_tenants { at.after(2) } else { at };
        self.killed(&builder.start_blocking(), &["col", "backup", "--batch-size", "5", "--jobs", "1"], at);
        self.keep("killed-backup", Path::new(WRITTEN_IN));
    }

    /// A restore killed in the second collection, of which the server had refused some objects.
    fn killed_restore(&self) {
        clean();
        let circles = self.says(&["col", "restore"], "--resume");
        let source = if circles { library() } else { without_circle() }.start_blocking();
        let backup = ["col", "backup", "--batch-size", "5", "--jobs", "4"];
        assert!(self.command(&source, &backup).status().expect("a backup").success());
        let target = Sandbox::builder().start_blocking();
        let batches = |kind| Fault::new(kind).on("POST", "/v1/batch/objects");
        target.faults().add(batches(Kind::FailIds(3, "invalid text property".to_owned())));
        let archive = archives()[0].to_str().expect("a path").to_owned();
        let restore = ["col", "restore", &archive, "--yes", "--batch-size", "3", "--jobs", "1"];
        self.killed(&target, &restore, batches(Kind::Delay(NEVER)).after(5));
        fs::write(Path::new(WRITTEN_IN).join("left.jsonl"), left(&target)).expect("written");
        self.keep("killed-restore", Path::new(WRITTEN_IN));
    }

    /// A clear killed while it waits for its collection to be dropped.
    fn killed_clear(&self) {
        clean();
        let at = Fault::new(Kind::Delay(NEVER)).on("DELETE", "/v1/schema/Book").exactly();
        let clear = ["col", "clear", "Book", "--yes", "--method", "recreate"];
        self.killed(&library().start_blocking(), &clear, at);
        self.keep("killed-clear", Path::new(WRITTEN_IN));
    }

    /// A restore killed while it creates the collection that it tries a schema out with.
    fn killed_rehearsal(&self) {
        clean();
        assert!(self.command(&library().start_blocking(), &["col", "backup"]).status().expect("a backup").success());
        let archive = archives()[0].to_str().expect("a path").to_owned();
        let at = Fault::new(Kind::Delay(NEVER)).on("POST", "/v1/schema").exactly();
        self.killed(&Sandbox::builder().start_blocking(), &["col", "restore", &archive, "--yes"], at);
        fs::remove_dir_all(Path::new(WRITTEN_IN).join("archives")).expect("removed");
        self.keep("killed-rehearsal", Path::new(WRITTEN_IN));
    }
}

#[test]
#[ignore = "writes fixtures, with the binary of an earlier build: see tests/fixtures/archives/README.md"]
fn fixtures_of_one_build() {
    let of =
        |variable: &str| PathBuf::from(std::env::var_os(variable).unwrap_or_else(|| panic!("{variable} says nothing")));
    let build = Build { program: of("ELYSIACTL_EARLIER"), fixtures: fixture(of("ELYSIACTL_FIXTURES"), "") };
    build.archives_of_every_kind();
    build.killed_backup();
    if build.says(&["col"], "restore") {
        build.killed_restore();
        build.killed_clear();
    }
    if build.says(&["col", "restore"], "--resume") {
        build.killed_rehearsal();
    }
    clean();
}
