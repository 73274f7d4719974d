//! What a server is: asked once for a plan, and handed to whoever needs it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::ask::Ask;
use super::body::Shape;
use super::client::Client;
use super::lasting::OperationalMode;
use super::meta::Meta;
use super::{Error, said};
use crate::model::CollectionName;

/// Values in an answer that nothing depends on, at most.
const TOLD_VALUES_MAX: u32 = 250_000;

/// Moves of replicas that are logged one by one.
const MOVES_LOGGED: usize = 20;

/// Requests for one fact at most; what is not told is not known, and no run fails for it.
const ATTEMPTS: u32 = 3;
/// States of a task that is over (`cluster/distributedtask/task.go`).
const OVER: [&str; 3] = ["FINISHED", "FAILED", "CANCELLED"];
/// States of a movement of a replica that is over (`entities/models/replication_replicate_details_replica_status.go`).
const MOVED: [&str; 2] = ["READY", "CANCELLED"];
/// What a server says of a tenant that it does not deactivate while a replica of it moves.
const IN_PROGRESS: &str = "replica movement in progress";
/// The state of a namespace that is used (1.38).
const ACTIVE: &str = "active";

/// What is known of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFacts {
    /// Version, modules and clock.
    pub meta: Meta,
    /// How many nodes it has; `None` where the key may not ask, or nothing is told.
    pub nodes: Option<usize>,
    /// What it lets be done, where all of its nodes say the same (1.34.5); `None` where it does not tell.
    pub mode: Option<OperationalMode>,
    /// Replicas that are being moved or copied between nodes; none where the server does not tell.
    pub moves: Vec<ReplicaMove>,
}

/// A replica on its way from one node to another: until it is there, its tenant cannot be deactivated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaMove {
    /// The collection.
    pub collection: String,
    /// The shard, which is the tenant in a multi-tenant collection.
    pub shard: String,
    /// How far it is, in the server's word: `HYDRATING`.
    pub state: String,
}

/// Whether a server refused to deactivate tenants since replicas of theirs are being moved.
#[must_use]
pub fn is_blocked_by_move(error: &Error) -> bool {
    error.message().is_some_and(|message| message.contains(IN_PROGRESS))
}

/// A namespace that is not active: its collections can be seen, and nothing of them read or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdleNamespace {
    /// Its name: collections in it are named `NAME:COLLECTION`.
    pub name: String,
    /// Its state, in the server's word: `suspended`, `resuming`, `deleting`.
    pub state: String,
}

impl IdleNamespace {
    /// Whether a collection is in it.
    #[must_use]
    pub fn holds(&self, collection: &CollectionName) -> bool {
        collection.as_str().split_once(':').is_some_and(|(namespace, _)| namespace == self.name)
    }
}

/// Work that the server does on a collection in the background (1.38): until it is done, neither the collection nor its
/// tenants can be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningTask {
    /// What kind, in the server's word: `reindex`.
    pub kind: String,
    /// The collection, where the task names one.
    pub collection: Option<String>,
}

#[derive(Deserialize)]
struct Nodes {
    nodes: Option<Vec<Node>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    operational_mode: Option<String>,
}

#[derive(Deserialize)]
struct Movement {
    collection: Option<String>,
    shard: Option<String>,
    status: Option<MovementState>,
}

#[derive(Deserialize)]
struct MovementState {
    state: Option<String>,
}

#[derive(Deserialize)]
struct Namespace {
    name: String,
    state: Option<String>,
}

#[derive(Deserialize)]
struct Task {
    status: Option<String>,
    payload: Option<Value>,
}

impl Client {
    /// Asks who answers here, how many nodes there are, and what they let be done. Only the first answer must be there.
    pub async fn facts(&self) -> Result<ServerFacts, Error> {
        let meta = self.meta().await?;
        let nodes = self.told::<Nodes>("/v1/nodes").await.and_then(|told| told.nodes).unwrap_or_default();
        let modes: Vec<Option<OperationalMode>> =
            nodes.iter().map(|node| OperationalMode::parse(node.operational_mode.as_deref()?)).collect();
        let mode = modes.first().copied().flatten().filter(|mode| modes.iter().all(|other| *other == Some(*mode)));
        // Between fewer than two nodes nothing moves.
        let moving = if nodes.len() > 1 { self.replica_moves().await } else { Vec::new() };
        let facts = ServerFacts { meta, nodes: Some(nodes.len()).filter(|n| *n > 0), mode, moves: moving };
        let (version, modules) = (&facts.meta.version.text, facts.meta.modules.join(" "));
        let (mode, moving) = (facts.mode.map(OperationalMode::name), facts.moves.len());
        tracing::debug!(version, nodes = facts.nodes, mode, modules, moves = moving, "server");
        for ReplicaMove { collection, shard, state } in facts.moves.iter().take(MOVES_LOGGED) {
            tracing::debug!(collection, shard, state, "a replica is being moved");
        }
        Ok(facts)
    }

    /// Replicas that are being moved or copied; none where that is switched off, or the key may not ask.
    async fn replica_moves(&self) -> Vec<ReplicaMove> {
        let listed = self.told::<Vec<Movement>>("/v1/replication/replicate/list").await.unwrap_or_default();
        let moves = |Movement { collection, shard, status }: Movement| {
            let state = status?.state?;
            let clean = |text: Option<String>| said::harmless(&text.unwrap_or_default());
            let is_over = MOVED.contains(&state.as_str());
            let state = clean(Some(state));
            (!is_over).then(|| ReplicaMove { collection: clean(collection), shard: clean(shard), state })
        };
        listed.into_iter().filter_map(moves).collect()
    }

    /// Namespaces that are not active; none where the server has no namespaces, or the key may not ask.
    pub async fn idle_namespaces(&self) -> Vec<IdleNamespace> {
        let listed = self.told::<Vec<Namespace>>("/v1/namespaces").await.unwrap_or_default();
        let idle = listed.into_iter().filter_map(|namespace| {
            let state = namespace.state.filter(|state| state != ACTIVE)?;
            Some(IdleNamespace { name: namespace.name, state: said::harmless(&state) })
        });
        idle.collect()
    }

    /// What the server is busy with; nothing where it does not tell (before 1.38).
    pub async fn running_tasks(&self) -> Vec<RunningTask> {
        let listed = self.told::<BTreeMap<String, Vec<Task>>>("/v1/tasks").await.unwrap_or_default();
        let running = |(kind, tasks): (String, Vec<Task>)| {
            let runs = |task: &Task| !OVER.contains(&task.status.as_deref().unwrap_or_default());
            tasks.into_iter().filter(runs).map(move |task| {
                let of = |name: &str| Some(task.payload.as_ref()?[name].as_str()?.to_owned());
                RunningTask { kind: said::harmless(&kind), collection: of("collection").or_else(|| of("class")) }
            })
        };
        listed.into_iter().flat_map(|(kind, tasks)| running((kind, tasks)).collect::<Vec<_>>()).collect()
    }

    /// An answer that is worth having and that nothing depends on.
    async fn told<T: serde::de::DeserializeOwned>(&self, path: &str) -> Option<T> {
        let timeout = Some(self.policy().question_timeout);
        let ask = Ask { timeout, attempts: ATTEMPTS, stalls: 1, shape: Shape::Json, ..Ask::get(path) };
        let body = self.fetch(&ask).await.ok()?;
        ask.bounded(&body, TOLD_VALUES_MAX).ok()?;
        serde_json::from_slice(&body).ok()
    }
}
