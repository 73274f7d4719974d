//! The time by a server's clock.

use std::time::Instant;

use super::Clock;

/// Servers tell their time in whole seconds: by as much it may be later than they say, in ms.
pub(crate) const CLOCK_STEP_MS: i64 = 1_000;

/// The server's clock, resumed by ours.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ServerClock {
    at_ms: i64,
    read: Instant,
}

impl ServerClock {
    /// Reads it from `Date` (whole seconds), or from our own clock where there is none.
    pub(crate) fn new(server_time_ms: Option<i64>, own: &Clock) -> Self {
        let at_ms = server_time_ms.unwrap_or_else(|| own.now().as_millisecond());
        Self { at_ms, read: Instant::now() }
    }

    pub(crate) fn now_ms(self) -> i64 {
        self.at_ms.saturating_add(i64::try_from(self.read.elapsed().as_millis()).unwrap_or(i64::MAX))
    }

    /// A time that has certainly been reached by the server's clock, in ms: what is not newer was written before.
    pub(crate) fn certain_ms(self) -> i64 {
        self.now_ms().saturating_sub(CLOCK_STEP_MS)
    }

    /// A time that has certainly not been reached yet, in ms: what is newer is written later.
    pub(crate) fn future_ms(self) -> i64 {
        self.now_ms().saturating_add(CLOCK_STEP_MS)
    }
}
