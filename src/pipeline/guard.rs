//! Whether the server is whole: asked once before a plan, every second while pages are read, and after each count. The
//! guard counts its questions, so that it is known which pages a good answer vouches for: a page is proven by a good
//! answer to a question asked after the page came.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::event::{Event, Events};
use crate::model::{CollectionName, Schema};
use crate::weaviate::{Client, Reduced, Topology};

/// Time between two questions.
pub const INTERVAL: Duration = Duration::from_secs(1);

/// The least time that an answer is waited for, however short the patience: a question takes 2 s, and is asked again.
const SHORTEST_WAIT: Duration = Duration::from_secs(5);

/// Requests that one question takes.
const REQUESTS: u32 = 4;

/// The number of questions begun so far: the mark that pages carry.
#[derive(Debug, Clone, Default)]
pub struct Mark(Arc<AtomicU64>);

impl Mark {
    /// The mark of a page that comes now.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }
}

/// The first mark that is not proven yet. Clones show the same.
#[derive(Debug, Clone, Default)]
pub struct Proven(Arc<AtomicU64>);

impl Proven {
    /// Pages with a lower mark than this are proven.
    #[must_use]
    pub fn below(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn set(&self, below: u64) {
        self.0.store(below, Ordering::SeqCst);
    }
}

/// Why there is no whole server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The run was told to stop.
    #[error("stopped")]
    Stopped,
    /// The collection is not there any more, which looks as if its node were away.
    #[error("{collection} is not there any more")]
    Removed {
        /// The collection.
        collection: CollectionName,
    },
    /// Nodes are away, or do not answer.
    #[error("{collection}: {reason}")]
    NotWhole {
        /// The collection that was asked for.
        collection: CollectionName,
        /// What the server said last.
        reason: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The thread of the guard ended without saying why: a bug.
    #[error("a thread stopped without a reason")]
    Thread,
}

/// A server that is whole, or that cannot be asked whether it is, before anything is read.
#[derive(Debug)]
pub struct Whole {
    /// Its nodes.
    pub nodes: Vec<String>,
    /// The names of the collection's shards, where they are known.
    pub shards: Vec<String>,
    /// Why it could not be asked, if so.
    pub unchecked: Option<String>,
}

impl Whole {
    /// Judges what a server answers before a plan about `collection`.
    ///
    /// # Errors
    /// [`Error::NotWhole`]: a plan waits for nothing.
    pub fn judge(topology: Topology, collection: &CollectionName) -> Result<Self, Error> {
        match topology {
            Topology::Whole { nodes, shards } => Ok(Self { nodes, shards, unchecked: None }),
            Topology::Unchecked { reason, shards } => Ok(Self { nodes: Vec::new(), shards, unchecked: Some(reason) }),
            Topology::Broken { reason } => {
                Err(Error::NotWhole { collection: collection.clone(), reason, waited: Duration::ZERO })
            }
        }
    }
}

/// Whether pages were read that an answer has to prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pages {
    None,
    Read,
}

/// What a question is answered with.
struct Answer {
    topology: Topology,
    /// Nodes that are missing, and may be.
    missing: Vec<String>,
    /// A failure that it was asked again for.
    blip: Option<String>,
}

/// Watches over one collection.
#[derive(Debug, Clone)]
pub struct Guard {
    client: Client,
    schema: Schema,
    events: Events,
    /// Cancelled when the run is told to stop.
    stop: CancellationToken,
    /// How long a server that is not whole is waited for.
    patience: Duration,
    mark: Mark,
    proven: Proven,
    /// What the last answer said is wrong.
    trouble: Option<String>,
    unchecked: Option<String>,
    nodes: Vec<String>,
    /// The shards' names, by the first answer that had any.
    shards: Vec<String>,
    remade: bool,
    removed: bool,
    /// Whether nodes may be missing as long as every shard has enough replicas left.
    allows_missing: bool,
    /// The nodes that were missing at any time.
    missing: BTreeSet<String>,
}

impl Guard {
    /// A guard that has not asked yet. Once `stop` is cancelled, it waits for no answer any more.
    #[must_use]
    pub fn new(client: Client, schema: Schema, events: Events, stop: CancellationToken, patience: Duration) -> Self {
        let mark = Mark::default();
        Self {
            client,
            schema,
            events,
            stop,
            patience,
            mark,
            proven: Proven::default(),
            trouble: None,
            unchecked: None,
            nodes: Vec::new(),
            shards: Vec::new(),
            remade: false,
            removed: false,
            allows_missing: false,
            missing: BTreeSet::new(),
        }
    }

    /// The same for a server of which nodes may be missing, as long as every shard has a majority of its replicas left.
    #[must_use]
    pub fn allowing_missing_nodes(self, allows_missing: bool) -> Self {
        Self { allows_missing, ..self }
    }

    /// The nodes that were missing at any time, sorted.
    #[must_use]
    pub fn missing(&self) -> &BTreeSet<String> {
        &self.missing
    }

    /// The mark to put on pages.
    #[must_use]
    pub fn mark(&self) -> Mark {
        self.mark.clone()
    }

    /// Pages with this mark or a higher one are in doubt if the server turns out to be broken now.
    #[must_use]
    pub fn doubtful_from(&self) -> u64 {
        self.proven.below()
    }

    /// The same as it changes while the guard runs.
    #[must_use]
    pub fn proven(&self) -> Proven {
        self.proven.clone()
    }

    /// What is wrong, by the last answer.
    #[must_use]
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Why nothing could be asked, if so.
    #[must_use]
    pub fn unchecked(&self) -> Option<&str> {
        self.unchecked.as_deref()
    }

    /// The nodes named by the last good answer.
    #[must_use]
    pub fn nodes(&self) -> &[String] {
        &self.nodes
    }

    /// Whether the collection was dropped and recreated meanwhile: its shards have other names.
    #[must_use]
    pub fn is_remade(&self) -> bool {
        self.remade
    }

    /// The names of the shards, by the first answer that had any.
    #[must_use]
    pub fn shards(&self) -> &[String] {
        &self.shards
    }

    /// Takes these for the names of the shards: a collection that has others was recreated.
    pub fn expect_shards(&mut self, shards: Vec<String>) {
        self.shards = shards;
    }

    fn see(&mut self, shards: Vec<String>) {
        if self.shards.is_empty() {
            self.shards = shards;
        } else if !shards.is_empty() && self.shards != shards {
            self.remade = true;
        }
    }

    async fn question(&self) -> Answer {
        if self.allows_missing {
            let Reduced { topology, missing, blip } = self.client.topology_without_nodes(&self.schema).await;
            return Answer { topology, missing, blip };
        }
        let (topology, blip) = self.client.topology_and_blip(&self.schema).await;
        Answer { topology, missing: Vec::new(), blip }
    }

    /// Asks once. Whether everything read before may be trusted; `false` at once when the run is told to stop.
    pub async fn ask(&mut self) -> bool {
        let question = self.mark.next();
        let (asked, stop) = (self.question(), self.stop.clone());
        let answer = tokio::select! {
            answer = asked => answer,
            () = stop.cancelled() => return false,
        };
        self.hear(question, answer, Pages::Read).await
    }

    /// Asks once more at the end of a run that fails or is told to stop, and waits no longer than `longest`.
    pub async fn ask_last(&mut self, longest: Duration) -> bool {
        let question = self.mark.next();
        let Ok(answer) = timeout(longest, self.question()).await else {
            self.no_answer(longest);
            return false;
        };
        self.hear(question, answer, Pages::Read).await
    }

    /// Takes in an answer, unless it is only bad as the collection is not there any more: the server is not said to be
    /// broken then. Whoever was told to stop does not ask for that.
    async fn hear(&mut self, question: u64, answer: Answer, pages: Pages) -> bool {
        self.removed = false;
        if let Topology::Broken { reason } = &answer.topology {
            let (removed, stop) = (self.client.is_removed(&self.schema.name), self.stop.clone());
            self.removed = tokio::select! {
                removed = removed => removed,
                () = stop.cancelled() => false,
            };
            if self.removed {
                self.trouble = Some(reason.clone());
                return false;
            }
        }
        self.take(question, answer, pages)
    }

    fn no_answer(&mut self, after: Duration) {
        let reason = || format!("the server did not say within {} s whether it is whole", after.as_secs());
        self.trouble.get_or_insert_with(reason);
    }

    /// Takes in an answer. One that came only after a failure tells how things are now, and proves nothing that was read
    /// before: something may have been away for a moment.
    fn take(&mut self, question: u64, answer: Answer, pages: Pages) -> bool {
        let before = self.trouble.take();
        self.missing.extend(answer.missing);
        match (answer.topology, answer.blip) {
            (Topology::Whole { nodes, shards }, blip) => {
                self.see(shards);
                self.nodes = nodes;
                match blip.filter(|_| pages == Pages::Read) {
                    None => self.proven.set(question),
                    Some(why) => self.trouble = Some(format!("it answers again, after a failure: {why}")),
                }
            }
            (Topology::Unchecked { reason, shards }, _) => {
                self.see(shards);
                self.unchecked = Some(reason);
                self.proven.set(question);
            }
            (Topology::Broken { reason }, _) => self.trouble = Some(reason),
        }
        tracing::trace!(collection = %self.schema.name, question, trouble = self.trouble, "topology");
        if before.is_some() != self.trouble.is_some() {
            let reason = self.trouble.clone().unwrap_or_default();
            let whole = self.trouble.is_none();
            self.events.emit(Event::TopologyChanged { collection: self.schema.name.clone(), whole, reason });
        }
        self.trouble.is_none()
    }

    /// Time to the next question: longer where the server takes few requests, so that reading is not starved.
    fn interval(&self) -> Duration {
        INTERVAL.max(self.client.rest_between(REQUESTS))
    }

    /// Asks every second until the answer is bad, which cancels `reading`, or until `reading` is cancelled.
    async fn run(mut self, reading: CancellationToken) -> Self {
        loop {
            tokio::select! {
                () = reading.cancelled() => return self,
                () = tokio::time::sleep(self.interval()) => {}
            }
            if !self.ask().await {
                reading.cancel();
                return self;
            }
        }
    }

    /// Does some work with the guard beside it. The token that `work` gets is cancelled when the server breaks, and when
    /// the run is told to stop: the work is then waited for all the same.
    ///
    /// # Errors
    /// [`Error::Thread`].
    pub async fn beside<T>(&mut self, work: impl AsyncFnOnce(CancellationToken) -> T) -> Result<T, Error> {
        let (reading, stop) = (CancellationToken::new(), self.stop.clone());
        let guarding = tokio::spawn(self.clone().run(reading.clone()));
        let done = {
            let works = work(reading.clone());
            tokio::pin!(works);
            tokio::select! {
                done = &mut works => done,
                () = stop.cancelled() => {
                    reading.cancel();
                    works.await
                }
            }
        };
        reading.cancel();
        *self = guarding.await.map_err(|_| Error::Thread)?;
        Ok(done)
    }

    /// Whether a failed request fits a server that is not whole: while a node goes away requests fail before the guard has
    /// noticed.
    pub async fn explains(&mut self, error: &crate::weaviate::Error) -> bool {
        error.may_be_a_node_away() && (self.trouble.is_some() || !self.ask().await)
    }

    /// Waits until the server is whole; of what was read before nothing may be in doubt any more.
    ///
    /// # Errors
    /// All but [`Error::Thread`].
    pub async fn until_whole(&mut self) -> Result<(), Error> {
        if self.wait_until_whole().await {
            return Ok(());
        }
        if self.stop.is_cancelled() {
            return Err(Error::Stopped);
        }
        Err(if self.removed { Error::Removed { collection: self.schema.name.clone() } } else { self.not_whole() })
    }

    /// The error of a server that keeps losing nodes.
    #[must_use]
    pub fn not_whole(&self) -> Error {
        let reason = self.trouble().unwrap_or("it keeps losing nodes").to_owned();
        Error::NotWhole { collection: self.schema.name.clone(), reason, waited: self.patience }
    }

    /// Asks until the server is whole. `false` if it is still broken once patience is over, when the run is told to stop, or at once if the collection is not there any more, which
    /// looks as if its node were away. Where the server itself asked for more time than that
    /// (429), it gets it, once.
    async fn wait_until_whole(&mut self) -> bool {
        let (begun, patience) = (Instant::now(), self.patience);
        let (mut give_up, mut had_its_time) = (begun + patience.max(SHORTEST_WAIT), false);
        let stop = self.stop.clone();
        loop {
            let question = self.mark.next();
            let asked = timeout_at(give_up, self.question());
            let answer = tokio::select! {
                answer = asked => answer,
                () = stop.cancelled() => return false,
            };
            if let Ok(answer) = answer {
                if self.hear(question, answer, Pages::None).await {
                    return true;
                }
                if self.removed {
                    return false;
                }
            } else {
                let hold = self.client.held_back_for();
                if hold.is_zero() || std::mem::replace(&mut had_its_time, true) {
                    self.no_answer(begun.elapsed());
                    return false;
                }
                give_up = Instant::now() + hold + SHORTEST_WAIT;
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => return false,
                () = tokio::time::sleep(self.interval()) => {}
            }
            if begun.elapsed() >= patience {
                return false;
            }
        }
    }
}
