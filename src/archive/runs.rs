//! The runs of a collection while it is written: what the writer knows of each stretch that is covered.

use super::digest::RunDigest;
use super::error::Broken;
use super::index::{self, Run};
use super::part::RunKey;
use crate::model::coverage::{Coverage, Covered, Overlap};
use crate::model::{KeyRange, ObjectId, TenantName, VectorLengths};

/// A run but for its tenant and its keys. All sizes are in bytes.
#[derive(Debug, Clone, Default)]
pub(super) struct RunFacts {
    pub(super) first_id: Option<ObjectId>,
    pub(super) last_id: Option<ObjectId>,
    pub(super) objects: u64,
    pub(super) part: Option<u32>,
    pub(super) offset: u64,
    pub(super) bytes: u64,
    pub(super) stored_bytes: u64,
    pub(super) digest: RunDigest,
    /// Objects that were read and not wanted.
    pub(super) left_out: u64,
    /// Whether the journal knows it.
    pub(super) journalled: bool,
    /// Lengths of its objects' vectors, by the writer's names.
    pub(super) lengths: VectorLengths,
}

/// The runs of one collection.
pub(super) type Runs = Coverage<RunFacts>;

/// A run as it stands.
pub(super) fn run((tenant, _): &RunKey, covered: &Covered<RunFacts>) -> Run {
    let facts = &covered.facts;
    Run {
        tenant: tenant.clone(),
        covers: covered.keys,
        first_id: facts.first_id,
        last_id: facts.last_id,
        objects: facts.objects,
        part: facts.part,
        offset: facts.offset,
        bytes: facts.bytes,
        stored_bytes: facts.stored_bytes,
        digest: facts.digest,
        left_out: facts.left_out,
    }
}

/// Begins a run.
pub(super) fn begin(
    runs: &mut Runs,
    tenant: Option<&TenantName>,
    covers: KeyRange,
    mark: u64,
    facts: RunFacts,
) -> Result<RunKey, Broken> {
    if runs.len() as u64 >= index::RUNS {
        return Err(Broken::Numbers);
    }
    runs.begin(tenant.cloned(), covers, mark, facts).map_err(|Overlap| Broken::Overlap)
}

/// Takes in a run that an earlier process kept, with mark 0.
pub(super) fn take_over(runs: &mut Runs, run: &Run) -> Result<(), Broken> {
    let facts = RunFacts {
        first_id: run.first_id,
        last_id: run.last_id,
        objects: run.objects,
        part: run.part,
        offset: run.offset,
        bytes: run.bytes,
        stored_bytes: run.stored_bytes,
        digest: run.digest,
        left_out: run.left_out,
        journalled: true,
        lengths: VectorLengths::default(),
    };
    begin(runs, run.tenant.as_ref(), run.covers, 0, facts).map(drop)
}
