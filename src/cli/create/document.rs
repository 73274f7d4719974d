//! The class document and the list of tenants that `col create` goes by: made from flags, or read from a file.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::flags::{CreateArgs, Distance, Index};
use crate::cli::Failure;
use crate::cli::schema_file::{read, shown, usage};
use crate::event::Class;
use crate::model::fold::{self, Misread};
use crate::model::{CollectionName, MOST_TENANTS, Schema, TENANTS_BYTES, TENANTS_VALUES};
use crate::render::count;
use crate::weaviate::Tenant;

/// The class document that a name and flags stand for.
pub(super) fn from_flags(args: &CreateArgs, name: &CollectionName) -> Result<Schema, Failure> {
    let mut names = BTreeSet::new();
    if let Some((twice, _)) = args.property.iter().find(|(name, _)| !names.insert(name.to_ascii_lowercase())) {
        return Err(usage(format!("--property names {twice} twice")));
    }
    let property = |(name, kind): &(String, String)| json!({"name": name, "dataType": [kind]});
    let mut document = Map::new();
    let mut set = |key: &str, value: Value| document.insert(key.to_owned(), value);
    set("class", json!(name));
    set("properties", args.property.iter().map(property).collect());
    set("vectorizer", json!(args.vectorizer.as_deref().unwrap_or("none")));
    if let Some(index) = args.index {
        set("vectorIndexType", json!(index_word(index)));
    }
    if let Some(distance) = args.distance {
        set("vectorIndexConfig", json!({"distance": distance_word(distance)}));
    }
    if let Some(replicas) = args.replicas {
        set("replicationConfig", json!({"factor": replicas}));
    }
    if let Some(shards) = args.shards {
        set("shardingConfig", json!({"desiredCount": shards}));
    }
    if args.multi_tenant {
        set("multiTenancyConfig", json!({"enabled": true}));
    }
    let text = Value::Object(document).to_string();
    Schema::parse(text.into()).map_err(|error| Failure::from_error(Class::Bug, &error))
}

fn index_word(index: Index) -> &'static str {
    match index {
        Index::Hnsw => "hnsw",
        Index::Flat => "flat",
        Index::Dynamic => "dynamic",
    }
}

fn distance_word(distance: Distance) -> &'static str {
    match distance {
        Distance::Cosine => "cosine",
        Distance::Dot => "dot",
        Distance::L2Squared => "l2-squared",
        Distance::Hamming => "hamming",
        Distance::Manhattan => "manhattan",
    }
}

/// The tenants listed in a file.
pub(super) fn tenants(path: &Path) -> Result<Vec<Tenant>, Failure> {
    let from = shown(path);
    let text = read(path, "list of tenants", TENANTS_BYTES)?;
    let wrong = |why: String| {
        usage(format!("{from} holds no list of tenants: {why}"))
            .hint(r#"it looks like [{"name": "a", "activityStatus": "HOT"}, …]"#)
    };
    let too_many = || {
        let most = count(MOST_TENANTS as u64);
        usage(format!("{from} lists too many tenants: {most} in a collection is the most that can be listed again"))
    };
    match fold::check(&text, &fold::TENANTS, TENANTS_VALUES) {
        Ok(()) => {}
        Err(Misread::Values { .. }) => return Err(too_many()),
        Err(Misread::Json(why)) => return Err(usage(format!("{from} is not JSON")).because(why)),
        Err(misread) => return Err(wrong(misread.to_string())),
    }
    if !text.trim_ascii_start().starts_with(b"[") {
        return Err(wrong("it is no JSON list".into()));
    }
    let tenants: Vec<Tenant> = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
    // More could be created, and neither listed nor backed up.
    if tenants.len() > MOST_TENANTS {
        return Err(too_many());
    }
    let mut names = BTreeSet::new();
    match tenants.iter().find(|tenant| !names.insert(&tenant.name)) {
        Some(twice) => Err(wrong(format!("{} is in it twice", twice.name))),
        None => Ok(tenants),
    }
}
