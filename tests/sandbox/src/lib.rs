//! An in-tree Weaviate: the part of its REST API that a backup tool speaks, with state, in the words of five versions,
//! and with faults on demand. It shares no types with the program it tests.

mod auth;
mod behaviour;
mod builder;
mod call;
mod cluster;
mod expiry;
mod faults;
mod filter;
mod fold;
mod graphql;
mod json;
mod limits;
mod log;
mod objects;
mod operator;
mod print;
mod proxy;
mod routes;
mod schema;
mod seeded;
mod serve;
mod state;
mod store;
mod values;
mod wire;

use std::sync::Arc;
use std::thread::JoinHandle;

pub use auth::Role;
pub use behaviour::Release;
pub use builder::Builder;
pub use faults::{Change, Fault, Faults, Kind, PageFault, When};
pub use log::Seen;
pub use operator::Operator;
pub use proxy::{Certificates, Proxy, Strike, Trouble};
use state::Core;
use tokio::sync::watch;

/// A running server on 127.0.0.1; it stops when this is dropped.
#[derive(Debug)]
pub struct Sandbox {
    core: Arc<Core>,
    /// One port per node.
    ports: Vec<u16>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Sandbox {
    /// Begins a server of the newest version with one node and nothing in it.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Where the first node listens, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }

    /// The port of the first node.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.ports.first().copied().unwrap_or(0)
    }

    /// Where a node listens (`node1`, `node2`, …); the first one's for a name there is not.
    #[must_use]
    pub fn node_url(&self, name: &str) -> String {
        let number = self.core.read().cluster.number(name).unwrap_or(0);
        format!("http://127.0.0.1:{}", self.ports.get(number).copied().unwrap_or(0))
    }

    /// The switches for faults.
    #[must_use]
    pub fn faults(&self) -> Faults<'_> {
        Faults { core: &self.core }
    }

    /// Every request so far, in the order they ended.
    #[must_use]
    pub fn requests(&self) -> Vec<Seen> {
        self.core.log.all()
    }

    /// How many of them could change data, but for scratch collections.
    #[must_use]
    pub fn writing_requests(&self) -> usize {
        self.core.log.all().iter().filter(|seen| seen.writing && !seen.rehearsing).count()
    }

    /// How many of them could change scratch collections.
    #[must_use]
    pub fn rehearsing_requests(&self) -> usize {
        self.core.log.all().iter().filter(|seen| seen.writing && seen.rehearsing).count()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.core.log.clear();
    }

    /// How many objects a collection holds on all nodes, whatever they answer; all tenants together without one.
    #[must_use]
    pub fn count(&self, class: &str, tenant: Option<&str>) -> u64 {
        let state = self.core.read();
        let Some(collection) = state.collection(class) else { return 0 };
        let mut tenants = collection.tenants.iter().flatten();
        match tenant {
            Some(name) => tenants.find(|(n, _)| *n == name).map_or(0, |(_, t)| t.space.store.len()),
            None => collection.whole.store.len() + tenants.map(|(_, t)| t.space.store.len()).sum::<u64>(),
        }
    }

    /// The objects of a collection or tenant, printed as a page with vectors prints them, in id order.
    #[must_use]
    pub fn objects(&self, class: &str, tenant: Option<&str>) -> Vec<String> {
        let state = self.core.read();
        let Some(collection) = state.collection(class) else { return Vec::new() };
        let store = match (&collection.tenants, tenant) {
            (Some(tenants), Some(name)) => tenants.get(name).map(|t| &t.space.store),
            _ => Some(&collection.whole.store),
        };
        let objects = store.into_iter().flat_map(|store| store.walk(None));
        objects
            .map(|(id, entry)| {
                let mut out = Vec::new();
                entry.print(&mut out, &collection.name, id, None, true);
                String::from_utf8_lossy(&out).into_owned()
            })
            .collect()
    }

    /// The aliases and what they stand for.
    #[must_use]
    pub fn aliases(&self) -> Vec<(String, String)> {
        self.core.read().aliases.clone().into_iter().collect()
    }

    /// The names of the roles that were made, by requests or from the start.
    #[must_use]
    pub fn roles(&self) -> Vec<String> {
        self.core.read().roles.iter().filter_map(|role| role.text("name").map(str::to_owned)).collect()
    }

    /// The tenants of a collection with their statuses.
    #[must_use]
    pub fn tenants(&self, class: &str) -> Vec<(String, &'static str)> {
        let state = self.core.read();
        let tenants = state.collection(class).and_then(|collection| collection.tenants.as_ref());
        tenants.into_iter().flatten().map(|(name, tenant)| (name.clone(), tenant.status)).collect()
    }

    /// The most tenants that requests had activated and not put back at any time.
    #[must_use]
    pub fn most_activated(&self) -> usize {
        self.core.read().activated[1]
    }

    /// Sets what its operator can set, as a restart with other settings does.
    pub fn operate(&self, operator: Operator) {
        self.core.write().operator = operator;
    }

    /// Leaves a collection without any vector, as servers from 1.39 on do when the last one was dropped.
    pub fn drop_vectors(&self, class: &str) {
        if let Some(collection) = self.core.write().collection_mut(class) {
            for member in ["vectorizer", "vectorIndexType", "vectorIndexConfig", "vectorConfig"] {
                collection.document.remove(member);
            }
        }
    }

    /// The names of the collections there are.
    #[must_use]
    pub fn collections(&self) -> Vec<String> {
        self.core.read().collections.keys().cloned().collect()
    }

    /// Puts an object into a certain shard of its collection, now or when it is written.
    pub fn place(&self, class: &str, id: &str, shard: usize) {
        if let Some(id) = store::parse_id(id) {
            self.core.write().cluster.place(class, id, shard);
        }
    }

    /// Moves a shard (a tenant's is named like the tenant) so that its first replica is on a certain node.
    pub fn settle(&self, class: &str, shard: &str, node: &str) {
        let mut state = self.core.write();
        let Some(number) = state.cluster.number(node) else { return };
        let nodes = state.cluster.nodes.len();
        let shards = state.collection_mut(class).into_iter().flat_map(state::Collection::shards_mut);
        for shard in shards.filter(|s| s.name == shard) {
            for (at, replica) in shard.replicas.iter_mut().enumerate() {
                replica.node = (number + at) % nodes;
            }
        }
    }

    /// The names of a collection's shards, in order of their numbers.
    #[must_use]
    pub fn shards(&self, class: &str) -> Vec<String> {
        self.core.read().collection(class).map_or_else(Vec::new, |c| c.shards().map(|s| s.name.clone()).collect())
    }

    /// Waits until the server has stopped, which it does by itself only after `Kind::Die`.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
