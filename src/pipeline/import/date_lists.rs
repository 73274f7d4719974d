//! Empty lists of dates. A node of a cluster refuses an object that holds one, if another node sends it; but it takes the list
//! once the object is there. So such objects go without it first.

use super::group::{DateLists, Group};
use super::{Dealt, Error, Shared};
use crate::pipeline::Batch;
use crate::weaviate::phrases;

impl Shared<'_> {
    /// Whether an object was refused for an empty list of dates, without which it could be taken.
    pub(super) fn carries_bad_date_lists(
        &self,
        batch: &Batch,
        group: &Group,
        at: usize,
        reason: &str,
    ) -> Result<bool, Error> {
        let bad = group.date_lists == DateLists::All && phrases::is_empty_dates(reason);
        Ok(bad && !self.import.rewrite.empty_date_lists(&batch.objects[at]).map_err(Error::Text)?.is_empty())
    }

    /// Sets the lists of a group whose objects are stored, one object after the other: they are few.
    pub(super) async fn set_date_lists(
        &self,
        batch: &Batch,
        group: &Group,
        groups: &mut Vec<Group>,
        dealt: &mut Dealt,
    ) -> Result<(), Error> {
        let mut done = Vec::with_capacity(group.members.len());
        for at in group.members.iter().copied() {
            let object = &batch.objects[at];
            let body = self.undated.date_lists(object, batch.space.as_ref()).map_err(Error::Text)?;
            let sent = {
                let _open = self.gate.read().await;
                self.import.client.patch(&self.import.collection, object.id, body).await
            };
            match sent {
                Ok(()) => done.push(at),
                Err(error) if error.is_no() => {
                    let reason =
                        format!("stored without its empty lists of dates, and what would have followed: {error}");
                    dealt.rejected.push(self.refused(batch, group, at, &reason));
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.follow(batch, group, done, groups, dealt);
        Ok(())
    }
}
