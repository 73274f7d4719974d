//! When the newest object that an archive holds was written: where the server's newest is another one, what is there is not
//! what was archived, whatever the counts say. A server that was set back to an earlier state has no newer one.

use std::path::Path;
use std::sync::Arc;

use crate::archive::manifest::CollectionEntry;
use crate::archive::{self, Archive, Disk, LineRoom};
use crate::model::TenantName;
use crate::weaviate::ObjectTimes;

/// Plain bytes of parts up to which an archive is read for it.
const MOST_BYTES: u64 = 512 << 20;
/// The longest line that is looked at, in bytes.
const LONGEST_LINE: usize = 8 << 20;

/// The latest update time in an archive, in ms since 1970 by the server's clock, of these tenants or of a plain collection;
/// `None` where that cannot be told, or only by reading much.
pub(super) fn newest_archived(
    disk: &Arc<dyn Disk>,
    path: &Path,
    name: &str,
    tenants: Option<&[TenantName]>,
) -> Option<i64> {
    let archive = Archive::open(disk, path).ok()?;
    let entry = archive.collections().iter().find(|entry| entry.name == name)?;
    read(&archive, entry, tenants).unwrap_or_else(|error| {
        tracing::debug!(%name, %error, "the times of an archive cannot be read");
        None
    })
}

fn read(
    archive: &Archive,
    entry: &CollectionEntry,
    tenants: Option<&[TenantName]>,
) -> Result<Option<i64>, archive::Error> {
    let runs = archive.runs(entry)?;
    let is_wanted =
        |tenant: Option<&TenantName>| tenants.is_none_or(|wanted| tenant.is_some_and(|tenant| wanted.contains(tenant)));
    let in_part = |part| archive.inside(part, &runs).iter().any(|at| is_wanted(runs[*at].tenant.as_ref()));
    let parts: Vec<_> = entry.parts.iter().filter(|part| in_part(part)).collect();
    if parts.iter().fold(0_u64, |bytes, part| bytes.saturating_add(part.bytes)) > MOST_BYTES {
        return Ok(None);
    }
    let mut newest = None;
    for part in parts {
        let mut reader = archive.part(entry, part, &runs)?.within(Box::new(UpToLongest));
        while let Some(line) = reader.next_line()? {
            if !is_wanted(reader.runs().get(line.run).and_then(|run| run.tenant.as_ref())) {
                continue;
            }
            let Ok(times) = serde_json::from_slice::<ObjectTimes>(&line.text) else { return Ok(None) };
            newest = newest.max(Some(times.updated_ms));
        }
    }
    Ok(newest)
}

/// Lines that are longer are not looked at.
struct UpToLongest;

impl LineRoom for UpToLongest {
    fn grow(&mut self, held: usize) -> usize {
        held.max(held.saturating_mul(2).min(LONGEST_LINE))
    }

    fn end(&mut self) {}
}
