//! Events that wait to be heard or shown: bounded in progress, complete in everything else.

use std::collections::VecDeque;

use super::Event;

/// Events that may wait before progress is added up or dropped. Warnings and results always have a place: there are few.
pub const MOST_WAITING: usize = 4_096;

/// Events that wait, in order, each with a note of its own (`At`), such as when it happened.
#[derive(Debug)]
pub struct Backlog<At> {
    waiting: VecDeque<(At, Event)>,
}

impl<At> Default for Backlog<At> {
    fn default() -> Self {
        Self { waiting: VecDeque::new() }
    }
}

impl<At> Backlog<At> {
    /// Puts an event at the end. With [`MOST_WAITING`] before it, a page or batch is added to the last one of its collection
    /// that waits, so that the counts still come out right; any other progress is dropped.
    pub fn push(&mut self, at: At, event: Event) {
        if self.waiting.len() < MOST_WAITING || !is_progress(&event) {
            self.waiting.push_back((at, event));
        } else {
            let _ = self.waiting.iter_mut().rev().any(|(_, waiting)| add_up(waiting, &event));
        }
    }

    /// Takes the first one out.
    pub fn pop(&mut self) -> Option<(At, Event)> {
        self.waiting.pop_front()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.waiting.clear();
    }
}

/// Whether the event only tells how far things are: what a reader who is too slow may miss.
fn is_progress(event: &Event) -> bool {
    matches!(
        event,
        Event::PageScanned { .. }
            | Event::BatchImported { .. }
            | Event::Creating { .. }
            | Event::ObjectRejected { .. }
            | Event::TenantStarted { .. }
            | Event::PartSealed { .. }
            | Event::Retrying { .. }
            | Event::PaceChanged { .. }
            | Event::CheckpointSaved { .. }
    )
}

/// Adds a later page or batch to one of the same keys that waits. `false`: it does not belong there.
fn add_up(waiting: &mut Event, late: &Event) -> bool {
    match (waiting, late) {
        (
            Event::PageScanned { collection, tenant, objects, bytes },
            Event::PageScanned { collection: theirs, tenant: their_tenant, objects: more, bytes: more_bytes },
        ) if collection == theirs && tenant == their_tenant => {
            *objects += more;
            *bytes += more_bytes;
            true
        }
        (
            Event::BatchImported { collection, tenant, objects, bytes, rejected },
            Event::BatchImported {
                collection: theirs,
                tenant: their_tenant,
                objects: more,
                bytes: more_bytes,
                rejected: more_rejected,
            },
        ) if collection == theirs && tenant == their_tenant => {
            *objects += more;
            *bytes += more_bytes;
            *rejected += more_rejected;
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(objects: u64) -> Event {
        Event::PageScanned {
            collection: "Article".parse().expect("a name"),
            tenant: None,
            objects,
            bytes: objects * 10,
        }
    }

    fn batch(objects: u64) -> Event {
        Event::BatchImported {
            collection: "Article".parse().expect("a name"),
            tenant: None,
            objects,
            bytes: objects * 10,
            rejected: objects / 2,
        }
    }

    #[test]
    fn batches_are_added_up_apart_from_pages() {
        let mut backlog = Backlog::default();
        for _ in 0..MOST_WAITING {
            backlog.push((), page(1));
            backlog.push((), batch(4));
        }
        let (mut scanned, mut imported, mut refused) = (0, 0, 0);
        while let Some(((), event)) = backlog.pop() {
            match event {
                Event::PageScanned { objects, .. } => scanned += objects,
                Event::BatchImported { objects, rejected, .. } => {
                    (imported, refused) = (imported + objects, refused + rejected);
                }
                _ => {}
            }
        }
        let each = MOST_WAITING as u64;
        assert_eq!((scanned, imported, refused), (each, each * 4, each * 2));
    }

    #[test]
    fn who_does_not_read_costs_no_more_than_the_bound_and_loses_no_result() {
        let mut backlog = Backlog::default();
        for _ in 0..MOST_WAITING * 3 {
            backlog.push((), page(1));
        }
        let result = Event::Verified { collection: "Article".parse().expect("a name"), objects: 1, ok: true };
        backlog.push((), result.clone());
        assert_eq!(backlog.waiting.len(), MOST_WAITING + 1);

        let mut objects = 0;
        let mut last = None;
        while let Some(((), event)) = backlog.pop() {
            if let Event::PageScanned { objects: more, .. } = &event {
                objects += more;
            }
            last = Some(event);
        }
        assert_eq!((objects, last), (MOST_WAITING as u64 * 3, Some(result)));
    }
}
