//! How a collection of the archive meets the server, and all that follows from it: what may be there, what stands against it,
//! what is planned, permitted and written down, what is done first, and what is a difference in the end. Whoever else has to
//! know asks here.

use std::collections::BTreeSet;

use super::create::Created;
use super::earlier_run::Before;
use super::merge::{self, Unheld};
use super::options::RestoreOptions;
use super::remains::Remains;
use super::resume::Resuming;
use super::tenants::ChosenTenants;
use super::{Collection, RestoreRefusal};
use crate::archive::{RunHistory, RunRecord};
use crate::event::{CollectionResult, Events, RestoreRemark, SchemaDifference};
use crate::model::{CollectionName, Renames, Schema, TenantMap, TenantName};
use crate::ops::lacking::Making;
use crate::ops::verify::{Compared, Differs, lacks};
use crate::ops::{Altered, Error, Lack, WriteAccess};
use crate::weaviate::{Aliases, Client, Listed};

/// How one collection meets what is there.
#[derive(Debug, Clone)]
pub(super) enum RestoreMode {
    /// It is created: nothing of its name is there, or what an earlier run has begun, which this one resumes.
    Create,
    /// Its tenants are added to this collection, which is there.
    AddTenants(Box<Schema>),
    /// Its objects are merged into this collection, which is there.
    Merge(Box<Schema>),
}

/// What the server has by the names that are restored, or others.
pub(super) struct Live {
    pub(super) schemas: Vec<Schema>,
    pub(super) aliases: Listed<Aliases>,
}

impl RestoreMode {
    /// How a collection meets what is there: it is merged if that is asked for, and tenants that are named are added to a
    /// collection with tenants. `is_own`: an earlier run was about to create it.
    pub(super) fn of(options: &RestoreOptions, live: &Live, target: &CollectionName, is_own: bool) -> Self {
        let names_tenants = matches!(options.tenants, TenantMap::Only(_) | TenantMap::IntoTenant(_));
        match live.schemas.iter().find(|there| there.name == *target) {
            Some(there) if options.merge.is_some() && !is_own => Self::Merge(Box::new(there.clone())),
            Some(there) if names_tenants && there.multi_tenant && !is_own => Self::AddTenants(Box::new(there.clone())),
            _ => Self::Create,
        }
    }

    /// What is there; `None`: it is created.
    fn there(&self) -> Option<&Schema> {
        match self {
            Self::Create => None,
            Self::AddTenants(there) | Self::Merge(there) => Some(there),
        }
    }

    /// The schema that its objects meet: that of what is there, or the one that is asked for.
    pub(super) fn asked<'a>(&'a self, wanted: &'a Schema) -> &'a Schema {
        self.there().unwrap_or(wanted)
    }

    /// Whether it is made by this restore: tried out before, taken back if the server does not make all, nobody else's.
    pub(super) fn is_created(&self) -> bool {
        self.there().is_none()
    }

    /// Whether its objects meet others, which are there.
    pub(super) fn is_merge(&self) -> bool {
        matches!(self, Self::Merge(_))
    }

    /// The tenants that are added to what is there; `None` if it is created.
    pub(super) fn added(&self, tenants: &ChosenTenants) -> Option<Vec<TenantName>> {
        match self {
            Self::Create => None,
            Self::AddTenants(_) | Self::Merge(_) => Some(tenants.names().cloned().collect()),
        }
    }

    /// What a plan says of it: what is done, as events have it, and what is to be known.
    pub(super) fn planned(&self) -> (&'static str, Option<RestoreRemark>) {
        match self {
            Self::Create => ("create", None),
            Self::AddTenants(_) => ("add_tenants", Some(RestoreRemark::TenantsToAdd)),
            Self::Merge(_) => ("merge", None),
        }
    }

    /// What the roles of the key lack for it, but for its objects.
    pub(super) fn lacks(&self, making: &Making<'_>) -> Vec<Lack> {
        let collection = match self {
            Self::Create => making.collection(),
            Self::AddTenants(_) | Self::Merge(_) => Vec::new(),
        };
        collection.into_iter().chain(making.tenants()).collect()
    }

    /// What of the server stands against it.
    pub(super) async fn against(
        &self,
        client: &Client,
        live: &Live,
        schema: &Schema,
        tenants: &ChosenTenants,
        (options, renames): (&RestoreOptions, &Renames),
        resuming: Option<&Resuming>,
    ) -> Result<Vec<RestoreRefusal>, Error> {
        match self {
            Self::Create => {
                let aliases = if let Listed::Seen(aliases) = &live.aliases { &aliases.pairs[..] } else { &[] };
                let target = renames.of(&schema.name);
                let names = || live.schemas.iter().map(|there| &there.name);
                // What a run left is held against its journal, not only against its name.
                let left = |run: &Resuming| run.began(target) || run.added(target).is_some();
                let is_own = resuming.is_some_and(left) && names().any(|there| there == target);
                let others = names().filter(|there| !(is_own && *there == target));
                let taken = taken_by(&schema.name, target, others, if is_own { &[] } else { aliases });
                Ok(taken.into_iter().collect())
            }
            Self::AddTenants(there) => {
                let differs = lacks(schema, there, renames);
                not_added(client, &schema.name, there, tenants, differs, resuming).await
            }
            Self::Merge(there) => {
                let Some(merge) = options.merge else { return Ok(Vec::new()) };
                let held = Unheld { schema, there, renames, tenants: &options.tenants };
                Ok(held.refusal(merge).into_iter().chain(tenants.out_of_reach(&schema.name, &there.name)).collect())
            }
        }
    }

    /// Looks again at what it meets, right before the deed: somebody may have looked at the plan for long. `None`: it has to be
    /// created.
    pub(super) async fn meet(
        &self,
        access: WriteAccess<'_>,
        collection: &Collection,
        resuming: Option<&Resuming>,
    ) -> Result<Option<Created>, Error> {
        match self {
            Self::Create => Ok(None),
            Self::AddTenants(_) => {
                let target = &collection.planned.target;
                let schema = access.ask(access.client.schema(target)).await?;
                let schema = schema.ok_or_else(|| Error::Vanished { collection: target.clone() })?;
                // What was there must be there, and nobody may have taken a name: servers take a tenant that exists for one
                // that was created.
                let differs = lacks(&collection.asked, &schema, &Renames::default());
                let (archived, tenants) = (&collection.planned.archived, &collection.tenants);
                let refusals = not_added(access.client, archived, &schema, tenants, differs, resuming);
                let refusals = access.ask(refusals).await?;
                if !refusals.is_empty() {
                    return Err(Error::CannotRestore { refusals, chosen: 1 });
                }
                Ok(Some(Created { schema, remarks: vec![RestoreRemark::TenantsAdded.into()] }))
            }
            Self::Merge(_) => Ok(Some(merge::meet(access, collection).await?)),
        }
    }

    /// Whether tenants that it makes may be there, as what an earlier run did `before` this one.
    pub(super) fn may_have_tenants(&self, before: &Before) -> bool {
        match self {
            Self::Create | Self::AddTenants(_) | Self::Merge(_) => before.is_there(),
        }
    }

    /// What the run's journal says before the deed: from here on what it makes may be there.
    pub(super) fn record(&self, collection: &Collection) -> RunRecord {
        let (archived, target) = (collection.planned.archived.clone(), collection.planned.target.clone());
        match self.added(&collection.tenants) {
            None => RunRecord::Intent { collection: archived, target },
            Some(tenants) => RunRecord::Joining { collection: archived, target, tenants },
        }
    }

    /// Why what is there cannot be what an earlier run left, if so.
    pub(super) async fn altered(&self, remains: &Remains<'_>, run: &RunHistory) -> Result<Option<Altered>, Error> {
        match self {
            Self::Create | Self::AddTenants(_) => remains.other(run).await,
            // Others write to it, and all of it is compared anew.
            Self::Merge(_) => Ok(None),
        }
    }

    /// Whether a count says that what was written is there, and nothing else: those of a collection that is created, or of the
    /// tenants that were added.
    pub(super) fn is_whole(&self, written: u64, counted: u64) -> bool {
        match self {
            Self::Create | Self::AddTenants(_) => counted == written,
            Self::Merge(_) => counted >= written,
        }
    }

    /// What of a comparison with the archive is a difference: tells it, puts it into the result, and gives it. Whether
    /// nothing is.
    pub(super) fn judge(&self, compared: Compared, events: &Events, to: &mut CollectionResult) -> (Vec<Differs>, bool) {
        match self {
            // Nobody else has objects where these are; what a merge sends is read back one by one instead.
            Self::Create | Self::AddTenants(_) | Self::Merge(_) => {}
        }
        let agrees = compared.agrees();
        compared.tell(events, &to.name);
        compared.fill(to);
        (compared.differences, agrees)
    }
}

/// What stands in the way of making `target`, under any spelling: a collection, or an alias beside one in another spelling.
pub(in crate::ops) fn taken_by<'a>(
    collection: &CollectionName,
    target: &CollectionName,
    live: impl IntoIterator<Item = &'a CollectionName>,
    aliases: &[(String, CollectionName)],
) -> Option<RestoreRefusal> {
    let (same, collection) = (|name: &str| name.eq_ignore_ascii_case(target.as_str()), collection.clone());
    if let Some(there) = live.into_iter().find(|there| same(there.as_str())) {
        return Some(RestoreRefusal::Exists { collection, there: there.clone() });
    }
    let (alias, of) = aliases.iter().find(|(alias, _)| same(alias))?;
    // As the server spells it, which may be otherwise.
    let alias = alias.parse().unwrap_or_else(|_| target.clone());
    Some(RestoreRefusal::IsAlias { collection, alias, of: of.clone() })
}

/// What stands against adding tenants to a collection that is there. `differs`: what it lacks to hold them. Those that an
/// earlier run added, which this one resumes, may be there.
async fn not_added(
    client: &Client,
    collection: &CollectionName,
    there: &Schema,
    tenants: &ChosenTenants,
    differs: Vec<SchemaDifference>,
    resuming: Option<&Resuming>,
) -> Result<Vec<RestoreRefusal>, Error> {
    let (collection, there) = (collection.clone(), there.name.clone());
    if !differs.is_empty() {
        return Ok(vec![RestoreRefusal::DoesNotFit { collection, there, differs }]);
    }
    let own = resuming.and_then(|resuming| resuming.added(&there)).unwrap_or_default();
    let live: BTreeSet<TenantName> = client.tenants(&there).await?.into_iter().map(|tenant| tenant.name).collect();
    let is_taken = |name: &TenantName| live.contains(name) && !own.contains(name);
    let taken = tenants.names().filter(|name| is_taken(name));
    let refusal = |tenant: &TenantName| RestoreRefusal::TenantExists {
        collection: collection.clone(),
        there: there.clone(),
        tenant: tenant.clone(),
    };
    Ok(taken.map(refusal).collect())
}
