//! What an operation reads of an archive is proven: its documents when it is opened, an index before it is used, and the parts
//! of a collection one by one.

use std::path::PathBuf;
use std::sync::Arc;

use super::damages::Damages;
use super::{Error, Session, blocking};
use crate::archive::digest::ObjectDigest;
use crate::archive::manifest::CollectionEntry;
use crate::archive::{Archive, Content, Run};
use crate::event::{CollectionResult, Warning};
use crate::model::{CollectionName, RawObject, Schema, TenantMap};
use crate::pipeline::load::{self, BadPart};
use crate::pipeline::parts::{Indexed, Judge, Parts, Reading};
use crate::weaviate::Tenant;

/// Opens an archive and proves everything in it but indexes and parts.
pub(super) async fn open(session: &Session, path: PathBuf) -> Result<Arc<Archive>, Error> {
    let disk = Arc::clone(&session.archives);
    let archive = blocking("open", move || {
        let archive = Archive::open(&disk, &path)?;
        archive.prove_documents()?;
        Ok::<_, crate::archive::Error>(archive)
    })
    .await?;
    warn_of_strays(session, &archive);
    Ok(Arc::new(archive))
}

pub(super) fn warn_of_strays(session: &Session, archive: &Archive) {
    for path in archive.strays() {
        session.events.warn(Warning::StrayFile { path: path.clone() });
    }
}

/// Reads schema and index of the collection at `at` in the archive's list.
pub(super) async fn index(archive: &Arc<Archive>, at: usize) -> Result<Indexed, Error> {
    let archive = Arc::clone(archive);
    blocking("index", move || {
        let entry = &archive.collections()[at];
        let (schema, runs) = (archive.schema(entry)?, archive.runs(entry)?);
        let digest = ObjectDigest::new(&schema, entry.content);
        Ok::<_, crate::archive::Error>(Indexed { schema, runs: Arc::new(runs), digest })
    })
    .await
}

/// The tenants that the source had, with their states; none if the collection has none by its nature. Those that were not
/// read are among them.
pub(super) async fn tenants(archive: &Arc<Archive>, at: usize) -> Result<Vec<Tenant>, Error> {
    let path = format!("collections/{}/tenants.json", archive.collections()[at].folder);
    let (reader, file) = (Arc::clone(archive), path.clone());
    let text = blocking("tenants", move || reader.document(&file)).await?;
    let Some(text) = text else { return Ok(Vec::new()) };
    Ok(serde_json::from_slice(&text).map_err(|error| archive.not_read(&path, &error))?)
}

/// What an archive says of a collection, as a result.
pub(super) fn archived(name: CollectionName, entry: &CollectionEntry) -> CollectionResult {
    CollectionResult {
        tenants: entry.tenants.iter().filter(|tenant| tenant.tenant.is_some()).count() as u64,
        objects: entry.objects,
        bytes: entry.bytes,
        digest: entry.digest.map(|digest| digest.to_string()).filter(|_| entry.content != Content::SchemaOnly),
        counts_verified: (entry.content != Content::SchemaOnly).then(|| !entry.is_uncounted()),
        ..CollectionResult::of(name)
    }
}

/// Reads every part that holds what is wanted. The first thing found wrong is the error.
pub(super) async fn parts(
    session: &Session,
    archive: &Arc<Archive>,
    at: usize,
    indexed: &Indexed,
    reading: Reading,
) -> Result<(), Error> {
    let read = Arc::clone(archive);
    let judge = move |bad| Err(wrong(&read, at, bad));
    read_parts(session, archive, at, indexed, reading, Box::new(judge)).await.map(|_| ())
}

/// Reads every part, and goes on with the others behind one that is damaged, until so many damages are found.
/// Gives the objects in those that were proven.
pub(super) async fn all_parts(
    session: &Session,
    archive: &Arc<Archive>,
    at: usize,
    indexed: &Indexed,
    (readers, memory_bytes): (usize, u64),
    damages: &Arc<Damages>,
) -> Result<u64, Error> {
    if damages.are_enough() {
        return Ok(0);
    }
    let (done, look) = (Arc::default(), Arc::new(|_: &Schema, _: &RawObject, _: &Run| {}));
    let reading = Reading { readers, memory_bytes, says: true, tenants: TenantMap::Same, done, only: None, look };
    let (read, damages) = (Arc::clone(archive), Arc::clone(damages));
    let judge = move |bad| damages.take(wrong(&read, at, bad)).map(|()| !damages.are_enough());
    read_parts(session, archive, at, indexed, reading, Box::new(judge)).await
}

async fn read_parts(
    session: &Session,
    archive: &Arc<Archive>,
    at: usize,
    indexed: &Indexed,
    reading: Reading,
    judge: Box<Judge<Error>>,
) -> Result<u64, Error> {
    let (events, stop) = (session.events.clone(), session.cancel.clone());
    let parts = Arc::new(Parts::new(archive, at, indexed, reading, events, stop, judge));
    let reading = (0..parts.threads()).map(|_| {
        let parts = Arc::clone(&parts);
        blocking("read parts", move || parts.read())
    });
    futures_util::future::try_join_all(reading).await?;
    Ok(parts.proven())
}

/// The error for a part of the collection at `at` that could not be proven.
pub(super) fn wrong(archive: &Archive, at: usize, BadPart { part, error }: BadPart) -> Error {
    match error {
        load::Error::Archive(e) => Error::Archive(e),
        load::Error::Stopped => Error::Interrupted,
        load::Error::Line { line, source } => {
            let folder = &archive.collections()[at].folder;
            let path = archive.path().join("collections").join(folder).join(&part.file);
            Error::Line { path, line, source }
        }
    }
}
