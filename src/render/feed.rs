//! One consumer of the event stream that hands every event to each renderer in the same order. Each renderer has a
//! thread and a bounded queue of its own, so a blocked terminal or pipe stalls neither the run nor another renderer.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::event::{Backlog, Event, EventReceiver};
use crate::model::Clock;

/// Between two ticks of a renderer: bars are drawn at most ten times a second.
const TICK: Duration = Duration::from_millis(100);

/// When something happened: by the wall clock, and since the run began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Wall clock, UTC.
    pub time: jiff::Timestamp,
    /// Monotonic time since the run began.
    pub elapsed: Duration,
}

/// The clock of a run: the wall clock as given, and the time since it was started.
#[derive(Debug, Clone)]
pub struct Stopwatch {
    clock: Clock,
    start: Instant,
}

impl Stopwatch {
    /// Starts counting now.
    #[must_use]
    pub fn start(clock: Clock) -> Self {
        Self { clock, start: Instant::now() }
    }

    /// What it shows.
    #[must_use]
    pub fn now(&self) -> Moment {
        Moment { time: self.clock.now(), elapsed: self.start.elapsed() }
    }
}

/// A way to show a run. A renderer that returns an error (its reader has gone) is dropped.
pub trait Render: Send {
    /// Takes one event; every renderer sees the same ones in the same order, save for progress it is too slow for.
    fn event(&mut self, event: &Event, at: Moment) -> io::Result<()>;

    /// Called about ten times a second, whether or not anything happened.
    fn tick(&mut self, at: Moment) -> io::Result<()>;

    /// Whether what it writes is the result itself: then a failure to write it is told, and no longer only drawn about.
    fn holds_results(&self) -> bool {
        false
    }

    /// No event will follow: leave the screen as others expect it.
    fn finish(&mut self, at: Moment) -> io::Result<()>;
}

/// Feeds `renderers` until `run_finished` or until the last handle is gone, then waits until all of it is drawn.
/// A renderer nobody reads from holds this up (never the run): its results must not get lost. The error is that of a
/// renderer that [holds results](Render::holds_results).
pub async fn feed(mut events: EventReceiver, renderers: Vec<Box<dyn Render>>, watch: Stopwatch) -> io::Result<()> {
    let mut threads: Vec<(Arc<Mailbox>, JoinHandle<io::Result<()>>)> = Vec::new();
    for render in renderers {
        let mailbox = Arc::new(Mailbox::default());
        let (theirs, their_watch) = (Arc::clone(&mailbox), watch.clone());
        let thread = std::thread::Builder::new().name("render".into());
        // Without a thread the run goes on unseen, as with a renderer whose reader has gone.
        if let Ok(handle) = thread.spawn(move || draw(&theirs, render, &their_watch)) {
            threads.push((mailbox, handle));
        }
    }
    while let Some(event) = events.recv().await {
        let last = matches!(event, Event::RunFinished(_));
        let at = watch.now();
        for (mailbox, _) in &threads {
            mailbox.push(at, event.clone());
        }
        if last {
            break;
        }
    }
    for (mailbox, _) in &threads {
        mailbox.close();
    }
    let join = move || {
        // All of them are waited for, whatever became of the first.
        let ends: Vec<io::Result<()>> =
            threads.into_iter().map(|(_, thread)| thread.join().unwrap_or(Ok(()))).collect();
        ends.into_iter().collect::<io::Result<()>>()
    };
    tokio::task::spawn_blocking(join).await.unwrap_or(Ok(()))
}

/// The life of one renderer's thread.
fn draw(mailbox: &Mailbox, mut render: Box<dyn Render>, watch: &Stopwatch) -> io::Result<()> {
    let mut ticked = Duration::ZERO;
    let told = |done: io::Result<()>, holds: bool| if holds { done } else { Ok(()) };
    loop {
        let drawn = match mailbox.next() {
            Next::Event(at, event) => render.event(&event, at),
            Next::Quiet => Ok(()),
            Next::Closed => {
                let done = render.finish(watch.now());
                return told(done, render.holds_results());
            }
        };
        let now = watch.now();
        let ticks = drawn.and_then(|()| {
            if now.elapsed.saturating_sub(ticked) < TICK {
                return Ok(());
            }
            ticked = now.elapsed;
            render.tick(now)
        });
        if ticks.is_err() {
            mailbox.abandon();
            return told(ticks, render.holds_results());
        }
    }
}

#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it goes on at once")]
enum Next {
    Event(Moment, Event),
    Quiet,
    Closed,
}

/// The bounded queue of one renderer.
#[derive(Default)]
struct Mailbox {
    waiting: Mutex<Waiting>,
    news: Condvar,
}

#[derive(Default)]
struct Waiting {
    events: Backlog<Moment>,
    closed: bool,
    abandoned: bool,
}

impl Mailbox {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // A queue of plain values is whole whatever its holder was doing when it panicked.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, at: Moment, event: Event) {
        let mut waiting = self.waiting();
        if waiting.abandoned {
            return;
        }
        waiting.events.push(at, event);
        drop(waiting);
        self.news.notify_one();
    }

    fn next(&self) -> Next {
        let waiting = self.waiting();
        let idle = |waiting: &mut Waiting| waiting.events.is_empty() && !waiting.closed;
        let (mut waiting, _) =
            self.news.wait_timeout_while(waiting, TICK, idle).unwrap_or_else(PoisonError::into_inner);
        match waiting.events.pop() {
            Some((at, event)) => Next::Event(at, event),
            None if waiting.closed => Next::Closed,
            None => Next::Quiet,
        }
    }

    fn close(&self) {
        self.waiting().closed = true;
        self.news.notify_one();
    }

    fn abandon(&self) {
        let mut waiting = self.waiting();
        waiting.abandoned = true;
        waiting.events.clear();
    }
}
