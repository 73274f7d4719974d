//! Waiting while the server says that it would take objects at another time.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::blame::Verdict;
use super::group::{Group, Outcome};
use super::{Error, OBJECT_ATTEMPTS, Shared};
use crate::event::{Event, Warning};
use crate::pipeline::Batch;
use crate::pipeline::activation::Late;
use crate::weaviate::{Fate, phrases};

/// Pauses while a server takes no writes: this share of the patience, within these bounds.
const PAUSES: u32 = 20;
/// The shortest and the longest such pause.
const PAUSE: [Duration; 2] = [Duration::from_millis(10), Duration::from_secs(5)];

/// A tenant that should be active is waited for during this share of the patience, once.
const ACTIVATION: u32 = 6;

/// The words that say so, if the answer does.
fn inactive(outcome: &Outcome) -> Option<&str> {
    let said = |reason: &&str| phrases::is_inactive_tenant(reason);
    match outcome {
        Outcome::Slow => None,
        Outcome::Whole(reason) => Some(reason.as_str()).filter(said),
        Outcome::Judged(fates) => {
            let reasons = fates.iter().filter_map(|fate| match fate {
                Fate::Refused(reason) => Some(reason.as_str()),
                Fate::Stored | Fate::Unsaid(_) | Fate::Silent => None,
            });
            reasons.into_iter().find(said)
        }
    }
}

impl Shared<'_> {
    /// Sends a group again while its tenant is said to be inactive: not every node knows at once that it was activated. After
    /// some time it is somebody else who deactivates it, and its objects are given up.
    pub(super) async fn until_active(
        &self,
        batch: &Batch,
        group: &mut Group,
        mut outcome: Outcome,
    ) -> Result<Outcome, Error> {
        let Some(tenant) = &batch.space else { return Ok(outcome) };
        let inactive_for_good = || self.inactive.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut late, mut attempt) = (Late::within(self.import.options.patience / ACTIVATION), 0);
        while let Some(reason) = inactive(&outcome) {
            let pause = late.next_pause().filter(|_| !inactive_for_good().contains(tenant));
            let Some(pause) = pause else {
                inactive_for_good().insert(tenant.clone());
                group.attempt = OBJECT_ATTEMPTS;
                break;
            };
            attempt += 1;
            group.fresh = false;
            let (route, reason) = (self.intake.route().clone(), self.import.client.client().shown(reason));
            let wait_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
            self.import.events.emit(Event::Retrying { route, attempt, wait_ms, reason });
            tokio::time::sleep(pause).await;
            let _open = self.gate.read().await;
            outcome = self.attempt(batch, group).await?;
        }
        Ok(outcome)
    }

    /// Sends a group until nothing in the answer says "not now", or patience ends. If nothing of the group is stored,
    /// that is about the server: one worker alone finds out when it takes writes again, and if it does not, the import
    /// ends. If others of the group are stored, all go on, and in the end it is about the objects.
    pub(super) async fn wait_out(
        &self,
        batch: &Batch,
        group: &mut Group,
        mut outcome: Outcome,
    ) -> Result<Outcome, Error> {
        let patience = self.import.options.patience;
        let [shortest, longest] = PAUSE;
        let pause = (patience / PAUSES).clamp(shortest, longest);
        let (mut begun, mut told, mut alone, mut attempt) = (Instant::now(), false, None, 0);
        loop {
            if group.accused {
                return Ok(outcome);
            }
            let (reason, words, whole) = match self.blame.judge(&outcome, group.made) {
                Verdict::Plain => return Ok(outcome),
                Verdict::Objects => {
                    group.accused = true;
                    return Ok(outcome);
                }
                Verdict::NotNow { reason, words, whole } => (self.import.client.client().shown(reason), words, whole),
            };
            attempt += 1;
            if attempt == 1 {
                self.import.pacer().failed();
                group.fresh = false;
            }
            if whole && alone.is_none() {
                alone = Some(self.gate.write().await);
            }
            if whole && !told {
                // Others may have waited before, at the same gate.
                (told, begun) = (true, Instant::now());
                let collection = self.import.collection.clone();
                self.import.events.warn(Warning::WritesRefused { collection, reason: reason.clone() });
            }
            if begun.elapsed() >= patience {
                if whole {
                    return Err(Error::WritesRefused { reason, waited: patience });
                }
                self.blame.learn(words);
                (group.accused, group.attempt) = (true, OBJECT_ATTEMPTS);
                return Ok(outcome);
            }
            if !whole {
                alone = None;
                let wait_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
                let route = self.intake.route().clone();
                self.import.events.emit(Event::Retrying { route, attempt, wait_ms, reason });
            }
            tokio::time::sleep(pause).await;
            let _open = if alone.is_none() { Some(self.gate.read().await) } else { None };
            outcome = self.attempt(batch, group).await?;
        }
    }
}
