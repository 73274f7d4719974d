//! How a sandbox is set up.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;

use tokio::sync::watch;

use crate::auth::{Key, Role};
use crate::behaviour::{Behaviour, Release};
use crate::faults::{Change, Fault, Faults, apply};
use crate::json::{self, Json};
use crate::operator::Operator;
use crate::seeded::Seeded;
use crate::serve::{Serving, accept};
use crate::state::{Core, Settings, now};
use crate::store::Store;
use crate::{Sandbox, routes, schema};

/// What a sandbox holds when it starts.
#[derive(Debug, Clone)]
#[must_use]
pub struct Builder {
    release: Release,
    port: u16,
    nodes: usize,
    settings: Settings,
    collections: Vec<String>,
    seeded: Vec<(String, u64, usize, u64)>,
    tenants: u64,
    named: Vec<Named>,
    changes: Vec<Change>,
    faults: Vec<Fault>,
    roles: Vec<String>,
    operator: Operator,
}

/// What a collection has beside its objects.
#[derive(Debug, Clone)]
enum Named {
    /// Collection, name, status once the objects are written.
    Tenant(String, String, &'static str),
    /// Alias, collection.
    Alias(String, String),
}

impl Default for Builder {
    fn default() -> Self {
        let settings = Settings {
            auto_schema: true,
            maximum: 10_000,
            keys: Vec::new(),
            modules: vec!["text2vec-openai".to_owned(), "generative-openai".to_owned()],
            graphql: true,
            made_length: 0,
            ttl: false,
        };
        Self {
            release: Release::V1_40,
            port: 0,
            nodes: 1,
            settings,
            collections: Vec::new(),
            seeded: Vec::new(),
            tenants: 0,
            named: Vec::new(),
            changes: Vec::new(),
            faults: Vec::new(),
            roles: Vec::new(),
            operator: Operator::default(),
        }
    }
}

impl Builder {
    /// The version to play, such as `1.24`; the nearest one there is.
    pub fn version(mut self, version: &str) -> Self {
        self.release = Release::parse(version);
        self
    }

    /// A fixed port for the first node; 0 takes any.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// How many nodes the cluster has, named `node1` and so on.
    pub fn nodes(mut self, nodes: usize) -> Self {
        self.nodes = nodes.max(1);
        self
    }

    /// `QUERY_MAXIMUM_RESULTS`, 10,000 if not said.
    pub fn query_maximum_results(mut self, maximum: u64) -> Self {
        self.settings.maximum = maximum;
        self
    }

    /// Whether unknown collections and properties are made up on write; on if not said.
    pub fn auto_schema(mut self, on: bool) -> Self {
        self.settings.auto_schema = on;
        self
    }

    /// Whether the GraphQL route is there; on if not said.
    pub fn graphql(mut self, on: bool) -> Self {
        self.settings.graphql = on;
        self
    }

    /// The vectorizer and other modules it has.
    pub fn modules(mut self, names: &[&str]) -> Self {
        self.settings.modules = names.iter().map(|n| (*n).to_owned()).collect();
        self
    }

    /// Vectorizers work: where an object has no unnamed vector, they make one of so many numbers.
    pub fn makes_vectors(mut self, length: usize) -> Self {
        self.settings.made_length = length;
        self
    }

    /// Classes whose objects expire are taken.
    pub fn ttl(mut self) -> Self {
        self.settings.ttl = true;
        self
    }

    /// Asks for a key from now on, and takes this one.
    pub fn key(mut self, key: &str, user: &str, role: Role) -> Self {
        self.settings.keys.push(Key { text: key.to_owned(), user: user.to_owned(), role });
        self
    }

    /// `rootkey` (everything), `readkey` (reading), `nonekey` (a user `nobody` without roles), and a role that none has.
    pub fn with_keys(self) -> Self {
        let keys = self.key("rootkey", "root", Role::Root).key("readkey", "reader", Role::Viewer);
        keys.key("nonekey", "nobody", Role::None).role(
            r#"{"name":"backupReader","permissions":[{"action":"read_collections","collections":{"collection":"Sec"}},
                {"action":"read_data","data":{"collection":"Sec","object":"*","tenant":"*"}}]}"#,
        )
    }

    /// A collection from its class document, as a `POST /v1/schema` would make it.
    pub fn collection(mut self, document: &str) -> Self {
        self.collections.push(document.to_owned());
        self
    }

    /// A tenant of a collection, and its status once the objects are written: `HOT`, `COLD` or `FROZEN`.
    pub fn tenant(mut self, class: &str, name: &str, status: &'static str) -> Self {
        self.named.push(Named::Tenant(class.to_owned(), name.to_owned(), status));
        self
    }

    /// An alias of a collection.
    pub fn alias(mut self, alias: &str, class: &str) -> Self {
        self.named.push(Named::Alias(alias.to_owned(), class.to_owned()));
        self
    }

    /// A role, as JSON with its permissions.
    pub fn role(mut self, role: &str) -> Self {
        self.roles.push(role.to_owned());
        self
    }

    /// Objects, each as JSON with its class, as a batch would write them.
    pub fn object(mut self, object: &str) -> Self {
        self.changes.push(Change::Write(object.to_owned()));
        self
    }

    /// A collection of so many objects with vectors of so many dimensions (0: none), made from a seed and not held.
    pub fn seeded(mut self, class: &str, objects: u64, dimensions: usize, seed: u64) -> Self {
        self.seeded.push((class.to_owned(), objects, dimensions, seed));
        self
    }

    /// Seeded collections have so many tenants, `t000000` and so on, each with the objects that were asked for, and
    /// every second one inactive.
    pub fn in_tenants(mut self, tenants: u64) -> Self {
        self.tenants = tenants;
        self
    }

    /// Something that changes once everything else is there.
    pub fn change(mut self, change: Change) -> Self {
        self.changes.push(change);
        self
    }

    /// What its operator set, before its collections are made.
    pub fn operator(mut self, operator: Operator) -> Self {
        self.operator = operator;
        self
    }

    /// A fault rule from the start.
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Starts it.
    ///
    /// # Panics
    /// As [`Builder::start_blocking`].
    #[expect(clippy::unused_async, reason = "callers are async, and a later version may wait for its listeners")]
    pub async fn start(self) -> Sandbox {
        self.start_blocking()
    }

    /// Starts it on a thread and a runtime of its own, so that callers may be blocking or play with time.
    ///
    /// # Panics
    /// When no port can be bound, or a class document is refused: a test cannot go on then.
    #[must_use]
    pub fn start_blocking(self) -> Sandbox {
        self.try_start().unwrap_or_else(|error| panic!("the sandbox does not start: {error}"))
    }

    fn try_start(self) -> io::Result<Sandbox> {
        let core = Arc::new(Core::new(Behaviour { release: self.release }, self.settings, self.nodes));
        core.write().operator = self.operator;
        for document in &self.collections {
            let document = json::parse(document.as_bytes()).map_err(io::Error::other)?;
            create(&core, &document)?;
        }
        for (class, objects, dimensions, seed) in &self.seeded {
            let seeded = Seeded::new(*seed, *objects, *dimensions, now() - 1_000_000);
            let document = seeded.document(class, self.tenants > 0);
            create(&core, &json::parse(document.as_bytes()).map_err(io::Error::other)?)?;
            if self.tenants > 0 {
                routes::tenants::fill(&mut core.write(), class, self.tenants, &Arc::new(seeded));
            } else if let Some(collection) = core.write().collection_mut(class) {
                collection.whole.lengths.insert(String::new(), *dimensions);
                collection.whole.store = Store::seeded(seeded);
            }
        }
        for named in &self.named {
            let state = &mut core.write();
            match named {
                Named::Alias(alias, class) => drop(state.aliases.insert(alias.clone(), class.clone())),
                Named::Tenant(class, name, _) => routes::tenants::make(state, class, name),
            }
        }
        self.changes.iter().for_each(|change| apply(&core, change));
        for named in &self.named {
            if let Named::Tenant(class, name, status) = named {
                routes::tenants::set(&mut core.write(), class, name, status);
            }
        }
        self.faults.into_iter().for_each(|fault| Faults { core: &core }.add(fault));
        for role in &self.roles {
            core.write().roles.push(json::parse(role.as_bytes()).map_err(io::Error::other)?);
        }
        let listeners: Vec<TcpListener> = (0..self.nodes)
            .map(|n| TcpListener::bind((Ipv4Addr::LOCALHOST, if n == 0 { self.port } else { 0 })))
            .collect::<io::Result<_>>()?;
        let ports = listeners.iter().map(|l| l.local_addr().map(|a| a.port())).collect::<io::Result<_>>()?;
        let (stop, _) = watch::channel(false);
        let serving = Serving { core: Arc::clone(&core), router: routes::router(&core), stop: stop.clone() };
        let thread = std::thread::Builder::new().name("sandbox".to_owned()).spawn(move || run(&serving, listeners))?;
        Ok(Sandbox { core, ports, stop, thread: Some(thread) })
    }
}

fn create(core: &Core, document: &Json) -> io::Result<()> {
    schema::create(core, &mut core.write(), document).map(|_| ()).map_err(io::Error::other)
}

fn run(serving: &Serving, listeners: Vec<TcpListener>) {
    let Ok(runtime) = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() else {
        return;
    };
    runtime.block_on(async {
        let listening = listeners.into_iter().enumerate().filter_map(|(asked, listener)| {
            listener.set_nonblocking(true).ok()?;
            let listener = tokio::net::TcpListener::from_std(listener).ok()?;
            Some(tokio::spawn(accept(serving.clone(), listener, asked)))
        });
        futures_util::future::join_all(listening.collect::<Vec<_>>()).await;
    });
    runtime.shutdown_background();
}
