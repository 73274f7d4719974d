//! What stands beside the collections of a plan: aliases and roles.

use std::sync::Arc;

use super::super::{AliasPolicy, PlannedAlias, PlannedRole, RestoreRefusal, aliases, roles};
use super::{Candidate, Planning};
use crate::archive::manifest::LimitKind;
use crate::event::{Remark, RestoreRemark, Warning};
use crate::model::CollectionName;
use crate::ops::{Error, blocking};

/// What was found out about them.
#[derive(Default)]
pub(super) struct AliasesAndRoles {
    pub(super) aliases: Vec<PlannedAlias>,
    pub(super) roles: Vec<PlannedRole>,
    /// About collections whose aliases cannot be, or need not all be known.
    pub(super) remarks: Vec<(CollectionName, Remark)>,
    /// What stands against it.
    pub(super) refused: Vec<RestoreRefusal>,
}

impl AliasesAndRoles {
    /// Looks what is to be done about each alias and role.
    pub(super) async fn look(planning: &Planning<'_>, candidates: &[Candidate]) -> Result<Self, Error> {
        let Planning { access, archive, options, renames, server, live, rights, .. } = *planning;
        let (reading, with_roles) = (Arc::clone(archive), options.roles);
        let with_aliases = options.aliases != AliasPolicy::Skip;
        let read = blocking("aliases and roles", move || {
            let roles = if with_roles { roles::archived(&reading)? } else { None };
            let aliases = if with_aliases { aliases::archived(&reading)? } else { Vec::new() };
            Ok::<_, crate::archive::Error>((aliases, roles))
        });
        let (archived, archived_roles) = read.await?;
        let made: Vec<CollectionName> = candidates.iter().map(|candidate| candidate.target.clone()).collect();
        let there: Vec<CollectionName> = live.schemas.iter().map(|schema| schema.name.clone()).collect();
        let version = &server.meta.version.text;
        let looking = aliases::AliasPlanning {
            client: access.client,
            listed: &live.aliases,
            rights,
            policy: options.aliases,
            renames,
            made: &made,
            live: &there,
            server: version,
        };
        let found = looking.plan(archived).await?;
        let mut beside =
            Self { aliases: found.planned, roles: Vec::new(), remarks: found.remarks, refused: found.refused };
        beside.remarks.extend(unseen(planning, candidates));
        if let Some(archived) = archived_roles {
            let (planned, refused) = roles::plan(access.client, archived, rights, renames, version).await?;
            planned.iter().filter_map(role_allows).for_each(|warning| planning.access.events.warn(warning));
            beside.roles = planned;
            beside.refused.extend(refused);
        } else {
            let nothing = made.first().filter(|_| options.roles);
            beside.remarks.extend(nothing.map(|name| (name.clone(), RestoreRemark::NoRolesArchived.into())));
        }
        Ok(beside)
    }
}

/// That the archive need not hold what was kept from the key of the backup, where that is asked for.
fn unseen(planning: &Planning<'_>, candidates: &[Candidate]) -> Vec<(CollectionName, Remark)> {
    let options = planning.options;
    let of = |kind| planning.archive.manifest().limits.iter().filter(move |limit| limit.kind == kind);
    let mut remarks = Vec::new();
    for limit in of(LimitKind::Aliases).filter(|_| options.aliases != AliasPolicy::Skip) {
        let about = |candidate: &&Candidate| {
            limit.collection.as_ref().is_none_or(|name| *name == candidate.schema.name.as_str())
        };
        let missing = RestoreRemark::AliasesMayBeMissing.into();
        remarks.extend(candidates.iter().find(about).map(|candidate| (candidate.target.clone(), missing)));
    }
    let roles = of(LimitKind::Roles).next().and(candidates.first()).filter(|_| options.roles);
    remarks.extend(roles.map(|candidate| (candidate.target.clone(), RestoreRemark::RolesMayBeMissing.into())));
    remarks
}

/// The warning about a role that allows what is to be looked at twice.
fn role_allows(role: &PlannedRole) -> Option<Warning> {
    let allowed = role.allows();
    let marked = allowed.iter().any(|allowed| !allowed.marks.is_empty());
    let permissions = allowed.iter().map(ToString::to_string).collect();
    marked.then(|| Warning::RoleAllows { role: role.name.clone(), permissions })
}
