//! Nodes, replicas and what each version says when some of them are away.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use crate::behaviour::Behaviour;
use crate::json::Json;
use crate::seeded::mix;
use crate::store::Stored;

/// How the asked node sees another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    /// Up and ready.
    Up,
    /// Gone, and noticed: no longer in the member list.
    Down,
    /// Gone, not noticed yet: connections to it are refused.
    Unreachable,
    /// Back, but its shards are not loaded.
    Loading,
}

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) condition: Condition,
}

/// One shard and where its replicas are.
#[derive(Debug, Clone)]
pub(crate) struct Shard {
    pub(crate) name: String,
    /// Node numbers, and since when the replica there is read-only.
    pub(crate) replicas: Vec<Replica>,
}

#[derive(Debug, Clone)]
pub(crate) struct Replica {
    pub(crate) node: usize,
    status: &'static str,
    /// What the status was until `from`.
    before: &'static str,
    from: Option<Instant>,
}

impl Replica {
    pub(crate) fn status(&self) -> &'static str {
        if self.from.is_some_and(|from| Instant::now() < from) { self.before } else { self.status }
    }

    pub(crate) fn is_readonly(&self) -> bool {
        self.status() == "READONLY"
    }
}

/// An object deleted while a replica was away, without a time.
#[derive(Debug)]
pub(crate) struct Buried {
    pub(crate) class: String,
    pub(crate) tenant: Option<String>,
    pub(crate) id: u128,
    pub(crate) object: Stored,
}

/// The nodes of a sandbox and what differs between them.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<Node>,
    /// How much later than the asked node the others take a shard's new status.
    pub(crate) freeze_lag: Duration,
    /// How long a call hangs before its connection is dropped.
    pub(crate) hang: Duration,
    /// Objects a node's replica lacks.
    absent: HashMap<(String, usize), HashSet<u128>>,
    /// Objects that a node's replica holds in an older version.
    stale: HashMap<(String, usize), HashMap<u128, Stored>>,
    /// Objects whose replicas never agree.
    conflicts: HashSet<(String, u128)>,
    /// Objects a test put into a certain shard.
    placed: HashMap<(String, u128), usize>,
    pub(crate) buried: Vec<Buried>,
    names: u64,
}

impl Cluster {
    pub(crate) fn new(nodes: usize) -> Self {
        let nodes = (1..=nodes.max(1)).map(|n| Node { name: format!("node{n}"), condition: Condition::Up }).collect();
        Self {
            nodes,
            freeze_lag: Duration::ZERO,
            hang: Duration::from_secs(60),
            absent: HashMap::new(),
            stale: HashMap::new(),
            conflicts: HashSet::new(),
            placed: HashMap::new(),
            buried: Vec::new(),
            names: 0,
        }
    }

    pub(crate) fn number(&self, name: &str) -> Option<usize> {
        self.nodes.iter().position(|n| n.name == name)
    }

    pub(crate) fn condition(&self, node: usize) -> Condition {
        self.nodes.get(node).map_or(Condition::Down, |n| n.condition)
    }

    pub(crate) fn is_up(&self, node: usize) -> bool {
        self.condition(node) == Condition::Up
    }

    /// Nodes in the member list: all but those noticed to be gone.
    pub(crate) fn members(&self) -> usize {
        self.nodes.iter().filter(|n| n.condition != Condition::Down).count()
    }

    /// True while more than half of the voters are up.
    pub(crate) fn has_majority(&self) -> bool {
        self.nodes.iter().filter(|n| matches!(n.condition, Condition::Up | Condition::Loading)).count() * 2
            > self.nodes.len()
    }

    /// What schema calls say without a majority.
    pub(crate) fn no_leader(&self) -> String {
        let gone: Vec<&str> =
            self.nodes.iter().rev().filter(|n| n.condition != Condition::Up).map(|n| n.name.as_str()).collect();
        format!("leader not found, can not resolve nodes [{}]", gone.join(","))
    }

    /// A new shard whose replicas start at a node.
    pub(crate) fn shard(&mut self, name: Option<&str>, first: usize, factor: usize) -> Shard {
        self.names += 1;
        let name = name.map_or_else(|| shard_name(self.names), str::to_owned);
        let count = self.nodes.len();
        let replicas = (0..factor.clamp(1, count))
            .map(|r| Replica { node: (first + r) % count, status: "READY", before: "READY", from: None })
            .collect();
        Shard { name, replicas }
    }

    /// Sets a shard's status: at once on the asked node, later on the others.
    pub(crate) fn set_status(&self, shard: &mut Shard, asked: usize, status: &'static str) {
        for replica in &mut shard.replicas {
            replica.before = replica.status();
            replica.status = status;
            let late = replica.node != asked && !self.freeze_lag.is_zero();
            replica.from = late.then(|| Instant::now() + self.freeze_lag);
        }
    }

    /// A restarted node forgets that its shards were read-only.
    pub(crate) fn forget_status(shard: &mut Shard, node: usize) {
        for replica in shard.replicas.iter_mut().filter(|r| r.node == node) {
            replica.status = "READY";
            replica.from = None;
        }
    }

    /// The node that keeps a shard from being read; `None` when some replica can be.
    pub(crate) fn lost(&self, shard: &Shard) -> Option<&Node> {
        if shard.replicas.iter().any(|r| self.is_up(r.node)) {
            return None;
        }
        shard.replicas.first().and_then(|r| self.nodes.get(r.node))
    }

    /// Which of the shards an object is in.
    pub(crate) fn shard_of(&self, class: &str, id: u128, shards: usize) -> usize {
        if shards < 2 {
            return 0;
        }
        if let Some(&placed) = self.placed.get(&(class.to_owned(), id)) {
            return placed % shards;
        }
        let high = u64::try_from(id >> 64).unwrap_or(0);
        let low = u64::try_from(id & u128::from(u64::MAX)).unwrap_or(0);
        usize::try_from(mix(high, low) % shards as u64).unwrap_or(0)
    }

    pub(crate) fn place(&mut self, class: &str, id: u128, shard: usize) {
        self.placed.insert((class.to_owned(), id), shard);
    }

    pub(crate) fn set_absent(&mut self, class: &str, node: usize, id: u128, absent: bool) {
        let ids = self.absent.entry((class.to_owned(), node)).or_default();
        if absent {
            ids.insert(id)
        } else {
            ids.remove(&id)
        };
    }

    pub(crate) fn repair(&mut self) {
        self.absent.clear();
        self.stale.clear();
        self.conflicts.clear();
    }

    /// A node's replica goes on to hold this version.
    pub(crate) fn set_stale(&mut self, class: &str, node: usize, id: u128, object: Stored) {
        self.stale.entry((class.to_owned(), node)).or_default().insert(id, object);
    }

    /// The older version that a node's replica holds, if it does.
    pub(crate) fn stale(&self, class: &str, node: usize, id: u128) -> Option<&Stored> {
        self.stale.get(&(class.to_owned(), node))?.get(&id)
    }

    /// The replicas of an object are compared: those that are older hold the newest version from now on, wherever they are.
    /// Whether they agree then.
    pub(crate) fn compare(&mut self, class: &str, id: u128) -> bool {
        for ((of, _), stale) in &mut self.stale {
            if of == class {
                stale.remove(&id);
            }
        }
        !self.conflicts.contains(&(class.to_owned(), id))
    }

    /// The replicas of an object never agree.
    pub(crate) fn set_conflict(&mut self, class: &str, id: u128) {
        self.conflicts.insert((class.to_owned(), id));
    }

    /// What a read through a node leaves out.
    pub(crate) fn sieve(&self, class: &str, shards: &[Shard], asked: usize) -> Sieve<'_> {
        let lost: Vec<bool> = shards.iter().map(|s| self.lost(s).is_some()).collect();
        let absent = self.absent.get(&(class.to_owned(), asked)).filter(|ids| !ids.is_empty());
        Sieve { cluster: self, class: class.to_owned(), any: lost.contains(&true), lost, absent }
    }

    /// The words for a shard that cannot be reached.
    pub(crate) fn shard_error(node: &Node, shard: &str, class: &str) -> String {
        match node.condition {
            Condition::Unreachable => format!(
                "connect: Post \"http://127.0.0.1:7001/indices/{class}/shards/{shard}/objects/_search\": \
                 dial tcp 127.0.0.1:7001: connect: connection refused"
            ),
            Condition::Loading => format!("status code: 422, error: local index \"{class}\" not found"),
            Condition::Up | Condition::Down => format!("resolve node name \"{}\" to host", node.name),
        }
    }

    /// Why a read of these shards fails altogether on this version, if it does.
    pub(crate) fn read_error(&self, ours: Behaviour, class: &str, shards: &[Shard], tenant: bool) -> Option<String> {
        let (shard, node) = shards.iter().find_map(|s| self.lost(s).map(|node| (s, node)))?;
        if node.condition == Condition::Down && ours.omits_lost_shards() {
            return tenant.then(|| "no read replica found".to_owned());
        }
        Some(format!("remote shard object search {}: {}", shard.name, Self::shard_error(node, &shard.name, class)))
    }
}

/// Decides which objects a read shows.
pub(crate) struct Sieve<'a> {
    cluster: &'a Cluster,
    class: String,
    lost: Vec<bool>,
    any: bool,
    absent: Option<&'a HashSet<u128>>,
}

impl Sieve<'_> {
    /// True when nothing is left out.
    pub(crate) fn is_open(&self) -> bool {
        !self.any && self.absent.is_none()
    }

    /// Whether an object is in a shard that can be reached, on whichever replica.
    pub(crate) fn reaches(&self, id: u128) -> bool {
        !self.any || !self.lost[self.cluster.shard_of(&self.class, id, self.lost.len())]
    }

    /// Whether the asked node shows an object.
    pub(crate) fn shows(&self, id: u128) -> bool {
        self.reaches(id) && self.absent.is_none_or(|ids| !ids.contains(&id))
    }
}

/// Twelve letters and digits, as the server names shards.
fn shard_name(number: u64) -> String {
    let letters = b"abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ0123456789";
    (0..12)
        .map(|at| {
            let pick = mix(number, at) % letters.len() as u64;
            char::from(letters[usize::try_from(pick).unwrap_or(0)])
        })
        .collect()
}

/// A shard's status as the server answers it on this version.
pub(crate) fn shard_status(cluster: &Cluster, ours: Behaviour, shard: &Shard) -> Json {
    let mut entry = crate::json::object! {"name": &shard.name};
    let seen: Vec<&Replica> = shard.replicas.iter().filter(|r| cluster.is_up(r.node)).collect();
    if let Some(first) = seen.first() {
        if ours.shards_per_node() {
            let mut nodes: Vec<_> =
                seen.iter().map(|r| (cluster.nodes[r.node].name.clone(), Json::from(r.status()))).collect();
            nodes.sort_by(|a, b| a.0.cmp(&b.0));
            entry.set("per_node_status", Json::Object(nodes));
        }
        let status = if seen.iter().any(|r| r.is_readonly()) { "READONLY" } else { first.status() };
        entry.set("status", status);
    }
    entry.set("vectorQueueSize", 0_usize);
    entry
}
