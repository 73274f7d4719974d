//! The planted bugs (`tests/planted`) fit the code as it stands: each hunk finds its lines.

use std::fs;
use std::path::Path;

#[test]
fn every_planted_bug_still_fits_the_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let patches =
        fs::read_dir(root.join("tests/planted")).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut fit = 0;
    for patch in patches.filter(|path| path.extension().is_some_and(|end| end == "patch")) {
        let text = fs::read_to_string(&patch).expect("a patch");
        let (head, diff) = text.split_once("\n--- a/").expect("a diff");
        assert!(head.contains("\nCaught by: "), "{}: says no tests", patch.display());
        for file in diff.split("\n--- a/") {
            let (name, hunks) = file.split_once('\n').expect("hunks");
            let source =
                fs::read_to_string(root.join(name)).unwrap_or_else(|_| panic!("{}: no {name}", patch.display()));
            for hunk in hunks.split("\n@@ ").skip(1) {
                let before = |line: &&str| line.is_empty() || line.starts_with([' ', '-']);
                let lines = hunk.lines().skip(1).take_while(|line| !line.starts_with("diff ")).filter(before);
                let wanted: String = lines.flat_map(|line| [line.get(1..).unwrap_or(""), "\n"]).collect();
                assert!(source.contains(&wanted), "{}: not in {name}:\n{wanted}", patch.display());
                fit += 1;
            }
        }
    }
    assert!(fit >= 8, "{fit} hunks");
}
