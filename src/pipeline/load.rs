//! Reads a part of an archive line by line, splits each line, and proves what it says on the way: JSON in full, class,
//! order, ranges, counts, digests, and the file's own checksum at the end.

use serde::de::IgnoredAny;

use super::split::{self, SplitError};
use crate::archive::digest::ObjectDigest;
use crate::archive::{Damage, Error as ArchiveError, PartReader, RunProof};
use crate::model::{CollectionName, RawObject};

/// Why a part could not be trusted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The archive is damaged, or the disk fails.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A line is no object of its collection.
    #[error("line {line}")]
    Line {
        /// Its number in the part, from 1.
        line: u64,
        /// What is wrong with it.
        source: SplitError,
    },
}

/// Reads a part to its end, proving everything, and hands each object to `each` with its line number. Blocks; memory
/// is bounded by the longest line. What `each` got is proven only once this returns `Ok`.
pub fn prove_part(
    mut part: PartReader,
    collection: &CollectionName,
    digest: &ObjectDigest,
    mut each: impl FnMut(&RawObject, u64),
) -> Result<(), Error> {
    let runs = part.runs().to_vec();
    let mut proofs = runs.iter().map(|run| RunProof::new(run, digest));
    let mut open: Option<(usize, RunProof<'_>)> = None;
    while let Some(line) = part.next_line()? {
        let object = split::line(&line.text, collection).map_err(|source| Error::Line { line: line.number, source })?;
        if let Err(e) = serde_json::from_slice::<IgnoredAny>(&line.text) {
            let source = SplitError::Structure { at: e.column().saturating_sub(1) };
            return Err(Error::Line { line: line.number, source });
        }
        while open.as_ref().is_none_or(|(run, _)| *run < line.run) {
            let next = open.as_ref().map_or(0, |(run, _)| run + 1);
            if let Some((_, proof)) = open.take() {
                proof.finish().map_err(|what| part.damaged(line.number, what))?;
            }
            let Some(proof) = proofs.next() else { return Err(part.damaged(line.number, Damage::Trailing).into()) };
            open = Some((next, proof));
        }
        if let Some((_, proof)) = &mut open {
            proof.add(&object).map_err(|what| part.damaged(line.number, what))?;
        }
        each(&object, line.number);
    }
    let last = runs.iter().map(|run| run.objects).sum();
    for proof in open.map(|(_, proof)| proof).into_iter().chain(proofs) {
        proof.finish().map_err(|what| part.damaged(last, what))?;
    }
    Ok(part.finish()?)
}
