//! The stage itself: workers take units, read both sides, merge them, and hand over what they found. A result counts only
//! when the answers it rests on are proven; that is for the operation to judge.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Found;
use super::comparison::{Comparison, Round};
use super::error::Error;
use super::merge::Merge;
use crate::pipeline::pacer::Pacer;
use crate::pipeline::slots::Slots;

/// Pieces of the left side that wait for the right one; one more waits to be sent, and one is being compared.
const PIECES_WAITING: usize = 1;

impl Comparison {
    /// Compares the units `todo`, by their places, and hands what was found in each to `done`, until all are compared,
    /// `reading` is cancelled, or something fails.
    pub async fn run(
        self: &Arc<Self>,
        todo: &[usize],
        reading: &CancellationToken,
        mut done: impl FnMut(usize, Found),
    ) -> Result<(), Error> {
        let workers = self.limits.most_in_flight.min(todo.len()).max(1);
        let pacer = Pacer::new(self.limits, self.object_bytes);
        let round = Arc::new(Round {
            comparison: Arc::clone(self),
            slots: Slots::new(pacer.in_flight()),
            pacer: Mutex::new(pacer),
            pages: AtomicU64::new(0),
            begun: Instant::now(),
            todo: Mutex::new(todo.iter().copied().collect()),
            reading: reading.clone(),
        });
        let (sender, mut results) = mpsc::channel(workers);
        let mut running = JoinSet::new();
        for _ in 0..workers {
            running.spawn(Arc::clone(&round).work(sender.clone()));
        }
        drop(sender);
        // A dropped set stops its tasks: nothing goes on behind an error.
        loop {
            tokio::select! {
                biased;
                Some((unit, found)) = results.recv() => done(unit, found),
                Some(ended) = running.join_next() => ended.map_err(|_| Error::Thread)??,
                else => return Ok(()),
            }
        }
    }
}

impl Round {
    async fn work(self: Arc<Self>, results: mpsc::Sender<(usize, Found)>) -> Result<(), Error> {
        let next = || self.todo.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        while let Some(unit) = next() {
            let found = tokio::select! {
                () = self.reading.cancelled() => return Ok(()),
                found = self.unit(unit) => found?,
            };
            if results.send((unit, found)).await.is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Compares one unit. What it found is worth something only when the left side was proven to its end.
    async fn unit(&self, unit: usize) -> Result<Found, Error> {
        let left = &self.comparison.left;
        if !left.wants(unit) {
            return Ok(Found::default());
        }
        let (sender, mut pieces) = mpsc::channel(PIECES_WAITING);
        let reading = left.read(unit, sender);
        let mut merge = Merge::new(self, left.unit(unit));
        while let Some(piece) = pieces.recv().await {
            merge.take(piece).await?;
        }
        reading.await.map_err(|_| Error::Thread)??;
        merge.finish().await
    }
}
