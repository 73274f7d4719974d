//! What the key may not read, of the collections that a plan creates and of those that they refer to. A server says so only
//! when it is asked to create them, which is too late for a plan.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{RestoreRefusal, references};
use super::{Candidate, Planning};
use crate::model::{CollectionName, Renames, Schema};
use crate::ops::Error;
use crate::weaviate::{Client, Rights};

/// The permission to read a collection's schema.
const SCHEMA: &str = "read_collections";
/// The permission to read a collection's objects.
const OBJECTS: &str = "read_data";

/// Who may read what: roles are believed where they allow it. Where they do not, the server is asked, once a name.
pub(in crate::ops) struct Readable<'a> {
    client: &'a Client,
    rights: Option<&'a Rights>,
    asked: BTreeMap<(&'static str, CollectionName), bool>,
}

impl<'a> Readable<'a> {
    /// `rights`: those of the key, where it has roles.
    pub(in crate::ops) fn new(client: &'a Client, rights: Option<&'a Rights>) -> Self {
        Self { client, rights, asked: BTreeMap::new() }
    }

    async fn may(&mut self, action: &'static str, name: &CollectionName) -> Result<bool, Error> {
        if self.rights.is_none_or(|rights| rights.allow(action, name)) {
            return Ok(true);
        }
        if let Some(may) = self.asked.get(&(action, name.clone())) {
            return Ok(*may);
        }
        let may = match action {
            OBJECTS => self.client.may_read_objects(name).await?,
            _ => self.client.may_read_schema(name).await?,
        };
        self.asked.insert((action, name.clone()), may);
        Ok(may)
    }

    /// What stands against creating a collection: itself or what it refers to, which may be about to be made. `waits`:
    /// whether references of this property follow their objects, for which servers want their targets' objects readable.
    pub(in crate::ops) async fn refusals(
        &mut self,
        schema: &Schema,
        target: &CollectionName,
        renames: &Renames,
        waits: impl Fn(&str) -> bool,
    ) -> Result<Vec<RestoreRefusal>, Error> {
        let collection = || schema.name.clone();
        let mut refused = Vec::new();
        if !self.may(SCHEMA, target).await? {
            refused.push(RestoreRefusal::Unreadable { collection: collection(), there: target.clone() });
        }
        for (property, to) in references(schema) {
            let Ok(to) = to.parse::<CollectionName>() else { continue };
            let to = renames.of(&to).clone();
            let lacks = if to != *target && !self.may(SCHEMA, &to).await? {
                SCHEMA
            } else if waits(&property) && !self.may(OBJECTS, &to).await? {
                OBJECTS
            } else {
                continue;
            };
            refused.push(RestoreRefusal::TargetUnreadable { collection: collection(), property, target: to, lacks });
        }
        Ok(refused)
    }
}

/// References that lead nowhere, but for those that are refused anyway: what the key may not read is not listed for it, so
/// that it is not known whether it is there.
pub(in crate::ops) fn without_hidden(
    missing: Vec<RestoreRefusal>,
    unreadable: &[RestoreRefusal],
) -> Vec<RestoreRefusal> {
    let about = |refusal: &RestoreRefusal| match refusal {
        RestoreRefusal::MissingTarget { collection, property, .. }
        | RestoreRefusal::TargetUnreadable { collection, property, .. } => Some((collection.clone(), property.clone())),
        _ => None,
    };
    let hidden: BTreeSet<_> = unreadable.iter().filter_map(about).collect();
    missing.into_iter().filter(|refusal| about(refusal).is_none_or(|about| !hidden.contains(&about))).collect()
}

impl Planning<'_> {
    /// What the key may not read of what is created and of what that refers to.
    pub(super) async fn unreadable(&self, candidates: &[Candidate]) -> Result<Vec<RestoreRefusal>, Error> {
        let made: Vec<&Candidate> = candidates.iter().filter(|candidate| candidate.mode.is_created()).collect();
        let mut reading = Readable::new(self.access.client, self.rights);
        let mut refused = Vec::new();
        for Candidate { schema, target, waiting, data, .. } in made {
            let waits = |property: &str| *data && waiting.iter().any(|waiting| waiting.property == property);
            refused.extend(reading.refusals(schema, target, self.renames, waits).await?);
        }
        Ok(refused)
    }
}
