//! The way out for what a run says.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use super::{Backlog, Event, Warning};

/// The way out for events: cheap to clone, never fails, never waits. Nobody listening is fine, and so is somebody who does
/// not keep up: see [`MOST_WAITING`](super::MOST_WAITING).
#[derive(Debug, Clone, Default)]
pub struct Events {
    way: Option<Way>,
    /// What goes out; `None`: all of it.
    passes: Option<fn(&Event) -> bool>,
}

#[derive(Debug, Clone)]
struct Way {
    backlog: Arc<Mutex<Backlog<()>>>,
    /// Holds a token once something waits, and is closed once nobody listens.
    news: mpsc::Sender<()>,
}

/// The other end: what was said, in order.
#[derive(Debug)]
pub struct EventReceiver {
    backlog: Arc<Mutex<Backlog<()>>>,
    news: mpsc::Receiver<()>,
}

impl Events {
    /// A handle nobody listens to.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// A handle and its receiver, which ends when the last handle is dropped. What waits for a slow receiver is bounded:
    /// progress is added up or dropped then, warnings and results never.
    #[must_use]
    pub fn channel() -> (Self, EventReceiver) {
        let (sender, receiver) = mpsc::channel(1);
        let backlog = Arc::default();
        let way = Way { backlog: Arc::clone(&backlog), news: sender };
        (Self { way: Some(way), passes: None }, EventReceiver { backlog, news: receiver })
    }

    /// A handle to the same receiver that lets only some of it out.
    #[must_use]
    pub fn only(&self, passes: fn(&Event) -> bool) -> Self {
        Self { way: self.way.clone(), passes: Some(passes) }
    }

    /// Says that something happened.
    pub fn emit(&self, event: Event) {
        let Some(way) = self.way.as_ref().filter(|_| self.passes.is_none_or(|passes| passes(&event))) else { return };
        if way.news.is_closed() {
            return;
        }
        // A queue of plain values is whole whatever its holder was doing when it panicked.
        way.backlog.lock().unwrap_or_else(PoisonError::into_inner).push((), event);
        // A token that lies there already tells of this one too.
        let _ = way.news.try_send(());
    }

    /// Says something a person should know.
    pub fn warn(&self, warning: Warning) {
        self.emit(Event::Warning(warning));
    }
}

impl EventReceiver {
    /// The next event, once there is one. `None`: every handle is gone, and all was received.
    pub async fn recv(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.try_recv() {
                return Some(event);
            }
            if self.news.recv().await.is_none() {
                return self.try_recv();
            }
        }
    }

    /// The next event, if one waits.
    pub fn try_recv(&mut self) -> Option<Event> {
        self.backlog.lock().unwrap_or_else(PoisonError::into_inner).pop().map(|((), event)| event)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MOST_WAITING, Op};
    use super::*;

    fn page() -> Event {
        Event::PageScanned { collection: "Article".parse().expect("a name"), tenant: None, objects: 1, bytes: 10 }
    }

    fn warning(n: usize) -> Warning {
        Warning::KeyOverHttp { host: format!("host{n}") }
    }

    #[tokio::test]
    async fn who_never_reads_holds_nobody_up_and_is_told_every_warning_and_count_in_the_end() {
        let (events, mut receiver) = Events::channel();
        let emitted = events.clone();
        for n in 0..3 {
            (0..MOST_WAITING).for_each(|_| emitted.emit(page()));
            emitted.warn(warning(n));
        }
        drop((events, emitted));
        let (mut objects, mut warnings, mut heard) = (0, Vec::new(), 0);
        while let Some(event) = receiver.recv().await {
            heard += 1;
            match event {
                Event::PageScanned { objects: more, .. } => objects += more,
                Event::Warning(warning) => warnings.push(warning),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((heard, objects), (MOST_WAITING + 3, 3 * MOST_WAITING as u64));
        assert_eq!(warnings, [warning(0), warning(1), warning(2)]);
    }

    #[tokio::test]
    async fn who_waits_is_woken_by_every_handle_and_hears_the_end() {
        let (events, mut receiver) = Events::channel();
        let hears = tokio::spawn(async move {
            let mut heard = 0;
            while receiver.recv().await.is_some() {
                heard += 1;
            }
            heard
        });
        let say = |events: Events| async move {
            for _ in 0..100 {
                events.emit(Event::RunStarted { op: Op::Backup, dry_run: false, version: "0" });
                tokio::task::yield_now().await;
            }
        };
        tokio::join!(say(events.clone()), say(events));
        assert_eq!(hears.await.expect("the end"), 200);
    }

    #[test]
    fn nothing_is_kept_for_somebody_who_is_gone() {
        let (events, receiver) = Events::channel();
        let backlog = Arc::clone(&receiver.backlog);
        drop(receiver);
        events.emit(page());
        assert!(backlog.lock().expect("a backlog").is_empty());
    }
}
