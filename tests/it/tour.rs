//! The tour that `cargo run --example tour` gives: every step ends as it says.

#[path = "../tour/articles.rs"]
mod articles;
#[path = "../tour/steps.rs"]
mod steps;

use std::process::Command;

use crate::binary::elysiactl;

#[expect(clippy::print_stdout, reason = "shown if the test fails")]
fn captured(mut command: Command) -> std::io::Result<std::process::ExitStatus> {
    let output = command.output()?;
    println!("{}{}", String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
    Ok(output.status)
}

#[test]
fn the_tour_reaches_its_end_and_leaves_one_whole_archive() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = steps::Program { command: &|| elysiactl::<&str>(&[]), run: &captured };
    steps::tour(folder.path(), &program).expect("the tour");
    let names: Vec<_> =
        std::fs::read_dir(folder.path()).expect("a folder").map(|e| e.expect("an entry").file_name()).collect();
    assert_eq!(names, ["backups"], "nothing but the folder of archives");
}
