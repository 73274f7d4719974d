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
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Slots there are, taken or free.
    open: usize,
    /// What the pacer wanted when it was last told.
    told: usize,
}

impl Slots {
    /// So many at the start.
    pub(super) fn new(open: usize) -> Self {
        Self { free: Semaphore::new(open), state: Mutex::new(State { open, told: open }) }
    }

    /// Waits for a slot; it is given back when dropped. `None` never comes: the semaphore is not closed.
    pub(super) async fn take(&self) -> Option<SemaphorePermit<'_>> {
        self.free.acquire().await.ok()
    }

    /// Gives a slot back, and opens or closes slots until there are as many as the pacer wants. The slot in hand is the
    /// one to close: where others wait for one, a free slot is never seen.
    pub(super) fn give_back(
        &self,
        slot: Option<SemaphorePermit<'_>>,
        pacer: &Mutex<Pacer>,
        collection: &CollectionName,
        events: &Events,
    ) {
        let (wanted, page_objects) = {
            let pacer = pacer.lock().unwrap_or_else(PoisonError::into_inner);
            // Without any slot nobody would ever ask the pacer again.
            (pacer.in_flight().max(1), pacer.ask().objects)
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if wanted != state.told {
            state.told = wanted;
            let (collection, page_objects) = (collection.clone(), page_objects.into());
            events.emit(Event::PaceChanged { collection, page_objects, in_flight: wanted as u64 });
        }
        if wanted >= state.open {
            self.free.add_permits(wanted - state.open);
            state.open = wanted;
            return;
        }
        if let Some(slot) = slot {
            slot.forget();
            state.open -= 1;
        }
        state.open -= self.free.forget_permits(state.open - wanted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::pacer::{Limits, PAGE_BYTES};

    fn pacer(most_in_flight: usize) -> Mutex<Pacer> {
        Mutex::new(Pacer::new(Limits { fixed_page_objects: None, most_in_flight, page_bytes: PAGE_BYTES }, None))
    }

    fn fail(pacer: &Mutex<Pacer>) {
        pacer.lock().expect("a lock").failed();
    }

    #[tokio::test]
    async fn a_slot_closes_though_others_wait_for_one_and_the_last_one_stays() {
        let (pacer, collection) = (pacer(8), "A".parse().expect("a name"));
        let (events, mut receiver) = Events::channel();
        let slots = Slots::new(2);
        let (one, two) = (slots.take().await, slots.take().await);
        fail(&pacer);
        let mut waiting = Box::pin(slots.take());
        assert!(futures_util::poll!(&mut waiting).is_pending());
        slots.give_back(one, &pacer, &collection, &events);
        assert!(futures_util::poll!(&mut waiting).is_pending(), "one slot was closed, and the other one is taken");
        for _ in 0..5 {
            fail(&pacer);
        }
        slots.give_back(two, &pacer, &collection, &events);
        assert!(waiting.await.is_some(), "one slot is left");
        drop(events);
        let told: Vec<Event> = std::iter::from_fn(|| receiver.try_recv()).collect();
        assert!(matches!(told.as_slice(), [Event::PaceChanged { in_flight: 1, .. }]), "{told:?}");
    }

    #[tokio::test]
    async fn free_slots_close_at_once_and_open_again() {
        let (pacer, collection, events) = (pacer(2), "A".parse().expect("a name"), Events::none());
        let slots = Slots::new(5);
        slots.give_back(None, &pacer, &collection, &events);
        assert_eq!(slots.free.available_permits(), 2);
        fail(&pacer);
        let slot = slots.take().await;
        slots.give_back(slot, &pacer, &collection, &events);
        assert_eq!(slots.free.available_permits(), 1);
    }
}
