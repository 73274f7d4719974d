//! What the sandbox holds: collections, tenants, aliases, behind one lock.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::auth::Key;
use crate::behaviour::Behaviour;
use crate::cluster::{Cluster, Shard};
use crate::faults::plan::Plan;
use crate::json::Json;
use crate::limits::Limits;
use crate::log::Log;
use crate::operator::Operator;
use crate::store::Store;

/// Everything a running sandbox shares.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) ours: Behaviour,
    pub(crate) settings: Settings,
    state: RwLock<State>,
    pub(crate) plan: Plan,
    pub(crate) log: Log,
}

/// What does not change while it runs.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) auto_schema: bool,
    /// `QUERY_MAXIMUM_RESULTS`
    pub(crate) maximum: u64,
    /// Empty: anonymous access.
    pub(crate) keys: Vec<Key>,
    pub(crate) modules: Vec<String>,
    pub(crate) graphql: bool,
    /// Length of the vectors that vectorizers make; 0: none works.
    pub(crate) made_length: usize,
    /// A schedule for removing objects that expired is set.
    pub(crate) ttl: bool,
}

impl Core {
    pub(crate) fn new(ours: Behaviour, settings: Settings, nodes: usize) -> Self {
        let state = State {
            collections: BTreeMap::new(),
            aliases: BTreeMap::new(),
            cluster: Cluster::new(nodes),
            unprintable: HashSet::new(),
            revived: HashMap::new(),
            replaced: HashMap::new(),
            limits: Limits::default(),
            roles: Vec::new(),
            activated: [0, 0],
            kept: HashMap::new(),
            operator: Operator::default(),
        };
        Self { ours, settings, state: RwLock::new(state), plan: Plan::default(), log: Log::default() }
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// How long written objects stay in memory before they count, in milliseconds.
const FLUSH_AFTER_MS: i64 = 60_000;

/// Milliseconds since 1970.
pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|d| i64::try_from(d.as_millis()).ok()).unwrap_or(0)
}

/// What does change.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) collections: BTreeMap<String, Collection>,
    pub(crate) aliases: BTreeMap<String, String>,
    pub(crate) cluster: Cluster,
    /// Objects whose vector holds NaN.
    pub(crate) unprintable: HashSet<(String, u128)>,
    /// What tenants held that were removed, by class and tenant, where the version keeps it.
    pub(crate) kept: HashMap<(String, String), Space>,
    /// Objects a busy writer sends right after their class is dropped.
    pub(crate) revived: HashMap<String, (Vec<String>, bool)>,
    /// Class documents that somebody creates right after a class is dropped, once.
    pub(crate) replaced: HashMap<String, String>,
    /// What its operator forbids.
    pub(crate) limits: Limits,
    /// Roles that were made.
    pub(crate) roles: Vec<Json>,
    /// Tenants that a request woke and none put back, and the most there were of them at any time.
    pub(crate) activated: [usize; 2],
    /// What the operator set.
    pub(crate) operator: Operator,
}

impl State {
    /// The real class behind a name: first letter in either case, or an alias.
    pub(crate) fn resolve(&self, name: &str) -> Option<&str> {
        let name = upper_first(name);
        if let Some((name, _)) = self.collections.get_key_value(&name) {
            return Some(name);
        }
        self.aliases.get(&name).and_then(|class| self.collections.get_key_value(class)).map(|(name, _)| name.as_str())
    }

    pub(crate) fn collection(&self, name: &str) -> Option<&Collection> {
        self.resolve(name).and_then(|name| self.collections.get(name))
    }

    pub(crate) fn collection_mut(&mut self, name: &str) -> Option<&mut Collection> {
        let name = self.resolve(name)?.to_owned();
        self.collections.get_mut(&name)
    }

    /// Whether an object is there, in a tenant or in a collection without tenants.
    pub(crate) fn has(&self, class: &str, tenant: Option<&str>, id: u128) -> bool {
        self.collection(class).is_some_and(|c| {
            let tenant = if c.tenants.is_some() { tenant } else { None };
            c.space(tenant).is_ok_and(|space| space.store.get(id).is_some())
        })
    }
}

/// A name with its first letter in upper case.
pub(crate) fn upper_first(name: &str) -> String {
    if let Some((namespace, short)) = name.split_once(':') {
        return format!("{namespace}:{}", upper_first(short));
    }
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A collection.
#[derive(Debug)]
pub(crate) struct Collection {
    pub(crate) name: String,
    /// The class document, as `GET` prints it.
    pub(crate) document: Json,
    /// The objects, where there are no tenants.
    pub(crate) whole: Space,
    pub(crate) tenants: Option<BTreeMap<String, Tenant>>,
    /// Its trained quantizer is trained.
    pub(crate) trained: bool,
    /// It was refused after it had been written down: nothing can hold its objects.
    pub(crate) half_made: bool,
}

/// A tenant and its objects.
#[derive(Debug)]
pub(crate) struct Tenant {
    /// `HOT`, `COLD` or `FROZEN`
    pub(crate) status: &'static str,
    /// Its shard is not open on its node, though it is `HOT`.
    pub(crate) closed: bool,
    pub(crate) space: Space,
}

/// What a server says of a tenant whose shard is open nowhere: it looks for it on another node.
const REMOTE: &str = "remote shard object search ";

/// The status that comes with such an answer to a listing.
pub(crate) fn status_of(why: &str) -> u16 {
    if why.starts_with(REMOTE) { 500 } else { 422 }
}

/// Objects and the shards they are in.
#[derive(Debug, Default)]
pub(crate) struct Space {
    pub(crate) store: Store,
    pub(crate) shards: Vec<Shard>,
    /// Length of the vectors, by vector name; the unnamed one is "".
    pub(crate) lengths: HashMap<String, usize>,
    /// The same of vectors that the request at hand brought first: they count once all of it is stored.
    pub(crate) met: HashMap<String, usize>,
}

impl Space {
    /// A request is over: what its vectors were is what the index takes from now on.
    pub(crate) fn settle(&mut self) {
        for (name, length) in self.met.drain() {
            self.lengths.entry(name).or_insert(length);
        }
    }
}

impl Collection {
    /// The objects of a tenant, or of the whole; the error is worded as the server words it.
    pub(crate) fn space(&self, tenant: Option<&str>) -> Result<&Space, String> {
        match (&self.tenants, tenant) {
            (None, None) if self.half_made => Err(format!("tried to browse non-existing index for {}", self.name)),
            (None, None) => Ok(&self.whole),
            (None, Some(_)) => Err(self.wrong_tenancy("disabled", "with")),
            (Some(_), None) => Err(self.wrong_tenancy("enabled", "without")),
            (Some(tenants), Some(name)) => match tenants.get(name) {
                None => Err(format!("tenant not found: \"{name}\"")),
                Some(tenant) if tenant.status != "HOT" => Err(format!("tenant not active: '{name}'")),
                Some(tenant) if tenant.closed => Err(format!("{REMOTE}{name}: connect: connection refused")),
                Some(tenant) => Ok(&tenant.space),
            },
        }
    }

    pub(crate) fn space_mut(&mut self, tenant: Option<&str>) -> Result<&mut Space, String> {
        self.space(tenant)?;
        Ok(match (&mut self.tenants, tenant) {
            (Some(tenants), Some(name)) => {
                &mut tenants.get_mut(name).ok_or_else(|| format!("tenant not found: \"{name}\""))?.space
            }
            _ => &mut self.whole,
        })
    }

    fn wrong_tenancy(&self, state: &str, with: &str) -> String {
        format!("class {} has multi-tenancy {state}, but request was {with} tenant", self.name)
    }

    pub(crate) fn wants(&self, option: &str) -> bool {
        self.document.at(&["multiTenancyConfig", option]).is_some_and(Json::is_true)
    }

    pub(crate) fn factor(&self) -> usize {
        let factor = self.document.at(&["replicationConfig", "factor"]).and_then(Json::as_i64);
        factor.and_then(|f| usize::try_from(f).ok()).unwrap_or(1)
    }

    /// All shards, of all tenants too.
    pub(crate) fn shards(&self) -> impl Iterator<Item = &Shard> {
        self.whole.shards.iter().chain(self.tenants.iter().flatten().flat_map(|(_, t)| &t.space.shards))
    }

    pub(crate) fn shards_mut(&mut self) -> impl Iterator<Item = &mut Shard> {
        let tenants = self.tenants.iter_mut().flatten();
        self.whole.shards.iter_mut().chain(tenants.flat_map(|(_, t)| &mut t.space.shards))
    }

    /// Each shard with the number of objects that `/v1/nodes` says are in it, up to a minute late.
    pub(crate) fn counted(&self, cluster: &Cluster) -> Vec<(&Shard, u64)> {
        let before = now() - FLUSH_AFTER_MS;
        let mut all = Vec::new();
        for (number, shard) in self.whole.shards.iter().enumerate() {
            let count = match self.whole.shards.len() {
                1 => self.whole.store.flushed(before),
                n => {
                    let here = |id: u128| cluster.shard_of(&self.name, id, n) == number;
                    let objects = self.whole.store.walk(None);
                    objects.filter(|(id, entry)| entry.updated() < before && here(*id)).count() as u64
                }
            };
            all.push((shard, count));
        }
        for tenant in self.tenants.iter().flatten().map(|(_, t)| t).filter(|t| t.status == "HOT") {
            all.extend(tenant.space.shards.iter().map(|s| (s, tenant.space.store.flushed(before))));
        }
        all
    }
}
