//! What a merge has replaced, sealed, and what looks at the objects that are there.

use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::super::{Collection, RestoreOptions};
use crate::archive::Archive;
use crate::model::CollectionName;
use crate::ops::{Error, ReadAccess, prove};
use crate::pipeline::budget::Budget;
use crate::pipeline::long_lines::LongLines;
use crate::pipeline::pacer::{Limits, PAGE_BYTES, Pacer};
use crate::pipeline::parts::Indexed;
use crate::pipeline::present::Present;
use crate::pipeline::replaced::Kept;
use crate::pipeline::replicas::ReplicaCheck;

/// What was replaced, sealed.
#[derive(Clone)]
pub(in crate::ops::restore) struct KeptArchive {
    pub(in crate::ops::restore) archive: Arc<Archive>,
}

impl KeptArchive {
    /// Where it lies.
    pub(in crate::ops::restore) fn path(&self) -> PathBuf {
        self.archive.path().to_owned()
    }

    /// What tells of its objects again. `at`: the place of a collection.
    pub(in crate::ops::restore) async fn read(&self, at: usize, lines: LongLines) -> Result<Kept, Error> {
        let Indexed { schema, runs, digest } = prove::index(&self.archive, at).await?;
        Ok(Kept { archive: Arc::clone(&self.archive), at, collection: schema.name, runs, digest, lines })
    }

    /// The place in it of a collection, and its objects; `None` if nothing of it was to be replaced.
    pub(in crate::ops::restore) fn of(&self, name: &CollectionName) -> Option<(usize, u64)> {
        let entries = self.archive.collections();
        let at = entries.iter().position(|entry| entry.name == name.as_str())?;
        Some((at, entries[at].objects))
    }
}

/// What looks at the objects of a collection that is merged into.
pub(in crate::ops::restore) fn present(
    access: ReadAccess<'_>,
    options: &RestoreOptions,
    collection: &Collection,
    live: &Budget,
) -> Present {
    let most_in_flight = options.import().most_in_flight;
    let page_bytes = PAGE_BYTES.min(live.flow_bytes() / 2);
    let limits = Limits { fixed_page_objects: None, most_in_flight, page_bytes };
    let planned = &collection.planned;
    #[expect(clippy::cast_precision_loss, reason = "a mean")]
    let mean = (planned.objects > 0).then(|| planned.bytes as f64 / planned.objects as f64);
    Present {
        client: access.client.clone(),
        collection: planned.target.clone(),
        budget: live.clone(),
        pacer: Mutex::new(Pacer::new(limits, mean)),
        replicas: (collection.asked.replicas > 1).then(|| ReplicaCheck::new(None)),
        events: access.events.clone(),
        pages: AtomicU64::new(0),
        begun: Instant::now(),
    }
}
