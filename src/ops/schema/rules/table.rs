//! The table of rules: when servers came to know what, and what becomes of it on those that do not.

use super::{For, Rule, Since, Then, When};
use crate::event::Loss;

const fn dropped(at: &'static str, when: When, known: Since, lost: Option<Loss>) -> Rule {
    Rule { at, when, target: For::Before(known), then: Then::Dropped, lost }
}

const fn refused(at: &'static str, when: When, known: Since) -> Rule {
    Rule { at, when, target: For::Before(known), then: Then::Refused, lost: None }
}

const fn decided(at: &'static str, since: Since, lost: Option<Loss>) -> Rule {
    Rule { at, when: When::Any, target: For::From(since), then: Then::Decided, lost }
}

/// Off: dropped and not missed. On: the collection would be another one, so refused.
const fn feature(at: &'static str, known: Since) -> [Rule; 2] {
    [dropped(at, When::Off, known, None), refused(at, When::On, known)]
}

/// Off: dropped and not missed. On: dropped, and what is lost is named.
const fn comfort(at: &'static str, known: Since, lost: Loss) -> [Rule; 2] {
    [dropped(at, When::Off, known, None), dropped(at, When::On, known, Some(lost))]
}

/// The server's own note, which it does not want back.
const fn note(at: &'static str) -> Rule {
    Rule { at, when: When::Any, target: For::Every, then: Then::LeftOut, lost: None }
}

/// What later servers no longer have.
const fn gone(at: &'static str, since: Since) -> Rule {
    let lost = Some(Loss::SettingGone);
    Rule { at, when: When::Any, target: For::From(since), then: Then::Dropped, lost }
}

// When what became known. Read from Weaviate's source, the first and last tag of each line and all between where they
// differ: v1.24.0 to v1.39.0 and 1.40.0-dev of 2026-08-20.
/// `entities/models/replication_config.go`, its enum.
const TIME_BASED: Since = Since(&[(25, 26), (26, 11), (27, 5), (28, 0)]);
/// `entities/models/replication_config.go`.
const DELETION_STRATEGY: Since = Since(&[(24, 26), (25, 21), (26, 7), (27, 0)]);
/// `entities/models/replication_config.go`.
const ASYNC: Since = Since(&[(26, 0)]);
/// `adapters/handlers/rest/restcompat/wrappers.go`: printed as `factor > 1`, unless the operator switched it off.
const ASYNC_DERIVED: Since = Since(&[(38, 0)]);
/// `entities/models/replication_config.go`.
const ASYNC_TUNING: Since = Since(&[(34, 13), (35, 6), (36, 0)]);
/// `entities/models/replication_async_config.go`: two of its keys went away.
const ASYNC_WORKERS_GONE: Since = Since(&[(37, 3), (38, 0)]);
/// `entities/vectorindex/{hnsw`,flat}/config.go.
const SQ: Since = Since(&[(26, 0)]);
/// `entities/vectorindex/hnsw/rq_config.go`.
const RQ: Since = Since(&[(32, 0)]);
/// `entities/vectorindex/hnsw/rq_config.go`, validation.
const RQ_1_BIT: Since = Since(&[(33, 0)]);
/// `entities/vectorindex/hnsw/rq_config.go`, validation.
const RQ_4_BITS: Since = Since(&[(39, 0)]);
/// `entities/vectorindex/flat/config.go`.
const FLAT_RQ: Since = Since(&[(34, 0)]);
/// `entities/vectorindex/hnsw/multivector_config.go`, `entities/models/vectors.go`.
const MULTIVECTOR: Since = Since(&[(29, 0)]);
/// `entities/vectorindex/hnsw/multivector_config.go`.
const MUVERA: Since = Since(&[(31, 0)]);
/// `entities/vectorindex/hfresh/config.go`: in 1.40.0-dev, not in 1.39.0.
const HFRESH_MULTIVECTOR: Since = Since(&[(40, 0)]);
/// `entities/vectorindex/hnsw/config.go`.
const FILTER_STRATEGY: Since = Since(&[(27, 0)]);
/// `entities/vectorindex/hnsw/config.go`, `usecases/config/environment.go`.
const DEFAULT_QUANTISER: Since = Since(&[(32, 5), (33, 0)]);
/// `entities/vectorindex/flat/config.go`.
const FLAT_DEFAULT_QUANTISER: Since = Since(&[(35, 0)]);
/// `entities/vectorindex/config.go`.
const DYNAMIC: Since = Since(&[(25, 0)]);
/// `usecases/schema/class.go` and `usecases/config/environment.go`: in 1.35 only as an experiment with other settings.
const HFRESH: Since = Since(&[(36, 0)]);
/// `entities/models/multi_tenancy_config.go`.
const AUTO_CREATION: Since = Since(&[(25, 0)]);
/// `entities/models/multi_tenancy_config.go`.
const AUTO_ACTIVATION: Since = Since(&[(25, 2), (26, 0)]);
/// `entities/models/class.go`.
const TTL: Since = Since(&[(35, 0)]);
/// `entities/models/inverted_index_config.go`.
const BLOCK_MAX: Since = Since(&[(30, 0)]);
/// `entities/models/inverted_index_config.go`.
const STOPWORD_PRESETS: Since = Since(&[(37, 0)]);
/// `entities/models/inverted_index_config.go`.
const USER_DICT: Since = Since(&[(34, 1), (35, 0)]);
/// `entities/models/property.go` and `nested_property.go`.
const TEXT_ANALYZER: Since = Since(&[(37, 0)]);
/// `entities/models/property.go` and `nested_property.go`.
const RANGE_FILTERS: Since = Since(&[(26, 0)]);
/// `entities/models/property.go`.
const NO_DUPLICATES: Since = Since(&[(36, 0)]);
/// `entities/schema/data_type.go`: in 1.37.0, not in 1.36.23.
const BLOB_HASH: Since = Since(&[(37, 0)]);
/// `entities/models/property.go`, its enum.
const KAGOME_KR: Since = Since(&[(25, 7), (26, 0)]);
/// `entities/models/property.go`, its enum.
const KAGOME_JA: Since = Since(&[(28, 0)]);
/// `entities/models/property.go`, its enum.
const GSE_CH: Since = Since(&[(30, 0)]);
/// `usecases/schema/class.go`: 1.30 has it behind an experiment; below, a collection has either kind of vector.
pub(in super::super) const MIXED_VECTORS: Since = Since(&[(31, 0)]);
/// The line after the newest that this table was read from: what is unknown here may be known there.
pub(in crate::ops) const UNREAD: Since = Since(&[(41, 0)]);
/// `entities/schema/validation.go`: in 1.39.0, not in 1.32.27. A rehearsal finds out about those in between.
const RESERVED_ENDS: Since = Since(&[(39, 0)]);
/// No version.
const NEVER: Since = Since(&[]);

/// Keys of properties that are the server's own notes about migrations of an index (`entities/models/property.go`, 1.38
/// and 1.39). They come and go by themselves.
pub(in super::super) const NOTES: [&str; 2] = ["bucketGeneration", "searchableBlockmax"];

const DATA_TYPES: &[&str] = &[
    "text",
    "text[]",
    "string",
    "string[]",
    "int",
    "int[]",
    "number",
    "number[]",
    "boolean",
    "boolean[]",
    "date",
    "date[]",
    "uuid",
    "uuid[]",
    "geoCoordinates",
    "phoneNumber",
    "blob",
    "object",
    "object[]",
    "blobHash",
];
const INDEX_TYPES: &[&str] = &["hnsw", "flat", "dynamic", "hfresh", "none"];
const TOKENIZATIONS: &[&str] =
    &["word", "lowercase", "whitespace", "field", "trigram", "gse", "kagome_kr", "kagome_ja", "gse_ch"];

/// The rules, in groups. Of two that match a place the first one holds, and it holds for everything below the place.
/// The principle: what changes what is stored or what a search finds is refused; what only changes how fast, how safely
/// or how long is dropped and named.
pub(in crate::ops) const TABLE: &[&[Rule]] = &[
    // Values the server would answer with 422.
    &[
        Rule {
            at: "replicationConfig.deletionStrategy",
            when: When::Is("TimeBasedResolution"),
            target: For::Before(TIME_BASED),
            then: Then::LeftOut,
            lost: Some(Loss::DefaultDeletionStrategy),
        },
        Rule {
            at: "@property.indexInverted",
            when: When::Beside(&["indexFilterable", "indexSearchable", "indexRangeFilters"]),
            target: For::Every,
            then: Then::LeftOut,
            lost: None,
        },
        refused("@vector.vectorIndexType", When::Is("dynamic"), DYNAMIC),
        refused("@vector.vectorIndexType", When::Is("hfresh"), HFRESH),
        // A named vector whose index was dropped: every server prints it, none takes it.
        refused("@vector.vectorIndexType", When::Is("none"), NEVER),
        refused("@vector.vectorIndexType", When::NoneOf(INDEX_TYPES), UNREAD),
        refused("@property.dataType", When::Is("blobHash"), BLOB_HASH),
        refused("@property.dataType", When::NoneOf(DATA_TYPES), UNREAD),
        Rule {
            at: "@top.name",
            when: When::EndsWith(&[
                "_searchable",
                "_temp",
                "_rangeable",
                "_propertyLength",
                "_nullState",
                "__meta_count",
            ]),
            target: For::From(RESERVED_ENDS),
            then: Then::Refused,
            lost: None,
        },
        refused("@property.tokenization", When::Is("kagome_kr"), KAGOME_KR),
        refused("@property.tokenization", When::Is("kagome_ja"), KAGOME_JA),
        refused("@property.tokenization", When::Is("gse_ch"), GSE_CH),
        refused("@property.tokenization", When::NoneOf(TOKENIZATIONS), UNREAD),
        refused("@hnsw.rq", When::Bits(1), RQ_1_BIT),
        refused("@hnsw.rq", When::Bits(4), RQ_4_BITS),
    ],
    // NOTES.
    &[note("@property.bucketGeneration"), note("@property.searchableBlockmax")],
    // How vectors are stored and searched.
    &feature("@hnsw.sq", SQ),
    &feature("@flat.sq", SQ),
    &feature("@hnsw.rq", RQ),
    &feature("@flat.rq", FLAT_RQ),
    &feature("@hnsw.multivector", MULTIVECTOR),
    &feature("@hnsw.multivector.muvera", MUVERA),
    &feature("@hfresh.multivector", HFRESH_MULTIVECTOR),
    &[
        // The only one there was before.
        dropped("@hnsw.filterStrategy", When::Is("sweeping"), FILTER_STRATEGY, None),
        dropped("@hnsw.filterStrategy", When::Any, FILTER_STRATEGY, Some(Loss::OnlyFilterStrategy)),
        dropped("@hnsw.skipDefaultQuantization", When::Any, DEFAULT_QUANTISER, None),
        dropped("@hnsw.trackDefaultQuantization", When::Any, DEFAULT_QUANTISER, None),
        decided("@hnsw.trackDefaultQuantization", DEFAULT_QUANTISER, None),
        dropped("@flat.skipDefaultQuantization", When::Any, FLAT_DEFAULT_QUANTISER, None),
        dropped("@flat.trackDefaultQuantization", When::Any, FLAT_DEFAULT_QUANTISER, None),
        decided("@flat.trackDefaultQuantization", FLAT_DEFAULT_QUANTISER, None),
    ],
    // How text is searched.
    &feature("@property.textAnalyzer", TEXT_ANALYZER),
    &feature("invertedIndexConfig.stopwordPresets", STOPWORD_PRESETS),
    &feature("invertedIndexConfig.tokenizerUserDict", USER_DICT),
    &comfort("@property.indexRangeFilters", RANGE_FILTERS, Loss::RangeIndex),
    &[
        dropped("invertedIndexConfig.usingBlockMaxWAND", When::Any, BLOCK_MAX, None),
        // usecases/schema/class.go sets it to the server's default, whatever is sent.
        decided("invertedIndexConfig.usingBlockMaxWAND", BLOCK_MAX, Some(Loss::TextIndexLayout)),
    ],
    // Replicas, tenants, expiry.
    &[dropped("replicationConfig.deletionStrategy", When::Any, DELETION_STRATEGY, Some(Loss::OnlyDeletionStrategy))],
    &comfort("replicationConfig.asyncEnabled", ASYNC, Loss::BackgroundRepair),
    &[
        decided("replicationConfig.asyncEnabled", ASYNC_DERIVED, Some(Loss::DerivedFromReplicas)),
        dropped("replicationConfig.asyncConfig", When::Any, ASYNC_TUNING, Some(Loss::RepairPace)),
        gone("replicationConfig.asyncConfig.maxWorkers", ASYNC_WORKERS_GONE),
        gone("replicationConfig.asyncConfig.aliveNodesCheckingFrequency", ASYNC_WORKERS_GONE),
    ],
    &comfort("multiTenancyConfig.autoTenantCreation", AUTO_CREATION, Loss::AutoTenantCreation),
    &comfort("multiTenancyConfig.autoTenantActivation", AUTO_ACTIVATION, Loss::AutoTenantActivation),
    &comfort("objectTtlConfig", TTL, Loss::Expiry),
    &comfort("@property.disableDuplicatedReferences", NO_DUPLICATES, Loss::UniqueReferences),
];
