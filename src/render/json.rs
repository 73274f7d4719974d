//! Events as NDJSON: one object a line, each line flushed, `time` first. docs/events.md is the contract.

use std::io::{self, Write};

use serde_json::Value;

use super::{Moment, Render, remark, schema_difference};
use crate::event::{Event, Op, Remark, RestorePlanned};

/// Prints every event as one line of JSON.
#[derive(Debug)]
pub struct Json<W> {
    out: W,
}

impl<W: Write + Send> Json<W> {
    /// Prints to `out`.
    pub fn new(out: W) -> Self {
        Self { out }
    }
}

/// The plan of a restore, each of its facts with its words as `text` beside it.
fn worded(event: &Event, plan: &RestorePlanned) -> serde_json::Result<Value> {
    let text = |fact: &Remark| remark(Op::Restore, fact);
    let mut object = serde_json::to_value(event)?;
    add(&mut object["aliases"], plan.aliases.iter().cloned().map(|fact| text(&fact.into())));
    add(&mut object["roles"], plan.roles.iter().cloned().map(|fact| text(&fact.into())));
    for (at, collection) in plan.collections.iter().enumerate() {
        let told = &mut object["collections"][at];
        add(&mut told["differs"], collection.differs.iter().map(text));
        if let Some(there) = &collection.there {
            add(
                &mut told["there"]["schema_differs"],
                there.schema_differs.iter().map(|fact| schema_difference(Op::Restore, fact)),
            );
        }
    }
    Ok(object)
}

fn add(facts: &mut Value, texts: impl Iterator<Item = String>) {
    for (fact, text) in facts.as_array_mut().into_iter().flatten().zip(texts) {
        fact["text"] = text.into();
    }
}

impl<W: Write + Send> Render for Json<W> {
    fn event(&mut self, event: &Event, at: Moment) -> io::Result<()> {
        // One write a line, so that a reader never sees half of one.
        let mut line = format!("{{\"time\":\"{:.3}\",", at.time).into_bytes();
        let object = match event {
            Event::RestorePlanned(plan) => serde_json::to_vec(&worded(event, plan)?)?,
            other => serde_json::to_vec(other)?,
        };
        line.extend_from_slice(object.strip_prefix(b"{").unwrap_or(&object));
        line.push(b'\n');
        self.out.write_all(&line)?;
        self.out.flush()
    }

    fn tick(&mut self, _: Moment) -> io::Result<()> {
        Ok(())
    }

    fn holds_results(&self) -> bool {
        true
    }

    fn finish(&mut self, _: Moment) -> io::Result<()> {
        self.out.flush()
    }
}
