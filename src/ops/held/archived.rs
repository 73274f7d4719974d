//! One collection of an archive, opened to look at a few of its objects.

use std::path::Path;
use std::sync::Arc;

use crate::archive::manifest::{CollectionEntry, PartEntry};
use crate::archive::{Archive, Disk, Error, Index, LineRoom, PartReader, Run};

/// A collection of an archive.
pub(super) struct Archived {
    archive: Archive,
    at: usize,
    runs: Index,
}

impl Archived {
    /// Opens it; `None` if the archive does not hold it.
    pub(super) fn open(disk: &Arc<dyn Disk>, path: &Path, name: &str) -> Result<Option<Self>, Error> {
        let archive = Archive::open(disk, path)?;
        let Some(at) = archive.collections().iter().position(|entry| entry.name == name) else { return Ok(None) };
        let runs = archive.runs(&archive.collections()[at])?;
        Ok(Some(Self { archive, at, runs }))
    }

    fn entry(&self) -> &CollectionEntry {
        &self.archive.collections()[self.at]
    }

    /// The parts that hold a run of these.
    pub(super) fn parts(&self, is_wanted: impl Fn(&Run) -> bool) -> impl Iterator<Item = &PartEntry> {
        let in_part = move |part: &&PartEntry| {
            let inside = self.archive.inside(part, &self.runs);
            inside.iter().any(|at| is_wanted(&self.runs[*at]))
        };
        self.entry().parts.iter().filter(in_part)
    }

    /// Reads a part up to a line that takes room of its own and has more than `longest` bytes, which is an error.
    pub(super) fn read(&self, part: &PartEntry, longest: usize) -> Result<PartReader, Error> {
        Ok(self.archive.part(self.entry(), part, &self.runs)?.within(Box::new(UpTo(longest))))
    }
}

/// Room for lines of so many bytes.
struct UpTo(usize);

impl LineRoom for UpTo {
    fn grow(&mut self, held: usize) -> usize {
        held.max(held.saturating_mul(2).min(self.0))
    }

    fn end(&mut self) {}
}
