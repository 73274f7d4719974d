//! Before anything is replaced, what will be is sealed in an archive of its own: restoring that archive puts it back.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Map;
use tokio::sync::mpsc;

use super::super::fill::Fill;
use super::super::{Collection, RestorePlan};
use super::MergeWork;
use super::kept::{KeptArchive, present};
use crate::archive::manifest::TopologyRecord;
use crate::archive::{self, ArchiveWriter, ClosedCollection, Codec, CollectionWriter, Content, RunHeader, SealFacts};
use crate::event::Events;
use crate::model::{CollectionName, KeyRange, Schema, TenantName};
use crate::ops::{Error, Session, blocking, prove, safety};
use crate::pipeline::BATCHES_WAITING;
use crate::pipeline::budget::Budget;
use crate::pipeline::import::Pass;
use crate::pipeline::pacer::{Limits, PAGE_BYTES, Pacer};
use crate::pipeline::replaced::KeepReplaced;
use crate::pipeline::store::Store;

/// How long a part of it stays open while objects come.
const PART_AGE: Duration = Duration::from_secs(30);
/// Objects of the archive that are looked for in one go at most, and their plain bytes.
const OBJECTS_AT_ONCE: u32 = 1_000;
const BYTES_AT_ONCE: u64 = 2 << 20;
/// What objects on their way to the disk may take, in bytes.
const COPIES_BYTES: u64 = 8 << 20;

/// Reads what is about to be replaced in these collections, each with its schema as it is there, and seals it.
pub(in crate::ops::restore) async fn keep(
    fill: &Fill<'_>,
    plan: &RestorePlan,
    work: &[(&Collection, &Schema)],
    live: &Budget,
) -> Result<KeptArchive, Error> {
    let session = fill.access.session;
    let started = session.clock.now();
    let names: Vec<CollectionName> = work.iter().map(|(_, schema)| schema.name.clone()).collect();
    let header = RunHeader {
        run_id: uuid::Uuid::now_v7(),
        started,
        source_url: plan.url.clone(),
        server_version: plan.server_version.clone(),
        collections: names.clone(),
        options: Map::new(),
        server_time_ms: None,
    };
    let (disk, folder) = (Arc::clone(&session.archives), plan.options.folder.join(safety::FOLDER));
    let stem = archive::stem_of_replaced(&names, started);
    let create = move || ArchiveWriter::create(disk, &folder, &stem, Codec::None, header);
    let mut writer = blocking("kept", create).await?;
    let mut closed = Vec::with_capacity(work.len());
    for (collection, schema) in work {
        fill.access.go_on()?;
        let schema = Schema::clone(schema);
        let begun = blocking("kept", move || {
            let collection = writer.collection(&schema, Content::Full)?;
            Ok::<_, archive::Error>((writer, collection))
        });
        let (back, one) = begun.await?;
        writer = back;
        closed.push(Box::pin(keep_one(fill, collection, one, live)).await?);
    }
    let facts = SealFacts {
        sealed: session.clock.now(),
        topology: TopologyRecord::new(plan.topology_unchecked.clone(), Vec::new(), Vec::new()),
        limits: Vec::new(),
        skipped: Vec::new(),
        incomplete: Vec::new(),
    };
    let sealed = blocking("kept", move || writer.seal(closed, facts)).await?;
    let archive = prove::open(session, sealed.path).await?;
    Ok(KeptArchive { archive })
}

/// Keeps what is replaced in one collection.
async fn keep_one(
    fill: &Fill<'_>,
    collection: &Collection,
    writer: CollectionWriter,
    live: &Budget,
) -> Result<ClosedCollection, Error> {
    let Some(MergeWork { replaced, replaces, .. }) = &collection.merge else {
        return Err(Error::Stage { what: "merge".into() });
    };
    let session: &Session = fill.access.session;
    let stop = fill.access.cancel.child_token();
    let limits = Limits { fixed_page_objects: Some(OBJECTS_AT_ONCE), most_in_flight: 1, page_bytes: PAGE_BYTES };
    let pacer = Arc::new(Mutex::new(Pacer::new(limits, None).sending_at_most(BYTES_AT_ONCE)));
    let (batches, read) = mpsc::channel(BATCHES_WAITING);
    let (on, stored) = mpsc::channel(BATCHES_WAITING);
    let load = Arc::new(fill.load(collection, Pass::All, Some(Arc::clone(replaced)), &pacer, &stop));
    let loading = tokio::task::spawn_blocking(move || load.run(&batches));
    // What is kept is told of by the run that keeps it.
    let quiet = Events::none();
    let store = Store::new(writer, PART_AGE, collection.asked.clone(), quiet);
    let storing = tokio::task::spawn_blocking(move || {
        let mut store = store.take_all(stored)?;
        store.seal_parts()?;
        Ok::<_, archive::Error>(store.writer)
    });
    let keeping = KeepReplaced {
        present: present(fill.access.reading, fill.options, collection, live),
        comparer: collection.comparer(fill.options),
        replaces: *replaces,
        budget: Budget::new(COPIES_BYTES),
    };
    let kept = keeping.run(read, on, &stop).await;
    let (loaded, written) = (loading.await, storing.await);
    let writer = written.map_err(|_| Error::Stage { what: "kept".into() })??;
    fill.judge(collection, loaded)?;
    session.go_on()?;
    kept.map_err(|source| Error::Scan { collection: collection.planned.target.clone(), source })?;
    let listed: Vec<_> = collection.tenants.there.clone();
    let multi_tenant = collection.asked.multi_tenant;
    let close = move || close(writer, multi_tenant, &listed);
    blocking("kept", close).await
}

/// Covers the keys that nothing was kept of, and ends the collection. `tenants`: those that were there.
fn close(
    mut writer: CollectionWriter,
    multi_tenant: bool,
    tenants: &[crate::weaviate::Tenant],
) -> Result<ClosedCollection, archive::Error> {
    let held: BTreeSet<TenantName> = writer.totals().tenants.into_iter().filter_map(|of| of.tenant).collect();
    let spaces: Vec<Option<TenantName>> =
        if multi_tenant { held.iter().cloned().map(Some).collect() } else { vec![None] };
    for space in spaces {
        let gaps: Vec<KeyRange> = writer.gaps(space.as_ref());
        for gap in gaps {
            writer.append(0, space.as_ref(), gap, &[], 0)?;
        }
    }
    if multi_tenant {
        let listed: Vec<_> = tenants.iter().filter(|tenant| held.contains(&tenant.name)).collect();
        writer.put_tenants(&serde_json::to_vec(&listed).unwrap_or_default())?;
    }
    writer.seal_parts()?;
    writer.close(None)
}
