//! Which earlier run is resumed, and what is said of one that is not.

use jiff::Timestamp;
use serde_json::Map;
use uuid::Uuid;

use super::*;
use crate::archive::OsDisk;
use crate::archive::manifest::Tool;
use crate::model::Renames;
use crate::ops::StateFolders;

fn name(text: &str) -> CollectionName {
    text.parse().expect("a name")
}

fn asked() -> Asked {
    let state = StateFolders { runs: PathBuf::new(), locks: PathBuf::new() };
    Asked {
        server_url: "http://a:8080/".into(),
        archive: "/backups/A".into(),
        archive_run_id: "7".into(),
        targets: vec![name("Article")],
        choices: RestoreOptions::new("/backups/A", state).choices(&[], &Renames::default()),
    }
}

fn about() -> RunAbout {
    let Asked { server_url, archive, archive_run_id, choices, .. } = asked();
    let mut options: Map<_, _> = choices.map(|(key, _, value)| (key.to_owned(), value)).into_iter().collect();
    options.insert("jobs".to_owned(), 3.into());
    RunAbout {
        op: Op::Restore,
        tool: RunAbout::this_tool(),
        run_id: Uuid::from_u128(1),
        started: Timestamp::UNIX_EPOCH,
        server_url,
        server_version: "1.32.0".into(),
        archive,
        archive_run_id,
        options,
    }
}

fn said_of(about: &RunAbout) -> Vec<String> {
    asked().differs(&OsDisk, about).iter().map(ToString::to_string).collect()
}

#[test]
fn whatever_decides_what_is_written_must_be_the_same() {
    assert!(asked().differs(&OsDisk, &about()).is_empty(), "what only tunes may be another");
    let tool = RunAbout::this_tool();
    let newer = RunAbout { tool: Tool { version: "999.1.0".into(), ..tool }, ..about() };
    let other = [
        (RunAbout { server_url: "http://b/".into(), ..about() }, "its server is http://b/"),
        (RunAbout { archive_run_id: "8".into(), ..about() }, "another archive lies in /backups/A now"),
        (
            RunAbout { archive_run_id: "8".into(), archive: "/old/A".into(), ..about() },
            "its archive is another one, /old/A",
        ),
        (RunAbout { archive: "/old/A".into(), ..about() }, "its archive lay in /old/A"),
        (newer, "elysiactl 999.1.0 began it"),
    ];
    for (about, said) in other {
        assert_eq!(said_of(&about), [said]);
    }
    let slashed = RunAbout { archive: "/backups/./A/".into(), ..about() };
    assert!(asked().differs(&OsDisk, &slashed).is_empty(), "another spelling of the same place");
    for (key, choice, _) in asked().choices {
        let mut about = about();
        about.options.insert(key.to_owned(), 2.into());
        assert_eq!(asked().differs(&OsDisk, &about), [RunDiffers::Choice(choice)]);
    }
}

#[test]
fn another_run_is_worth_a_word_if_it_is_of_the_same_archive_or_in_the_way() {
    let run = |about: RunAbout, target: &str| EarlierRun {
        about,
        targets: [name(target)].into(),
        complete: false,
        damage: None,
    };
    let other = || RunAbout { archive_run_id: "8".into(), ..about() };
    assert!(asked().concerns(&run(RunAbout { server_url: "http://b/".into(), ..about() }, "X")));
    assert!(asked().concerns(&run(other(), "Article")));
    assert!(!asked().concerns(&run(other(), "X")));
    assert!(!asked().concerns(&run(RunAbout { server_url: "http://b/".into(), ..other() }, "Article")));
}

#[test]
fn a_run_is_named_by_its_id_and_its_time() {
    assert_eq!(RunName::of(&about()).to_string(), "run 00000000-0000-0000-0000-000000000001 of 1970-01-01 00:00:00Z");
}
