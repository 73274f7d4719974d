//! Empties by dropping: the schema is sealed in a copy first, the collection dropped, and created again from its schema,
//! compared, its tenants put back.

use super::tenants;
use super::{Plan, Planned};
use crate::model::{CollectionName, Schema};
use crate::ops::dropping::{Dropped, drop_collection};
use crate::ops::schema::{Made, Target, complete, made, until_there};
use crate::ops::{Error, Session, standing};
use crate::weaviate::{Topology, Writer};

/// Times a collection is made again that the server keeps making up for somebody who writes to it.
const MOST_RACES: u32 = 5;

/// A collection that is there again.
#[derive(Debug, Default)]
pub(super) struct Again {
    /// What is to be known, each as a clause.
    pub(super) remarks: Vec<String>,
}

/// One collection that is dropped and made again.
pub(super) struct Recreate<'a> {
    pub(super) writer: &'a Writer,
    pub(super) session: &'a Session,
    pub(super) plan: &'a Plan,
    pub(super) planned: &'a Planned,
}

impl Recreate<'_> {
    fn name(&self) -> &CollectionName {
        self.planned.name()
    }

    fn target(&self) -> Target<'_> {
        let meta = &self.plan.meta;
        Target { version: &meta.version, modules: &meta.modules, nodes: self.plan.nodes }
    }

    /// Drops it, if it is there. Nothing has been sent that writes before.
    pub(super) async fn drop(&self) -> Result<(), Error> {
        if !self.planned.exists {
            return Ok(());
        }
        let (standing, patience) = (&self.planned.standing, self.plan.options.patience);
        // What a writer had the server make up meanwhile is dropped when it is in the way.
        drop_collection(self.writer, self.session, &standing.schema, &standing.shards, patience)
            .await
            .map(|_: Dropped| ())
    }

    /// Creates it. From here on it is seen through, whatever comes: it does not exist.
    pub(super) async fn create(&self) -> Result<Again, Error> {
        let mut again = Again::default();
        let (mut races, mut made_up) = (0, 0);
        let schema = loop {
            let name = self.name().clone();
            let taken = || Error::MadeUp { collection: name.clone(), attempts: races + 1 };
            let there = match until_there(self.writer, self.session, &self.planned.fit, taken).await {
                Ok(()) => complete(self.writer, &self.planned.fit).await?,
                Err(not_made) if matches!(not_made.error, Error::MadeUp { .. }) => {
                    match self.writer.schema(self.name()).await? {
                        Some(there) => there,
                        // It went away again.
                        None => continue,
                    }
                }
                Err(not_made) => return Err(not_made.error),
            };
            match made(self.planned.fit.asked(), self.planned.schema(), &there, &self.target()) {
                Made::Same { .. } => break there,
                Made::Other { differences } if races == MOST_RACES => {
                    tracing::warn!(collection = %self.name(), ?differences, "made up by the server");
                    return Err(Error::MadeUp { collection: self.name().clone(), attempts: races + 1 });
                }
                Made::Other { .. } => {
                    races += 1;
                    made_up += self.made_up(&there).await?;
                }
            }
        };
        if races > 0 {
            again.remarks.push(format!(
                "{made_up} objects that somebody wrote while it was away went into a collection the server made up, and \
                 are gone with it"
            ));
        }
        self.tenants(&schema, &mut again).await?;
        Ok(again)
    }

    /// Drops what the server made up; the objects that were in it.
    async fn made_up(&self, there: &Schema) -> Result<u64, Error> {
        let counted = standing::count(self.writer, self.session, &there.name, None).await?;
        let objects = counted.exact().unwrap_or(0);
        let shards = match self.writer.topology(there).await {
            Topology::Whole { shards, .. } | Topology::Unchecked { shards, .. } => shards,
            Topology::Broken { .. } => Vec::new(),
        };
        drop_collection(self.writer, self.session, there, &shards, self.plan.options.patience).await?;
        Ok(objects)
    }

    /// Puts the tenants back with their states.
    async fn tenants(&self, schema: &Schema, again: &mut Again) -> Result<(), Error> {
        let Some(wanted) = self.planned.all_tenants().filter(|_| schema.multi_tenant) else { return Ok(()) };
        let offloaded = tenants::create(self.writer, self.name(), &wanted).await?;
        if offloaded > 0 {
            again.remarks.push(format!("tenants that were offloaded are asleep now: {offloaded}"));
        }
        if let Some(tenant) = tenants::lacking(self.writer, self.session, self.name(), &wanted).await? {
            return Err(Error::TenantLacks { collection: self.name().clone(), tenant });
        }
        Ok(())
    }
}
