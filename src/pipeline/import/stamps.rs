//! When the objects of an import were created, as the server says in its answers: by these times they are known again.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::model::Stamped;

/// The first and the last time seen so far.
#[derive(Debug)]
pub struct Stamps {
    first: AtomicI64,
    last: AtomicI64,
}

impl Default for Stamps {
    fn default() -> Self {
        Self { first: AtomicI64::new(i64::MAX), last: AtomicI64::new(i64::MIN) }
    }
}

impl Stamps {
    /// Objects were created in this time.
    pub fn see(&self, created: Stamped) {
        self.first.fetch_min(created.first_ms, Ordering::Relaxed);
        self.last.fetch_max(created.last_ms, Ordering::Relaxed);
    }

    /// What was seen; `None` if the server said nothing of times.
    #[must_use]
    pub fn seen(&self) -> Option<Stamped> {
        let stamped =
            Stamped { first_ms: self.first.load(Ordering::Relaxed), last_ms: self.last.load(Ordering::Relaxed) };
        (stamped.first_ms <= stamped.last_ms).then_some(stamped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_seen_before_a_server_says_a_time() {
        let stamps = Stamps::default();
        assert_eq!(stamps.seen(), None);
        for (first_ms, last_ms) in [(7, 7), (5, 6), (6, 9)] {
            stamps.see(Stamped { first_ms, last_ms });
        }
        assert_eq!(stamps.seen(), Some(Stamped { first_ms: 5, last_ms: 9 }));
    }
}
