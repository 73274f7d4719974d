//! The integration tests. tests/README.md says where to look for what.

mod archive;
mod backup;
mod clear;
mod create;
#[cfg(unix)]
mod formats;
mod house;
mod limits;
mod ls;
mod program;
mod restore;
mod rights;
mod rm;
mod screen;
mod support;
mod verify;
mod wire;

#[test]
fn every_file_here_is_in_an_index() {
    fn look(folder: &std::path::Path, index: &std::path::Path) {
        let declared = std::fs::read_to_string(index).expect("an index");
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a name");
            let is_module = path.is_dir() || path.extension().is_some_and(|end| end == "rs");
            if !is_module || ["main", "mod", "snapshots"].contains(&name) {
                continue;
            }
            if path.is_dir() {
                let (above, inside) = (path.with_extension("rs"), path.join("mod.rs"));
                look(&path, if above.exists() { &above } else { &inside });
            }
            let is_declared = declared.lines().any(|line| line.ends_with(&format!("mod {name};")));
            assert!(
                is_declared || name == "snapshots",
                "{} is in no `mod` line of {}",
                path.display(),
                index.display()
            );
        }
    }
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    look(&folder, &folder.join("main.rs"));
}
