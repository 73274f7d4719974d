//! Sends batches to the server and judges every object of every answer: a status of 200 says nothing. Only objects that
//! were refused, or about which nothing was said, are sent again; what stays refused is handed back by name. References
//! that have to follow their objects are sent by the worker that sent these, so that nobody else writes to them meanwhile.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

mod again;
mod blame;
mod date_lists;
mod group;
mod looked;
mod merge;
mod patience;
mod refer;
mod request;
mod sort;
mod stamps;

use bytes::Bytes;
use futures_util::future::try_join_all;
use tokio::sync::{Mutex as AsyncMutex, RwLock, mpsc};
use tokio_util::sync::CancellationToken;

pub use self::again::FoundEqual;
use self::again::Said;
use self::blame::Blame;
use self::group::{DateLists, Group, Outcome, Step};
use self::looked::Looked;
pub use self::merge::{Changed, Merged, Merging};
pub use self::stamps::Stamps;
use super::compare::Comparer;
use super::pacer::{Came, Pacer};
use super::rewrite::{Form, Rewrite};
use super::slots::Slots;
use super::{Batch, BatchOrigin, scan};
use crate::event::{Event, Events};
use crate::model::coverage::Space;
use crate::model::{CollectionName, KeyRange, MixedSpaces, ObjectId, RawObject, TenantName};
use crate::weaviate::{Error as WireError, Fate, ImportReply, Intake, LastingCause, MostAttempts, Outgoing, Writer};

/// Times an object is sent that the server keeps refusing, the first included.
const OBJECT_ATTEMPTS: u32 = 3;
/// How long requests on their way may take after the run was told to stop.
const GRACE: Duration = Duration::from_secs(5);
/// Pieces of a group that was refused as a whole.
const REFUSED_PIECES: usize = 2;
/// Pieces of a group that got no answer in time: each try costs that time, so there are few steps down to one object.
const SLOW_PIECES: usize = 4;

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
    /// The collection is not there any more, and the server creates none for the objects it is sent.
    #[error("the collection was removed meanwhile")]
    Removed,
    /// An object that cannot be read as JSON.
    #[error("an object is not valid JSON")]
    Text(#[source] serde_json::Error),
    /// What is there could not be looked at.
    #[error(transparent)]
    Present(#[from] scan::Error),
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
    /// Whether it is on the server all the same, without some of its references or lists of dates: it was those that were
    /// refused.
    pub stored: bool,
}

/// A batch that was dealt with: what of which space it stood for, where it came from, and what became of it.
#[derive(Debug)]
pub struct Done {
    /// The space, as it is called on the server.
    pub space: Space,
    /// The keys it stands for.
    pub covers: KeyRange,
    /// Where it comes from.
    pub origin: BatchOrigin,
    /// Objects in it.
    pub objects: u64,
    /// Those the server refused for good.
    pub rejected: Vec<Rejected>,
    /// References that were added after their objects were stored.
    pub references: u64,
    /// Objects the server did not call stored which are there all the same, as they should be: they do not count as rejected.
    pub found: FoundEqual,
    /// How they met those that were there, in a merge.
    pub merged: Merged,
    /// The first of those that are not what was sent.
    pub changed: Vec<Changed>,
}

/// What is sent of each batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// Its objects, and right after them the references they could not carry.
    All,
    /// Its objects alone: the references that have to follow are for a pass of their own.
    Objects,
    /// Those references. An object that is not there was rejected by the pass before.
    References,
}

/// What can be chosen of an import.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// Requests in flight at most.
    pub most_in_flight: usize,
    /// How long a server that takes no writes is waited for.
    pub patience: Duration,
}

/// The import of one collection.
#[derive(Debug)]
pub struct Import {
    /// The server.
    pub client: Writer,
    /// The collection, by its name on the server.
    pub collection: CollectionName,
    /// What becomes of an object's text.
    pub rewrite: Rewrite,
    /// What is sent.
    pub pass: Pass,
    /// Names of vectors that the server makes where an object lacks them. Such objects go in batches of their own,
    /// since a vectorizer that fails takes the whole batch with it.
    pub vectorised: Vec<String>,
    /// Tenants whose vectors come in several lengths: objects of an odd one go apart from the others, and once only, as the
    /// server will not change its mind.
    pub mixed: Arc<MixedSpaces>,
    /// Tells whether a refused object is there all the same.
    pub comparer: Comparer,
    /// The pace, shared with `load`.
    pub pacer: Arc<Mutex<Pacer>>,
    /// When the objects that are stored were created.
    pub stamps: Arc<Stamps>,
    /// How objects meet those that are there; `None`: nobody has written where they go.
    pub merging: Option<Merging>,
    /// What whoever asked for it has chosen.
    pub options: ImportOptions,
    /// Where events go.
    pub events: Events,
}

/// What the workers share.
struct Shared<'a> {
    import: &'a Import,
    intake: Intake,
    slots: Slots,
    batches: AsyncMutex<mpsc::Receiver<Batch>>,
    /// Held for writing while one worker finds out whether the server takes writes again, so that the others wait.
    gate: RwLock<()>,
    blame: Blame,
    /// What becomes of the text of objects that go without empty lists of dates.
    undated: Rewrite,
    /// Tenants that were waited for in vain.
    inactive: Mutex<BTreeSet<TenantName>>,
    /// Refused objects that may still be read back.
    reads_back: AtomicU64,
    /// What need not be read back, since it is known that it cannot be.
    unreadable: Mutex<again::Unreadable>,
    /// Whether it was told that the server refused what it had stored.
    told: AtomicBool,
    /// Bytes that a request of references may have; halved by a refusal of one that was too large.
    references_bytes: AtomicUsize,
    references_route: Arc<str>,
    begun: Instant,
    stop: &'a CancellationToken,
}

/// What became of a batch so far.
#[derive(Default)]
struct Dealt {
    rejected: Vec<Rejected>,
    references: u64,
    found: FoundEqual,
    merged: Merged,
    changed: Vec<Changed>,
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
            intake: self.client.intake(&self.collection, self.rewrite.sends_vectors()),
            slots: Slots::new(self.pacer().in_flight()),
            batches: AsyncMutex::new(batches),
            gate: RwLock::new(()),
            blame: Blame::default(),
            undated: self.rewrite.undated(),
            inactive: Mutex::default(),
            reads_back: AtomicU64::new(again::READS_BACK),
            unreadable: Mutex::default(),
            told: AtomicBool::new(false),
            references_bytes: AtomicUsize::new(request::REQUEST_BYTES),
            references_route: "POST /v1/batch/references".into(),
            begun: Instant::now(),
            stop,
        };
        let workers = (0..self.options.most_in_flight.max(1)).map(|_| shared.work(&done));
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
            if let BatchOrigin::Leading { .. } = batch.origin {
                tokio::select! {
                    led = self.lead(&batch) => led?,
                    () = self.grace() => return Ok(()),
                }
                if let BatchOrigin::Leading { sent } = batch.origin {
                    // Whoever waits may be gone.
                    let _ = sent.send(());
                }
                self.slots.give_back(slot, &self.import.pacer, &self.import.collection, &self.import.events);
                continue;
            }
            let Dealt { rejected, references, found, merged, changed } = tokio::select! {
                dealt = self.meet(&batch) => dealt?,
                () = self.grace() => return Ok(()),
            };
            let (objects, refused) = (batch.objects.len() as u64, rejected.len() as u64);
            let Batch { space, covers, origin, bytes, .. } = batch;
            let one =
                Done { space: space.clone(), covers, origin, objects, rejected, references, found, merged, changed };
            let handed = done.send(one).await;
            handed.map_err(|_| Error::SinkGone)?;
            // The objects of a pass of references were told before.
            if self.import.pass != Pass::References {
                self.import.events.emit(Event::BatchImported {
                    collection: self.import.collection.clone(),
                    tenant: space,
                    // Of a merge, what was sent.
                    objects: if self.import.merging.is_some() { merged.written() + refused } else { objects },
                    bytes,
                    rejected: refused,
                });
            }
            self.slots.give_back(slot, &self.import.pacer, &self.import.collection, &self.import.events);
        }
    }

    /// Ends some time after the run was told to stop.
    async fn grace(&self) {
        self.stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    }

    /// Sends a batch, or what of it may be sent where others have objects.
    async fn meet(&self, batch: &Batch) -> Result<Dealt, Error> {
        let groups = Group::of(batch, &self.import.vectorised, &self.import.rewrite);
        let Some(merging) = &self.import.merging else { return self.deal_with(batch, groups).await };
        let looked = Arc::new(Looked::new(batch.objects.len()));
        let groups = groups.into_iter().map(|group| Group { looked: Some(Arc::clone(&looked)), ..group }).collect();
        let mut dealt = self.deal_with(batch, groups).await?;
        self.merged(merging, batch, &looked, &mut dealt).await?;
        Ok(dealt)
    }

    /// Sends groups of a batch until every object of them is stored or refused for good.
    async fn deal_with(&self, batch: &Batch, groups: Vec<Group>) -> Result<Dealt, Error> {
        let mut dealt = Dealt::default();
        let mut groups = self.apart(batch, groups);
        if self.import.pass == Pass::References {
            for group in &mut groups {
                group.step = Step::References;
            }
        }
        while let Some(mut group) = groups.pop() {
            match group.step {
                Step::Objects | Step::ObjectsAgain => {}
                Step::DateLists => {
                    self.set_date_lists(batch, &group, &mut groups, &mut dealt).await?;
                    continue;
                }
                Step::References => {
                    self.refer(batch, group, &mut groups, &mut dealt).await?;
                    continue;
                }
            }
            // It was filled before a smaller one was refused.
            if group.members.len() > 1 && self.import.pacer().is_too_large(group.bytes(batch)) {
                groups.extend(group.pieces(REFUSED_PIECES));
                continue;
            }
            let outcome = {
                let _open = self.gate.read().await;
                self.attempt(batch, &mut group).await?
            };
            if let Some(refused) = self.lasting(batch, &group, &outcome) {
                return Err(refused.into());
            }
            let outcome = self.until_active(batch, &mut group, outcome).await?;
            let outcome = self.wait_out(batch, &mut group, outcome).await?;
            match outcome {
                Outcome::Judged(fates) => self.sort(batch, &group, fates, &mut groups, &mut dealt).await?,
                Outcome::Slow => groups.extend(group.smaller(SLOW_PIECES)),
                Outcome::Whole(_) if group.members.len() > 1 => {
                    groups.extend(group.smaller(REFUSED_PIECES));
                }
                Outcome::Whole(reason) => {
                    let refused = group.members.iter().map(|at| (*at, Said::Refused(reason.clone()))).collect();
                    let found = self.give_up(batch, &group, refused, &mut dealt).await?;
                    self.follow(batch, &group, found, &mut groups, &mut dealt);
                }
            }
        }
        dealt.rejected.sort_by_key(|r| r.id);
        Ok(dealt)
    }

    /// The error, if an object was refused for a reason that lasts and is about all that may come, such as a usage limit.
    fn lasting(&self, batch: &Batch, group: &Group, outcome: &Outcome) -> Option<WireError> {
        let Outcome::Judged(fates) = outcome else { return None };
        let (words, cause) = group.members.iter().zip(fates).find_map(|(at, fate)| {
            let Fate::Refused(words) = fate else { return None };
            Some((words, LastingCause::of_result(words, &batch.objects[*at].text)?))
        })?;
        let message = self.import.client.client().shown(words);
        Some(WireError::Lasting { route: self.intake.route().clone(), status: 200, cause: Box::new(cause), message })
    }

    fn refused(&self, batch: &Batch, group: &Group, at: usize, reason: &str) -> Rejected {
        let object = &batch.objects[at];
        let reason = self.import.client.client().shown(reason);
        let stored = group.step != Step::Objects;
        Rejected { tenant: batch.space.clone(), id: object.id, reason, object: object.text.clone(), stored }
    }

    /// Objects of a batch as they are to be sent.
    fn outgoing<'a>(
        &self,
        batch: &Batch,
        objects: impl Iterator<Item = &'a RawObject> + Clone,
        rewrite: &Rewrite,
        form: Form,
    ) -> Result<Outgoing, Error> {
        let mut outgoing = self.intake.outgoing(batch.space.as_ref(), objects.clone());
        rewrite.fill(objects, form, &mut outgoing).map_err(Error::Text)?;
        Ok(outgoing)
    }

    /// Sends one group. Where others have objects, it is looked right before each attempt which of them may be sent: the others
    /// leave the group.
    async fn attempt(&self, batch: &Batch, group: &mut Group) -> Result<Outcome, Error> {
        let (merging, looked) = (self.import.merging.as_ref(), group.looked.clone());
        // What goes again after it was stored takes the place of what this import has written.
        let Some((merging, looked)) = merging.zip(looked).filter(|_| group.step == Step::Objects) else {
            return self.attempt_once(batch, group, u32::MAX).await;
        };
        let mut nth = 0;
        loop {
            nth += 1;
            let begun = Instant::now();
            self.look_again(merging, batch, group, &looked).await?;
            if group.members.is_empty() {
                return Ok(Outcome::Judged(Vec::new()));
            }
            let outcome = self.attempt_once(batch, group, 1).await;
            looked.took(begun.elapsed());
            match outcome {
                Err(Error::Wire(error)) if !error.is_no() => {
                    let client = self.import.client.client();
                    if !client.wait_to_retry(self.intake.route(), nth, &error.to_string()).await {
                        return Err(error.into());
                    }
                }
                outcome => return outcome,
            }
        }
    }

    /// Sends one group, and again at most so many times in all, after failures that may pass.
    async fn attempt_once(&self, batch: &Batch, group: &Group, attempts: u32) -> Result<Outcome, Error> {
        let objects = group.members.iter().map(|at| &batch.objects[*at]);
        let rewrite = match group.date_lists {
            DateLists::All => &self.import.rewrite,
            DateLists::Filled => &self.undated,
        };
        let outgoing = self.outgoing(batch, objects, rewrite, group.form)?;
        let (sent_bytes, started) = (outgoing.bytes(), Instant::now());
        let several = group.members.len() > 1;
        let asked = u32::try_from(group.members.len()).unwrap_or(u32::MAX);
        // Several objects that take too long are sent in pieces, which is as good as sending them again.
        let most = MostAttempts { all: attempts, stalled: if several { 1 } else { u32::MAX } };
        let reply = match self.intake.send(outgoing, most).await {
            Ok(reply) => reply,
            Err(error) => {
                let mut pacer = self.import.pacer();
                pacer.failed();
                if !several || !error.is_stalled() {
                    return Err(error.into());
                }
                // Once for all pieces: one moment of silence must not bring batches down to one object.
                if group.fresh {
                    pacer.too_large(asked);
                }
                return Ok(Outcome::Slow);
            }
        };
        match reply {
            ImportReply::Judged { fates, created } => {
                if group.fresh {
                    let (took, at) = (started.elapsed(), self.begun.elapsed());
                    // The pacer asked for the batch; that it was sent in groups is no reason to ask for less.
                    let whole = u32::try_from(batch.objects.len()).unwrap_or(u32::MAX);
                    let came = Came { asked: whole, objects: asked.into(), bytes: sent_bytes, took, at };
                    self.import.pacer().came(came);
                }
                if let Some(created) = created {
                    self.import.stamps.see(created);
                }
                Ok(Outcome::Judged(fates))
            }
            ImportReply::TooLarge => {
                if several {
                    self.import.pacer().body_refused(group.bytes(batch));
                }
                Ok(Outcome::Whole(format!("too large: the server, or a proxy, takes no request of {sent_bytes} bytes")))
            }
            ImportReply::Refused { status, message } => Ok(Outcome::Whole(format!("refused ({status}): {message}"))),
        }
    }
}
