//! A line of `index.jsonl`; it stands in the journal of an archive too.

use serde::{Deserialize, Serialize};

use super::super::codec::Codec;
use super::super::digest::{Hash, RunDigest};
use super::super::error::Damage;
use super::super::index::Run;
use super::super::names;
use crate::model::{KeyRange, ObjectId, TenantName};

/// One run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::archive) struct RunLine {
    tenant: Option<TenantName>,
    from: Option<ObjectId>,
    to: Option<ObjectId>,
    first_id: Option<ObjectId>,
    last_id: Option<ObjectId>,
    objects: u64,
    part: Option<String>,
    offset: Option<u64>,
    bytes: u64,
    stored_bytes: u64,
    digest: Hash,
    /// Since 1.3.
    #[serde(default, skip_serializing_if = "is_zero")]
    left_out: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl RunLine {
    pub(in crate::archive) fn new(run: &Run, codec: Codec) -> Self {
        Self {
            tenant: run.tenant.clone(),
            from: run.covers.from,
            to: run.covers.to,
            first_id: run.first_id,
            last_id: run.last_id,
            objects: run.objects,
            part: run.part.map(|number| names::part(number, codec)),
            offset: run.part.map(|_| run.offset),
            bytes: run.bytes,
            stored_bytes: run.stored_bytes,
            digest: run.digest.hash(),
            left_out: run.left_out,
        }
    }

    /// The run, if the line does not contradict itself.
    pub(in crate::archive) fn into_run(self, codec: Codec) -> Result<Run, Damage> {
        let covers = KeyRange { from: self.from, to: self.to };
        let part = match self.part {
            Some(name) => Some(names::part_number(&name, codec).ok_or(Damage::Name(name))?),
            None => None,
        };
        let ids_fit = match (self.first_id, self.last_id) {
            (None, None) => self.objects == 0,
            (Some(first), Some(last)) => {
                covers.contains(first)
                    && covers.contains(last)
                    && first <= last
                    && (self.objects == 1) == (first == last)
            }
            _ => false,
        };
        let mut digest = RunDigest::default();
        digest.add(self.digest);
        let holds = self.objects > 0;
        let place_fits = part.is_some() == holds && self.offset.is_some() == holds;
        let sizes_fit = (self.bytes > 0) == holds && (self.stored_bytes > 0) == holds && self.bytes >= self.objects;
        let digest_fits = holds || digest == RunDigest::default();
        if !(ids_fit && place_fits && sizes_fit && digest_fits) || covers.is_empty() {
            return Err(Damage::Sums("numbers of a run"));
        }
        Ok(Run {
            tenant: self.tenant,
            covers,
            first_id: self.first_id,
            last_id: self.last_id,
            objects: self.objects,
            part,
            offset: self.offset.unwrap_or(0),
            bytes: self.bytes,
            stored_bytes: self.stored_bytes,
            digest,
            left_out: self.left_out,
        })
    }
}
