//! `col rm` at a terminal: what is typed, and what follows. Whatever is not the exact answer removes nothing.

use std::time::{Duration, Instant};

use sandbox::{Change, Sandbox};

use crate::support::binary::Stage;
use crate::support::terminal::Terminal;

const NAME: &str = "Type the collection's name: ";
const SURE: &str = "Go on? [y/N] ";

/// Two collections; an archive holds the first one.
fn stage() -> Stage {
    let stage = Stage::new(Sandbox::builder().seeded("Article", 40, 4, 7).seeded("Chat", 3, 4, 8));
    let output = stage.run(&["col", "backup", "-q", "Article"]);
    assert_eq!(output.status.code(), Some(0));
    stage
}

fn asked(stage: &Stage, names: &[&str]) -> Terminal {
    let mut terminal = Terminal::open(stage, &[&["col", "rm"], names].concat());
    terminal.waits_for(NAME);
    terminal
}

fn nothing_was_sent(stage: &Stage) {
    assert_eq!(stage.sandbox.writing_requests(), 0);
    assert_eq!((stage.sandbox.count("Article", None), stage.sandbox.count("Chat", None)), (40, 3));
    assert!(!stage.archives().join(".safety").exists(), "nothing is saved either");
}

#[test]
fn the_plan_is_shown_and_the_exact_name_removes() {
    let stage = stage();
    let mut terminal = Terminal::open(&stage, &["col", "rm", "Article"]);
    let plan = terminal.waits_for(NAME);
    assert!(plan.contains("Article  40 objects") && plan.contains("newest archive that holds it"), "{plan}");
    assert!(plan.contains("Remove Article with its 40 objects?"), "{plan}");
    terminal.types("Article\n");
    let (code, rest) = terminal.ends();
    assert_eq!(code, 0, "{rest}");
    assert!(rest.contains("Removed 1 collection, 40 objects") && !rest.contains(SURE), "{rest}");
    assert_eq!(stage.sandbox.collections(), ["Chat"]);
}

#[test]
fn anything_but_the_exact_name_removes_nothing() {
    for answer in [
        "\n",
        "article\n",
        "ARTICLE\n",
        "Articl\n",
        "Articles\n",
        "Article \n",
        " Article\n",
        "y\n",
        "yes\n",
        "Art\nicle\n",
        "*\n",
    ] {
        let stage = stage();
        let mut terminal = asked(&stage, &["Article"]);
        terminal.types(answer);
        let (code, rest) = terminal.ends();
        assert_eq!(code, 4, "{answer:?}: {rest}");
        assert!(rest.contains("not confirmed; nothing was changed"), "{answer:?}: {rest}");
        nothing_was_sent(&stage);
    }
}

#[test]
fn control_d_is_no_answer_and_control_c_ends_the_run() {
    for (typed, key, code, words) in [
        ("", 'd', 4, "no answer; nothing was changed"),
        ("Article", 'd', 4, "no answer; nothing was changed"),
        ("", 'c', 130, "interrupted; nothing was changed"),
        ("Article", 'c', 130, "interrupted; nothing was changed"),
    ] {
        let stage = stage();
        let mut terminal = asked(&stage, &["Article"]);
        terminal.types(typed);
        terminal.session.send_control(key).expect("sent");
        if typed == "Article" && key == 'd' {
            // The first one hands over what was typed, the second one ends the input.
            std::thread::sleep(Duration::from_millis(200));
            terminal.session.send_control(key).expect("sent");
        }
        let (ended, rest) = terminal.ends();
        assert_eq!(ended, code, "{typed:?} ^{key}: {rest}");
        assert!(rest.contains(words) && !rest.contains("safe place"), "{typed:?} ^{key}: {rest}");
        nothing_was_sent(&stage);
    }
}

#[test]
fn what_no_archive_holds_is_asked_for_once_more_with_no_as_the_default() {
    for (answer, code) in [("\n", 4), ("n\n", 4), ("Chat\n", 4), ("yep\n", 4), ("y\n", 0), ("YES\n", 0)] {
        let stage = stage();
        let mut terminal = asked(&stage, &["Chat"]);
        terminal.types("Chat\n");
        let why = terminal.waits_for(SURE);
        assert!(why.contains("No archive holds the objects of Chat"), "{why}");
        assert_eq!(stage.sandbox.writing_requests(), 0);
        terminal.types(answer);
        let (ended, rest) = terminal.ends();
        assert_eq!(ended, code, "{answer:?}: {rest}");
        if code == 0 {
            assert_eq!(stage.sandbox.collections(), ["Article"]);
        } else {
            nothing_was_sent(&stage);
        }
    }
}

#[test]
fn a_pasted_second_line_does_not_answer_the_second_question() {
    let stage = stage();
    let mut terminal = asked(&stage, &["Chat"]);
    terminal.types("Chat\ny\ny\n");
    terminal.waits_for(SURE);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(stage.sandbox.writing_requests(), 0);
    terminal.session.send_control('d').expect("sent");
    let (code, rest) = terminal.ends();
    assert_eq!(code, 4, "{rest}");
    nothing_was_sent(&stage);
}

#[test]
fn keys_pressed_before_the_question_do_not_answer_it() {
    let stage = stage();
    stage.sandbox.faults().add(sandbox::Fault::new(sandbox::Kind::Delay(Duration::from_millis(600))).path("/v1/meta"));
    let mut terminal = Terminal::open(&stage, &["col", "rm", "Article"]);
    terminal.types("Article\n");
    terminal.waits_for(NAME);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(stage.sandbox.writing_requests(), 0);
    terminal.types("no\n");
    assert_eq!(terminal.ends().0, 4);
    nothing_was_sent(&stage);
}

#[test]
fn each_of_several_is_asked_for_and_one_wrong_answer_saves_all() {
    let stage = stage();
    let mut terminal = asked(&stage, &["*"]);
    terminal.types("Article\n");
    let next = terminal.waits_for(NAME);
    assert!(next.contains("Remove Chat with its 3 objects?"), "{next}");
    terminal.types("Article\n");
    assert_eq!(terminal.ends().0, 4);
    nothing_was_sent(&stage);

    let mut terminal = asked(&stage, &["*"]);
    terminal.types("Article\n");
    terminal.waits_for(NAME);
    terminal.types("Chat\n");
    terminal.waits_for(SURE);
    terminal.types("y\n");
    let (code, rest) = terminal.ends();
    assert_eq!(code, 0, "{rest}");
    assert!(stage.sandbox.collections().is_empty());
}

fn one_more() -> Change {
    Change::Write(r#"{"class":"Article","properties":{},"vector":[1,2,3,4]}"#.into())
}

#[test]
fn a_count_that_moved_is_shown_and_asked_for_again() {
    let stage = stage();
    let mut terminal = asked(&stage, &["Article"]);
    stage.sandbox.faults().now(&one_more());
    terminal.types("Article\n");
    let again = terminal.waits_for(NAME);
    assert!(again.contains("Article has 41 objects now, and it had 40 when the question was asked"), "{again}");
    assert!(again.contains("with its 41 objects?"), "{again}");
    assert_eq!(stage.sandbox.writing_requests(), 0);
    terminal.types("Article\n");
    let sure = terminal.waits_for(SURE);
    assert!(sure.contains("holds 40 objects, and the server 41"), "{sure}");
    terminal.types("y\n");
    let (code, rest) = terminal.ends();
    assert_eq!(code, 0, "{rest}");
    assert_eq!(stage.sandbox.collections(), ["Chat"]);
}

#[test]
fn a_count_that_never_stands_still_ends_the_run() {
    let stage = stage();
    let mut terminal = Terminal::open(&stage, &["col", "rm", "Article"]);
    for round in 0..3 {
        terminal.waits_for(NAME);
        stage.sandbox.faults().now(&one_more());
        terminal.types("Article\n");
        if round > 0 {
            // The archive does not hold everything any more.
            terminal.waits_for(SURE);
            terminal.types("y\n");
        }
    }
    let (code, rest) = terminal.ends();
    assert_eq!(code, 4, "{rest}");
    assert!(rest.contains("the objects of Article keep changing; nothing was changed"), "{rest}");
    assert_eq!((stage.sandbox.writing_requests(), stage.sandbox.count("Article", None)), (0, 43));
}

#[test]
fn a_collection_that_goes_away_while_the_question_waits_is_said() {
    let stage = stage();
    let mut terminal = asked(&stage, &["Article"]);
    stage.sandbox.faults().now(&Change::Drop("Article".into()));
    terminal.types("Article\n");
    let (code, rest) = terminal.ends();
    assert_eq!(code, 5, "{rest}");
    assert!(rest.contains("Article was removed meanwhile"), "{rest}");
    assert_eq!(stage.sandbox.writing_requests(), 0);
}

#[test]
fn above_ten_thousand_objects_there_is_a_second_question_whatever_holds_them() {
    let stage = Stage::new(Sandbox::builder().seeded("Article", 10_001, 2, 7));
    stage.backup();
    let mut terminal = asked(&stage, &["Article"]);
    terminal.types("Article\n");
    let why = terminal.waits_for(SURE);
    assert!(
        why.contains("holds 10,001 objects, and the server 10,001; whether any was written since is not known"),
        "{why}"
    );
    terminal.types("\n");
    assert_eq!(terminal.ends().0, 4);
    assert_eq!(stage.sandbox.writing_requests(), 0);
}

#[test]
fn yes_answers_both_questions_and_covers_no_glob() {
    let stage = stage();
    let (code, rest) = Terminal::open(&stage, &["col", "rm", "C*", "--yes"]).ends();
    assert_eq!(code, 4, "{rest}");
    nothing_was_sent(&stage);
    let (code, rest) = Terminal::open(&stage, &["col", "rm", "Chat", "--yes"]).ends();
    assert_eq!(code, 0, "{rest}");
    assert!(rest.contains("Chat  3 objects") && !rest.contains(NAME) && !rest.contains(SURE), "{rest}");
    assert_eq!(stage.sandbox.collections(), ["Article"]);
}

#[test]
fn nothing_is_drawn_while_a_question_waits() {
    let stage = stage();
    let mut terminal = asked(&stage, &["Article"]);
    let since = Instant::now();
    let mut drawn = String::new();
    while since.elapsed() < Duration::from_millis(600) {
        drawn.extend(terminal.session.try_read());
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(drawn, "");
    terminal.types("n\n");
    assert_eq!(terminal.ends().0, 4);
}

#[test]
fn what_is_written_to_while_the_question_waits_is_asked_for_once_more() {
    for verb in ["rm", "clear"] {
        let stage = stage();
        let archives = std::fs::read_dir(stage.archives()).expect("a folder");
        let archive = archives.map(|entry| entry.expect("an archive").path()).find(|path| !path.ends_with(".safety"));
        crate::rm::held::begun_later(&archive.expect("an archive"));
        let mut terminal = Terminal::open(&stage, &["col", verb, "Article"]);
        let plan = terminal.waits_for(NAME);
        assert!(plan.contains("none here was written since"), "{plan}");
        let object = stage.sandbox.objects("Article", None).remove(0);
        stage.sandbox.faults().now(&Change::Write(object));
        terminal.types("Article\n");
        let again = terminal.waits_for(NAME);
        assert!(again.contains("Article was written to while the question was asked"), "{again}");
        assert_eq!((stage.sandbox.count("Article", None), stage.sandbox.collections().len()), (40, 2));
        terminal.types("Article\n");
        let sure = terminal.waits_for(SURE);
        assert!(sure.contains("of which at least one was written since it was begun"), "{sure}");
        terminal.types("y\n");
        let (code, rest) = terminal.ends();
        assert_eq!(code, 0, "{rest}");
    }
}

#[test]
fn an_archive_that_goes_away_while_the_question_waits_holds_nothing() {
    let stage = stage();
    let archives = std::fs::read_dir(stage.archives()).expect("a folder");
    let archive = archives.map(|entry| entry.expect("an archive").path()).find(|path| !path.ends_with(".safety"));
    let archive = archive.expect("an archive");
    crate::rm::held::begun_later(&archive);
    let mut terminal = asked(&stage, &["Article"]);
    std::fs::remove_dir_all(&archive).expect("removed");
    terminal.types("Article\n");
    let again = terminal.waits_for(NAME);
    assert!(again.contains("cannot be found any more"), "{again}");
    terminal.types("Article\n");
    let sure = terminal.waits_for(SURE);
    assert!(sure.contains("No archive holds the objects of Article"), "{sure}");
    terminal.session.send_control('d').expect("sent");
    assert_eq!((terminal.ends().0, stage.sandbox.writing_requests()), (4, 0));
}

#[test]
fn a_first_object_of_a_tenant_that_goes_while_the_question_waits_is_a_number_that_moved() {
    for verb in [&["col", "rm", "Article"][..], &["col", "clear", "Article", "--method", "recreate"]] {
        let stage = Stage::new(Sandbox::builder().seeded("Article", 40, 4, 7).in_tenants(1));
        stage.sandbox.faults().now(&Change::Tenant("Article".into(), "t000000".into(), Some("HOT")));
        let objects = stage.sandbox.objects("Article", Some("t000000")).into_iter();
        let ids = objects.map(|object| serde_json::from_str::<serde_json::Value>(&object).expect("JSON")["id"].clone());
        let first = ids.map(|id| id.as_str().expect("an id").to_owned()).min().expect("an object");
        let mut terminal = Terminal::open(&stage, verb);
        terminal.waits_for(NAME);
        stage.sandbox.faults().now(&Change::Delete("Article".into(), Some("t000000".into()), first));
        for answer in ["Article\n", "y\n"] {
            terminal.types(answer);
            terminal.waits_for(if answer == "y\n" { NAME } else { SURE });
        }
        terminal.types("Article\n");
        terminal.waits_for(SURE);
        terminal.types("y\n");
        let (code, rest) = terminal.ends();
        assert_eq!(code, 0, "{verb:?}: {rest}");
    }
}
