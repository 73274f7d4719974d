//! Tenants: made again after they, or their collection, were dropped.

use std::time::Duration;

use crate::event::Event;
use crate::model::{CollectionName, TenantName};
use crate::ops::{Error, Session};
use crate::weaviate::{Client, Tenant, TenantState, Writer};

/// Tenants created or deleted in one request.
const TENANTS_A_REQUEST: usize = 100;

/// Requests to delete the same tenants, as long as a gateway answers in the place of the server.
const DELETIONS: u32 = 3;
/// How long it is waited before the next one: nothing of the last one is on its way then.
const BEFORE_NEXT: Duration = Duration::from_secs(1);

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
        let left = delete(writer, collection, &names).await?;
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

/// Deletes tenants, and lists those there are then. Where a gateway answered in the place of the server, they are looked for
/// before they are deleted again.
async fn delete(writer: &Writer, collection: &CollectionName, names: &[TenantName]) -> Result<Vec<Tenant>, Error> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        let asked = writer.delete_tenants(collection, names).await;
        let failed = match asked {
            Err(error) if !error.is_gateway() => return Err(error.into()),
            other => other.err(),
        };
        let left = writer.tenants(collection).await?;
        let stays = |there: &Tenant| names.contains(&there.name);
        match failed {
            Some(_) if attempt < DELETIONS && left.iter().any(stays) => tokio::time::sleep(BEFORE_NEXT).await,
            Some(error) if left.iter().any(stays) => return Err(error.into()),
            _ => return Ok(left),
        }
    }
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
