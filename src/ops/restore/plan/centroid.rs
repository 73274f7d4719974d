//! Vectors that a server makes of those of the objects referred to: which of these are not in the archive.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::super::Collection;
use super::super::survey::CENTROID;
use super::Planning;
use crate::archive::Run;
use crate::event::{Remark, RestoreRemark};
use crate::model::{ObjectId, RawObject, Schema};
use crate::ops::Error;
use crate::ops::prove;
use crate::pipeline::parts::Reading;

/// Threads that read an archive.
const READERS: usize = 4;
/// Objects referred to that are looked for, at most, for one collection.
const TARGETS_MAX: usize = 100_000;

/// Ids by collection, as the archive calls it.
type Targets = BTreeMap<String, BTreeSet<ObjectId>>;

impl Planning<'_> {
    /// Says of each collection whose vectors are made of those of others how many of these are gone.
    pub(super) async fn name_gone(&self, work: &mut [Collection]) -> Result<(), Error> {
        for at in 0..work.len() {
            let made = String::from_utf8_lossy(&work[at].asked.text).contains(CENTROID);
            if !made || !work[at].data || work[at].asked.multi_tenant {
                continue;
            }
            if let Some(gone) = remark(&self.gone(work, at).await?).map(Remark::from) {
                work[at].planned.remarks.push(gone.clone());
                work[at].remarks.push(gone);
            }
        }
        Ok(())
    }

    /// What the collection at this place refers to, in collections that are restored with it, and what these do not hold.
    async fn gone(&self, work: &[Collection], at: usize) -> Result<Targets, Error> {
        let targets = Arc::new(Mutex::new(Targets::new()));
        let seen = Arc::clone(&targets);
        let see = move |schema: &Schema, object: &RawObject, _: &Run| {
            let mut targets = seen.lock().unwrap_or_else(PoisonError::into_inner);
            let mut left = TARGETS_MAX.saturating_sub(targets.values().map(BTreeSet::len).sum());
            for (collection, id) in referred(schema, object) {
                if left > 0 && targets.entry(collection).or_default().insert(id) {
                    left -= 1;
                }
            }
        };
        self.each_object(&work[at], see).await?;
        for target in work.iter().filter(|other| other.data) {
            let (found, name) = (Arc::clone(&targets), target.planned.archived.to_string());
            let is_referred = found.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&name);
            if is_referred {
                let take = move |_: &Schema, object: &RawObject, _: &Run| {
                    let mut targets = found.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Some(ids) = targets.get_mut(&name) {
                        ids.remove(&object.id);
                    }
                };
                self.each_object(target, take).await?;
            }
        }
        let mut gone = std::mem::take(&mut *targets.lock().unwrap_or_else(PoisonError::into_inner));
        // What is not restored with it is on the server, and not looked for.
        gone.retain(|name, ids| {
            !ids.is_empty() && work.iter().any(|other| other.data && other.planned.archived.as_str() == name)
        });
        Ok(gone)
    }

    async fn each_object(
        &self,
        collection: &Collection,
        look: impl Fn(&Schema, &RawObject, &Run) + Send + Sync + 'static,
    ) -> Result<(), Error> {
        let (tenants, memory_bytes) = (self.options.tenants.clone(), self.options.memory_bytes);
        let (done, look) = (Arc::default(), Arc::new(look));
        let reading = Reading { readers: READERS, memory_bytes, says: false, tenants, done, only: None, look };
        prove::parts(self.access.session, self.archive, collection.at, &collection.indexed, reading).await
    }
}

/// What is to be known of the objects that are gone.
fn remark(gone: &Targets) -> Option<RestoreRemark> {
    let (collection, first) = gone.iter().find_map(|(name, ids)| Some((name.clone(), *ids.first()?)))?;
    let objects = gone.values().map(|ids| ids.len() as u64).sum();
    Some(RestoreRemark::ReferredGone { objects, collection, first })
}

/// The objects that an object refers to.
fn referred(schema: &Schema, object: &RawObject) -> Vec<(String, ObjectId)> {
    let properties: Value = serde_json::from_slice(object.properties()).unwrap_or_default();
    let lists = schema.references.iter().filter_map(|name| properties[name.as_str()].as_array());
    lists.flatten().filter_map(|one| beacon(one["beacon"].as_str()?)).collect()
}

/// Collection and id of `weaviate://localhost/Collection/id`.
fn beacon(text: &str) -> Option<(String, ObjectId)> {
    let mut pieces = text.rsplit('/');
    let id = uuid::Uuid::try_parse(pieces.next()?).ok()?;
    let collection = pieces.next().filter(|name| name.starts_with(char::is_uppercase))?;
    Some((collection.to_owned(), ObjectId(id.as_u128())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beacon_names_collection_and_id_or_is_passed_over() {
        let id = "00000000-0000-4000-8000-000000000002";
        let read = |text: &str| beacon(text).map(|(name, id)| format!("{name} {id}"));
        assert_eq!(read(&format!("weaviate://localhost/Para/{id}")), Some(format!("Para {id}")));
        for other in [format!("weaviate://localhost/{id}"), id.to_owned(), "weaviate://localhost/Para/x".to_owned()] {
            assert_eq!(read(&other), None, "{other}");
        }
    }

    #[test]
    fn one_that_is_gone_is_named_and_of_several_the_first() {
        let of = |ids: &[u128]| Targets::from([("Para".to_owned(), ids.iter().map(|id| ObjectId(*id)).collect())]);
        assert_eq!(remark(&of(&[])), None);
        let gone =
            |objects| Some(RestoreRemark::ReferredGone { objects, collection: "Para".to_owned(), first: ObjectId(7) });
        assert_eq!((remark(&of(&[7])), remark(&of(&[7, 9]))), (gone(1), gone(2)));
    }
}
