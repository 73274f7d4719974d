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
    /// An object was created at this time, in ms since 1970 by the server's clock.
    pub fn see(&self, created_ms: i64) {
        self.first.fetch_min(created_ms, Ordering::Relaxed);
        self.last.fetch_max(created_ms, Ordering::Relaxed);
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
        for at in [7, 5, 9] {
            stamps.see(at);
        }
        assert_eq!(stamps.seen(), Some(Stamped { first_ms: 5, last_ms: 9 }));
    }
}
