//! The plan of a backup: which collections, how many objects, how many bytes, where to. Reads only.

use std::path::Path;
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{Options, Plan, Planned};
use crate::archive::manifest::{Skipped, TopologyRecord, TopologyState};
use crate::archive::{self, Codec, Content, Disk};
use crate::event::Warning;
use crate::model::Schema;
use crate::ops::{Error, Session, blocking, proof, select};
use crate::weaviate::{Client, Count, PageReply, PageRequest, Topology};

/// Collections asked about at once.
const COLLECTIONS_AT_ONCE: usize = 4;
/// Objects of the sample that the estimate is made from.
const SAMPLE_OBJECTS: u32 = 10;
/// The largest sample that is looked at, in bytes; objects beyond it give no estimate.
const SAMPLE_BYTES: u64 = 8 << 20;
/// What an archive takes beyond its objects: index, schemas, manifest.
const OVERHEAD: f64 = 1.02;

/// Why multi-tenant collections are not read.
const MULTI_TENANT: &str = "multi-tenant collections are not supported yet";

/// Looks at server and disk, and says what a backup would do. Sends reading requests only.
pub async fn plan(client: &Client, session: &Session, options: Options) -> Result<Plan, Error> {
    client.ready().await?;
    let meta = client.meta().await?;
    let schemas = client.schemas().await?;
    let all = schemas.len();
    let aliases = client.aliases().await?.map(|a| a.pairs).unwrap_or_default();
    let chosen = select::choose(schemas, &options.selection, &aliases)?;
    let is_all = chosen.len() == all && options.selection.take.is_empty();
    let (left_out, taken): (Vec<Schema>, Vec<Schema>) = chosen.into_iter().partition(|s| s.multi_tenant);
    let skipped: Vec<Skipped> = left_out.iter().map(skip).collect();
    let collections = describe(client, session, &options, taken).await?;
    let topology = topology(client, session, &collections).await?;
    let names: Vec<_> =
        collections.iter().map(|c| c.schema.name.clone()).chain(left_out.into_iter().map(|s| s.name)).collect();
    let started = session.clock.now();
    let stem = archive::stem(&names, is_all, options.content == Content::SchemaOnly, started);
    let plan = Plan {
        url: client.url().to_owned(),
        server_version: meta.version.text,
        archive: options.folder.join(&stem),
        collections,
        skipped,
        topology,
        free_bytes: free_bytes(&session.disk, &options.folder).await,
        options,
        started,
        stem,
        server_time_ms: meta.server_time_ms,
    };
    fits(&plan)?;
    Ok(plan)
}

fn skip(schema: &Schema) -> Skipped {
    Skipped { collection: schema.name.to_string(), tenant: None, reason: MULTI_TENANT.to_owned() }
}

/// Counts and samples every collection.
async fn describe(
    client: &Client,
    session: &Session,
    options: &Options,
    schemas: Vec<Schema>,
) -> Result<Vec<Planned>, Error> {
    if options.content == Content::SchemaOnly {
        return Ok(schemas.into_iter().map(|schema| Planned { schema, objects: None, object_bytes: None }).collect());
    }
    let names: Vec<_> = schemas.iter().map(|s| s.name.clone()).collect();
    let counts = client.counts(&names).await?;
    for (name, count) in names.iter().zip(&counts) {
        if let Count::Unknown { reason } = count {
            session.events.warn(Warning::CountUnchecked { collection: name.clone(), reason: reason.clone() });
        }
    }
    let describe_one = |(schema, count): (Schema, Count)| async move {
        let objects = proof::known(&count);
        let object_bytes = if objects == Some(0) { None } else { sample(client, &schema, options.content).await? };
        Ok::<_, Error>(Planned { schema, objects, object_bytes })
    };
    let planned = stream::iter(schemas.into_iter().zip(counts)).map(describe_one).buffered(COLLECTIONS_AT_ONCE);
    planned.try_collect().await
}

/// The mean size of the first objects, in bytes.
async fn sample(client: &Client, schema: &Schema, content: Content) -> Result<Option<f64>, Error> {
    let ask = PageRequest {
        collection: &schema.name,
        tenant: None,
        after: None,
        limit: SAMPLE_OBJECTS,
        vectors: content == Content::Full,
        max_bytes: SAMPLE_BYTES,
    };
    let PageReply::Body(body) = client.page(&ask).await? else { return Ok(None) };
    let expected = crate::pipeline::split::Expected { collection: &schema.name, after: None, limit: SAMPLE_OBJECTS };
    let Ok(objects) = crate::pipeline::split::page(&body, expected) else { return Ok(None) };
    let bytes: usize = objects.iter().map(|o| o.text.len() + 1).sum();
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    Ok((!objects.is_empty()).then(|| bytes as f64 / objects.len() as f64))
}

/// Refuses a server with a node away before anything is written. One collection speaks for the nodes; each is asked
/// again on its own before it is read.
async fn topology(client: &Client, session: &Session, collections: &[Planned]) -> Result<TopologyRecord, Error> {
    let Some(first) = collections.first() else {
        return Ok(TopologyRecord {
            state: TopologyState::Unchecked,
            reason: Some("nothing to read".into()),
            nodes: Vec::new(),
        });
    };
    match client.topology(&first.schema).await {
        Topology::Whole { nodes, .. } => Ok(TopologyRecord { state: TopologyState::Whole, reason: None, nodes }),
        Topology::Unchecked { reason, .. } => {
            session.events.warn(Warning::TopologyUnchecked { reason: reason.clone() });
            Ok(TopologyRecord { state: TopologyState::Unchecked, reason: Some(reason), nodes: Vec::new() })
        }
        Topology::Broken { reason } => {
            let collection = first.schema.name.clone();
            Err(Error::NotWhole { collection, reason, waited: std::time::Duration::ZERO })
        }
    }
}

/// Free space where the archive will be: of the nearest folder that exists.
async fn free_bytes(disk: &Arc<dyn Disk>, folder: &Path) -> Option<u64> {
    let (disk, folder) = (Arc::clone(disk), folder.to_owned());
    let ask = move || {
        let exists = |path: &&Path| disk.look(path).is_ok_and(|found| found.is_some());
        let place = folder.ancestors().map(|p| if p.as_os_str().is_empty() { Path::new(".") } else { p }).find(exists);
        Ok::<_, Error>(place.and_then(|place| disk.free_space(place).ok()))
    };
    blocking("free space", ask).await.ok().flatten()
}

/// A plain archive is about as large as its estimate, so one that cannot fit is refused at once.
fn fits(plan: &Plan) -> Result<(), Error> {
    let needed: u64 = plan.collections.iter().filter_map(Planned::bytes).sum();
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate"
    )]
    let needed = (needed as f64 * OVERHEAD) as u64;
    match plan.free_bytes {
        Some(free) if plan.options.codec == Codec::None && needed > free => {
            Err(Error::NotEnoughSpace { folder: plan.options.folder.clone(), needed, free })
        }
        _ => Ok(()),
    }
}
