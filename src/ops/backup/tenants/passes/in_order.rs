//! Tenants one after the other, where only the first objects of all are wanted.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Books, Pass, Todo};
use crate::event::SkipReason;
use crate::ops::Error;
use crate::ops::backup::collect::until_full;
use crate::pipeline::Batch;
use crate::pipeline::guard::Guard;
use crate::pipeline::scan::Scanned;
use crate::pipeline::store::Store;

impl Pass<'_> {
    /// Reads one tenant after the other, by name, until enough objects are kept.
    pub(super) async fn in_order(
        &self,
        store: Store,
        guard: &mut Guard,
        books: &mut Books,
        todo: &[Todo],
        seen: &mut Scanned,
    ) -> Result<Store, Error> {
        let full = store.full.clone();
        let read = async |reading: CancellationToken, batches: mpsc::Sender<Batch>| {
            let one_by_one = async |reading: &CancellationToken| {
                for one in todo {
                    if reading.is_cancelled() {
                        break;
                    }
                    let (tenant, one) = (&one.tenant, std::slice::from_ref(one));
                    if !books.is_inactive(tenant) {
                        self.group(one, books, reading, &batches, seen).await?;
                    } else if let Some(why) = self.inactive(one, books, reading, &batches, seen).await? {
                        books.skipped.insert(tenant.clone(), SkipReason::NotActivated { why });
                    }
                }
                Ok(())
            };
            until_full(&reading, &full, one_by_one).await
        };
        self.tenants.collect.beside(store, guard, read).await
    }
}
