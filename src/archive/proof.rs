//! The proof of a run: that its objects are the ones its index entry was made of.

use super::digest::{ObjectDigest, RunDigest};
use super::error::Damage;
use super::index::Run;
use crate::model::{ObjectId, RawObject};

/// Takes a run's objects one by one.
#[derive(Debug)]
pub struct RunProof<'a> {
    run: &'a Run,
    digest: ObjectDigest,
    objects: u64,
    last: Option<ObjectId>,
    sum: RunDigest,
}

impl<'a> RunProof<'a> {
    /// Begins with no object.
    #[must_use]
    pub fn new(run: &'a Run, digest: &ObjectDigest) -> Self {
        Self { run, digest: digest.clone(), objects: 0, last: None, sum: RunDigest::default() }
    }

    /// Takes the next object: ids ascend, lie in the run's range and begin with its first one.
    pub fn add(&mut self, object: &RawObject) -> Result<(), Damage> {
        let id = object.id;
        if self.last >= Some(id) || !self.run.covers.contains(id) {
            return Err(Damage::IdOrder(id));
        }
        if self.last.is_none() && self.run.first_id != Some(id) {
            return Err(Damage::Ends);
        }
        self.last = Some(id);
        self.objects += 1;
        self.sum.add(self.digest.of(object).map_err(|e| Damage::Json(e.to_string()))?);
        Ok(())
    }

    /// After the last object: count, last id and digest agree.
    pub fn finish(self) -> Result<(), Damage> {
        if self.objects != self.run.objects {
            return Err(Damage::Lines { declared: self.run.objects });
        }
        if self.last != self.run.last_id {
            return Err(Damage::Ends);
        }
        if self.sum == self.run.digest { Ok(()) } else { Err(Damage::Digest) }
    }
}
