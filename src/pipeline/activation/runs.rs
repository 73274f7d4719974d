//! The stage of a restore between the reader of an archive and the import: the tenants of the runs to come are activated
//! before their first batch goes on, and deactivated once these runs were judged.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Activation, Error, Window};
use crate::model::TenantName;
use crate::pipeline::{Batch, BatchOrigin};

/// Runs that were judged and may wait until this stage hears of it. While it deactivates tenants it hears of nobody.
pub const RUNS_JUDGED_WAITING: usize = 64;

/// A run by its place in the index, with its tenant on the server.
pub type RunAhead = (usize, TenantName);

/// Activates tenants for runs that are written.
///
/// A window is opened when a batch comes whose run is in none: for that run and those that are read after it. It is closed when
/// all its runs were judged. That nobody waits for a permit for ever has two reasons. Runs are read one after the other, and a
/// window holds the next ones in that order: when another window is asked for, every batch of those that are open was handed on,
/// and none of them waits for a later batch. And who is told that runs were judged goes on while the other half waits: the two
/// share nothing but the list of open windows.
#[derive(Debug)]
pub struct ActivateRuns {
    activation: Arc<Activation>,
    open: Mutex<Vec<OpenWindow>>,
}

/// Tenants that are active for these runs, of which none is judged yet.
#[derive(Debug)]
struct OpenWindow {
    runs: BTreeSet<usize>,
    window: Window,
}

impl ActivateRuns {
    /// No window is open yet.
    #[must_use]
    pub fn new(activation: Arc<Activation>) -> Self {
        Self { activation, open: Mutex::default() }
    }

    /// Hands batches on until there are no more, none is wanted, or tenants cannot be activated; and deactivates those whose runs
    /// are `judged`, until nobody tells any more. `ahead`: the runs of each part, in the order in which they are read. What could
    /// not be deactivated, and what a stop leaves, is for [`Activation::deactivate_all`].
    pub async fn run(
        &self,
        ahead: impl Iterator<Item = Vec<RunAhead>>,
        read: mpsc::Receiver<Batch>,
        on: mpsc::Sender<Batch>,
        mut judged: mpsc::Receiver<usize>,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        let hand_on = async move {
            tokio::select! {
                done = self.hand_on(ahead, read, on) => done,
                () = stop.cancelled() => Ok(()),
            }
        };
        let close = async {
            while let Some(run) = judged.recv().await {
                self.close(run).await;
            }
        };
        tokio::join!(hand_on, close).0
    }

    async fn hand_on(
        &self,
        ahead: impl Iterator<Item = Vec<RunAhead>>,
        mut read: mpsc::Receiver<Batch>,
        on: mpsc::Sender<Batch>,
    ) -> Result<(), Error> {
        let mut ahead = Ahead { parts: ahead, part: VecDeque::new() };
        while let Some(batch) = read.recv().await {
            if let Some(tenant) = batch.space.as_ref().filter(|tenant| self.activation.is_inactive(tenant)) {
                ahead.go_to(|(run, of)| match batch.origin {
                    BatchOrigin::Archived { run: at } => *run == at,
                    // What leads a tenant goes before its first run.
                    BatchOrigin::Leading { .. } | BatchOrigin::Live { .. } => of == tenant,
                });
                self.open(&ahead.part).await?;
            }
            if on.send(batch).await.is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Makes sure that the first of these runs is in an open window, and if it was in none, the next ones with it.
    async fn open(&self, ahead: &VecDeque<RunAhead>) -> Result<(), Error> {
        let Some((first, _)) = ahead.front() else { return Ok(()) };
        if self.windows().iter().any(|open| open.runs.contains(first)) {
            return Ok(());
        }
        let few = self.activation.next_few(ahead.iter().map(|(_, tenant)| tenant));
        let inactive = ahead.iter().filter(|(_, tenant)| self.activation.is_inactive(tenant));
        let runs = inactive.take_while(|(_, tenant)| few.contains(tenant)).map(|(run, _)| *run).collect();
        let window = self.activation.activate(&few).await?;
        self.windows().push(OpenWindow { runs, window });
        Ok(())
    }

    /// A run was judged: after the last one of a window its tenants are deactivated.
    async fn close(&self, run: usize) {
        let over = {
            let mut windows = self.windows();
            let at = windows.iter_mut().position(|open| open.runs.remove(&run) && open.runs.is_empty());
            at.map(|at| windows.swap_remove(at))
        };
        let Some(OpenWindow { window, .. }) = over else { return };
        if let Err(error) = self.activation.deactivate(window).await {
            tracing::warn!(%error, "tenants are not deactivated yet");
        }
    }

    fn windows(&self) -> MutexGuard<'_, Vec<OpenWindow>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The runs of one part that are ahead, and the parts after it.
struct Ahead<I> {
    parts: I,
    part: VecDeque<RunAhead>,
}

impl<I: Iterator<Item = Vec<RunAhead>>> Ahead<I> {
    /// Goes on to the next run that is meant.
    fn go_to(&mut self, is_meant: impl Fn(&RunAhead) -> bool) {
        while !self.part.front().is_some_and(&is_meant) {
            if self.part.pop_front().is_none() {
                let Some(part) = self.parts.next() else { return };
                self.part = part.into();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runs_ahead_are_those_of_the_part_that_is_read() {
        let run = |(run, tenant): (usize, &str)| (run, tenant.parse().expect("a name"));
        let parts = [vec![(4, "a"), (0, "b")], vec![], vec![(5, "a"), (1, "b"), (2, "c")]];
        let parts = parts.into_iter().map(|part| part.into_iter().map(run).collect());
        let mut ahead = Ahead { parts, part: VecDeque::new() };
        let left = |ahead: &Ahead<_>| ahead.part.iter().map(|(run, _)| *run).collect::<Vec<_>>();
        ahead.go_to(|(run, _)| *run == 4);
        assert_eq!(left(&ahead), [4, 0]);
        ahead.go_to(|(run, _)| *run == 4);
        assert_eq!(left(&ahead), [4, 0], "the next batch of the same run");
        ahead.go_to(|(_, tenant)| tenant.to_string() == "c");
        assert_eq!(left(&ahead), [2], "what leads a tenant");
        ahead.go_to(|(run, _)| *run == 9);
        assert!(left(&ahead).is_empty());
    }
}
