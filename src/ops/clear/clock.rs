//! The time by the server's clock.

use std::time::Instant;

use crate::ops::Session;
use crate::ops::bounds::CLOCK_STEP_MS;

/// The server's clock, carried on by ours.
#[derive(Debug, Clone, Copy)]
pub(super) struct ServerClock {
    at_ms: i64,
    read: Instant,
}

impl ServerClock {
    /// Reads it from `Date` (whole seconds), or from our own clock where there is none.
    pub(super) fn new(server_time_ms: Option<i64>, session: &Session) -> Self {
        let at_ms = server_time_ms.unwrap_or_else(|| session.clock.now().as_millisecond());
        Self { at_ms, read: Instant::now() }
    }

    pub(super) fn now_ms(self) -> i64 {
        self.at_ms.saturating_add(i64::try_from(self.read.elapsed().as_millis()).unwrap_or(i64::MAX))
    }

    /// A time that has certainly been reached by the server's clock, in ms: what is not newer was written before.
    pub(super) fn certain_ms(self) -> i64 {
        self.now_ms().saturating_sub(CLOCK_STEP_MS)
    }

    /// A time that has certainly not been reached yet, in ms: what is newer is written later.
    pub(super) fn future_ms(self) -> i64 {
        self.now_ms().saturating_add(CLOCK_STEP_MS)
    }
}
