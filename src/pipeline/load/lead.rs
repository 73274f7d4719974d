//! What is sent first of a tenant whose objects have vectors of several lengths. A server's index takes the length that it
//! meets first and refuses the others from then on, but it stores all objects of the request in which it meets them. So
//! that request brings enough objects of the usual length to decide, and behind them those of other lengths.

use std::collections::BTreeSet;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::room::LineShare;
use super::{COPIES, Error, Load, Look, Room, prove_part};
use crate::model::{KeyRange, MixedLengths, RawObject, TenantName, is_odd};
use crate::pipeline::{Batch, BatchOrigin, Objects, Page};

/// Objects of the usual length of each vector that go ahead: more than a server has workers, which take them in turn.
const USUAL_OBJECTS: u64 = 256;
/// Objects of other lengths that follow them. Of more, the rest is refused by the server, and named.
const ODD_OBJECTS: usize = 10_000;
/// Plain bytes of each of both, at most; less where there is less memory.
const BYTES: u64 = 8 << 20;
/// Each of both takes at most this share of the memory for batches.
const SHARE: u64 = 16;

/// The tenants that were led, or are not to be, by their names on the server.
#[derive(Debug, Default)]
pub(super) struct Leads(BTreeSet<Option<TenantName>>);

impl Leads {
    /// Where an earlier attempt has dealt with objects of a tenant, its index knows its lengths, and nothing is sent ahead: it
    /// would take the place of what that attempt finished, without the references that were added later.
    pub(super) fn of(load: &Load) -> Self {
        if load.mixed.is_empty() {
            return Self::default();
        }
        let dealt_with = load.done.iter().chain(load.judged.keys()).filter_map(|at| load.runs.get(*at));
        Self(dealt_with.filter_map(|run| load.tenants.target(run.tenant.as_ref())).collect())
    }
}

/// Objects up to a size.
#[derive(Default)]
struct Ahead {
    objects: Vec<RawObject>,
    bytes: u64,
    full: bool,
}

impl Ahead {
    /// Takes another one, if there is room. A copy: a slice would keep the reader's buffer alive.
    fn take(&mut self, object: &RawObject, most_bytes: u64) {
        let bytes = object.text.len() as u64 + 1;
        self.full |= self.bytes + bytes > most_bytes && !self.objects.is_empty();
        if !self.full {
            self.objects.push(RawObject { text: Bytes::copy_from_slice(&object.text), ..object.clone() });
            self.bytes += bytes;
        }
    }
}

/// What leads a tenant, as far as it was met.
struct Lead<'a> {
    /// The vectors that come in several lengths, with the objects of the usual length and of others that are still wanted.
    vectors: Vec<(&'a MixedLengths, u64, u64)>,
    mixed: &'a [MixedLengths],
    usual: Ahead,
    odd: Ahead,
    /// Plain bytes of each of both.
    most_bytes: u64,
}

impl<'a> Lead<'a> {
    fn new(mixed: &'a [MixedLengths], most_bytes: u64) -> Self {
        let vector = |one: &'a MixedLengths| (one, one.usual_objects().min(USUAL_OBJECTS), one.odd_objects());
        let vectors = mixed.iter().map(vector).collect();
        Self { vectors, mixed, usual: Ahead::default(), odd: Ahead::default(), most_bytes }
    }

    /// Looks at the next object; whether another one may be of use. One that has none of the vectors decides nothing.
    fn see(&mut self, object: &RawObject) -> bool {
        let is_odd = is_odd(self.mixed, object);
        let mut decides = false;
        for (vector, usual, odd) in &mut self.vectors {
            match vector.length_in(object) {
                Some(length) if length != vector.usual() => *odd = odd.saturating_sub(1),
                Some(_) if !is_odd && *usual > 0 => (*usual, decides) = (*usual - 1, true),
                _ => {}
            }
        }
        if is_odd && self.odd.objects.len() < ODD_OBJECTS {
            self.odd.take(object, self.most_bytes);
        } else if decides {
            self.usual.take(object, self.most_bytes);
        }
        let wants_usual = !self.usual.full && self.vectors.iter().any(|(_, usual, _)| *usual > 0);
        let room = !self.odd.full && self.odd.objects.len() < ODD_OBJECTS;
        wants_usual || (room && self.vectors.iter().any(|(.., odd)| *odd > 0))
    }
}

impl Load {
    /// Sends what leads a tenant, unless it was sent, and waits until it is dealt with; whether more is wanted. `line` is that
    /// of the reading that comes to the tenant.
    pub(super) fn lead(
        &self,
        tenant: Option<&TenantName>,
        leads: &mut Leads,
        line: &LineShare,
        batches: &mpsc::Sender<Batch>,
    ) -> bool {
        let Some(mixed) = self.mixed.of(tenant).filter(|_| leads.0.insert(tenant.cloned())) else { return true };
        let Lead { usual, odd, .. } = self.gather(tenant, mixed, line);
        if odd.objects.is_empty() {
            return true;
        }
        let bytes = usual.bytes + odd.bytes;
        let objects = usual.objects.into_iter().chain(odd.objects).collect();
        Handle::current().block_on(async {
            let share = tokio::select! {
                share = self.budget.take_beside(line.bytes(), bytes.saturating_mul(COPIES)) => share,
                () = self.stop.cancelled() => return false,
            };
            let (sent, dealt_with) = oneshot::channel();
            let batch = Batch {
                space: tenant.cloned(),
                covers: KeyRange::ALL,
                objects: Objects::new(objects, Page::from_file(share)),
                bytes,
                origin: BatchOrigin::Leading { sent },
                known: Vec::new(),
            };
            let sent = async { batches.send(batch).await.is_ok() && dealt_with.await.is_ok() };
            tokio::select! {
                sent = sent => sent,
                () = self.stop.cancelled() => false,
            }
        })
    }

    /// Objects of the usual lengths, and of others. No more is read than it takes to find them. A part that cannot be read is
    /// found again, and told, when its turn comes.
    fn gather<'a>(&self, tenant: Option<&TenantName>, mixed: &'a [MixedLengths], line: &LineShare) -> Lead<'a> {
        let mut lead = Lead::new(mixed, BYTES.min(self.budget.bytes() / SHARE));
        let entry = &self.archive.collections()[self.at];
        for part in &entry.parts {
            let inside = self.archive.inside(part, &self.runs);
            let of_tenant =
                |at: &usize| self.tenants.target(self.runs[*at].tenant.as_ref()).is_some_and(|t| t.as_ref() == tenant);
            let theirs: Vec<bool> = inside.iter().map(of_tenant).collect();
            let Some(last) = theirs.iter().rposition(|theirs| *theirs) else { continue };
            let Ok(reader) = self.archive.part(entry, part, &self.runs) else { continue };
            let room = Room::new(&self.budget, self.longest_line, &self.stop).beside(line);
            let reader = reader.within(Box::new(room));
            let mut more = true;
            let read = prove_part(reader, &self.schema.name, &self.digest, Look::Structure, |object, at| {
                let theirs = theirs[at.run].then(|| self.taken(&self.runs[inside[at.run]], object)).flatten();
                more = theirs.is_none_or(|object| lead.see(&object));
                more && at.run <= last && !self.stop.is_cancelled()
            });
            match read {
                Ok(()) | Err(Error::Stopped) => {}
                Err(error) => tracing::debug!(%error, "a part was not read for what leads"),
            }
            if !more || self.stop.is_cancelled() {
                break;
            }
        }
        lead
    }
}
