//! Tenants: made again after they, or their collection, were dropped.

use crate::event::Event;
use crate::model::{CollectionName, TenantName};
use crate::ops::{Error, Session};
use crate::weaviate::{Client, Tenant, TenantState, Writer};

/// Tenants created or deleted in one request.
const TENANTS_A_REQUEST: usize = 100;

/// Creates tenants with the states they had. Those that were offloaded are asleep afterwards: how many, is returned.
pub(super) async fn create(writer: &Writer, collection: &CollectionName, tenants: &[Tenant]) -> Result<usize, Error> {
    let mut offloaded = 0;
    for chunk in tenants.chunks(TENANTS_A_REQUEST) {
        let chunk: Vec<Tenant> = chunk
            .iter()
            .map(|tenant| {
                let state = if tenant.state == TenantState::Hot { TenantState::Hot } else { TenantState::Cold };
                offloaded += usize::from(!matches!(tenant.state, TenantState::Hot | TenantState::Cold));
                Tenant { name: tenant.name.clone(), state }
            })
            .collect();
        writer.create_tenants(collection, &chunk).await?;
    }
    Ok(offloaded)
}

/// Deletes tenants with everything in them and creates them again, chunk by chunk, so that at no time more than one chunk
/// of them is away.
pub(super) async fn recreate(
    writer: &Writer,
    session: &Session,
    collection: &CollectionName,
    tenants: &[Tenant],
) -> Result<usize, Error> {
    let mut offloaded = 0;
    for chunk in tenants.chunks(TENANTS_A_REQUEST) {
        if session.cancel.is_cancelled() {
            return Err(Error::Interrupted);
        }
        let names: Vec<TenantName> = chunk.iter().map(|tenant| tenant.name.clone()).collect();
        writer.delete_tenants(collection, &names).await?;
        let left = writer.tenants(collection).await?;
        if let Some(tenant) = names.iter().find(|name| left.iter().any(|there| there.name == **name)) {
            return Err(Error::TenantStays { collection: collection.clone(), tenant: tenant.clone() });
        }
        offloaded += create(writer, collection, chunk).await?;
        for tenant in names {
            session.events.emit(Event::TenantStarted { collection: collection.clone(), tenant });
        }
    }
    Ok(offloaded)
}

/// Tenants that are not there as they should be, by name and state; `None` if all are.
pub(super) async fn lacking(
    client: &Client,
    session: &Session,
    collection: &CollectionName,
    wanted: &[Tenant],
) -> Result<Option<TenantName>, Error> {
    let there = session.unless_stopped(client.tenants(collection)).await?;
    let as_wanted = |tenant: &&Tenant| {
        let asleep = |state: &TenantState| *state != TenantState::Hot;
        there.iter().any(|t| t.name == tenant.name && asleep(&t.state) == asleep(&tenant.state))
    };
    Ok(wanted.iter().find(|tenant| !as_wanted(tenant)).map(|tenant| tenant.name.clone()))
}
