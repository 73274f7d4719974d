//! What the tests of the archive share: objects, a small archive, and a reader that proves everything.

mod sim;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

pub(super) use sim::{CRASHES, Crash, Fault, SimDisk};

use super::digest::ObjectDigest;
use super::manifest::{TopologyRecord, TopologyState};
use super::{
    Archive, ArchiveWriter, Codec, CollectionWriter, Content, Damage, Disk, Error, RunHeader, RunProof, SealFacts,
    Sealed,
};
use crate::model::{KeyRange, ObjectId, ObjectText, RawObject, Schema, TenantName, VectorText};

pub(super) const CODECS: [Codec; 4] = [Codec::None, Codec::Zstd, Codec::Gzip, Codec::Lz4];

/// Splits a line by a full parse.
pub(super) fn split(text: &Bytes) -> Result<RawObject, serde_json::Error> {
    #[derive(Deserialize)]
    struct Object<'a> {
        id: ObjectId,
        #[serde(borrow)]
        properties: Option<&'a RawValue>,
        #[serde(borrow)]
        vector: Option<&'a RawValue>,
        #[serde(borrow)]
        vectors: Option<&'a RawValue>,
    }
    let object: Object<'_> = serde_json::from_slice(text)?;
    let place = |part: &str| {
        let start = part.as_ptr() as usize - text.as_ptr() as usize;
        start..start + part.len()
    };
    let present = |text: &str| !matches!(text, "null" | "[]" | "{}");
    let mut vectors = Vec::new();
    if let Some(value) = object.vector.map(RawValue::get).filter(|v| present(v)) {
        vectors.push(VectorText { name: None, value: place(value) });
    }
    let named: Option<crate::model::Members<'_>> = object.vectors.map(|v| serde_json::from_str(v.get())).transpose()?;
    for (name, value) in named.into_iter().flat_map(crate::model::Members::iter).filter(|(_, value)| present(value)) {
        vectors.push(VectorText { name: Some(place(name)), value: place(value) });
    }
    let properties = object.properties.map_or(0..0, |p| place(p.get()));
    Ok(RawObject {
        id: object.id,
        updated_ms: None,
        text: text.clone(),
        places: ObjectText { properties, vectors: vectors.into(), ..ObjectText::default() },
    })
}

pub(super) fn object(id: u128, properties: &str) -> RawObject {
    let id = ObjectId(id);
    split(&format!(r#"{{"id":"{id}","properties":{properties},"vector":[0.5,{}]}}"#, id.0 % 7).into())
        .expect("an object")
}

pub(super) fn objects(ids: impl IntoIterator<Item = u128>) -> Vec<RawObject> {
    ids.into_iter().map(|id| object(id, &format!(r#"{{"n":{id},"title":"Grüße"}}"#))).collect()
}

pub(super) fn range(from: Option<u128>, to: Option<u128>) -> KeyRange {
    KeyRange { from: from.map(ObjectId), to: to.map(ObjectId) }
}

pub(super) fn tenant(name: &str) -> TenantName {
    name.parse().expect("a tenant")
}

pub(super) fn schema(name: &str, multi_tenant: bool) -> Schema {
    let text = format!(r#"{{"class":"{name}","multiTenancyConfig":{{"enabled":{multi_tenant}}},"properties":[]}}"#);
    Schema::parse(text.into()).expect("a schema")
}

pub(super) fn time() -> Timestamp {
    "2026-11-23T04:12:00Z".parse().expect("a time")
}

pub(super) fn header() -> RunHeader {
    RunHeader {
        run_id: Uuid::from_u128(7),
        started: time(),
        source_url: "http://localhost:8080".into(),
        server_version: "1.32.0".into(),
        collections: vec!["Article".parse().expect("a name")],
        options: serde_json::Map::new(),
        server_time_ms: None,
    }
}

pub(super) fn facts() -> SealFacts {
    SealFacts {
        sealed: time(),
        topology: TopologyRecord {
            state: TopologyState::Whole,
            reason: None,
            nodes: vec!["node-0".into()],
            missing: Vec::new(),
        },
        limits: Vec::new(),
        skipped: Vec::new(),
        incomplete: Vec::new(),
    }
}

pub(super) fn writer(disk: Arc<dyn Disk>, codec: Codec) -> Result<ArchiveWriter, Error> {
    ArchiveWriter::create(disk, Path::new("/backups"), "Article_full_20261123_041200", codec, header())
}

/// An archive and its one collection, on a simulated disk.
pub(super) fn begun(multi_tenant: bool) -> (Arc<SimDisk>, ArchiveWriter, CollectionWriter) {
    let disk = Arc::new(SimDisk::default());
    let mut archive = writer(disk.clone(), Codec::None).expect("an archive");
    let collection = archive.collection(&schema("Article", multi_tenant), Content::Full).expect("a collection");
    (disk, archive, collection)
}

/// Three parts over two lanes, five runs, one of them empty.
pub(super) fn backup(disk: Arc<dyn Disk>, codec: Codec) -> Result<Sealed, Error> {
    let mut archive = writer(disk, codec)?;
    archive.put_aliases(br#"{"aliases":[]}"#)?;
    let mut collection = archive.collection(&schema("Article", false), Content::Full)?;
    collection.append(0, None, range(None, Some(2)), &objects([0, 2]), 1)?;
    collection.append(1, None, range(Some(50), Some(60)), &objects([55]), 1)?;
    collection.append(1, None, range(Some(80), None), &objects([u128::MAX]), 2)?;
    collection.seal_parts()?;
    collection.append(0, None, range(Some(2), Some(50)), &objects([3, 50]), 3)?;
    collection.append(0, None, range(Some(60), Some(80)), &[], 3)?;
    collection.seal_parts()?;
    let closed = collection.close(None)?;
    archive.seal(vec![closed], facts())
}

/// Every object by collection, tenant and id.
pub(super) type Found = BTreeMap<(String, Option<TenantName>, ObjectId), Bytes>;

/// Does what `archive check` does: reads and proves every byte.
pub(super) fn read_all(disk: &Arc<dyn Disk>, path: &Path) -> Result<Found, Error> {
    let archive = Archive::open(disk, path)?;
    archive.prove_documents()?;
    let mut found = BTreeMap::new();
    for collection in archive.collections() {
        let schema = archive.schema(collection)?;
        let digest = ObjectDigest::new(&schema, collection.content);
        let all = archive.runs(collection)?;
        for part in &collection.parts {
            let mut reader = archive.part(collection, part, &all)?;
            let runs = reader.runs().to_vec();
            let mut proofs: Vec<_> = runs.iter().map(|run| RunProof::new(run, &digest)).collect();
            while let Some(line) = reader.next_line()? {
                let bad = |e: serde_json::Error| reader.damaged(line.number, Damage::Json(e.to_string()));
                let object = split(&line.text).map_err(bad)?;
                proofs[line.run].add(&object).map_err(|what| reader.damaged(line.number, what))?;
                found.insert((collection.name.clone(), runs[line.run].tenant.clone(), object.id), object.text);
            }
            for proof in proofs {
                proof.finish().map_err(|what| reader.damaged(0, what))?;
            }
            reader.finish()?;
        }
    }
    Ok(found)
}
