//! Aliases and roles in words.

use crate::event::{AliasRemark, RoleRemark};

/// Why nothing is known of an alias or a role.
const ALIAS_HIDDEN: &str = "the key may not see it (read_aliases)";
const ROLE_HIDDEN: &str = "the key may not see it (read_roles)";

pub(super) fn alias(fact: &AliasRemark) -> String {
    match fact {
        AliasRemark::AliasToCreate { alias, target, lacks } => {
            format!("the alias {alias} is created for {target}{}", lacking(*lacks))
        }
        AliasRemark::AliasToMove { alias, was, target, lacks } => {
            format!("the alias {alias}, which stands for {was}, will stand for {target}{}", lacking(*lacks))
        }
        AliasRemark::AliasToKeep { alias, of, target } => {
            format!("the alias {alias} stays with {of}; --alias overwrite gives it to {target}")
        }
        AliasRemark::AliasThere { alias, target } => format!("the alias {alias} stands for {target} already"),
        AliasRemark::AliasHidden { alias, target } => {
            format!("the alias {alias} is there and stays as it is, whether for {target} or not: {ALIAS_HIDDEN}")
        }
        AliasRemark::NoAliases { alias, server } => {
            format!("without its alias {alias}: the server, Weaviate {server}, has no aliases")
        }
        AliasRemark::AliasSet { alias, was: Some(was) } => {
            format!("the alias {alias} stands for it now, and no more for {was}")
        }
        AliasRemark::AliasSet { alias, was: None } => format!("the alias {alias} stands for it"),
        AliasRemark::AliasUnseen { alias } => {
            format!("the server took the alias {alias} for it; whether it stands for it is unseen: {ALIAS_HIDDEN}")
        }
        AliasRemark::AliasNotSet { alias, error } => format!("the alias {alias} could not be set: {error}"),
        AliasRemark::AliasUnknown { alias, error } => {
            format!("whether the alias {alias} stands for it is not known: {error}, and {ALIAS_HIDDEN}")
        }
        AliasRemark::AliasOtherwise { alias } => {
            format!("the alias {alias} does not stand for it, whatever the server answered")
        }
        AliasRemark::AliasStays { alias, of } => format!("the alias {alias} stays with {of}"),
        AliasRemark::AliasMovedSince { alias, of } => {
            format!("the alias {alias} stays with {of}: somebody moved it there since the plan")
        }
        AliasRemark::AliasGoneSince { alias, was } => {
            format!("the alias {alias} stood for {was}, and is gone since the plan")
        }
        AliasRemark::AliasHiddenSince { alias, was } => {
            format!("the alias {alias} stood for {was}, and the key may not see it any more")
        }
        AliasRemark::AliasNotMoved { alias, was } => {
            format!("the alias {alias} stays with {was}, since not everything was restored as it was")
        }
    }
}

pub(super) fn role(fact: &RoleRemark) -> String {
    match fact {
        RoleRemark::RoleToCreate { role, follows, lacks } => {
            format!("the role {role} is created{}{}", following(*follows), lacking(*lacks))
        }
        RoleRemark::RoleToCreateUnseen { role, follows, lacks } => format!(
            "the role {role} is created{}{}, unless it is there already, which the key may not see (read_roles)",
            following(*follows),
            lacking(*lacks)
        ),
        RoleRemark::RoleThere { role } => format!("the role {role} is there already"),
        RoleRemark::RoleDiffers { role } => {
            format!("the role {role} is there with other permissions and stays as it is")
        }
        RoleRemark::RoleCreated { role } => format!("the role {role} was created; no user has it yet"),
        RoleRemark::RoleUnseen { role } => format!(
            "the server took the role {role}; whether it is there as it was is unseen: {ROLE_HIDDEN}; no user has it yet"
        ),
        RoleRemark::RoleStays { role } => {
            format!("the role {role} is there already and stays as it is, whatever it allows: {ROLE_HIDDEN}")
        }
        RoleRemark::RoleUnknown { role, error } => {
            format!("whether the role {role} is there is not known: {error}, and {ROLE_HIDDEN}")
        }
        RoleRemark::RoleNotCreated { role, error } => format!("the role {role} could not be created: {error}"),
        RoleRemark::RoleOtherwise { role } => {
            format!("the role {role} is not there as it was, whatever the server answered")
        }
    }
}

/// What is said where the key is known to lack a permission.
fn lacking(permission: Option<&str>) -> String {
    permission.map(|action| format!(" if the server lets the key, which lacks {action}")).unwrap_or_default()
}

fn following(follows: bool) -> &'static str {
    if follows { ", for the collections under their new names" } else { "" }
}
