//! The class document and the list of tenants that `col create` goes by: read from files, or made from flags.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::Context;
use serde_json::{Map, Value, json};

use super::flags::{CreateArgs, Distance, Index};
use crate::cli::Failure;
use crate::cli::args::ConnectionArgs;
use crate::event::Class;
use crate::model::fold::{self, Misread};
use crate::model::{CollectionName, MOST_TENANTS, Schema, TENANTS_BYTES, TENANTS_VALUES};
use crate::render::{count, counted, shell_path};
use crate::weaviate::Tenant;

/// The longest class document, in bytes.
const DOCUMENT_BYTES: u64 = 16 << 20;
/// Bytes of a MiB.
const MIB: u64 = 1 << 20;

/// What some editors write before a text, and so say that it is UTF-8.
const UTF_8_MARK: &[u8] = b"\xef\xbb\xbf";
/// The same for UTF-16, of either order of bytes.
const UTF_16_MARKS: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// What stands for stdin.
const STDIN: &str = "-";

/// Refuses to read two things from stdin.
pub(super) fn stdin_is_read_once(args: &CreateArgs, connection: &ConnectionArgs) -> Result<(), Failure> {
    let files = [&args.schema_file, &args.tenants_file, &connection.api_key_file];
    if files.into_iter().flatten().filter(|path| **path == Path::new(STDIN)).count() > 1 {
        return Err(usage("only one file can be read from stdin"));
    }
    Ok(())
}

/// The class document in a file.
pub(super) fn from_file(path: &Path) -> Result<Schema, Failure> {
    let from = shown(path);
    let text = read(path, "class document", DOCUMENT_BYTES)?;
    let none = |why: &str| usage(format!("{from} holds no class document: {why}"));
    // Before anything is built of it.
    if let Err(error) = Schema::trusted(&text) {
        return Err(usage(format!("{from}: {error}")));
    }
    let document = parse(&text, &from)?;
    let Value::Object(members) = &document else { return Err(none("it is no JSON object")) };
    let Some(name) = members.get("class") else {
        return Err(match members.get("classes").and_then(Value::as_array) {
            Some(classes) => none(&format!("it lists {}", counted(classes.len() as u64, "collection")))
                .hint("put one of its classes into a file of its own"),
            None => none("it has no \"class\"").hint("the schema.json of an archive is one"),
        });
    };
    let Some(name) = name.as_str() else { return Err(none("\"class\" is no text")) };
    if let Err(invalid) = name.parse::<CollectionName>() {
        return Err(none(&invalid.to_string()));
    }
    if let Some(wrong) = wrong_member(members) {
        return Err(none(&wrong));
    }
    Schema::parse(text.into()).map_err(|error| none(&error.to_string()))
}

/// What is not of the kind that it has to be, so far as a plan goes by it; the server judges the rest.
fn wrong_member(members: &Map<String, Value>) -> Option<String> {
    const OBJECTS: [&str; 4] = ["vectorConfig", "multiTenancyConfig", "replicationConfig", "shardingConfig"];
    let is_object = |key: &&str| members.get(*key).is_none_or(|value| value.is_null() || value.is_object());
    if let Some(key) = OBJECTS.iter().find(|key| !is_object(key)) {
        return Some(format!("{key:?} is no JSON object"));
    }
    let properties = match members.get("properties") {
        None | Some(Value::Null) => return None,
        Some(Value::Array(properties)) => properties,
        Some(_) => return Some("\"properties\" is no list".to_owned()),
    };
    let is_property = |property: &Value| property["name"].is_string() && property["dataType"].is_array();
    let at = properties.iter().position(|property| !is_property(property))?;
    Some(format!("property {} of {} has no name or no list of data types", at + 1, properties.len()))
}

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

fn parse(text: &[u8], from: &str) -> Result<Value, Failure> {
    serde_json::from_slice(text).with_context(|| format!("{from} is not JSON")).map_err(Failure::of(Class::Usage))
}

/// All of a file, if it is no larger than `most` bytes.
fn read(path: &Path, what: &str, most: u64) -> Result<Vec<u8>, Failure> {
    let failed = |error: io::Error| {
        let missing = matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::IsADirectory);
        let class = if missing { Class::Usage } else { Class::Disk };
        let what = format!("cannot read the {what} from {}", shown(path));
        Failure::of(class)(anyhow::Error::new(error).context(what))
    };
    let mut text = Vec::new();
    let bytes = if path == Path::new(STDIN) {
        io::stdin().lock().take(most + 1).read_to_end(&mut text)
    } else {
        File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut text))
    };
    if bytes.map_err(failed)? as u64 > most {
        return Err(usage(format!("{} is too large for a {what}: above {} MiB", shown(path), most / MIB)));
    }
    // Editors on Windows write a mark before the text.
    if let Some(marked) = text.strip_prefix(UTF_8_MARK) {
        return Ok(marked.to_vec());
    }
    if UTF_16_MARKS.iter().any(|mark| text.starts_with(mark)) {
        return Err(usage(format!("{} is UTF-16; a {what} has to be UTF-8", shown(path))));
    }
    Ok(text)
}

fn shown(path: &Path) -> String {
    if path == Path::new(STDIN) { "stdin".into() } else { shell_path(path) }
}

fn usage(text: impl Into<String>) -> Failure {
    Failure::new(Class::Usage, text)
}
