//! What is written after everything was found in the backup: no archive holds it, so it must not go with the rest.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::CollectionClear;
use crate::model::{ServerClock, TenantName};
use crate::ops::bounds::ASKED_AT_ONCE;
use crate::ops::{Error, ReadAccess};
use crate::weaviate::Tenant;

/// From when on what is written was perhaps not compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ComparedUntil {
    /// Objects that are active and updated after this time (the server's clock, ms since 1970) were perhaps not compared.
    pub(super) until_ms: i64,
    /// Whether that is the time of the newest object, so that any newer one shows that somebody wrote. Otherwise it is the
    /// time of the question, which the server did not answer.
    pub(super) is_newest: bool,
}

/// What a comparison with a backup proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BackedUp {
    /// From when on.
    pub(super) since: ComparedUntil,
    /// Objects that were compared.
    pub(super) objects: u64,
    /// How many of them each tenant has.
    pub(super) tenants: BTreeMap<TenantName, u64>,
    /// The latest update time of the objects of each inactive tenant, as they were compared; by the server's clock in
    /// ms.
    pub(super) newest_inactive: BTreeMap<TenantName, i64>,
}

/// The newest update time of what is about to be emptied and is active, and whether the server told it. Has to be asked
/// before the comparison, so that whatever is written during or after that is newer.
pub(super) async fn begin(
    access: ReadAccess<'_>,
    planned: &CollectionClear,
    clock: ServerClock,
) -> Result<ComparedUntil, Error> {
    let asked_ms = clock.certain_ms();
    match newest_ms(access, planned).await {
        Ok(newest) => Ok(ComparedUntil { until_ms: newest.unwrap_or(i64::MIN), is_newest: true }),
        Err(Error::Interrupted) => Err(Error::Interrupted),
        Err(error) => {
            // The server looks at every object for it, which may take too long.
            tracing::warn!(collection = %planned.name(), %error, "cannot ask when something was written last");
            Ok(ComparedUntil { until_ms: asked_ms, is_newest: false })
        }
    }
}

/// The newest update time among the objects that are active, by the server's clock in ms; `None` if there are none.
pub(super) async fn newest_ms(access: ReadAccess<'_>, planned: &CollectionClear) -> Result<Option<i64>, Error> {
    let ask = async |tenant| access.ask(access.client.newest_update(planned.name(), tenant)).await;
    let spaces = Tenant::spaces(planned.tenants.as_deref());
    let newest: Vec<Option<i64>> = stream::iter(spaces).map(ask).buffered(ASKED_AT_ONCE).try_collect().await?;
    Ok(newest.into_iter().max().flatten())
}
