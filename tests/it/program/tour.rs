//! The tour that `cargo run -p tour` gives: every step ends as it says.

#[path = "../../tour/src/articles.rs"]
mod articles;
#[path = "../../tour/src/steps.rs"]
mod steps;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::support::binary::elysiactl;

#[expect(clippy::print_stdout, reason = "shown if the test fails")]
fn captured(mut command: Command) -> std::io::Result<std::process::ExitStatus> {
    let output = command.output()?;
    println!("{}{}", String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
    Ok(output.status)
}

#[test]
fn the_tour_reaches_its_end_and_leaves_an_archive_and_the_files_of_one_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = steps::Program { command: &|| elysiactl::<&str>(&[]), run: &captured };
    steps::tour(folder.path(), &program).expect("the tour");
    let names = |folder: &Path| -> BTreeSet<String> {
        let entries = std::fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").file_name());
        entries.map(|name| name.into_string().expect("a name")).collect()
    };
    let set = |names: [&str; 2]| names.map(str::to_owned).into();
    assert_eq!(names(folder.path()), set(["backups", "state"]), "nothing but archives and files of runs");
    let ours = folder.path().join("state/elysiactl");
    assert_eq!((names(&ours), names(&ours.join("runs")).len()), (set(["locks", "runs"]), 1), "one restore");
}
