//! What the operator of a server sets: limits, restrictions and defaults. They can be set anew while it runs, as after a
//! restart.

use crate::json::{Json, object};

/// Limits, restrictions and defaults of a server.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct Operator {
    /// `MAXIMUM_ALLOWED_COLLECTIONS_COUNT`
    pub most_collections: Option<usize>,
    /// `MAXIMUM_ALLOWED_TENANTS_PER_COLLECTION`
    pub most_tenants: Option<usize>,
    /// `MAXIMUM_ALLOWED_SHARDS_PER_COLLECTION`
    pub most_shards: Option<usize>,
    /// `ALLOWED_VECTOR_INDEX_TYPES`
    pub index_types: Option<&'static [&'static str]>,
    /// `ALLOWED_COMPRESSION_TYPES`
    pub compressions: Option<&'static [&'static str]>,
    /// `ASYNC_INDEXING`: without it there is no dynamic index.
    pub async_indexing: bool,
    /// Tokenizers that have to be switched on are off.
    pub tokenizers_off: bool,
    /// `DEFAULT_QUANTIZATION`: whether rq of 8 bits is it.
    pub rq_by_default: bool,
    /// `DEFAULT_VECTORIZER_MODULE`
    pub default_vectorizer: Option<&'static str>,
    /// Whether every collection is in a namespace, where it has one shard.
    pub one_shard: bool,
    /// `REPLICATION_MAXIMUM_FACTOR`
    pub most_replicas: Option<i64>,
    /// `REPLICATION_MINIMUM_FACTOR`
    pub least_replicas: Option<i64>,
}

/// A refusal with a code of its own.
#[derive(Debug, Clone)]
pub(crate) struct Coded {
    pub(crate) status: u16,
    pub(crate) body: Json,
}

/// A usage limit that is reached.
pub(crate) fn limit(of: &str, value: usize) -> Coded {
    let message = format!("{of} count limit of {value} reached for this instance.");
    let body = object! {"errorCode": "USAGE_LIMIT_EXCEEDED", "limit": of, "message": message, "value": value};
    Coded { status: 429, body }
}

/// Tokenizers that have to be switched on, with their languages and settings.
const TOKENIZERS: [(&str, &str, &str); 4] = [
    ("gse", "GSE", "ENABLE_TOKENIZER_GSE"),
    ("gse_ch", "Chinese", "ENABLE_TOKENIZER_GSE_CH"),
    ("kagome_kr", "Korean", "ENABLE_TOKENIZER_KAGOME_KR"),
    ("kagome_ja", "Japanese", "ENABLE_TOKENIZER_KAGOME_JA"),
];
/// What compresses the vectors of an index.
const COMPRESSIONS: [&str; 4] = ["pq", "bq", "sq", "rq"];

impl Operator {
    /// Why the operator's settings stand against a class document, in the server's words; `Err` with a code of its own.
    pub(crate) fn stand_against(&self, document: &Json) -> Option<Result<String, Coded>> {
        for property in document.get("properties").and_then(Json::as_array).unwrap_or(&[]) {
            let word = property.text("tokenization").unwrap_or("");
            if let Some((_, language, setting)) = TOKENIZERS.iter().find(|(name, ..)| *name == word)
                && self.tokenizers_off
            {
                return Some(Ok(format!(
                    "the {language} tokenizer is not enabled; set '{setting}' to 'true' to enable"
                )));
            }
        }
        let named = document.get("vectorConfig").and_then(Json::as_object).unwrap_or(&[]);
        let kind = document.text("vectorIndexType").filter(|kind| !kind.is_empty());
        let unnamed = (named.is_empty() || kind.is_some()).then_some(document);
        for vector in unnamed.into_iter().chain(named.iter().map(|(_, vector)| vector)) {
            let kind = vector.text("vectorIndexType").filter(|kind| !kind.is_empty()).unwrap_or("hnsw");
            if let Some(allowed) = self.index_types.filter(|allowed| !allowed.contains(&kind)) {
                return Some(Err(not_allowed("vector_index_type", kind, allowed)));
            }
            let name = vector.get("vectorIndexConfig").and_then(compression);
            let refused = self.compressions.zip(name).filter(|(allowed, name)| !allowed.contains(&name.as_str()));
            if let Some((allowed, name)) = refused {
                return Some(Err(not_allowed("compression", &name, allowed)));
            }
        }
        let factor = document.at(&["replicationConfig", "factor"]).and_then(Json::as_i64).unwrap_or(1);
        if let Some(most) = self.most_replicas.filter(|most| factor > *most) {
            return Some(Ok(format!("invalid replication factor: setup caps replication at {most}: got {factor}")));
        }
        if let Some(least) = self.least_replicas.filter(|least| factor < *least) {
            return Some(Ok(format!(
                "invalid replication factor: setup requires a minimum replication factor of {least}: got {factor}"
            )));
        }
        let shards = document.at(&["shardingConfig", "desiredCount"]).and_then(Json::as_i64).unwrap_or(1);
        if self.one_shard && shards > 1 {
            return Some(Ok(format!("desiredCount is limited to 1 (got {shards})")));
        }
        let most = self.most_shards.filter(|most| usize::try_from(shards).is_ok_and(|shards| shards > *most));
        most.map(|most| Err(limit("shards", most)))
    }

    /// Switches on what is on by default.
    pub(crate) fn compress(&self, document: &mut Json) {
        let config = |keys: &[&str]| document.at(&[&["vectorIndexConfig"], keys].concat());
        let is = |keys: &[&str]| config(keys).is_some_and(Json::is_true);
        let none_on = !COMPRESSIONS.iter().any(|name| is(&[name, "enabled"])) && !is(&["skipDefaultQuantization"]);
        if !self.rq_by_default || !none_on || document.text("vectorIndexType") != Some("hnsw") {
            return;
        }
        let Some(mut config) = document.get("vectorIndexConfig").cloned() else { return };
        config.set("rq", object! {"enabled": true, "bits": 8_usize, "rescoreLimit": 20_usize});
        config.set("trackDefaultQuantization", true);
        document.set("vectorIndexConfig", config);
    }
}

/// The compression of an index by the name under which it is allowed; `None` where the server decides.
fn compression(index: &Json) -> Option<String> {
    let is_on = |name: &&&str| index.at(&[name, "enabled"]).is_some_and(Json::is_true);
    match COMPRESSIONS.iter().find(is_on) {
        Some(&"rq") => Some(format!("rq-{}", index.at(&["rq", "bits"]).and_then(Json::as_i64).unwrap_or(8))),
        Some(name) => Some((*name).to_owned()),
        None => index.get("skipDefaultQuantization").is_some_and(Json::is_true).then(|| "none".to_owned()),
    }
}

fn not_allowed(restriction: &str, value: &str, allowed: &[&str]) -> Coded {
    let mut sorted = allowed.to_vec();
    sorted.sort_unstable();
    let message = format!("{value} is not allowed for {restriction}. Allowed values: {}.", sorted.join(", "));
    let allowed: Vec<Json> = allowed.iter().map(|one| Json::from(*one)).collect();
    let body = object! {"allowed": allowed, "error": Json::Null, "errorCode": "CONFIG_NOT_ALLOWED", "message": message,
    "restriction": restriction, "value": value};
    Coded { status: 422, body }
}
