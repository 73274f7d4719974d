//! The documents that servers take, field by field, as the structs of Weaviate 1.24 to 1.40 have them (`entities/models`).
//! What those keep as `interface{}` has no fields: it is read by exact names.

use super::Layout::{self, Fields, Free, List, Map};

/// The fields of an object.
pub const OBJECT: [&str; 10] = [
    "class",
    "id",
    "properties",
    "vector",
    "vectors",
    "lastUpdateTimeUnix",
    "creationTimeUnix",
    "tenant",
    "vectorWeights",
    "additional",
];

/// A class document.
pub static CLASS: Layout = Fields(&[
    ("class", &Free),
    ("description", &Free),
    ("invertedIndexConfig", &INVERTED_INDEX),
    ("moduleConfig", &Free),
    ("multiTenancyConfig", &MULTI_TENANCY),
    ("objectTtlConfig", &OBJECT_TTL),
    ("properties", &List(&PROPERTY)),
    ("replicationConfig", &REPLICATION),
    ("shardingConfig", &Free),
    ("vectorConfig", &Map(&VECTOR)),
    ("vectorIndexConfig", &Free),
    ("vectorIndexType", &Free),
    ("vectorizer", &Free),
]);

static VECTOR: Layout = Fields(&[("vectorIndexConfig", &Free), ("vectorIndexType", &Free), ("vectorizer", &Free)]);

static PROPERTY: Layout = Fields(&[
    ("bucketGeneration", &Free),
    ("dataType", &Free),
    ("description", &Free),
    ("disableDuplicatedReferences", &Free),
    ("indexFilterable", &Free),
    ("indexInverted", &Free),
    ("indexRangeFilters", &Free),
    ("indexSearchable", &Free),
    ("moduleConfig", &Free),
    ("name", &Free),
    ("nestedProperties", &List(&NESTED_PROPERTY)),
    ("searchableBlockmax", &Free),
    ("textAnalyzer", &TEXT_ANALYZER),
    ("tokenization", &Free),
]);

static NESTED_PROPERTY: Layout = Fields(&[
    ("dataType", &Free),
    ("description", &Free),
    ("indexFilterable", &Free),
    ("indexRangeFilters", &Free),
    ("indexSearchable", &Free),
    ("name", &Free),
    ("nestedProperties", &List(&NESTED_PROPERTY)),
    ("textAnalyzer", &TEXT_ANALYZER),
    ("tokenization", &Free),
]);

static TEXT_ANALYZER: Layout = Fields(&[("asciiFold", &Free), ("asciiFoldIgnore", &Free), ("stopwordPreset", &Free)]);

static INVERTED_INDEX: Layout = Fields(&[
    ("bm25", &Fields(&[("b", &Free), ("k1", &Free)])),
    ("cleanupIntervalSeconds", &Free),
    ("indexNullState", &Free),
    ("indexPropertyLength", &Free),
    ("indexTimestamps", &Free),
    ("stopwordPresets", &Free),
    ("stopwords", &Fields(&[("additions", &Free), ("preset", &Free), ("removals", &Free)])),
    ("tokenizerUserDict", &List(&USER_DICT)),
    ("usingBlockMaxWAND", &Free),
]);

static USER_DICT: Layout =
    Fields(&[("replacements", &List(&Fields(&[("source", &Free), ("target", &Free)]))), ("tokenizer", &Free)]);

static MULTI_TENANCY: Layout =
    Fields(&[("autoTenantActivation", &Free), ("autoTenantCreation", &Free), ("enabled", &Free)]);

static OBJECT_TTL: Layout =
    Fields(&[("defaultTtl", &Free), ("deleteOn", &Free), ("enabled", &Free), ("filterExpiredObjects", &Free)]);

static REPLICATION: Layout = Fields(&[
    ("asyncConfig", &ASYNC_REPLICATION),
    ("asyncEnabled", &Free),
    ("deletionStrategy", &Free),
    ("factor", &Free),
]);

static ASYNC_REPLICATION: Layout = Fields(&[
    ("aliveNodesCheckingFrequency", &Free),
    ("diffBatchSize", &Free),
    ("diffPerNodeTimeout", &Free),
    ("frequency", &Free),
    ("frequencyWhilePropagating", &Free),
    ("hashtreeHeight", &Free),
    ("loggingFrequency", &Free),
    ("maxWorkers", &Free),
    ("prePropagationTimeout", &Free),
    ("propagationBatchSize", &Free),
    ("propagationConcurrency", &Free),
    ("propagationDelay", &Free),
    ("propagationLimit", &Free),
    ("propagationTimeout", &Free),
]);

/// A list of references, as it stands in an object.
pub static REFERENCES: Layout = List(&Fields(&[
    ("beacon", &Free),
    ("class", &Free),
    ("classification", &Free),
    ("href", &Free),
    ("schema", &Free),
]));

/// A list of tenants.
pub static TENANTS: Layout = List(&Fields(&[("activityStatus", &Free), ("name", &Free)]));

/// The document of all aliases.
pub static ALIASES: Layout = Fields(&[("aliases", &List(&Fields(&[("alias", &Free), ("class", &Free)])))]);

/// A list of roles.
pub static ROLES: Layout = List(&ROLE);

/// A role.
pub static ROLE: Layout = Fields(&[("name", &Free), ("permissions", &List(&PERMISSION))]);

static PERMISSION: Layout = Fields(&[
    ("action", &Free),
    ("aliases", &Fields(&[("alias", &Free), ("collection", &Free)])),
    ("backups", &Fields(&[("collection", &Free)])),
    ("collections", &Fields(&[("collection", &Free), ("tenant", &Free)])),
    ("data", &Fields(&[("collection", &Free), ("object", &Free), ("tenant", &Free)])),
    ("groups", &Fields(&[("group", &Free), ("groupType", &Free)])),
    ("namespaces", &Fields(&[("namespace", &Free)])),
    ("nodes", &Fields(&[("collection", &Free), ("verbosity", &Free)])),
    ("replicate", &Fields(&[("collection", &Free), ("shard", &Free)])),
    ("roles", &Fields(&[("role", &Free), ("scope", &Free)])),
    ("tenants", &Fields(&[("collection", &Free), ("tenant", &Free)])),
    ("users", &Fields(&[("users", &Free)])),
]);
