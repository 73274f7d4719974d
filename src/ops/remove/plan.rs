//! The plan of a removal: which collections, what is in them, what hangs on them. Sends reading requests only.

use super::{CollectionRemoval, RemovalOptions, RemovalPlan};
use crate::event::Warning;
use crate::model::{CollectionName, Schema};
use crate::ops::held::{Doomed, held_in};
use crate::ops::lacking::{Lacking, nothing_lacks};
use crate::ops::live_collections::{self, Standing, all_tenants_are_seen, look_at};
use crate::ops::protected::is_protected;
use crate::ops::select::{self, Alias};
use crate::ops::server::{self, Needs};
use crate::ops::{Error, ReadAccess, Session};
use crate::weaviate::{Client, Count, ServerFacts};

/// The permission that a removal takes.
const DROP: &str = "delete_collections";

/// Looks at the server and the folder of archives, and says what a removal would do. Sends reading requests only.
///
/// # Errors
///
/// Nothing is chosen, something chosen must not be removed, or the server cannot be reached or is not whole.
pub async fn plan(client: &Client, session: &Session, options: RemovalOptions) -> Result<RemovalPlan, Error> {
    let access = ReadAccess { client, session };
    let ServerFacts { meta, .. } = server::look(access, Needs::Writes).await?;
    let aliases = access.aliases().await?;
    let all = access.ask(access.client.schemas()).await?;
    let chosen = select::choose_and_tell(access.session, all.clone(), &options.selection, &aliases, Alias::Refuses)?;
    let protected: Vec<CollectionName> = chosen.iter().map(|schema| schema.name.clone()).filter(is_protected).collect();
    if !options.allow_protected && !protected.is_empty() {
        return Err(Error::Protected { names: protected });
    }
    let rights = access.ask(access.client.rights()).await?;
    if let Some(rights) = &rights {
        let lacking = |s: &Schema| Lacking { rights, collection: &s.name, multi_tenant: s.multi_tenant }.whole(DROP);
        nothing_lacks(chosen.iter().filter_map(lacking))?;
    }
    let mut found = look_at(access, &chosen, &all).await?;
    live_collections::refuse_held(access, &options.locks, &found, &all).await?;
    let again = live_collections::count_again(access, &found).await?;
    let moved = found.iter().find_map(|one| {
        let (before, after) = one.objects.exact().zip(again.get(one.name()).and_then(Count::exact))?;
        (before != after).then(|| Error::BeingWritten { collection: one.name().clone(), before, after })
    });
    if let Some(moved) = moved {
        return Err(moved);
    }
    all_tenants_are_seen(rights.as_ref(), &found)?;
    live_collections::note_unseen_aliases(rights.as_ref(), &meta.version, &mut found);
    for standing in &found {
        if let Count::Unknown { reason } = &standing.objects {
            let (collection, reason) = (standing.name().clone(), reason.clone());
            access.events.warn(Warning::CountUnchecked { collection, reason });
        }
    }
    let doomed: Vec<Doomed<'_>> = found.iter().map(|standing| standing.doomed()).collect();
    let mut held = held_in(access, &options.folder, &doomed).await?;
    for standing in &mut found {
        standing.held_in = held.remove(standing.name());
    }
    let goes = |name: &CollectionName| chosen.iter().any(|schema| schema.name == *name);
    let one = |standing: Standing| {
        // What goes too dangles nowhere.
        let referenced_by = standing.referenced_by.iter().filter(|(from, _)| !goes(from)).cloned().collect();
        CollectionRemoval { standing: Standing { referenced_by, ..standing }, agreed: None }
    };
    Ok(RemovalPlan {
        url: access.client.url().to_owned(),
        server_version: meta.version.text,
        topology_unchecked: found.iter().find_map(|standing| standing.topology_unchecked.clone()),
        collections: found.into_iter().map(one).collect(),
        options,
    })
}
