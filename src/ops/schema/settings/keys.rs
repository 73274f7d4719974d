//! The keys of `--set`: where each stands in a class document, what it takes, and by which short name it goes. One table, of
//! what the class documents of 1.24 to 1.40 have. Pure.

use super::values::Takes;
use crate::model::similar;

/// A kind of vector index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ops) enum IndexKind {
    Hnsw,
    Flat,
    Dynamic,
    Hfresh,
}

impl IndexKind {
    pub(in crate::ops) fn parse(text: &str) -> Option<Self> {
        [Self::Hnsw, Self::Flat, Self::Dynamic, Self::Hfresh].into_iter().find(|kind| kind.name() == text)
    }

    /// The server's word for it.
    pub(in crate::ops) fn name(self) -> &'static str {
        match self {
            Self::Hnsw => "hnsw",
            Self::Flat => "flat",
            Self::Dynamic => "dynamic",
            Self::Hfresh => "hfresh",
        }
    }
}

/// What may have a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    /// The collection.
    Collection,
    /// A collection without tenants.
    Plain,
    /// A vector.
    Vector,
    /// The vector indexes of these kinds.
    Index(&'static [IndexKind]),
    /// The properties of these data types, lists of them included; none: all but references.
    Property(&'static [&'static str]),
    /// A property that is named.
    OneProperty,
}

/// A setting.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SettingRow {
    /// Where it stands below what has it. Behind `.*` stands the name of a module and what is set of it.
    pub(super) key: &'static str,
    /// The other name by which it goes, if any.
    pub(super) short: Option<&'static str>,
    pub(super) of: Holder,
    pub(super) takes: Takes,
}

const fn row(key: &'static str, of: Holder, takes: Takes) -> SettingRow {
    SettingRow { key, short: None, of, takes }
}

const fn short(short: &'static str, key: &'static str, of: Holder, takes: Takes) -> SettingRow {
    SettingRow { key, short: Some(short), of, takes }
}

pub(super) const INDEX_TYPE: &str = "vectorIndexType";
pub(super) const VECTORIZER: &str = "vectorizer";
/// Of the compressions of an index the one that is on: no key of a document, but one of several that are.
pub(super) const QUANTIZER: &str = "quantizer";
pub(super) const TTL: &str = "objectTtlConfig";
pub(super) const SHARDS: &str = "shardingConfig.desiredCount";
pub(super) const FACTOR: &str = "replicationConfig.factor";
pub(super) const TOKENIZATION: &str = "tokenization";
pub(super) const INDEX_CONFIG: &str = "vectorIndexConfig";

/// What servers know; a collection with another one is refused, and left there half-made all the same.
const DISTANCES: [&str; 5] = ["cosine", "dot", "l2-squared", "manhattan", "hamming"];

const HNSW: Holder = Holder::Index(&[IndexKind::Hnsw]);
const FLAT: Holder = Holder::Index(&[IndexKind::Flat]);
const DYNAMIC: Holder = Holder::Index(&[IndexKind::Dynamic]);
const HFRESH: Holder = Holder::Index(&[IndexKind::Hfresh]);
const HNSW_FLAT: Holder = Holder::Index(&[IndexKind::Hnsw, IndexKind::Flat]);
const HNSW_HFRESH: Holder = Holder::Index(&[IndexKind::Hnsw, IndexKind::Hfresh]);
const HNSW_FLAT_HFRESH: Holder = Holder::Index(&[IndexKind::Hnsw, IndexKind::Flat, IndexKind::Hfresh]);
const EVERY_INDEX: Holder = Holder::Index(&[IndexKind::Hnsw, IndexKind::Flat, IndexKind::Dynamic, IndexKind::Hfresh]);

/// The table. Which vectors there are, whether one is a list of vectors, and which tenants and properties there are, is no
/// setting: what is stored has to go by it.
pub(super) const TABLE: &[SettingRow] = &[
    row("description", Holder::Collection, Takes::Text),
    short("replicationFactor", FACTOR, Holder::Collection, Takes::Count),
    row("replicationConfig.deletionStrategy", Holder::Collection, Takes::Text),
    row("replicationConfig.asyncEnabled", Holder::Collection, Takes::Switch),
    short("shards", SHARDS, Holder::Plain, Takes::Count),
    row("multiTenancyConfig.autoTenantCreation", Holder::Collection, Takes::Switch),
    row("multiTenancyConfig.autoTenantActivation", Holder::Collection, Takes::Switch),
    short("objectTtl", TTL, Holder::Collection, Takes::Ttl),
    row("objectTtlConfig.enabled", Holder::Collection, Takes::Switch),
    row("objectTtlConfig.defaultTtl", Holder::Collection, Takes::Number),
    row("objectTtlConfig.deleteOn", Holder::Collection, Takes::Text),
    row("objectTtlConfig.filterExpiredObjects", Holder::Collection, Takes::Switch),
    row("invertedIndexConfig.bm25.b", Holder::Collection, Takes::Number),
    row("invertedIndexConfig.bm25.k1", Holder::Collection, Takes::Number),
    row("invertedIndexConfig.cleanupIntervalSeconds", Holder::Collection, Takes::Number),
    row("invertedIndexConfig.indexNullState", Holder::Collection, Takes::Switch),
    row("invertedIndexConfig.indexPropertyLength", Holder::Collection, Takes::Switch),
    row("invertedIndexConfig.indexTimestamps", Holder::Collection, Takes::Switch),
    row("invertedIndexConfig.stopwords.preset", Holder::Collection, Takes::Text),
    row("invertedIndexConfig.stopwords.additions", Holder::Collection, Takes::List),
    row("invertedIndexConfig.stopwords.removals", Holder::Collection, Takes::List),
    row("invertedIndexConfig.stopwordPresets", Holder::Collection, Takes::Object),
    row("invertedIndexConfig.tokenizerUserDict", Holder::Collection, Takes::List),
    row("moduleConfig.*", Holder::Collection, Takes::Anything),
    // Vectors.
    row(INDEX_TYPE, Holder::Vector, Takes::OneOf(&["hnsw", "flat", "dynamic", "hfresh"])),
    row(VECTORIZER, Holder::Vector, Takes::Text),
    row("vectorizer.*", Holder::Vector, Takes::Anything),
    row(QUANTIZER, Holder::Vector, Takes::OneOf(&["none", "pq", "bq", "sq", "rq"])),
    row("vectorIndexConfig.distance", EVERY_INDEX, Takes::OneOf(&DISTANCES)),
    row("vectorIndexConfig.threshold", DYNAMIC, Takes::Number),
    row("vectorIndexConfig.vectorCacheMaxObjects", HNSW_FLAT, Takes::Number),
    row("vectorIndexConfig.skipDefaultQuantization", HNSW_FLAT, Takes::Switch),
    row("vectorIndexConfig.skip", HNSW, Takes::Switch),
    row("vectorIndexConfig.cleanupIntervalSeconds", HNSW, Takes::Number),
    row("vectorIndexConfig.maxConnections", HNSW, Takes::Number),
    row("vectorIndexConfig.efConstruction", HNSW, Takes::Number),
    row("vectorIndexConfig.ef", HNSW, Takes::Number),
    row("vectorIndexConfig.dynamicEfMin", HNSW, Takes::Number),
    row("vectorIndexConfig.dynamicEfMax", HNSW, Takes::Number),
    row("vectorIndexConfig.dynamicEfFactor", HNSW, Takes::Number),
    row("vectorIndexConfig.flatSearchCutoff", HNSW, Takes::Number),
    row("vectorIndexConfig.filterStrategy", HNSW, Takes::Text),
    row("vectorIndexConfig.pq.enabled", HNSW, Takes::Switch),
    row("vectorIndexConfig.pq.bitCompression", HNSW, Takes::Switch),
    row("vectorIndexConfig.pq.segments", HNSW, Takes::Number),
    row("vectorIndexConfig.pq.centroids", HNSW, Takes::Number),
    row("vectorIndexConfig.pq.trainingLimit", HNSW, Takes::Number),
    row("vectorIndexConfig.pq.encoder.type", HNSW, Takes::Text),
    row("vectorIndexConfig.pq.encoder.distribution", HNSW, Takes::Text),
    row("vectorIndexConfig.bq.enabled", HNSW_FLAT, Takes::Switch),
    row("vectorIndexConfig.bq.rescoreLimit", FLAT, Takes::Number),
    row("vectorIndexConfig.bq.cache", FLAT, Takes::Switch),
    row("vectorIndexConfig.sq.enabled", HNSW, Takes::Switch),
    row("vectorIndexConfig.sq.trainingLimit", HNSW, Takes::Number),
    row("vectorIndexConfig.sq.rescoreLimit", HNSW, Takes::Number),
    row("vectorIndexConfig.rq.enabled", HNSW_FLAT, Takes::Switch),
    row("vectorIndexConfig.rq.bits", HNSW_FLAT_HFRESH, Takes::Number),
    row("vectorIndexConfig.rq.rescoreLimit", HNSW_FLAT_HFRESH, Takes::Number),
    row("vectorIndexConfig.rq.cache", FLAT, Takes::Switch),
    row("vectorIndexConfig.multivector.aggregation", HNSW_HFRESH, Takes::Text),
    row("vectorIndexConfig.multivector.muvera.enabled", HNSW_HFRESH, Takes::Switch),
    row("vectorIndexConfig.multivector.muvera.ksim", HNSW_HFRESH, Takes::Number),
    row("vectorIndexConfig.multivector.muvera.dprojections", HNSW_HFRESH, Takes::Number),
    row("vectorIndexConfig.multivector.muvera.repetitions", HNSW_HFRESH, Takes::Number),
    row("vectorIndexConfig.maxPostingSizeKB", HFRESH, Takes::Number),
    row("vectorIndexConfig.replicas", HFRESH, Takes::Number),
    row("vectorIndexConfig.searchProbe", HFRESH, Takes::Number),
    // Properties, nested ones too.
    row("description", Holder::OneProperty, Takes::Text),
    row(TOKENIZATION, Holder::Property(&["text", "string"]), Takes::Text),
    row("indexFilterable", Holder::Property(&[]), Takes::Switch),
    row("indexSearchable", Holder::Property(&["text", "string"]), Takes::Switch),
    row("indexRangeFilters", Holder::Property(&["int", "number", "date"]), Takes::Switch),
    row("textAnalyzer", Holder::Property(&["text"]), Takes::Object),
    row("moduleConfig.*", Holder::OneProperty, Takes::Anything),
];

/// Which vector, or property, a setting is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum About {
    /// Whatever may have it.
    All,
    /// A named vector.
    Vector(String),
    /// A property by its name, below those that it is nested in.
    Property(Vec<String>),
}

/// A key that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SettingKey {
    pub(super) row: &'static SettingRow,
    pub(super) about: About,
    /// The index inside of a `dynamic` one that is meant, if one is.
    pub(super) inner: Option<IndexKind>,
    /// Module and setting, where the table leaves them open.
    pub(super) open: Vec<String>,
}

impl Holder {
    fn is_of_vectors(self) -> bool {
        matches!(self, Self::Vector | Self::Index(_))
    }

    fn is_of_properties(self) -> bool {
        matches!(self, Self::Property(_) | Self::OneProperty)
    }
}

impl SettingKey {
    /// Understands a key.
    pub(super) fn find(text: &str) -> Option<Self> {
        let keys: Vec<&str> = text.split('.').collect();
        if keys.iter().any(|key| key.is_empty()) {
            return None;
        }
        match keys.as_slice() {
            ["vectorConfig", name, rest @ ..] => {
                let about = About::Vector((*name).to_owned());
                Self::below(rest, &about, Holder::is_of_vectors)
            }
            ["properties", name, rest @ ..] => {
                let (mut names, mut rest) = (vec![(*name).to_owned()], rest);
                while let ["nestedProperties", name, more @ ..] = rest {
                    names.push((*name).to_owned());
                    rest = more;
                }
                Self::below(rest, &About::Property(names), Holder::is_of_properties)
            }
            // What one property alone can have is a collection's without a name.
            rest => Self::below(rest, &About::All, |of| of != Holder::OneProperty),
        }
    }

    fn below(keys: &[&str], about: &About, fits: impl Fn(Holder) -> bool) -> Option<Self> {
        let rows = || TABLE.iter().filter(|row| fits(row.of));
        let joined = keys.join(".");
        let key = |row, inner, open: &[&str]| Self {
            row,
            about: about.clone(),
            inner,
            open: open.iter().map(|key| (*key).to_owned()).collect(),
        };
        if let Some(row) = rows().find(|row| row.key == joined || row.short == Some(&*joined)) {
            return Some(key(row, None, &[]));
        }
        match keys {
            [INDEX_CONFIG, inner @ ("hnsw" | "flat"), rest @ ..] => {
                let inner = IndexKind::parse(inner)?;
                let full = format!("{INDEX_CONFIG}.{}", rest.join("."));
                let row =
                    rows().find(|row| row.key == full && matches!(row.of, Holder::Index(of) if of.contains(&inner)))?;
                Some(key(row, Some(inner), &[]))
            }
            [first, open @ ..] if open.len() > 1 => {
                let is_open = |row: &&SettingRow| row.key.strip_suffix(".*") == Some(*first);
                // Settings of the module of an unnamed vector stand beside it.
                let row = rows().filter(is_open).find(|row| row.of != Holder::Vector || *about != About::All)?;
                Some(key(row, None, open))
            }
            _ => None,
        }
    }

    /// What stands below the vector or property.
    pub(super) fn text_below(&self) -> String {
        Self { about: About::All, ..self.clone() }.text()
    }

    /// The key as it stands in the document, but for what stands for all.
    pub(super) fn text(&self) -> String {
        let mut keys: Vec<&str> = Vec::new();
        match &self.about {
            About::All => {}
            About::Vector(name) => keys.extend(["vectorConfig", name]),
            About::Property(names) => {
                for (at, name) in names.iter().enumerate() {
                    keys.extend([if at == 0 { "properties" } else { "nestedProperties" }, name]);
                }
            }
        }
        match (self.inner, self.row.key.strip_suffix(".*")) {
            (Some(inner), _) => {
                let rest = self.row.key.strip_prefix(INDEX_CONFIG).unwrap_or_default().trim_start_matches('.');
                keys.extend([INDEX_CONFIG, inner.name(), rest]);
            }
            (None, Some(first)) => {
                keys.push(first);
                keys.extend(self.open.iter().map(String::as_str));
            }
            (None, None) => keys.push(self.row.key),
        }
        keys.join(".")
    }
}

/// Keys that were perhaps meant: those that look like it, and those that end like it.
pub(super) fn near(text: &str) -> Vec<String> {
    let (before, typed) = parted(text);
    let fits = |row: &&SettingRow| match before.split('.').next() {
        Some("vectorConfig") => row.of.is_of_vectors(),
        Some("properties") => row.of.is_of_properties(),
        _ => row.of != Holder::OneProperty,
    };
    let rows = || TABLE.iter().filter(fits).filter(|row| !row.key.ends_with(".*"));
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_lowercase();
    let ends: Vec<String> =
        rows().filter(|row| last(row.key) == typed.to_lowercase()).map(|row| row.key.to_owned()).collect();
    let found = if ends.is_empty() {
        let is_path = typed.contains('.');
        let spelled = |row: &'static SettingRow| row.short.filter(|_| !is_path).unwrap_or(row.key);
        let all: Vec<String> = rows().map(|row| spelled(row).to_owned()).collect();
        similar(typed, &all.iter().collect::<Vec<_>>())
    } else {
        ends
    };
    found.into_iter().map(|key| format!("{before}{key}")).collect()
}

/// A key before which a vector or property is named, and that naming.
fn parted(text: &str) -> (&str, &str) {
    let is_named = text.starts_with("vectorConfig.") || text.starts_with("properties.");
    let second = text.match_indices('.').nth(1).map(|(at, _)| at + 1);
    match second.filter(|_| is_named) {
        Some(at) => text.split_at(at),
        None => ("", text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_understood_and_written_again() {
        for (text, again) in [
            ("shards", SHARDS),
            ("replicationFactor", FACTOR),
            ("objectTtl", TTL),
            ("vectorIndexConfig.ef", "vectorIndexConfig.ef"),
            ("vectorIndexConfig.hnsw.ef", "vectorIndexConfig.hnsw.ef"),
            ("vectorConfig.a.vectorIndexConfig.flat.rq.cache", "vectorConfig.a.vectorIndexConfig.flat.rq.cache"),
            ("vectorConfig.a.quantizer", "vectorConfig.a.quantizer"),
            ("vectorConfig.a.vectorizer.text2vec-x.model", "vectorConfig.a.vectorizer.text2vec-x.model"),
            ("moduleConfig.text2vec-x.a.b", "moduleConfig.text2vec-x.a.b"),
            ("properties.t.moduleConfig.text2vec-x.skip", "properties.t.moduleConfig.text2vec-x.skip"),
            ("properties.o.nestedProperties.t.tokenization", "properties.o.nestedProperties.t.tokenization"),
            ("properties.t.description", "properties.t.description"),
        ] {
            let key = SettingKey::find(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(key.text(), again);
            assert_eq!(SettingKey::find(again), Some(key), "{again}");
        }
        assert_eq!(SettingKey::find("description").map(|key| key.row.of), Some(Holder::Collection));
    }

    #[test]
    fn what_is_no_setting_is_not_understood() {
        for text in [
            "",
            ".",
            "shards.",
            "eff",
            "class",
            "properties",
            "properties.t",
            "properties.t.dataType",
            "properties.t.shards",
            "vectorConfig.a",
            "vectorConfig.a.tokenization",
            "vectorIndexConfig.flat.ef",
            "vectorIndexConfig.multivector.enabled",
            "multiTenancyConfig.enabled",
            "moduleConfig.text2vec-x",
            "vectorizer.text2vec-x.model",
        ] {
            assert_eq!(SettingKey::find(text), None, "{text}");
        }
    }

    #[test]
    fn the_nearest_key_is_offered() {
        for (text, first) in [
            ("replicationfactor", "replicationFactor"),
            ("shard", "shards"),
            ("factor", FACTOR),
            ("ef", "vectorIndexConfig.ef"),
            ("vectorIndexConfig.eff", "vectorIndexConfig.ef"),
            ("quantiser", "quantizer"),
            ("vectorConfig.a.vectorIndextype", "vectorConfig.a.vectorIndexType"),
            ("properties.t.tokenisation", "properties.t.tokenization"),
        ] {
            assert_eq!(near(text).first().map(String::as_str), Some(first), "{text}: {:?}", near(text));
        }
        assert_eq!(near("nothing_like_it"), Vec::<String>::new());
    }
}
