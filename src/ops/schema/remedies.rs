//! Which settings (`--set`) would help where a server does not take a class document. What no setting helps against has no
//! row here: a vector or property that a server cannot hold, a name that it keeps for itself. Pure.

use serde_json::Value;

use super::place::{Path, at, properties};
use super::settings::{IndexKind, Setting, indexes, vector_places};
use crate::weaviate::{LastingCause, LimitOf, Version};

/// What helps against a setting that a version does not know, by the end of its key and what stands there: below the same
/// vector or property, unless it is one of the collection. The first that fits counts.
const AGAINST_VERSIONS: &[(&str, Stands, &str)] = &[
    ("vectorIndexType", Stands::Anything, "vectorIndexType=hnsw"),
    ("vectorIndexConfig.rq", Stands::Bits, "vectorIndexConfig.rq.bits=8"),
    ("vectorIndexConfig.hnsw.rq", Stands::Bits, "vectorIndexConfig.hnsw.rq.bits=8"),
    ("vectorIndexConfig.rq", Stands::Anything, "quantizer=none"),
    ("vectorIndexConfig.hnsw.rq", Stands::Anything, "quantizer=none"),
    ("vectorIndexConfig.flat.rq", Stands::Anything, "quantizer=none"),
    ("vectorIndexConfig.sq", Stands::Anything, "quantizer=none"),
    ("vectorIndexConfig.hnsw.sq", Stands::Anything, "quantizer=none"),
    ("vectorIndexConfig.flat.sq", Stands::Anything, "quantizer=none"),
    ("multivector.muvera", Stands::Anything, "vectorIndexConfig.multivector.muvera.enabled=false"),
    // Below that no version has any.
    ("vectorIndexConfig.multivector", Stands::Since("1.40"), "vectorIndexType=hnsw"),
    ("tokenization", Stands::Begins("\"gse"), "tokenization=trigram"),
    ("tokenization", Stands::Begins("\"kagome"), "tokenization=trigram"),
    ("tokenization", Stands::Anything, "tokenization=word"),
    ("textAnalyzer", Stands::Anything, "textAnalyzer=off"),
    ("invertedIndexConfig.stopwordPresets", Stands::Anything, "invertedIndexConfig.stopwordPresets=off"),
    ("invertedIndexConfig.tokenizerUserDict", Stands::Anything, "invertedIndexConfig.tokenizerUserDict=off"),
];
/// The first line of versions that has rq at all.
const RQ: (u64, u64) = (1, 32);
/// Tokenizations by the variable that switches them on.
const TOKENIZERS: [(&str, &str); 4] = [
    ("ENABLE_TOKENIZER_GSE", "gse"),
    ("ENABLE_TOKENIZER_GSE_CH", "gse_ch"),
    ("ENABLE_TOKENIZER_KAGOME_KR", "kagome_kr"),
    ("ENABLE_TOKENIZER_KAGOME_JA", "kagome_ja"),
];
/// What cuts texts of any language into words that can be found, without a dictionary.
const ANY_LANGUAGE: &str = "trigram";
/// Indexes in the order in which they are offered.
const OFFERED: [IndexKind; 4] = [IndexKind::Hnsw, IndexKind::Flat, IndexKind::Hfresh, IndexKind::Dynamic];

/// What a refused setting says.
enum Stands {
    Anything,
    /// A number of bits that is not the usual one, for a server that has the usual one.
    Bits,
    /// It is known since this version.
    Since(&'static str),
    /// Its text begins so.
    Begins(&'static str),
}

impl Stands {
    fn holds(&self, value: &str, since: Option<&str>, server: &str) -> bool {
        match self {
            Self::Anything => true,
            Self::Bits => {
                let version = Version::parse(server);
                !value.contains("\"bits\":8") && version.is_some_and(|version| version.at_least(RQ.0, RQ.1))
            }
            Self::Since(version) => since == Some(version),
            Self::Begins(text) => value.starts_with(text),
        }
    }
}

/// What helps against a setting that the server's version does not know. `key`: its place, keys from the top; `value`: what
/// stands there, as JSON.
pub(in crate::ops) fn against_version(key: &str, value: &str, since: Option<&str>, server: &str) -> Option<Setting> {
    let ends = |end: &str| key == end || key.strip_suffix(end).is_some_and(|before| before.ends_with('.'));
    let row = AGAINST_VERSIONS.iter().find(|(end, stands, _)| ends(end) && stands.holds(value, since, server));
    row.and_then(|(_, _, setting)| below(&holder_of(key), setting))
}

/// The vector or property that a key stands below, with a dot behind it; nothing for the collection or its unnamed vector.
fn holder_of(key: &str) -> String {
    let keys: Vec<&str> = key.split('.').collect();
    let names = match keys.as_slice() {
        ["vectorConfig", _, ..] => 2,
        ["properties", ..] => keys.len() - 1,
        _ => 0,
    };
    keys[..names].iter().flat_map(|key| [*key, "."]).collect()
}

fn below(holder: &str, setting: &str) -> Option<Setting> {
    format!("{holder}{setting}").parse().ok()
}

/// What helps against what a server's operator has set.
pub(in crate::ops) fn against_operator(cause: &LastingCause, document: &Value) -> Vec<Setting> {
    let one = |text: String| text.parse().ok().into_iter().collect();
    match cause {
        LastingCause::ReplicationFactor { most: Some(factor), .. }
        | LastingCause::ReplicationFactor { least: Some(factor), .. } => one(format!("replicationFactor={factor}")),
        LastingCause::OneShard => one("shards=1".to_owned()),
        LastingCause::UsageLimit { of: LimitOf::Shards, value: Some(most) } => one(format!("shards={most}")),
        LastingCause::NotAllowed { restriction, allowed, .. } => match restriction.as_str() {
            "vector_index_type" => other_index(document, |kind| allowed.iter().any(|one| one == kind.name())),
            "compression" => other_compression(document, allowed),
            _ => Vec::new(),
        },
        LastingCause::SwitchedOff { setting: "ASYNC_INDEXING" } => {
            other_index(document, |kind| kind != IndexKind::Dynamic)
        }
        LastingCause::SwitchedOff { setting } => other_tokenization(document, setting),
        _ => Vec::new(),
    }
}

/// Another index for each vector whose own is not taken.
fn other_index(document: &Value, is_taken: impl Fn(IndexKind) -> bool) -> Vec<Setting> {
    let Some(other) = OFFERED.into_iter().find(|kind| is_taken(*kind)) else { return Vec::new() };
    let refused = |vector: &Path| indexes(document, vector).first().is_some_and(|(kind, _)| !is_taken(*kind));
    of_vectors(document, refused, &format!("vectorIndexType={}", other.name()))
}

/// Another compression for each vector that has one that is not taken, or none where that is not.
fn other_compression(document: &Value, allowed: &[String]) -> Vec<Setting> {
    let is_allowed = |word: &str| allowed.iter().any(|one| one == word);
    let refused = |vector: &Path| {
        indexes(document, vector).iter().any(|(_, index)| {
            let settings = at(document, index).unwrap_or(&Value::Null);
            compression(settings).is_some_and(|word| !is_allowed(&word))
        })
    };
    let Some(word) = allowed.iter().find(|word| word.as_str() == "none").or(allowed.first()) else { return Vec::new() };
    let (quantizer, bits) = word.split_once('-').map_or((word.as_str(), None), |(name, bits)| (name, Some(bits)));
    let mut settings = of_vectors(document, refused, &format!("quantizer={quantizer}"));
    if let Some(bits) = bits {
        settings.extend(of_vectors(document, refused, &format!("vectorIndexConfig.{quantizer}.bits={bits}")));
    }
    settings
}

/// The compression of an index, as operators name it; `None` where the server decides.
fn compression(index: &Value) -> Option<String> {
    let on = ["pq", "bq", "sq", "rq"].into_iter().find(|kind| index[*kind]["enabled"] == true);
    match on {
        Some("rq") => Some(format!("rq-{}", index["rq"]["bits"].as_u64().unwrap_or(8))),
        Some(kind) => Some(kind.to_owned()),
        None => (index["skipDefaultQuantization"] == true).then(|| "none".to_owned()),
    }
}

/// The setting for each of these vectors; once, if it is for all of them, or for the unnamed one.
fn of_vectors(document: &Value, is_meant: impl Fn(&Path) -> bool, setting: &str) -> Vec<Setting> {
    let all = vector_places(document, None);
    let meant: Vec<&Path> = all.iter().filter(|vector| is_meant(vector)).collect();
    if meant.is_empty() {
        return Vec::new();
    }
    if meant.len() == all.len() || meant.iter().any(|vector| vector.is_empty()) {
        return setting.parse().ok().into_iter().collect();
    }
    let named = meant.iter().filter_map(|vector| vector.last());
    named.filter_map(|name| below(&format!("vectorConfig.{name}."), setting)).collect()
}

/// Another tokenization for each property whose own is switched off.
fn other_tokenization(document: &Value, switch: &str) -> Vec<Setting> {
    let Some((_, word)) = TOKENIZERS.iter().find(|(variable, _)| *variable == switch) else { return Vec::new() };
    let refused = properties(document).into_iter().filter(|(_, property)| property["tokenization"] == *word);
    refused.filter_map(|(path, _)| below(&(path.join(".") + "."), &format!("tokenization={ANY_LANGUAGE}"))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_version_does_not_know_is_set_to_what_it_knows() {
        let help = |key: &str, value: &str, since: Option<&str>, server: &str| {
            against_version(key, value, since, server).map(|setting| setting.to_string())
        };
        for (key, value, since, server, setting) in [
            ("vectorIndexType", "\"hfresh\"", "1.36", "1.24.26", Some("vectorIndexType=hnsw")),
            (
                "vectorConfig.a.vectorIndexType",
                "\"dynamic\"",
                "1.25",
                "1.24.26",
                Some("vectorConfig.a.vectorIndexType=hnsw"),
            ),
            (
                "vectorIndexConfig.rq",
                "{\"enabled\":true,\"bits\":4}",
                "1.39",
                "1.36.2",
                Some("vectorIndexConfig.rq.bits=8"),
            ),
            ("vectorIndexConfig.rq", "{\"enabled\":true,\"bits\":4}", "1.39", "1.24.26", Some("quantizer=none")),
            ("vectorConfig.a.vectorIndexConfig.flat.rq", "{}", "1.34", "1.32.1", Some("vectorConfig.a.quantizer=none")),
            ("vectorIndexConfig.multivector", "{}", "1.40", "1.39.0", Some("vectorIndexType=hnsw")),
            ("vectorIndexConfig.multivector", "{}", "1.29", "1.24.26", None),
            ("properties.t.tokenization", "\"gse_ch\"", "1.30", "1.24.26", Some("properties.t.tokenization=trigram")),
            (
                "properties.o.nestedProperties.t.tokenization",
                "\"new\"",
                "1.41",
                "1.40.0",
                Some("properties.o.nestedProperties.t.tokenization=word"),
            ),
            ("properties.tokenization.dataType", "[\"blobHash\"]", "1.37", "1.24.26", None),
            (
                "invertedIndexConfig.stopwordPresets",
                "{}",
                "1.37",
                "1.36.0",
                Some("invertedIndexConfig.stopwordPresets=off"),
            ),
        ] {
            assert_eq!(help(key, value, Some(since), server).as_deref(), setting, "{key} {value} {server}");
        }
    }

    #[test]
    fn what_an_operator_does_not_allow_is_set_to_what_is_allowed() {
        let help = |cause: &LastingCause, document: &Value| {
            against_operator(cause, document).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let not_allowed = |restriction: &str, allowed: &[&str]| LastingCause::NotAllowed {
            restriction: restriction.into(),
            value: "x".into(),
            allowed: allowed.iter().map(|one| (*one).to_owned()).collect(),
        };
        let plain = json!({"vectorIndexType": "hnsw", "vectorIndexConfig": {"bq": {"enabled": true}}});
        let named = json!({"vectorConfig": {"a": {"vectorIndexType": "hnsw", "vectorIndexConfig": {"rq": {"enabled": true, "bits": 1}}},
            "b": {"vectorIndexType": "flat"}}});
        let types = not_allowed("vector_index_type", &["hfresh", "flat"]);
        assert_eq!(help(&types, &plain), ["vectorIndexType=flat"]);
        assert_eq!(help(&types, &named), ["vectorConfig.a.vectorIndexType=flat"]);
        let compressions = not_allowed("compression", &["rq-8"]);
        assert_eq!(help(&compressions, &plain), ["quantizer=rq", "vectorIndexConfig.rq.bits=8"]);
        let one = ["vectorConfig.a.quantizer=rq", "vectorConfig.a.vectorIndexConfig.rq.bits=8"];
        assert_eq!(help(&compressions, &named), one);
        assert_eq!(help(&not_allowed("compression", &["bq", "none"]), &named), ["vectorConfig.a.quantizer=none"]);
        assert_eq!(help(&not_allowed("compression", &[]), &named), Vec::<String>::new());
        let dynamic = json!({"vectorIndexType": "dynamic"});
        let off = |setting| LastingCause::SwitchedOff { setting };
        assert_eq!(help(&off("ASYNC_INDEXING"), &dynamic), ["vectorIndexType=hnsw"]);
        let words = json!({"properties": [{"name": "t", "tokenization": "gse"}, {"name": "w", "tokenization": "word"},
            {"name": "u", "tokenization": "gse"}]});
        assert_eq!(
            help(&off("ENABLE_TOKENIZER_GSE"), &words),
            ["properties.t.tokenization=trigram", "properties.u.tokenization=trigram"]
        );
        let factor = LastingCause::ReplicationFactor { most: None, least: Some(2) };
        assert_eq!(help(&factor, &plain), ["replicationFactor=2"]);
        assert_eq!(help(&LastingCause::OneShard, &plain), ["shards=1"]);
        let shards = LastingCause::UsageLimit { of: LimitOf::Shards, value: Some(2) };
        assert_eq!(help(&shards, &plain), ["shards=2"]);
        assert_eq!(help(&LastingCause::ReservedName, &plain), Vec::<String>::new());
    }
}
