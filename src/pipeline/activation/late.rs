//! How long a tenant is waited for that was activated and is said to be inactive.

use std::time::{Duration, Instant};

/// Waits for a tenant that was activated and is said to be inactive: not every node hears of it at once. Its pauses double;
/// when they are over it is somebody else who deactivates it. A backup has no use for it: it reads other tenants meanwhile, and
/// in its next round activates anew whoever was inactive.
#[derive(Debug)]
pub struct Late {
    begun: Instant,
    patience: Duration,
    pause: Duration,
}

impl Late {
    /// The first and the longest pause.
    const PAUSE: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(1)];

    /// Begins to wait, for this long.
    #[must_use]
    pub fn within(patience: Duration) -> Self {
        Self { begun: Instant::now(), patience, pause: Self::PAUSE[0] }
    }

    /// The next pause; `None` once patience is over.
    pub fn next_pause(&mut self) -> Option<Duration> {
        let pause = self.pause;
        self.pause = (pause * 2).min(Self::PAUSE[1]);
        (self.begun.elapsed() < self.patience).then_some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_end_with_patience() {
        let mut late = Late::within(Duration::from_secs(60));
        let pauses: Vec<Duration> = std::iter::from_fn(|| late.next_pause()).take(7).collect();
        assert_eq!(pauses, [50, 100, 200, 400, 800, 1_000, 1_000].map(Duration::from_millis));
        assert_eq!(Late::within(Duration::ZERO).next_pause(), None);
    }
}
