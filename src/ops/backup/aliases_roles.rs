//! What stands beside the collections of a backup: aliases and roles are saved as the server lists them, and where a list
//! may be short since the key has few rights, that is known before the run and goes into the archive.

use super::CollectionBackup;
use crate::archive::manifest::{Limit, LimitKind};
use crate::archive::{ArchiveWriter, Error as ArchiveError};
use crate::ops::{Error, WriteAccess, blocking};
use crate::weaviate::{Aliases, Listed, Rights};

/// What the key may not see, as far as its rights tell; nothing is said where the server tells nothing of them.
/// `all`: every collection was wanted.
pub(super) fn unseen(
    rights: Option<&Rights>,
    aliases: &Listed<Aliases>,
    collections: &[CollectionBackup],
    all: bool,
) -> Vec<Limit> {
    let hidden = |planned: &&CollectionBackup| aliases.may_lack(rights, &planned.schema.name);
    let hidden: Vec<String> =
        collections.iter().filter(hidden).map(|planned| planned.schema.name.to_string()).collect();
    let mut limits: Vec<Limit> = if hidden.len() == collections.len() {
        hidden.first().map(|_| Limit::of(LimitKind::Aliases, None)).into_iter().collect()
    } else {
        hidden.into_iter().map(|name| Limit::of(LimitKind::Aliases, Some(name))).collect()
    };
    if all && rights.is_some_and(|rights| !rights.show_collections()) {
        limits.push(Limit::of(LimitKind::Collections, None));
    }
    if rights.is_some_and(|rights| !rights.show_roles()) {
        limits.push(Limit::of(LimitKind::Roles, None));
    }
    limits
}

/// Saves aliases and roles, where the server has any and the key may read them. `limits`: what is known of those that it
/// may not; that roles may not be listed at all is added.
pub(super) async fn save(
    access: WriteAccess<'_>,
    mut writer: ArchiveWriter,
    limits: &mut Vec<Limit>,
) -> Result<ArchiveWriter, Error> {
    let aliases = access.ask(access.client.aliases()).await?.seen();
    let roles = access.ask(access.client.roles()).await?;
    if roles == Listed::Forbidden && !limits.iter().any(|limit| limit.kind == LimitKind::Roles) {
        limits.push(Limit::of(LimitKind::Roles, None));
    }
    let write = move || {
        if let Some(aliases) = aliases {
            writer.put_aliases(&aliases.text)?;
        }
        if let Some(roles) = roles.seen() {
            writer.put_roles(&roles)?;
        }
        Ok::<_, ArchiveError>(writer)
    };
    blocking("aliases and roles", write).await
}
