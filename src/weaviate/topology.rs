//! Whether a collection is whole: with a node away, newer servers list what is left with status 200.

mod all;
mod reduced;

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Error;
use super::ask::{Ask, SHARDS_BYTES_MAX, SHARDS_VALUES_MAX};
use super::body::Body;
use super::client::Client;
use super::retry::RetryPolicy;
use crate::model::{CollectionName, Schema};

pub use all::Topologies;
pub use reduced::Reduced;

/// What a node says that is well.
const HEALTHY: &str = "HEALTHY";

/// Whether every shard of a collection answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Topology {
    /// All of them.
    Whole {
        /// Names of the nodes, sorted.
        nodes: Vec<String>,
        /// Names of the shards, sorted: a collection that is recreated has other ones. None if multi-tenant.
        shards: Vec<String>,
    },
    /// Something is away, or does not answer in time.
    Broken {
        /// What, in few words.
        reason: String,
    },
    /// Nothing wrong was seen, but the key may not ask everything, or the version cannot be asked.
    Unchecked {
        /// Why, in few words.
        reason: String,
        /// Names of the shards, sorted, if these could be asked.
        shards: Vec<String>,
    },
}

/// The first failure that any of some questions was asked again for, in words. A part of the server may have been away
/// then, whatever was answered in the end.
type Blip = OnceLock<String>;

/// Why one question has no answer to go by.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Doubt {
    /// It shows that something is away.
    Broken(String),
    /// It cannot be asked.
    Closed(String),
}

type Facts<T> = Result<T, Doubt>;

#[derive(Deserialize)]
pub(super) struct Statistics {
    pub(super) statistics: Option<Vec<Statistic>>,
}

#[derive(Deserialize)]
pub(super) struct Statistic {
    pub(super) raft: Option<Raft>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Raft {
    pub(super) latest_configuration: Option<Vec<Voter>>,
}

#[derive(Deserialize)]
pub(super) struct Voter {
    pub(super) id: String,
    pub(super) address: Option<String>,
}

#[derive(Deserialize)]
struct Nodes {
    nodes: Option<Vec<Node>>,
}

#[derive(Deserialize)]
struct Node {
    name: String,
    status: Option<String>,
    shards: Option<Vec<Shard>>,
}

#[derive(Deserialize)]
pub(super) struct Shard {
    pub(super) name: String,
    class: Option<String>,
    status: Option<String>,
}

impl Client {
    /// Looks whether every shard of the collection answers: the raft voters are the nodes and all are healthy; the
    /// shards that nodes hold are as many as the schema says, times replicas; every shard has a status. All is asked
    /// at once, with 2 s each; a question that is lost is asked again a few times before it counts as a part that is away.
    /// The shards of a multi-tenant collection are its tenants, which fail honestly; they are not asked about.
    pub async fn topology(&self, schema: &Schema) -> Topology {
        self.topology_and_blip(schema).await.0
    }

    /// The same, and what a question was asked again for, if any was: then the answer tells how things are, and nothing
    /// about a moment ago. Being turned away (429) is no such thing.
    pub async fn topology_and_blip(&self, schema: &Schema) -> (Topology, Option<String>) {
        let (name, blip) = (&schema.name, &Blip::new());
        let (statistics, nodes, placed, statuses) = tokio::join!(
            self.question::<Statistics>("/v1/cluster/statistics".into(), blip),
            self.question::<Nodes>("/v1/nodes".into(), blip),
            self.question_of::<Nodes>(schema, format!("/v1/nodes/{name}?output=verbose"), blip),
            self.question_of::<Vec<Shard>>(schema, format!("/v1/schema/{name}/shards"), blip),
        );
        let members = members(&statistics, &nodes);
        let placed = placed.and_then(|placed| judge_placed(schema, placed.as_ref(), &statuses, &members));
        let mut names: Vec<String> = statuses.iter().flatten().flatten().map(|shard| shard.name.clone()).collect();
        names.sort_unstable();
        let statuses = statuses.and_then(|shards| judge_statuses(schema, shards.as_deref()));
        (verdict(members, [placed, statuses], names), blip.get().cloned())
    }

    /// Looks whether the nodes themselves are there, whatever they hold: for a server without the collection in question.
    pub async fn members(&self) -> Topology {
        let blip = Blip::new();
        let (statistics, nodes) = tokio::join!(
            self.question::<Statistics>("/v1/cluster/statistics".into(), &blip),
            self.question::<Nodes>("/v1/nodes".into(), &blip),
        );
        verdict(members(&statistics, &nodes), [Ok(()), Ok(())], Vec::new())
    }

    /// The shards of a plain collection that take no writes, with their status. Up to 1.39 a write to one on another
    /// node is answered with SUCCESS and lost, so they are looked for before anything is written.
    pub async fn read_only_shards(&self, collection: &CollectionName) -> Result<Vec<String>, Error> {
        let ask = Ask { max_bytes: SHARDS_BYTES_MAX, ..Ask::get(format!("/v1/schema/{collection}/shards")) };
        let body = match self.fetch(&ask).await {
            Err(Error::Forbidden { .. }) => return Ok(Vec::new()),
            other => other?,
        };
        ask.bounded(&body, SHARDS_VALUES_MAX)?;
        let shards: Vec<Shard> = serde_json::from_slice(&body).map_err(|_| ask.bad_answer("not a list of shards"))?;
        let read_only = shards.into_iter().filter(|shard| shard.status.as_deref() == Some("READONLY"));
        Ok(read_only.map(|shard| super::said::harmless(&shard.name)).collect())
    }

    /// A question that makes no sense for multi-tenant collections.
    async fn question_of<T: DeserializeOwned>(&self, schema: &Schema, path: String, blip: &Blip) -> Facts<Option<T>> {
        if schema.multi_tenant { Ok(None) } else { self.question(path, blip).await.map(Some) }
    }

    async fn question<T: DeserializeOwned>(&self, path: String, blip: &Blip) -> Facts<T> {
        self.question_within(path, self.policy().question_timeout, blip).await
    }

    async fn question_within<T: DeserializeOwned>(&self, path: String, longest: Duration, blip: &Blip) -> Facts<T> {
        let RetryPolicy { question_attempts: attempts, stalled_questions: stalls, .. } = *self.policy();
        let ask = Ask { timeout: Some(longest), max_bytes: SHARDS_BYTES_MAX, attempts, stalls, ..Ask::get(path) };
        let answer = Box::pin(self.send(&ask)).await.map_err(|error| doubt(error.root()))?;
        if let Some(error) = &answer.after {
            blip.get_or_init(|| error.to_string());
        }
        let nonsense = || Doubt::Broken(ask.bad_answer("not what this question is answered with").to_string());
        match answer.body {
            Body::Whole(body) => {
                ask.bounded(&body, SHARDS_VALUES_MAX).map_err(|error| doubt(&error))?;
                serde_json::from_slice(&body).map_err(|_| nonsense())
            }
            Body::TooLarge => Err(nonsense()),
        }
    }
}

fn doubt(error: &Error) -> Doubt {
    let closed = error.is_auth() || error.is_missing_route() || matches!(error.status(), Some(405 | 501));
    if error.is_missing_route() {
        return Doubt::Closed("this version of Weaviate cannot be asked for its nodes".to_owned());
    }
    if closed { Doubt::Closed(error.to_string()) } else { Doubt::Broken(error.to_string()) }
}

fn listed<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
    super::said::harmless(&names.join(", "))
}

/// The nodes, if they are the voters and all are healthy. What is seen broken counts even if the rest cannot be asked.
fn members(statistics: &Facts<Statistics>, nodes: &Facts<Nodes>) -> Facts<BTreeSet<String>> {
    let nodes = match (nodes, statistics) {
        (Err(Doubt::Closed(_)), Err(broken @ Doubt::Broken(_))) => return Err(broken.clone()),
        (Err(doubt), _) => return Err(doubt.clone()),
        (Ok(nodes), _) => nodes.nodes.as_deref().unwrap_or_default(),
    };
    let sick = nodes.iter().filter(|node| node.status.as_deref() != Some(HEALTHY));
    let sick = listed(sick.map(|node| &node.name));
    if !sick.is_empty() {
        return Err(Doubt::Broken(format!("not healthy: {sick}")));
    }
    let names: BTreeSet<String> = nodes.iter().map(|node| node.name.clone()).collect();
    let statistics = statistics.as_ref().map_err(Clone::clone)?;
    let voters = statistics.statistics.iter().flatten().filter_map(|one| one.raft.as_ref());
    let voters: BTreeSet<String> =
        voters.flat_map(|raft| raft.latest_configuration.iter().flatten()).map(|voter| voter.id.clone()).collect();
    if names == voters && !names.is_empty() {
        return Ok(names);
    }
    let (away, strange) = (listed(voters.difference(&names)), listed(names.difference(&voters)));
    Err(Doubt::Broken(match (away.as_str(), strange.as_str()) {
        ("", "") => "no nodes are listed".to_owned(),
        ("", strange) => format!("not a voter: {strange}"),
        (away, _) => format!("away: {away}"),
    }))
}

/// Whether the shards that the nodes hold are as many as the schema says, and each as often as there are replicas.
fn judge_placed(
    schema: &Schema,
    placed: Option<&Nodes>,
    statuses: &Facts<Option<Vec<Shard>>>,
    members: &Facts<BTreeSet<String>>,
) -> Facts<()> {
    let (Some(placed), Some(expected)) = (placed, schema.shards) else { return Ok(()) };
    let nodes = placed.nodes.iter().flatten();
    let shards = nodes.flat_map(|node| node.shards.iter().flatten().map(move |shard| (&node.name, shard)));
    let ours = |shard: &Shard| shard.class.as_deref().is_none_or(|class| class == schema.name.as_str());
    let copies: BTreeSet<(&str, &str)> =
        shards.filter(|(_, shard)| ours(shard)).map(|(node, shard)| (node.as_str(), shard.name.as_str())).collect();
    let distinct = copies.iter().map(|(_, shard)| shard).collect::<BTreeSet<_>>().len();
    let wanted = u64::from(expected) * u64::from(schema.replicas);
    let listed_elsewhere = statuses.as_ref().is_ok_and(|list| list.as_ref().is_some_and(|list| !list.is_empty()));
    if copies.is_empty() && (matches!(members, Err(Doubt::Closed(_))) || listed_elsewhere) {
        // such a list is what a key gets that may not ask
        return Err(Doubt::Closed("the nodes list no shards to this key".to_owned()));
    }
    if distinct as u64 != u64::from(expected) {
        return Err(Doubt::Broken(format!("{distinct} of {expected} shards answer")));
    }
    if (copies.len() as u64) < wanted {
        return Err(Doubt::Broken(format!("{} of {wanted} shard replicas answer", copies.len())));
    }
    Ok(())
}

/// Whether every shard has a status: a shard whose node is away has none.
fn judge_statuses(schema: &Schema, shards: Option<&[Shard]>) -> Facts<()> {
    let Some(shards) = shards else { return Ok(()) };
    let silent = shards.iter().filter(|shard| shard.status.as_deref().unwrap_or_default().is_empty()).count();
    let expected = schema.shards.unwrap_or_default();
    if silent > 0 {
        return Err(Doubt::Broken(format!("{silent} of {} shards have no status", shards.len())));
    }
    if (shards.len() as u64) < u64::from(expected) {
        return Err(Doubt::Broken(format!("{} of {expected} shards are listed", shards.len())));
    }
    Ok(())
}

/// Broken if anything is; else unchecked if anything is; else whole.
fn verdict(members: Facts<BTreeSet<String>>, rest: [Facts<()>; 2], shards: Vec<String>) -> Topology {
    let (nodes, first) = match members {
        Ok(nodes) => (nodes, None),
        Err(doubt) => (BTreeSet::new(), Some(doubt)),
    };
    let doubts: Vec<Doubt> = first.into_iter().chain(rest.into_iter().filter_map(Result::err)).collect();
    let broken = doubts.iter().find_map(|doubt| match doubt {
        Doubt::Broken(reason) => Some(reason.clone()),
        Doubt::Closed(_) => None,
    });
    match (broken, doubts.into_iter().next()) {
        (Some(reason), _) => Topology::Broken { reason },
        (None, Some(Doubt::Broken(reason) | Doubt::Closed(reason))) => Topology::Unchecked { reason, shards },
        (None, None) => Topology::Whole { nodes: nodes.into_iter().collect(), shards },
    }
}
