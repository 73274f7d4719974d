//! The safety copy: before a collection is dropped its schema, and the list of its tenants, are sealed in an archive of
//! their own, so that the collection can be recreated whatever happens.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Map;

use super::{Error, Session, blocking};
use crate::archive::manifest::TopologyRecord;
use crate::archive::{self, ArchiveWriter, Codec, Content, RunHeader, SealFacts};
use crate::model::Schema;
use crate::weaviate::Tenant;

/// The folder for safety copies inside the folder of archives. It is hidden, so none of them is ever the latest archive.
pub const FOLDER: &str = ".safety";

/// Where a safety copy lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SafetyCopy {
    /// The archive: the schema alone.
    pub archive: PathBuf,
    /// The class document in it, the server's own bytes.
    pub schema: PathBuf,
    /// The list of tenants in it, for a multi-tenant collection.
    pub tenants: Option<PathBuf>,
}

/// What the copy says about where it is from.
#[derive(Debug, Clone, Copy)]
pub(super) struct From<'a> {
    pub(super) url: &'a str,
    pub(super) server_version: &'a str,
    /// Why it is not known whether the server was whole, if so.
    pub(super) topology_unchecked: Option<&'a str>,
}

/// Seals a copy of a schema in `.safety` inside `folder`, which is made if missing, with the names of its `shards`: by them it
/// is told from another one that somebody creates once it is dropped. It is durable when this returns.
pub(super) async fn save(
    session: &Session,
    folder: &Path,
    from: From<'_>,
    schema: &Schema,
    shards: &[String],
    tenants: Option<&[Tenant]>,
) -> Result<SafetyCopy, Error> {
    let started = session.clock.now();
    let header = RunHeader {
        run_id: uuid::Uuid::now_v7(),
        started,
        source_url: from.url.to_owned(),
        server_version: from.server_version.to_owned(),
        collections: vec![schema.name.clone()],
        options: Map::new(),
        server_time_ms: None,
    };
    let facts = SealFacts {
        sealed: started,
        topology: TopologyRecord::new(from.topology_unchecked.map(str::to_owned), Vec::new(), Vec::new()),
        limits: Vec::new(),
        skipped: Vec::new(),
        incomplete: Vec::new(),
    };
    let (disk, folder, schema) = (Arc::clone(&session.archives), folder.join(FOLDER), schema.clone());
    // Those of tenants have the tenants' names, whoever created them.
    let shards = if schema.multi_tenant { Vec::new() } else { shards.to_vec() };
    let tenants = tenants.map(|tenants| serde_json::to_vec(tenants).unwrap_or_default());
    let write = move || {
        let stem = archive::stem(std::slice::from_ref(&schema.name), false, Content::SchemaOnly, false, started);
        let mut writer = ArchiveWriter::create(disk, &folder, &stem, Codec::None, header)?;
        let mut collection = writer.collection(&schema, Content::SchemaOnly)?;
        if let Some(tenants) = &tenants {
            collection.put_tenants(tenants)?;
        }
        if !shards.is_empty() {
            collection.note_shards(&shards)?;
        }
        let closed = collection.close(None)?;
        let sealed = writer.seal(vec![closed], facts)?;
        let at = |file: &str| {
            let here = |path: &&str| path.ends_with(file) && path.starts_with("collections/");
            sealed.manifest.files.iter().map(|f| f.path.as_str()).find(here).map(|path| sealed.path.join(path))
        };
        Ok::<_, archive::Error>(SafetyCopy {
            schema: at("/schema.json").unwrap_or_else(|| sealed.path.clone()),
            tenants: at("/tenants.json"),
            archive: sealed.path.clone(),
        })
    };
    blocking("safety copy", write).await
}
