//! A collection's schema: the server's own bytes, and the few facts elysiactl reads from them.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fold::{self, Misread};
use super::{CollectionName, InvalidName};

/// The longest class document, in bytes. One with a thousand properties has some 500 kB.
pub const CLASS_BYTES: u64 = 16 << 20;
/// Values a class document holds at most: what a reader builds of it stays near its size.
const CLASS_VALUES: u32 = 250_000;

/// A schema document that cannot be understood.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// The text is not a JSON object with a `class`.
    #[error("the class document is not valid JSON with a class name")]
    Json(#[source] serde_json::Error),
    /// It is longer than any server's.
    #[error("the class document is longer than {} MiB", CLASS_BYTES >> 20)]
    TooLong,
    /// A server would read it otherwise than it is meant.
    #[error("the class document cannot be trusted: {0}")]
    Misread(#[source] Misread),
    /// The class has a name no server accepts.
    #[error(transparent)]
    Name(#[from] InvalidName),
}

/// How an object's properties enter the content digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DigestMode {
    /// The text of `properties` as it stands: collections without references and `blobHash` properties.
    Text,
    /// Member by member, references as `Collection/id`, `blobHash` members left out.
    Members,
}

/// The class document of one collection. The bytes are the truth; the other fields were read from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// The collection's name.
    pub name: CollectionName,
    /// The server's class document, byte for byte.
    pub text: Bytes,
    /// Whether the collection has tenants.
    pub multi_tenant: bool,
    /// `shardingConfig.actualCount`; `None` where the server prints none (multi-tenant collections).
    pub shards: Option<u32>,
    /// `replicationConfig.factor`, 1 if absent.
    pub replicas: u32,
    /// Names of the reference properties, in schema order.
    pub references: Vec<String>,
    /// Names of the `blobHash` properties, in schema order.
    pub blob_hashes: Vec<String>,
    /// Dotted paths of the integer properties (`int`, `int[]`), those of nested objects included, in schema order.
    pub integers: Vec<String>,
    /// Names of the `date[]` properties, nested ones left aside, in schema order.
    pub date_lists: Vec<String>,
    /// Names of the named vectors, in byte order.
    pub named_vectors: Vec<String>,
    /// Those of them that are being dropped: the server takes them out of one object after the other, and in the end out of
    /// the schema.
    pub dropped_vectors: Vec<String>,
}

/// The index type of a named vector that is being dropped. A server prints it and never takes it back.
pub const DROPPED_VECTOR: &str = "none";

/// The data types that are not references: everything else in `dataType` names a collection.
fn is_reference(data_type: &Value) -> bool {
    let first = data_type.get(0).and_then(Value::as_str).unwrap_or_default();
    let class = first.rsplit(':').next().unwrap_or_default();
    class.bytes().next().is_some_and(|b| b.is_ascii_uppercase())
}

/// Dotted paths of the integers among properties and their nested ones.
fn integers(properties: &[Value]) -> Vec<String> {
    properties
        .iter()
        .flat_map(|property| {
            let name = property["name"].as_str().unwrap_or_default();
            let nested = property["nestedProperties"].as_array().map(Vec::as_slice).unwrap_or_default();
            let own = matches!(property["dataType"][0].as_str(), Some("int" | "int[]")).then(|| name.to_owned());
            own.into_iter().chain(integers(nested).into_iter().map(move |below| format!("{name}.{below}")))
        })
        .collect()
}

impl Schema {
    /// Refuses a class document that a server would read otherwise than it is spelled, or that is larger than any. Whether
    /// it is JSON at all is left to whoever parses it.
    pub fn trusted(text: &[u8]) -> Result<(), SchemaError> {
        if text.len() as u64 > CLASS_BYTES {
            return Err(SchemaError::TooLong);
        }
        match fold::check(text, &fold::CLASS, CLASS_VALUES) {
            Ok(()) | Err(Misread::Json(_)) => Ok(()),
            Err(misread) => Err(SchemaError::Misread(misread)),
        }
    }

    /// Reads the facts from a class document as `GET /v1/schema/{class}` prints it.
    pub fn parse(text: Bytes) -> Result<Self, SchemaError> {
        Self::trusted(&text)?;
        let document: Value = serde_json::from_slice(&text).map_err(SchemaError::Json)?;
        let name = document["class"].as_str().unwrap_or_default().parse()?;
        let number = |at: &str| document.pointer(at).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
        let properties = document["properties"].as_array().map(Vec::as_slice).unwrap_or_default();
        let named = |test: &dyn Fn(&Value) -> bool| -> Vec<String> {
            properties
                .iter()
                .filter(|p| test(&p["dataType"]))
                .filter_map(|p| p["name"].as_str().map(str::to_owned))
                .collect()
        };
        let is = |data_type: &Value, names: &[&str]| {
            data_type.get(0).and_then(Value::as_str).is_some_and(|t| names.contains(&t))
        };
        let vectors = document["vectorConfig"].as_object();
        let mut named_vectors: Vec<String> = vectors.map(|v| v.keys().cloned().collect()).unwrap_or_default();
        named_vectors.sort_unstable();
        let is_dropped = |name: &&String| document["vectorConfig"][name.as_str()]["vectorIndexType"] == DROPPED_VECTOR;
        let dropped_vectors = named_vectors.iter().filter(is_dropped).cloned().collect();
        Ok(Self {
            name,
            multi_tenant: document.pointer("/multiTenancyConfig/enabled").and_then(Value::as_bool).unwrap_or(false),
            shards: number("/shardingConfig/actualCount"),
            replicas: number("/replicationConfig/factor").unwrap_or(1).max(1),
            references: named(&is_reference),
            blob_hashes: named(&|t| is(t, &["blobHash", "blobHash[]"])),
            integers: integers(properties),
            date_lists: named(&|t| is(t, &["date[]"])),
            named_vectors,
            dropped_vectors,
            text,
        })
    }

    /// How the properties of this collection's objects enter the digest.
    #[must_use]
    pub fn digest_mode(&self) -> DigestMode {
        if self.references.is_empty() && self.blob_hashes.is_empty() { DigestMode::Text } else { DigestMode::Members }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_read_and_the_bytes_kept() {
        let text = Bytes::from_static(
            br#"{"class":"A","multiTenancyConfig":{"enabled":true},"properties":[{"name":"b","dataType":["B"]},
            {"name":"n","dataType":["int[]"]},{"name":"h","dataType":["blobHash"]},{"name":"t","dataType":["text"]}],
            "replicationConfig":{"factor":3},"shardingConfig":{"actualCount":2},"vectorConfig":{"y":{"vectorIndexType":"none"},"x":{}}}"#,
        );
        let schema = Schema::parse(text.clone()).expect("a schema");
        assert_eq!(schema.text, text);
        assert!(schema.multi_tenant);
        assert_eq!((schema.shards, schema.replicas), (Some(2), 3));
        assert_eq!(schema.references, ["b"]);
        assert_eq!(
            (schema.blob_hashes.as_slice(), schema.integers.as_slice()),
            (&["h".to_owned()][..], &["n".to_owned()][..])
        );
        assert_eq!(schema.named_vectors, ["x", "y"]);
        assert_eq!(schema.dropped_vectors, ["y"]);
        assert_eq!(schema.digest_mode(), DigestMode::Members);
    }

    #[test]
    fn a_plain_collection_has_defaults_and_text_mode() {
        let schema = Schema::parse(Bytes::from_static(br#"{"class":"A","properties":null}"#)).expect("a schema");
        assert_eq!((schema.shards, schema.replicas, schema.multi_tenant), (None, 1, false));
        assert_eq!(schema.digest_mode(), DigestMode::Text);
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(matches!(Schema::parse(Bytes::from_static(b"[")), Err(SchemaError::Json(_))));
        assert!(matches!(Schema::parse(Bytes::from_static(b"{}")), Err(SchemaError::Name(_))));
        let two = Schema::parse(Bytes::from_static(br#"{"class":"A","Class":"B"}"#));
        assert!(matches!(two, Err(SchemaError::Misread(Misread::Folds { member: "class", .. }))), "{two:?}");
        let long = format!(r#"{{"class":"A"}}{}"#, " ".repeat(usize::try_from(CLASS_BYTES).expect("fits")));
        assert!(matches!(Schema::parse(long.into()), Err(SchemaError::TooLong)));
    }
}
