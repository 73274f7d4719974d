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

#[cfg(test)]
mod tests {
    use super::super::Content;
    use super::super::testing::{objects, range, schema};
    use super::*;

    /// The proof of a run of `2..=4` over the keys up to 9, given these ids.
    fn proven(edit: impl FnOnce(&mut Run), ids: &[u128]) -> Result<(), Damage> {
        let mut digest = ObjectDigest::new(&schema("Article", false), Content::Full);
        let mut run = Run::empty(None, range(None, Some(9)));
        run.objects = 3;
        (run.first_id, run.last_id) = (Some(ObjectId(2)), Some(ObjectId(4)));
        for object in objects(2..5) {
            run.digest.add(digest.of(&object).expect("a digest"));
        }
        edit(&mut run);
        let mut proof = RunProof::new(&run, &digest);
        objects(ids.iter().copied()).iter().try_for_each(|object| proof.add(object))?;
        proof.finish()
    }

    #[test]
    fn objects_that_are_not_those_of_the_run_are_told_by_what_is_wrong_with_them() {
        assert_eq!(proven(|_| {}, &[2, 3, 4]), Ok(()));
        assert_eq!(proven(|_| {}, &[2, 4, 3]), Err(Damage::IdOrder(ObjectId(3))));
        assert_eq!(proven(|_| {}, &[2, 2, 3]), Err(Damage::IdOrder(ObjectId(2))));
        assert_eq!(proven(|_| {}, &[2, 3, 10]), Err(Damage::IdOrder(ObjectId(10))));
        assert_eq!(proven(|_| {}, &[1, 3, 4]), Err(Damage::Ends));
        assert_eq!(proven(|_| {}, &[2, 3, 5]), Err(Damage::Ends));
        assert_eq!(proven(|_| {}, &[2, 3]), Err(Damage::Lines { declared: 3 }));
        assert_eq!(proven(|_| {}, &[2, 3, 4, 5]), Err(Damage::Lines { declared: 3 }));
        assert_eq!(proven(|run| run.digest = RunDigest::default(), &[2, 3, 4]), Err(Damage::Digest));
    }
}
