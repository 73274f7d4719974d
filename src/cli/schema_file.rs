//! Class documents, and other files, that are read once and within bounds: of `col create` and `col restore`.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::{Map, Value};

use super::Failure;
use crate::event::Class;
use crate::model::{CollectionName, Schema};
use crate::render::{counted, shell_path};

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
pub(super) fn stdin_is_read_once<'a>(files: impl IntoIterator<Item = &'a Option<PathBuf>>) -> Result<(), Failure> {
    if files.into_iter().flatten().filter(|path| **path == Path::new(STDIN)).count() > 1 {
        return Err(usage("only one file can be read from stdin"));
    }
    Ok(())
}

/// The class document in a file.
pub(super) fn class_document(path: &Path) -> Result<Schema, Failure> {
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

fn parse(text: &[u8], from: &str) -> Result<Value, Failure> {
    serde_json::from_slice(text).with_context(|| format!("{from} is not JSON")).map_err(Failure::of(Class::Usage))
}

/// All of a file, if it is no larger than `most` bytes.
pub(super) fn read(path: &Path, what: &str, most: u64) -> Result<Vec<u8>, Failure> {
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

pub(super) fn shown(path: &Path) -> String {
    if path == Path::new(STDIN) { "stdin".into() } else { shell_path(path) }
}

pub(super) fn usage(text: impl Into<String>) -> Failure {
    Failure::new(Class::Usage, text)
}
