//! Bars on a terminal held in memory.

use std::io::{self, Write};

use elysiactl::event::{Event, Op, Warning};
use elysiactl::render::{Bars, Look, Render};
use indicatif::{InMemoryTerm, MultiProgress, ProgressDrawTarget, TermLike};

use crate::support::samples::{at, name, page, planned, result, started};

/// What is told above the bars, on the same terminal.
struct Above(InMemoryTerm);

impl Write for Above {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // As a terminal does it.
        self.0.write_str(&String::from_utf8_lossy(bytes).replace('\n', "\r\n"))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn bars(columns: u16) -> (InMemoryTerm, Bars) {
    let terminal = InMemoryTerm::new(24, columns);
    let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
    let look = Look { colour: false, columns: Box::new(move || usize::from(columns)) };
    let above = Box::new(Above(terminal.clone()));
    (terminal, Bars::new(MultiProgress::new(), target, above, look))
}

/// A run three seconds old: `many` collections, one finished, one unknown, the rest at work.
fn three_seconds(bars: &mut Bars, many: usize) {
    let names: Vec<String> = (0..many).map(|n| format!("Collection_{n}")).collect();
    let plan = names.iter().map(|name| planned(name, Some(10_000))).collect();
    bars.event(&Event::RunStarted { op: Op::Backup, dry_run: false, version: "0.1.0" }, at(0)).expect("drawn");
    bars.event(&Event::PlanMade { collections: plan }, at(0)).expect("drawn");
    for name in &names {
        bars.event(&started(name, Some(10_000)), at(0)).expect("drawn");
    }
    for step in 0..30 {
        for (number, name) in names.iter().enumerate() {
            bars.event(&page(name, 10 * (number as u64 % 9 + 1)), at(step * 100)).expect("drawn");
        }
        bars.tick(at(step * 100)).expect("drawn");
    }
    bars.event(&Event::CollectionFinished(result(&names[0], 300)), at(3_000)).expect("drawn");
    bars.tick(at(3_000)).expect("drawn");
}

#[test]
fn a_short_run_draws_nothing() {
    let (terminal, mut bars) = bars(80);
    bars.event(&started("Article", Some(10)), at(0)).expect("drawn");
    bars.tick(at(200)).expect("drawn");
    assert_eq!(terminal.contents(), "");
    bars.tick(at(250)).expect("drawn");
    assert!(terminal.contents().contains("Article"));
    bars.finish(at(300)).expect("drawn");
    assert_eq!(terminal.contents(), "");
}

#[test]
fn a_few_collections_on_80_columns() {
    let (terminal, mut bars) = bars(80);
    three_seconds(&mut bars, 4);
    insta::assert_snapshot!(terminal.contents());
}

#[test]
fn hundreds_of_collections_take_ten_lines() {
    let (terminal, mut bars) = bars(80);
    three_seconds(&mut bars, 300);
    insta::assert_snapshot!(terminal.contents());
}

#[test]
fn wide_and_narrow_terminals() {
    let (wide, mut on_wide) = bars(140);
    three_seconds(&mut on_wide, 3);
    let (narrow, mut on_narrow) = bars(50);
    three_seconds(&mut on_narrow, 3);
    let (tiny, mut on_tiny) = bars(24);
    three_seconds(&mut on_tiny, 3);
    insta::assert_snapshot!([wide, narrow, tiny].map(|terminal| terminal.contents()).join("\n----\n"));
}

#[test]
fn unknown_totals_dropped_pages_warnings_and_trouble() {
    let (terminal, mut bars) = bars(80);
    let mut feed = |milliseconds, event: Event| bars.event(&event, at(milliseconds)).expect("drawn");
    feed(0, Event::PlanMade { collections: vec![planned("Article", None)] });
    feed(0, started("Article", None));
    feed(900, page("Article", 5_000));
    feed(950, Event::PagesDropped { collection: name("Article"), objects: 2_000, bytes: 2_000_000 });
    feed(
        950,
        Event::TopologyChanged { collection: name("Article"), whole: false, reason: "node2\u{1b} is away".into() },
    );
    feed(960, Event::Warning(Warning::CountUnchecked { collection: name("Article"), reason: "GraphQL is off".into() }));
    bars.tick(at(1_000)).expect("drawn");
    let broken = terminal.contents();
    let mut feed = |milliseconds, event: Event| bars.event(&event, at(milliseconds)).expect("drawn");
    feed(1_500, Event::TopologyChanged { collection: name("Article"), whole: true, reason: String::new() });
    feed(1_500, Event::Retrying { route: "GET /v1/objects".into(), attempt: 2, wait_ms: 700, reason: "503".into() });
    bars.tick(at(2_000)).expect("drawn");
    let retrying = terminal.contents();
    bars.tick(at(9_000)).expect("drawn");
    insta::assert_snapshot!([broken, retrying, terminal.contents()].join("\n----\n"));
}

fn batch(collection: &str, objects: u64, rejected: u64) -> Event {
    Event::BatchImported { collection: name(collection), tenant: None, objects, bytes: objects * 1_000, rejected }
}

#[test]
fn a_restore_writes_and_then_compares_and_never_passes_its_end() {
    let (terminal, mut bars) = bars(80);
    let mut frames = Vec::new();
    let mut feed = |bars: &mut Bars, milliseconds, events: Vec<Event>| {
        for event in events {
            bars.event(&event, at(milliseconds)).expect("drawn");
        }
        bars.tick(at(milliseconds)).expect("drawn");
        frames.push(terminal.contents());
    };
    let plan = vec![planned("Article", Some(1_000)), planned("Chat", Some(500))];
    bars.event(&Event::RunStarted { op: Op::Restore, dry_run: false, version: "0.1.0" }, at(0)).expect("drawn");
    bars.event(&Event::PlanMade { collections: plan }, at(0)).expect("drawn");
    let begin = vec![started("Article", Some(1_000)), batch("Article", 400, 1)];
    feed(&mut bars, 1_000, begin);
    // The first collection is compared while the second is written.
    let both = vec![batch("Article", 600, 0), page("Article", 300), started("Chat", Some(500)), batch("Chat", 100, 0)];
    feed(&mut bars, 2_000, both);
    feed(&mut bars, 3_000, vec![batch("Chat", 400, 0), page("Article", 300), page("Chat", 50)]);
    // The server holds more than was written, some of it read twice.
    let drop = Event::PagesDropped { collection: name("Article"), objects: 100, bytes: 100_000 };
    feed(&mut bars, 4_000, vec![drop, page("Article", 700), page("Chat", 450)]);
    let done = Event::Verified { collection: name("Article"), objects: 1_200, ok: false };
    feed(&mut bars, 5_000, vec![done, Event::CollectionFinished(result("Article", 1_000))]);
    let done = Event::Verified { collection: name("Chat"), objects: 500, ok: true };
    feed(&mut bars, 6_000, vec![done, Event::CollectionFinished(result("Chat", 500))]);
    insta::assert_snapshot!(frames.join("\n----\n"));
}
