//! Empties by dropping: the schema is sealed in a copy first, the collection dropped, and created again from its schema,
//! compared, its tenants put back.

use std::time::Duration;

use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use super::tenants;
use super::{ClearPlan, CollectionClear};
use crate::event::ClearRemark;
use crate::model::{CollectionName, Schema};
use crate::ops::dropping::{Dropped, drop_collection};
use crate::ops::firsts::Firsts;
use crate::ops::schema::{Made, Target, complete, is_by_auto_schema, made, remade, until_there};
use crate::ops::{Error, WriteAccess, live_collections};
use crate::weaviate::{Error as WireError, Topology};

/// Times a collection is recreated that the server keeps making up for somebody who writes to it.
const MOST_RACES: u32 = 10;
/// Requests to create it that are under way while it is dropped: whoever writes to it at that moment has the server make
/// up another one, and whichever comes first stays.
const RACERS: usize = 4;
/// Pause of each of them between two requests.
const RACE_PAUSE: Duration = Duration::from_millis(1);
/// How long these are sent at most, if the server does not answer the drop.
const RACE_TIME: Duration = Duration::from_secs(5);

/// A collection that is there again.
#[derive(Debug, Default)]
pub(super) struct Again {
    /// What is to be known.
    pub(super) remarks: Vec<ClearRemark>,
    /// It is not what it was, though a rehearsal said that it would be, or none was held.
    pub(super) is_other: bool,
}

/// One collection that is dropped and recreated.
pub(super) struct Recreate<'a> {
    pub(super) access: WriteAccess<'a>,
    pub(super) plan: &'a ClearPlan,
    pub(super) planned: &'a CollectionClear,
}

impl Recreate<'_> {
    fn name(&self) -> &CollectionName {
        self.planned.name()
    }

    fn target(&self) -> Target<'_> {
        self.plan.server.target()
    }

    /// Drops it, if it is there. Nothing has been sent that writes before. Whether it has been created again.
    pub(super) async fn drop(&self) -> Result<bool, Error> {
        if !self.planned.exists {
            return Ok(false);
        }
        let standing = &self.planned.standing;
        self.race(&standing.schema, &standing.shards, &standing.firsts).await
    }

    /// Drops what is there and sends requests to create it at the same time: none can succeed before the drop is carried
    /// out, which is asked for once, and the first one after it may come before a writer's. Whether one succeeded.
    async fn race(&self, schema: &Schema, shards: &[String], firsts: &Firsts) -> Result<bool, Error> {
        let (over, created) = (CancellationToken::new(), CancellationToken::new());
        let timing = async {
            let _ = tokio::time::timeout(RACE_TIME, over.cancelled()).await;
            over.cancel();
        };
        let racer = async || {
            while !over.is_cancelled() {
                match self.access.writer.create_collection(&self.planned.fit.create).await {
                    Ok(()) => {
                        created.cancel();
                        over.cancel();
                    }
                    // It is there still.
                    Err(WireError::Rejected { .. }) => tokio::time::sleep(RACE_PAUSE).await,
                    // What else is wrong shows when it is asked for alone.
                    Err(_) => return,
                }
            }
        };
        let dropping = async {
            let patience = self.plan.options.patience;
            let dropped = tokio::select! {
                biased;
                // The name was free: the drop has been carried out, whatever its answer is.
                () = created.cancelled() => Ok(Dropped::Gone),
                dropped = drop_collection(self.access, schema, shards, firsts, patience) => dropped,
            };
            over.cancel();
            dropped
        };
        let (dropped, (), _) = tokio::join!(dropping, timing, join_all((0..RACERS).map(|_| racer())));
        if created.is_cancelled() { Ok(true) } else { dropped.map(|_| false) }
    }

    /// Creates it, unless it was `created` already. From here on it is seen through, whatever comes: it does not exist.
    pub(super) async fn create(&self, mut created: bool) -> Result<Again, Error> {
        let mut again = Again::default();
        let (mut races, mut auto_created) = (0, 0);
        let schema = loop {
            let name = self.name().clone();
            let taken = || Error::AutoCreated { collection: name.clone(), attempts: races + 1 };
            let begun = if created { Ok(()) } else { until_there(self.access, &self.planned.fit, taken).await };
            let is_ours = begun.is_ok();
            let there = match begun {
                Ok(()) => complete(self.access.writer, &self.planned.fit).await?,
                Err(not_made) if matches!(not_made.error, Error::AutoCreated { .. }) => {
                    match self.access.client.schema(self.name()).await? {
                        Some(there) => there,
                        // It went away again.
                        None => continue,
                    }
                }
                Err(not_made) => return Err(not_made.error),
            };
            match made(&self.planned.fit.asked, self.planned.schema(), &there, &self.target()) {
                Made::Same { .. } => break there,
                // What it was asked for is something else on this server: that is said below.
                Made::Other { .. } if is_ours && !is_by_auto_schema(&there) => break there,
                // The first of two requests was carried out, and its answer lost.
                Made::Other { .. } if !is_ours && self.is_half_made(&there) => created = true,
                // Somebody made it, and may have written to it: it is theirs.
                Made::Other { .. } if !is_by_auto_schema(&there) => {
                    return Err(Error::Recreated { collection: self.name().clone() });
                }
                Made::Other { differences } if races == MOST_RACES => {
                    tracing::warn!(collection = %self.name(), ?differences, "made up by the server");
                    return Err(Error::AutoCreated { collection: self.name().clone(), attempts: races + 1 });
                }
                Made::Other { .. } => {
                    races += 1;
                    let objects;
                    (objects, created) = self.drop_auto_created(&there).await?;
                    auto_created += objects;
                }
            }
        };
        if races > 0 {
            again.remarks.push(ClearRemark::AutoSchemaDropped { objects: auto_created });
        }
        if let Made::Other { differences } =
            remade(&self.planned.fit.asked, self.planned.schema(), &schema, &self.target())
        {
            again.is_other = true;
            again.remarks.push(ClearRemark::NotWhatItWas { differences });
        }
        self.tenants(&schema, &mut again).await?;
        Ok(again)
    }

    /// Whether it is what the first of two requests makes, and no more.
    fn is_half_made(&self, there: &Schema) -> bool {
        let fit = &self.planned.fit;
        let first = || made(&fit.create, self.planned.schema(), there, &self.target());
        fit.then.is_some() && matches!(first(), Made::Same { .. })
    }

    /// Drops what the server made up: the objects that were in it, and whether the collection was created again.
    async fn drop_auto_created(&self, there: &Schema) -> Result<(u64, bool), Error> {
        let counted = live_collections::count(self.access.reading, &there.name, None).await?;
        let objects = counted.exact().unwrap_or(0);
        let shards = match self.access.client.topology(there).await {
            Topology::Whole { shards, .. } | Topology::Unchecked { shards, .. } => shards,
            Topology::Broken { .. } => Vec::new(),
        };
        Ok((objects, self.race(there, &shards, &Firsts::default()).await?))
    }

    /// Puts the tenants back with their states.
    async fn tenants(&self, schema: &Schema, again: &mut Again) -> Result<(), Error> {
        let Some(wanted) = self.planned.all_tenants().filter(|_| schema.multi_tenant) else { return Ok(()) };
        let offloaded = tenants::create(self.access.writer, self.name(), &wanted).await?;
        if offloaded > 0 {
            again.remarks.push(ClearRemark::OffloadedInactive { tenants: offloaded as u64 });
        }
        if let Some(tenant) = tenants::lacking(self.access.reading, self.name(), &wanted).await? {
            return Err(Error::TenantLacks { collection: self.name().clone(), tenant });
        }
        Ok(())
    }
}
