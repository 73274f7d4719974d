//! Asks every second whether the server is whole while pages are read, and counts those questions, so that it is known
//! which pages a good answer vouches for. A page is proven by a good answer to a question asked after the page came.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::event::{Event, Events};
use crate::model::{CollectionName, Schema};
use crate::weaviate::{Client, Reduced, Topology};

/// Time between two questions.
pub const INTERVAL: Duration = Duration::from_secs(1);

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

/// Watches over one collection.
#[derive(Debug, Clone)]
pub struct Watch {
    client: Client,
    schema: Schema,
    events: Events,
    mark: Mark,
    proven: Proven,
    /// What the last answer said is wrong.
    trouble: Option<String>,
    unchecked: Option<String>,
    nodes: Vec<String>,
    /// The shards' names, by the first answer that had any.
    shards: Vec<String>,
    remade: bool,
    /// Whether nodes may be missing as long as every shard has enough replicas left.
    allows_missing: bool,
    /// The nodes that were missing at any time.
    missing: BTreeSet<String>,
}

impl Watch {
    /// A watch that has not asked yet.
    #[must_use]
    pub fn new(client: Client, schema: Schema, events: Events) -> Self {
        let mark = Mark::default();
        Self {
            client,
            schema,
            events,
            mark,
            proven: Proven::default(),
            trouble: None,
            unchecked: None,
            nodes: Vec::new(),
            shards: Vec::new(),
            remade: false,
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

    /// The collection.
    #[must_use]
    pub fn collection(&self) -> &CollectionName {
        &self.schema.name
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

    /// The same as it changes while the watch runs.
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

    /// Whether the collection was dropped and made anew meanwhile: its shards have other names.
    #[must_use]
    pub fn is_remade(&self) -> bool {
        self.remade
    }

    /// The names of the shards, by the first answer that had any.
    #[must_use]
    pub fn shards(&self) -> &[String] {
        &self.shards
    }

    /// Takes these for the names of the shards: a collection that has others was made anew.
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

    /// Asks once. Whether everything read before may be trusted.
    pub async fn ask(&mut self) -> bool {
        let question = self.mark.next();
        let before = self.trouble.take();
        let topology = if self.allows_missing {
            let Reduced { topology, missing } = self.client.topology_without_nodes(&self.schema).await;
            self.missing.extend(missing);
            topology
        } else {
            self.client.topology(&self.schema).await
        };
        match topology {
            Topology::Whole { nodes, shards } => {
                self.see(shards);
                self.nodes = nodes;
                self.proven.set(question);
            }
            Topology::Unchecked { reason, shards } => {
                self.see(shards);
                self.unchecked = Some(reason);
                self.proven.set(question);
            }
            Topology::Broken { reason } => self.trouble = Some(reason),
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
    pub async fn run(mut self, reading: CancellationToken) -> Self {
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

    /// Asks until the server is whole. `false` if it is still broken after `patience`, or when cancelled.
    pub async fn wait_until_whole(&mut self, patience: Duration, cancel: &CancellationToken) -> bool {
        let give_up = tokio::time::Instant::now() + patience;
        loop {
            if self.ask().await {
                return true;
            }
            tokio::select! {
                () = cancel.cancelled() => return false,
                () = tokio::time::sleep(self.interval()) => {}
            }
            if tokio::time::Instant::now() >= give_up {
                return false;
            }
        }
    }
}
