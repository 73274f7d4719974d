//! The requests that may be in flight at once, as many as the pacer wants at the moment.

use std::sync::{Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::pacer::Pacer;
use crate::event::{Event, Events};
use crate::model::CollectionName;

/// Slots for requests.
#[derive(Debug)]
pub(super) struct Slots {
    free: Semaphore,
    open: Mutex<usize>,
}

impl Slots {
    /// So many at the start.
    pub(super) fn new(open: usize) -> Self {
        Self { free: Semaphore::new(open), open: Mutex::new(open) }
    }

    /// Waits for a slot; it is given back when dropped. `None` never comes: the semaphore is not closed.
    pub(super) async fn take(&self) -> Option<SemaphorePermit<'_>> {
        self.free.acquire().await.ok()
    }

    /// Opens or closes slots until there are as many as the pacer wants.
    pub(super) fn adjust(&self, pacer: &Mutex<Pacer>, collection: &CollectionName, events: &Events) {
        let (wanted, page_objects) = {
            let pacer = pacer.lock().unwrap_or_else(PoisonError::into_inner);
            (pacer.in_flight(), pacer.ask().objects)
        };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if wanted != *open {
            let (collection, page_objects) = (collection.clone(), page_objects.into());
            events.emit(Event::PaceChanged { collection, page_objects, in_flight: wanted as u64 });
        }
        if wanted > *open {
            self.free.add_permits(wanted - *open);
            *open = wanted;
        } else {
            *open -= self.free.forget_permits(*open - wanted);
        }
    }
}
