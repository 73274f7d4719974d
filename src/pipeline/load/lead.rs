//! What is sent first of a tenant whose objects have vectors of several lengths. A server's index takes the length that it
//! meets first and refuses the others from then on, but it stores all objects of the request in which it meets them. So
//! that request brings enough objects of the usual length to decide, and behind them those of other lengths.

use std::collections::BTreeSet;

use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::{COPIES, Load, Look, Room, prove_part};
use crate::model::{KeyRange, RawObject, TenantName, is_odd};
use crate::pipeline::{Batch, Page};

/// Objects of the usual length that go ahead: more than a server has workers, which take them in turn.
const USUAL_OBJECTS: usize = 256;
/// Objects of other lengths that follow them. Of more, the rest is refused by the server, and named.
const ODD_OBJECTS: usize = 10_000;
/// Plain bytes of each of both, at most; less where there is less memory.
const BYTES: u64 = 8 << 20;
/// Each of both takes at most this share of the memory for batches.
const SHARE: u64 = 16;

/// The tenants that were led, by their names on the server.
#[derive(Debug, Default)]
pub(super) struct Leads(BTreeSet<Option<TenantName>>);

/// Objects up to a number and a size.
#[derive(Default)]
struct Some {
    objects: Vec<RawObject>,
    bytes: u64,
}

impl Some {
    /// Takes another one, if there is room.
    fn take(&mut self, object: &RawObject, most: usize, most_bytes: u64) {
        let bytes = object.text.len() as u64 + 1;
        if self.objects.len() < most && (self.bytes + bytes <= most_bytes || self.objects.is_empty()) {
            self.objects.push(object.clone());
            self.bytes += bytes;
        }
    }
}

impl Load {
    /// Sends what leads a tenant, unless it was sent, and waits until it is dealt with; whether more is wanted.
    pub(super) fn lead(&self, tenant: Option<&TenantName>, leads: &mut Leads, batches: &mpsc::Sender<Batch>) -> bool {
        if self.mixed.of(tenant).is_none() || !leads.0.insert(tenant.cloned()) {
            return true;
        }
        let (usual, odd) = self.gather(tenant);
        if odd.objects.is_empty() {
            return true;
        }
        let bytes = usual.bytes + odd.bytes;
        let objects = usual.objects.into_iter().chain(odd.objects).collect();
        Handle::current().block_on(async {
            let share = tokio::select! {
                share = self.budget.take(bytes.saturating_mul(COPIES)) => share,
                () = self.stop.cancelled() => return false,
            };
            let (leads, dealt_with) = oneshot::channel();
            let batch = Batch {
                collection: self.schema.name.clone(),
                tenant: tenant.cloned(),
                lane: 0,
                covers: KeyRange::ALL,
                objects,
                bytes,
                mark: 0,
                unprintable: false,
                leads: Option::Some(leads),
                page: Page::from_file(share),
            };
            let sent = async { batches.send(batch).await.is_ok() && dealt_with.await.is_ok() };
            tokio::select! {
                sent = sent => sent,
                () = self.stop.cancelled() => false,
            }
        })
    }

    /// Objects of the usual lengths, and of others. A part that cannot be read is found again, and told, when its turn comes.
    fn gather(&self, tenant: Option<&TenantName>) -> (Some, Some) {
        let (mut usual, mut odd) = (Some::default(), Some::default());
        let mixed = self.mixed.of(tenant).unwrap_or_default();
        let most_bytes = BYTES.min(self.budget.bytes() / SHARE);
        let entry = &self.archive.collections()[self.at];
        for part in &entry.parts {
            let inside = self.archive.inside(part, &self.runs);
            let of_tenant =
                |at: &usize| self.tenants.target(self.runs[*at].tenant.as_ref()).is_some_and(|t| t.as_ref() == tenant);
            let theirs: Vec<bool> = inside.iter().map(of_tenant).collect();
            if !theirs.contains(&true) {
                continue;
            }
            let Ok(reader) = self.archive.part(entry, part, &self.runs) else { continue };
            let room = Room::new(&self.budget, self.longest_line, &self.stop);
            let reader = reader.within(Box::new(room));
            let read = prove_part(reader, &self.schema.name, &self.digest, Look::Structure, |object, at| {
                if theirs[at.run] && is_odd(mixed, object) {
                    odd.take(object, ODD_OBJECTS, most_bytes);
                } else if theirs[at.run] {
                    usual.take(object, USUAL_OBJECTS, most_bytes);
                }
                !self.stop.is_cancelled()
            });
            if let Err(error) = read {
                tracing::debug!(%error, "a part was not read for what leads");
            }
        }
        (usual, odd)
    }
}
