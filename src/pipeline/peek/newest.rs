//! When the newest object that an archive holds was written: where the server's newest is another one, what is there is not
//! what was archived, whatever the counts say. A server that was set back to an earlier state has no newer one.

use std::path::Path;
use std::sync::Arc;

use super::Archived;
use crate::archive::{self, Disk, Run};
use crate::model::TenantName;
use crate::weaviate::ObjectTimes;

/// Plain bytes of parts up to which an archive is read for it.
const MOST_BYTES: u64 = 512 << 20;
/// The longest line that is looked at, in bytes.
const LONGEST_LINE: usize = 8 << 20;

/// The latest update time in an archive, in ms since 1970 by the server's clock, of these tenants or of a plain collection;
/// `None` where that cannot be told, or only by reading much.
pub(crate) fn newest_archived(
    disk: &Arc<dyn Disk>,
    path: &Path,
    name: &str,
    tenants: Option<&[TenantName]>,
) -> Option<i64> {
    let read = Archived::open(disk, path, name).and_then(|archived| match archived {
        Some(archived) => read(&archived, tenants),
        None => Ok(None),
    });
    read.unwrap_or_else(|error| {
        tracing::debug!(%name, %error, "the times of an archive cannot be read");
        None
    })
}

fn read(archived: &Archived, tenants: Option<&[TenantName]>) -> Result<Option<i64>, archive::Error> {
    let is_wanted =
        |run: &Run| tenants.is_none_or(|wanted| run.tenant.as_ref().is_some_and(|tenant| wanted.contains(tenant)));
    let parts: Vec<_> = archived.parts(is_wanted).collect();
    if parts.iter().fold(0_u64, |bytes, part| bytes.saturating_add(part.bytes)) > MOST_BYTES {
        return Ok(None);
    }
    let mut newest = None;
    for part in parts {
        let mut reader = archived.read(part, LONGEST_LINE)?;
        while let Some(line) = reader.next_line()? {
            if !reader.runs().get(line.run).is_some_and(is_wanted) {
                continue;
            }
            let Ok(times) = serde_json::from_slice::<ObjectTimes>(&line.text) else { return Ok(None) };
            newest = newest.max(Some(times.updated_ms));
        }
    }
    Ok(newest)
}
