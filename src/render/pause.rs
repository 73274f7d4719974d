//! Keeps a renderer still while a person is asked something: nothing may be drawn over a question.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{Moment, Render};
use crate::event::Event;

/// Whether somebody is being asked; shared by whoever asks and by the renderers on that terminal.
#[derive(Debug, Clone, Default)]
pub struct Pause(Arc<State>);

#[derive(Debug, Default)]
struct State {
    on: Mutex<bool>,
    over: Condvar,
    spent_ms: AtomicU64,
}

/// A pause under way; dropping it ends it.
#[derive(Debug)]
pub struct Paused {
    pause: Pause,
    since: Instant,
}

impl Pause {
    fn on(&self) -> MutexGuard<'_, bool> {
        // A single flag is whole whatever its holder was doing when it panicked.
        self.0.on.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a pause once nobody is drawing any more, and tidies the screen before anybody can draw again.
    #[must_use]
    pub fn begin(&self, tidy: impl FnOnce()) -> Paused {
        let mut on = self.on();
        *on = true;
        tidy();
        drop(on);
        Paused { pause: self.clone(), since: Instant::now() }
    }

    /// Whether a pause is under way.
    #[must_use]
    pub fn is_on(&self) -> bool {
        *self.on()
    }

    /// The time all pauses took that are over: it is the person's, not the run's.
    #[must_use]
    pub fn spent(&self) -> Duration {
        Duration::from_millis(self.0.spent_ms.load(Ordering::Relaxed))
    }

    /// A renderer that waits while a pause is under way. What comes meanwhile gathers in its bounded queue.
    #[must_use]
    pub fn around(&self, inner: Box<dyn Render>) -> Box<dyn Render> {
        Box::new(Waits { inner, pause: self.clone() })
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        let spent = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.pause.0.spent_ms.fetch_add(spent, Ordering::Relaxed);
        *self.pause.on() = false;
        self.pause.0.over.notify_all();
    }
}

struct Waits {
    inner: Box<dyn Render>,
    pause: Pause,
}

impl Waits {
    fn when_over(&mut self, draw: impl FnOnce(&mut dyn Render) -> io::Result<()>) -> io::Result<()> {
        let state = &self.pause.0;
        // Held while drawing, so that a pause begins between two draws.
        let _still = state.over.wait_while(self.pause.on(), |on| *on).unwrap_or_else(PoisonError::into_inner);
        draw(&mut *self.inner)
    }
}

impl Render for Waits {
    fn event(&mut self, event: &Event, at: Moment) -> io::Result<()> {
        self.when_over(|inner| inner.event(event, at))
    }

    fn tick(&mut self, at: Moment) -> io::Result<()> {
        self.when_over(|inner| inner.tick(at))
    }

    fn finish(&mut self, at: Moment) -> io::Result<()> {
        self.when_over(|inner| inner.finish(at))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    struct Counts(Arc<AtomicUsize>);

    impl Render for Counts {
        fn event(&mut self, _: &Event, _: Moment) -> io::Result<()> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }

        fn tick(&mut self, _: Moment) -> io::Result<()> {
            Ok(())
        }

        fn finish(&mut self, _: Moment) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn nothing_is_drawn_in_a_pause_and_nothing_is_lost() {
        let (pause, drawn) = (Pause::default(), Arc::new(AtomicUsize::new(0)));
        let mut render = pause.around(Box::new(Counts(Arc::clone(&drawn))));
        let at = Moment { time: jiff::Timestamp::UNIX_EPOCH, elapsed: Duration::ZERO };
        let event = Event::PlanMade { collections: Vec::new() };
        render.event(&event, at).expect("drawn");

        let mut tidied = false;
        let paused = pause.begin(|| tidied = true);
        assert!(tidied && pause.is_on());
        std::thread::scope(|scope| {
            let late = scope.spawn(|| render.event(&event, at));
            std::thread::sleep(Duration::from_millis(30));
            assert_eq!(drawn.load(Ordering::SeqCst), 1);
            drop(paused);
            late.join().expect("no panic").expect("drawn");
        });
        assert_eq!((drawn.load(Ordering::SeqCst), pause.is_on()), (2, false));
        assert!(pause.spent() >= Duration::from_millis(30));
    }
}
