//! A look into one collection of an archive, at a few of its objects or at their times alone. Nothing is proven of what is seen.

mod live;
mod newest;

use std::path::Path;
use std::sync::Arc;

use crate::archive::manifest::{CollectionEntry, PartEntry};
use crate::archive::{Archive, Disk, Error, Index, LineRoom, PartReader, Run};
use crate::model::{CollectionName, TenantName};
use crate::weaviate::ObjectTimes;

pub(crate) use live::live_lengths;
pub(crate) use newest::newest_archived;

/// Lines of one part of an archive looked through at most.
const LINES: usize = 50_000;
/// Tenants whose first objects are held against the server's at most.
const TENANTS: usize = 4;

/// A collection of an archive.
struct Archived {
    archive: Archive,
    at: usize,
    runs: Index,
}

impl Archived {
    /// Opens it; `None` if the archive does not hold it.
    fn open(disk: &Arc<dyn Disk>, path: &Path, name: &str) -> Result<Option<Self>, Error> {
        let archive = Archive::open(disk, path)?;
        let Some(at) = archive.collections().iter().position(|entry| entry.name == name) else { return Ok(None) };
        let runs = archive.runs(&archive.collections()[at])?;
        Ok(Some(Self { archive, at, runs }))
    }

    fn entry(&self) -> &CollectionEntry {
        &self.archive.collections()[self.at]
    }

    /// The parts that hold a run of these.
    fn parts(&self, is_wanted: impl Fn(&Run) -> bool) -> impl Iterator<Item = &PartEntry> {
        let in_part = move |part: &&PartEntry| {
            let inside = self.archive.inside(part, &self.runs);
            inside.iter().any(|at| is_wanted(&self.runs[*at]))
        };
        self.entry().parts.iter().filter(in_part)
    }

    /// Reads a part up to a line that takes room of its own and has more than `longest` bytes, which is an error.
    fn read(&self, part: &PartEntry, longest: usize) -> Result<PartReader, Error> {
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

/// The first objects of some of these tenants, as an archive has them.
pub(crate) fn first_archived(
    disk: &Arc<dyn Disk>,
    path: &Path,
    name: &CollectionName,
    wanted: &[TenantName],
) -> Result<Vec<(TenantName, ObjectTimes)>, Error> {
    let mut found: Vec<(TenantName, ObjectTimes)> = Vec::new();
    let Some(archived) = Archived::open(disk, path, name.as_str())? else { return Ok(found) };
    let suits = |run: &Run| run.covers.from.is_none() && run.tenant.as_ref().is_some_and(|name| wanted.contains(name));
    let Some(part) = archived.parts(suits).next() else { return Ok(found) };
    let mut reader = archived.read(part, 0)?;
    let mut last = None;
    for _ in 0..LINES {
        let Some(line) = reader.next_line()? else { break };
        if last.replace(line.run) == Some(line.run) {
            continue;
        }
        let tenant = reader.runs().get(line.run).filter(|run| suits(run)).and_then(|run| run.tenant.clone());
        if let (Some(tenant), Ok(first)) = (tenant, serde_json::from_slice(&line.text)) {
            found.push((tenant, first));
        }
        if found.len() == TENANTS {
            break;
        }
    }
    Ok(found)
}
