//! Sends batches to the server and judges every object of every answer: a status of 200 says nothing. Only objects that
//! were refused, or about which nothing was said, are sent again; what stays refused is handed back by name.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::try_join_all;
use tokio::sync::{Mutex as AsyncMutex, RwLock, mpsc};
use tokio_util::sync::CancellationToken;

use super::pacer::{Came, Pacer};
use super::rewrite::{self, Rewrite};
use super::slots::Slots;
use super::{Batch, split};
use crate::event::{Event, Events, Warning};
use crate::model::{CollectionName, ObjectId, TenantName};
use crate::weaviate::{Client, ImportReply};

/// Times an object is sent that the server keeps refusing, the first included.
const OBJECT_ATTEMPTS: u32 = 3;
/// How long requests on their way may take after the run was told to stop.
const GRACE: Duration = Duration::from_secs(5);
/// Pauses while a server takes no writes: this share of the patience, within these bounds.
const PRESSURE_PAUSES: u32 = 20;
/// The shortest and the longest such pause.
const PRESSURE_PAUSE: [Duration; 2] = [Duration::from_millis(10), Duration::from_secs(5)];
/// What servers say about an object they would take at another time: nothing is wrong with it. Short of memory or disk,
/// frozen, or with a node away (weaviate-rest.md §10, weaviate-cluster.md §6).
const NOT_NOW: [&str; 11] = [
    "read-only",
    "read only",
    "not enough memory",
    "no space left",
    "resolve node name",
    "connection refused",
    "cannot reach enough replicas",
    "leader not found",
    "no read replica found",
    "local index",
    "context deadline exceeded",
];

/// Why an import stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server did not answer.
    #[error(transparent)]
    Wire(#[from] crate::weaviate::Error),
    /// The server takes no writes, and did not change its mind in time.
    #[error("the server takes no writes: {reason} (waited {} s)", waited.as_secs())]
    WritesRefused {
        /// Its words.
        reason: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The server answers batches without saying what became of their objects.
    #[error("the server does not say what became of the objects it was sent")]
    Unjudged,
    /// An object that cannot be read as JSON.
    #[error("an object is not valid JSON")]
    Text(#[source] serde_json::Error),
    /// The stage that takes the results stopped.
    #[error("the stage that takes the results stopped")]
    SinkGone,
}

/// An object the server refused for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Its tenant.
    pub tenant: Option<TenantName>,
    /// Its id.
    pub id: ObjectId,
    /// The server's words.
    pub reason: String,
    /// The object as the archive holds it.
    pub object: Bytes,
}

/// A batch that was dealt with.
#[derive(Debug)]
pub struct Done {
    /// The batch's lane: the run it is of.
    pub lane: usize,
    /// Objects in it.
    pub objects: u64,
    /// Those the server refused for good.
    pub rejected: Vec<Rejected>,
}

/// The import of one collection.
#[derive(Debug)]
pub struct Import {
    /// The server.
    pub client: Client,
    /// The collection, by its name on the server.
    pub collection: CollectionName,
    /// What becomes of an object's text.
    pub rewrite: Rewrite,
    /// Names of vectors that the server makes where an object lacks them. Such objects go in batches of their own,
    /// since a vectoriser that fails takes the whole batch with it (weaviate-rest.md, trap 16).
    pub vectorised: Vec<String>,
    /// The pace, shared with `load`.
    pub pacer: Arc<Mutex<Pacer>>,
    /// Requests in flight at most.
    pub most_in_flight: usize,
    /// How long a server that takes no writes is waited for.
    pub patience: Duration,
    /// Where events go.
    pub events: Events,
}

/// What became of one object in one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    Stored,
    Refused(String),
    /// The answer says nothing about it.
    Silent,
}

/// What came of one attempt.
enum Outcome {
    /// The fate of each object of the group, in its order.
    Judged(Vec<Fate>),
    /// The whole group was refused, for a reason that smaller groups may not have.
    Whole(String),
}

/// Objects of a batch, by their places in it, that are sent together.
struct Group {
    members: Vec<usize>,
    /// The attempt to come, from 1.
    attempt: u32,
}

/// What the workers share.
struct Shared<'a> {
    import: &'a Import,
    route: Arc<str>,
    slots: Slots,
    batches: AsyncMutex<mpsc::Receiver<Batch>>,
    /// Held for writing while one worker finds out whether the server takes writes again, so that the others wait.
    gate: RwLock<()>,
    begun: Instant,
    stop: &'a CancellationToken,
}

impl Import {
    /// Takes batches until the channel closes or `stop` is cancelled, and hands on what became of each. What was handed
    /// on is stored or named; after an error or a stop more may have been stored than was handed on.
    pub async fn run(
        &self,
        batches: mpsc::Receiver<Batch>,
        done: mpsc::Sender<Done>,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        let shared = Shared {
            import: self,
            route: "POST /v1/batch/objects".into(),
            slots: Slots::new(self.pacer().in_flight()),
            batches: AsyncMutex::new(batches),
            gate: RwLock::new(()),
            begun: Instant::now(),
            stop,
        };
        let workers = (0..self.most_in_flight.max(1)).map(|_| shared.work(&done));
        try_join_all(workers).await.map(|_| ())
    }

    fn pacer(&self) -> MutexGuard<'_, Pacer> {
        self.pacer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared<'_> {
    async fn work(&self, done: &mpsc::Sender<Done>) -> Result<(), Error> {
        loop {
            let slot = self.slots.take().await;
            let batch = tokio::select! {
                biased;
                () = self.stop.cancelled() => return Ok(()),
                batch = async { self.batches.lock().await.recv().await } => batch,
            };
            let Some(batch) = batch else { return Ok(()) };
            let rejected = tokio::select! {
                rejected = self.deal_with(&batch) => rejected?,
                () = self.grace() => return Ok(()),
            };
            let (objects, refused) = (batch.objects.len() as u64, rejected.len() as u64);
            let handed = done.send(Done { lane: batch.lane, objects, rejected }).await;
            handed.map_err(|_| Error::SinkGone)?;
            self.import.events.emit(Event::BatchImported {
                collection: self.import.collection.clone(),
                tenant: batch.tenant.clone(),
                objects,
                bytes: batch.bytes,
                rejected: refused,
            });
            self.slots.give_back(slot, &self.import.pacer, &self.import.collection, &self.import.events);
        }
    }

    /// Ends some time after the run was told to stop.
    async fn grace(&self) {
        self.stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    }

    /// Sends a batch until every object of it is stored or refused for good.
    async fn deal_with(&self, batch: &Batch) -> Result<Vec<Rejected>, Error> {
        let mut rejected = Vec::new();
        let mut groups = self.groups(batch);
        while let Some(group) = groups.pop() {
            let outcome = {
                let _open = self.gate.read().await;
                self.attempt(batch, &group).await?
            };
            let outcome = match pressure(&outcome) {
                Some(reason) => self.under_pressure(batch, &group, reason.to_owned()).await?,
                None => outcome,
            };
            match outcome {
                Outcome::Judged(fates) => self.sort(batch, &group, fates, &mut groups, &mut rejected).await?,
                Outcome::Whole(_) if group.members.len() > 1 => halve(&group.members, group.attempt, &mut groups),
                Outcome::Whole(reason) => {
                    rejected.extend(group.members.iter().map(|at| self.refused(batch, *at, &reason)));
                }
            }
        }
        rejected.sort_by_key(|r| r.id);
        Ok(rejected)
    }

    /// The batch, or two groups: objects with all their vectors, and those that the server would make vectors for.
    fn groups(&self, batch: &Batch) -> Vec<Group> {
        let lacks = |at: &usize| {
            let object = &batch.objects[*at];
            let has = |name: &String| object.vectors().any(|(n, _)| n == name.as_bytes());
            !self.import.vectorised.iter().all(has)
        };
        let (lacking, whole): (Vec<usize>, Vec<usize>) = (0..batch.objects.len()).partition(lacks);
        [lacking, whole].into_iter().filter(|m| !m.is_empty()).map(|members| Group { members, attempt: 1 }).collect()
    }

    /// Sorts out what an answer said: stored objects are done, others go again or are given up.
    async fn sort(
        &self,
        batch: &Batch,
        group: &Group,
        fates: Vec<Fate>,
        groups: &mut Vec<Group>,
        rejected: &mut Vec<Rejected>,
    ) -> Result<(), Error> {
        let last = group.attempt >= OBJECT_ATTEMPTS;
        let (mut again, mut silent, mut said) = (Vec::new(), Vec::new(), String::new());
        for (at, fate) in group.members.iter().copied().zip(fates) {
            match fate {
                Fate::Stored => {}
                Fate::Refused(reason) if last => rejected.push(self.refused(batch, at, &reason)),
                Fate::Refused(reason) => {
                    said = reason;
                    again.push(at);
                }
                Fate::Silent => silent.push(at),
            }
        }
        if !again.is_empty() {
            self.import.client.pause_to_retry(&self.route, group.attempt, &said).await;
            groups.push(Group { members: again, attempt: group.attempt + 1 });
        }
        if silent.is_empty() {
            return Ok(());
        }
        let reason = format!("no result for {} of {} objects", silent.len(), group.members.len());
        if !self.import.client.wait_to_retry(&self.route, group.attempt, &reason).await {
            return Err(Error::Unjudged);
        }
        match silent.as_slice() {
            members if !last => groups.push(Group { members: members.to_vec(), attempt: group.attempt + 1 }),
            // One object can make a server drop the whole answer: find it by halves.
            [one] => rejected.push(self.refused(batch, *one, "the server does not say what became of it")),
            members => halve(members, 1, groups),
        }
        Ok(())
    }

    fn refused(&self, batch: &Batch, at: usize, reason: &str) -> Rejected {
        let object = &batch.objects[at];
        let reason = self.import.client.shown(reason);
        Rejected { tenant: batch.tenant.clone(), id: object.id, reason, object: object.text.clone() }
    }

    /// Sends one group once.
    async fn attempt(&self, batch: &Batch, group: &Group) -> Result<Outcome, Error> {
        let objects = group.members.iter().map(|at| &batch.objects[*at]);
        let bytes = objects.clone().map(|o| o.text.len() + 64).sum::<usize>() + 16;
        let body = rewrite::body(&self.import.rewrite, objects, bytes).map_err(Error::Text)?;
        let (sent_bytes, started) = (body.len() as u64, Instant::now());
        let reply = self.import.client.import(body).await.inspect_err(|_| self.import.pacer().failed())?;
        let asked = u32::try_from(group.members.len()).unwrap_or(u32::MAX);
        match reply {
            ImportReply::Answer(answer) => {
                let whole = group.attempt == 1 && group.members.len() == batch.objects.len();
                if whole {
                    let (took, at) = (started.elapsed(), self.begun.elapsed());
                    self.import.pacer().came(Came { asked, objects: asked.into(), bytes: sent_bytes, took, at });
                }
                Ok(Outcome::Judged(fates(batch, group, &answer)))
            }
            ImportReply::TooLarge => {
                self.import.pacer().too_large(asked);
                Ok(Outcome::Whole(format!("too large: the server, or a proxy, takes no request of {sent_bytes} bytes")))
            }
            ImportReply::Refused { status, message } => Ok(Outcome::Whole(format!("refused ({status}): {message}"))),
        }
    }

    /// The server takes no writes: one worker alone finds out when it does again.
    async fn under_pressure(&self, batch: &Batch, group: &Group, reason: String) -> Result<Outcome, Error> {
        let _alone = self.gate.write().await;
        let (begun, patience) = (Instant::now(), self.import.patience);
        let [shortest, longest] = PRESSURE_PAUSE;
        let pause = (patience / PRESSURE_PAUSES).clamp(shortest, longest);
        let mut reason = self.import.client.shown(&reason);
        let collection = self.import.collection.clone();
        self.import.events.warn(Warning::WritesRefused { collection, reason: reason.clone() });
        self.import.pacer().failed();
        loop {
            if begun.elapsed() >= patience {
                return Err(Error::WritesRefused { reason, waited: patience });
            }
            tokio::time::sleep(pause).await;
            let outcome = self.attempt(batch, group).await?;
            match pressure(&outcome) {
                Some(said) => reason = self.import.client.shown(said),
                None => return Ok(outcome),
            }
        }
    }
}

/// What the answer says about each object of the group. Two results for one object must both say that it is stored.
fn fates(batch: &Batch, group: &Group, answer: &Bytes) -> Vec<Fate> {
    let results = split::results(answer).unwrap_or_default();
    let mut said: HashMap<ObjectId, Option<String>> = HashMap::with_capacity(results.len());
    for result in results {
        let known = said.entry(result.id).or_insert(None);
        *known = known.take().or(result.refused);
    }
    let fate = |at: &usize| match said.remove(&batch.objects[*at].id) {
        Some(None) => Fate::Stored,
        Some(Some(reason)) => Fate::Refused(reason),
        None => Fate::Silent,
    };
    group.members.iter().map(fate).collect()
}

/// The reason why the server takes no writes at all at the moment, if that is what it says.
fn pressure(outcome: &Outcome) -> Option<&str> {
    let speaks = |reason: &&str| NOT_NOW.iter().any(|words| reason.contains(words));
    match outcome {
        Outcome::Whole(reason) => Some(reason.as_str()).filter(speaks),
        Outcome::Judged(fates) => fates.iter().find_map(|fate| match fate {
            Fate::Refused(reason) => Some(reason.as_str()).filter(speaks),
            _ => None,
        }),
    }
}

fn halve(members: &[usize], attempt: u32, groups: &mut Vec<Group>) {
    let (low, high) = members.split_at(members.len() / 2);
    for half in [high, low] {
        groups.push(Group { members: half.to_vec(), attempt });
    }
}
