//! The plan of a removal: which collections, what is in them, what hangs on them. Sends reading requests only.

use super::{CollectionRemoval, RemovalOptions, RemovalPlan};
use crate::event::Warning;
use crate::model::{CollectionName, Schema};
use crate::ops::held::{Doomed, held_in};
use crate::ops::lacking::{Lacking, nothing_lacks};
use crate::ops::protected::is_protected;
use crate::ops::select::{self, Alias};
use crate::ops::server::{self, Needs};
use crate::ops::standing::{self, Standing, all_tenants_are_seen, standing};
use crate::ops::{Error, Session};
use crate::weaviate::{Client, Count, ServerFacts};

/// The permission that a removal takes.
const DROP: &str = "delete_collections";

/// Looks at the server and the folder of archives, and says what a removal would do. Sends reading requests only.
///
/// # Errors
///
/// Nothing is chosen, something chosen must not be removed, or the server cannot be reached or is not whole.
pub async fn plan(client: &Client, session: &Session, options: RemovalOptions) -> Result<RemovalPlan, Error> {
    let ServerFacts { meta, .. } = server::look(client, session, Needs::Writes).await?;
    let aliases =
        session.unless_stopped(client.aliases()).await?.seen().map(|aliases| aliases.pairs).unwrap_or_default();
    let all = session.unless_stopped(client.schemas()).await?;
    select::tell(session, select::all_taken(&all, &options.selection, &aliases, Alias::Refuses));
    let chosen = select::choose(all.clone(), &options.selection, &aliases, Alias::Refuses)?;
    let protected: Vec<CollectionName> = chosen.iter().map(|schema| schema.name.clone()).filter(is_protected).collect();
    if !options.allow_protected && !protected.is_empty() {
        return Err(Error::Protected { names: protected });
    }
    let rights = session.unless_stopped(client.rights()).await?;
    if let Some(rights) = &rights {
        let lacking = |s: &Schema| Lacking { rights, collection: &s.name, multi_tenant: s.multi_tenant }.whole(DROP);
        nothing_lacks(chosen.iter().filter_map(lacking))?;
    }
    let mut found = standing(client, session, &chosen, &all).await?;
    standing::refuse_held(client, session, &options.locks, &found, &all).await?;
    let again = standing::count_again(client, session, &found).await?;
    let moved = found.iter().find_map(|one| {
        let (before, after) = one.objects.exact().zip(again.get(one.name()).and_then(Count::exact))?;
        (before != after).then(|| Error::BeingWritten { collection: one.name().clone(), before, after })
    });
    if let Some(moved) = moved {
        return Err(moved);
    }
    all_tenants_are_seen(rights.as_ref(), &found)?;
    standing::note_unseen_aliases(rights.as_ref(), &meta.version, &mut found);
    for standing in &found {
        if let Count::Unknown { reason } = &standing.objects {
            let (collection, reason) = (standing.name().clone(), reason.clone());
            session.events.warn(Warning::CountUnchecked { collection, reason });
        }
    }
    let doomed: Vec<Doomed<'_>> = found.iter().map(|standing| standing.doomed()).collect();
    let mut held = held_in(client, session, &options.folder, &doomed).await?;
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
        url: client.url().to_owned(),
        server_version: meta.version.text,
        topology_unchecked: found.iter().find_map(|standing| standing.topology_unchecked.clone()),
        collections: found.into_iter().map(one).collect(),
        options,
    })
}
