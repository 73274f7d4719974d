//! What the server fills in when a class is created, per version.

use crate::behaviour::{Behaviour, Release};
use crate::json::{Json, object};
use crate::operator::Operator;

/// Lays the given members over the default ones; members no default knows are dropped.
pub(super) fn over(mut defaults: Json, given: Option<&Json>) -> Json {
    if let (Json::Object(members), Some(given)) = (&mut defaults, given) {
        for (name, value) in members {
            let Some(new) = given.get(name) else { continue };
            *value = if value.as_object().is_some() { over(value.clone(), Some(new)) } else { new.clone() };
        }
    }
    defaults
}

pub(super) fn inverted_index(ours: Behaviour, given: Option<&Json>) -> Json {
    let mut defaults = object! {
        "bm25": object! {"b": Json::Number("0.75".into()), "k1": Json::Number("1.2".into())},
        "cleanupIntervalSeconds": 60_usize,
        "stopwords": object! {"additions": Json::Null, "preset": "en", "removals": Json::Null},
    };
    if ours.release >= Release::V1_32 {
        defaults.set("usingBlockMaxWAND", true);
    }
    let mut config = over(defaults, given);
    for option in ["indexNullState", "indexPropertyLength", "indexTimestamps", "stopwordPresets", "tokenizerUserDict"] {
        if let Some(value) = given.and_then(|g| g.get(option)).filter(|v| !v.is_null() && **v != Json::Bool(false)) {
            config.set(option, value.clone());
        }
    }
    crate::print::sort(&mut config);
    config
}

pub(super) fn multi_tenancy(ours: Behaviour, given: Option<&Json>) -> Json {
    let mut defaults = object! {};
    if ours.automatic_tenants() {
        defaults.set("autoTenantActivation", false);
        defaults.set("autoTenantCreation", false);
    }
    defaults.set("enabled", false);
    over(defaults, given)
}

pub(super) fn sharding(given: Option<&Json>, nodes: usize, tenants: bool) -> Json {
    if tenants {
        return object! {"actualCount": 0_usize, "actualVirtualCount": 0_usize, "desiredCount": 0_usize,
        "desiredVirtualCount": 0_usize, "function": "", "key": "", "strategy": "", "virtualPerPhysical": 0_usize};
    }
    let number =
        |name: &str| given.and_then(|g| g.get(name)).and_then(Json::as_i64).and_then(|n| usize::try_from(n).ok());
    let count = number("desiredCount").filter(|n| *n > 0).unwrap_or(nodes);
    let each = number("virtualPerPhysical").filter(|n| *n > 0).unwrap_or(128);
    object! {"actualCount": count, "actualVirtualCount": count * each, "desiredCount": count,
    "desiredVirtualCount": count * each, "function": "murmur3", "key": "_id", "strategy": "hash",
    "virtualPerPhysical": each}
}

pub(super) fn replication(ours: Behaviour, given: Option<&Json>) -> Json {
    let strategy = if ours.release >= Release::V1_39 { "TimeBasedResolution" } else { "NoAutomatedResolution" };
    let mut config = over(object! {"deletionStrategy": strategy, "factor": 1_usize}, given);
    if config.get("factor").and_then(Json::as_i64).is_none_or(|f| f < 1) {
        config.set("factor", 1_usize);
    }
    if ours.release >= Release::V1_28 {
        let asked = given.and_then(|g| g.get("asyncEnabled")).is_some_and(Json::is_true);
        let several = config.get("factor").and_then(Json::as_i64).is_some_and(|f| f > 1);
        config.set("asyncEnabled", if ours.forces_async_replication() { several } else { asked });
        if let Some(more) = given.and_then(|g| g.get("asyncConfig")).filter(|_| ours.release >= Release::V1_39) {
            config.set("asyncConfig", more.clone());
        }
    }
    config
}

/// The settings of a vector index; the error is the server's.
pub(super) fn vector_index(
    ours: Behaviour,
    operator: &Operator,
    kind: &str,
    given: Option<&Json>,
) -> Result<Json, String> {
    check_compression(ours, kind, given)?;
    let mut config = match kind {
        "hnsw" => hnsw(ours),
        "flat" => flat(ours),
        "hfresh" if ours.release >= Release::V1_40 => {
            object! {"distance": "cosine", "maxPostingSizeKB": 48_usize, "replicas": 4_usize, "searchProbe": 64_usize}
        }
        "dynamic" if ours.release >= Release::V1_28 && operator.async_indexing => {
            object! {"distance": "cosine", "threshold": 10_000_usize, "hnsw": hnsw(ours), "flat": flat(ours)}
        }
        "dynamic" if ours.release >= Release::V1_28 => {
            return Err("the dynamic index can only be created when async indexing is enabled".to_owned());
        }
        _ => return Err(format!("unrecognized or unsupported vectorIndexType \"{kind}\"")),
    };
    config = over(config, given);
    crate::print::sort(&mut config);
    Ok(config)
}

/// What no index is compressed with; the error is the server's.
fn check_compression(ours: Behaviour, kind: &str, given: Option<&Json>) -> Result<(), String> {
    let is_on = |name: &str| given.is_some_and(|given| given.at(&[name, "enabled"]).is_some_and(Json::is_true));
    if kind == "flat" {
        let unfit = [("pq", "PQ"), ("sq", "SQ")].into_iter().find(|(name, _)| is_on(name));
        return unfit.map_or(Ok(()), |(_, word)| {
            Err(format!("parse vector index config: {word} is not currently supported for flat indices"))
        });
    }
    let several = ["pq", "bq", "sq", "rq"].into_iter().filter(|name| is_on(name)).count() > 1;
    if several {
        let words = if ours.release >= Release::V1_28 { "more than a single" } else { "two" };
        return Err(format!("parse vector index config: invalid hnsw config: {words} compression methods enabled"));
    }
    Ok(())
}

fn hnsw(ours: Behaviour) -> Json {
    let recent = ours.release >= Release::V1_28;
    let mut config = object! {
        "skip": false, "cleanupIntervalSeconds": 300_usize, "maxConnections": if recent { 32_usize } else { 64 },
        "efConstruction": 128_usize, "ef": -1_i64, "dynamicEfMin": 100_usize, "dynamicEfMax": 500_usize,
        "dynamicEfFactor": 8_usize, "vectorCacheMaxObjects": 1_000_000_000_000_i64, "flatSearchCutoff": 40_000_usize,
        "distance": "cosine",
        "pq": object! {"enabled": false, "bitCompression": false, "segments": 0_usize, "centroids": 256_usize,
            "trainingLimit": 100_000_usize, "encoder": object! {"type": "kmeans", "distribution": "log-normal"}},
        "bq": object! {"enabled": false},
    };
    if recent {
        config.set("sq", object! {"enabled": false, "trainingLimit": 100_000_usize, "rescoreLimit": 20_usize});
        config.set("filterStrategy", if ours.release >= Release::V1_39 { "acorn" } else { "sweeping" });
    }
    if ours.release >= Release::V1_32 {
        config.set("rq", object! {"enabled": false, "bits": 8_usize, "rescoreLimit": 20_usize});
        let muvera = object! {"enabled": false, "ksim": 4_usize, "dprojections": 16_usize, "repetitions": 10_usize};
        config.set("multivector", object! {"enabled": false, "muvera": muvera, "aggregation": "maxSim"});
    }
    quantization(ours, Release::V1_32, &mut config);
    config
}

fn flat(ours: Behaviour) -> Json {
    let quantizer = || object! {"enabled": false, "rescoreLimit": -1_i64, "cache": false};
    let mut config = object! {"distance": "cosine", "vectorCacheMaxObjects": 1_000_000_000_000_i64,
    "pq": quantizer(), "bq": quantizer()};
    if ours.release >= Release::V1_28 {
        config.set("sq", quantizer());
    }
    if ours.release >= Release::V1_32 {
        let mut rq = quantizer();
        rq.set("bits", 8_usize);
        config.set("rq", rq);
    }
    quantization(ours, Release::V1_39, &mut config);
    config
}

fn quantization(ours: Behaviour, since: Release, config: &mut Json) {
    if ours.release >= since {
        config.set("skipDefaultQuantization", false);
        config.set("trackDefaultQuantization", false);
    }
}
