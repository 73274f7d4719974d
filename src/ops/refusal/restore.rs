//! What stands against restoring a collection to a server, as data.

use serde::Serialize;

use super::{Altered, Lack};
use crate::event::SchemaDifference;
use crate::model::{CollectionName, TenantName, counted};
use crate::ops::schema::Unmakeable;
use crate::ops::schema::endpoints::Endpoint;
use crate::ops::schema::remedies::against_operator;
use crate::ops::schema::settings::Setting;

/// Why a collection cannot be restored as it was saved. Collections go by their names in the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
#[expect(missing_docs, reason = "the variant says the fact, and a field's name says what it is of it")]
pub enum RestoreRefusal {
    /// A tenant that the server's collection has already.
    #[error("{collection}: {there} has a tenant {tenant} already")]
    TenantExists {
        collection: CollectionName,
        there: CollectionName,
        /// The tenant, by its name on the server.
        tenant: TenantName,
    },
    /// Tenants are to be inactive in the end, and the key may not activate them to fill them.
    #[error(
        "{collection}: the key may not update_tenants, and {tenants} of its tenants {} inactive, to be activated and filled ({first} first)",
        if *tenants == 1 { "is" } else { "are" }
    )]
    MayNotActivate {
        collection: CollectionName,
        tenants: usize,
        /// The first of them, by its name on the server.
        first: TenantName,
    },
    /// A part of the archive was selected, or the archive holds some properties alone, and is to be merged: an object of it
    /// would take the place of a whole one.
    #[error("{collection}: some properties alone, or a selection of an archive, are not merged into what exists")]
    SelectionMerged { collection: CollectionName },
    /// An alias whose name is a collection's.
    #[error("{collection}: its alias {alias} cannot be created, as {by} is a collection")]
    AliasTaken {
        collection: CollectionName,
        alias: CollectionName,
        /// The collection of that name, on the server or restored beside it.
        by: CollectionName,
    },
    /// An alias whose name is none that a server takes.
    #[error("{collection}: its alias {alias:?} cannot be created, as no server takes such a name")]
    AliasUnfit {
        collection: CollectionName,
        /// The alias, as the archive spells it.
        alias: String,
    },
    /// An alias that cannot be beside one that differs from it in case alone.
    #[error("{collection}: its alias {alias} cannot be beside the server's alias {there}, which stands for {of}")]
    AliasSimilar {
        collection: CollectionName,
        alias: CollectionName,
        /// The server's, as it spells it.
        there: String,
        of: CollectionName,
    },
    /// An alias that was to be moved, and that the key may not see.
    #[error(
        "{collection}: its alias {alias} is on the server, and the key may not see what it stands for (read_aliases)"
    )]
    AliasHidden { collection: CollectionName, alias: CollectionName },
    /// Roles were asked for, and the server has none.
    #[error("roles cannot be created: Weaviate {server} has none, has them switched off, or the key may not see them")]
    NoRoles { server: String },
    /// A role with permissions that the server does not know.
    #[error("the role {role} cannot be created: Weaviate {server} does not know {}", actions.join(", "))]
    RoleUnknown {
        role: String,
        /// The actions that the server does not know.
        actions: Vec<String>,
        server: String,
    },
    /// The roles of the key do not let it make or fill the collection.
    #[error("{collection}: the key may not {lack}")]
    NotAllowed { collection: CollectionName, lack: Lack },
    /// What is created could not be looked at.
    #[error("{collection}: the key may not read_collections on {there}, which is created: it could not be compared")]
    Unreadable {
        collection: CollectionName,
        /// Its name on the server.
        there: CollectionName,
    },
    /// A reference to a collection that the key may not read: servers refuse it, whether the collection is there or not.
    #[error("{collection}: {property} refers to {target}, on which the key may not {lacks}: the server refuses that")]
    TargetUnreadable {
        collection: CollectionName,
        property: String,
        /// The collection it refers to, by its name on the server.
        target: CollectionName,
        lacks: &'static str,
    },
    /// A merge looks at what is there, and tenants are not active.
    #[error(
        "{collection}: {there} has {} in the archive and not active on the server ({first} first): they could not be looked into",
        counted(*tenants, "tenant")
    )]
    TenantsInactive {
        collection: CollectionName,
        there: CollectionName,
        tenants: u64,
        /// The first of them, by its name on the server.
        first: TenantName,
    },
    /// Objects are there with another content.
    #[error("{collection}: {there} has {} with another content", counted(*objects, "object"))]
    Conflicts { collection: CollectionName, there: CollectionName, objects: u64 },
    /// Objects that replace others would bring less than these have.
    #[error(
        "{collection}: {} in {there} would lose {}, which the archive's do not bring",
        counted(*objects, "object"),
        lost.join(", ")
    )]
    WouldLose {
        collection: CollectionName,
        there: CollectionName,
        objects: u64,
        /// What they would lose: vectors, or properties by their names.
        lost: Vec<String>,
    },
    /// References of a collection with tenants take a second look at each object, when others may have written to it.
    #[error("{collection}: a collection with tenants and references ({}) is not merged", properties.join(", "))]
    RefersLast { collection: CollectionName, properties: Vec<String> },
    /// A collection that is there cannot hold what is to be added to it.
    #[error("{collection}: {there} on the server cannot hold it")]
    DoesNotFit { collection: CollectionName, there: CollectionName, differs: Vec<SchemaDifference> },
    /// A setting that the server's version does not know, and without which the collection would be another one.
    #[error("{collection}: {key} {value} {}", needs(since.as_deref(), server))]
    Unsupported {
        collection: CollectionName,
        /// Where it stands in the class document, keys from the top.
        key: String,
        /// Its value as JSON, cut if long.
        value: String,
        /// The first version that holds it; `None` if none is known.
        since: Option<String>,
        server: String,
    },
    /// The class document that was given in place of the archived one cannot hold the objects.
    #[error("{collection}: the class document in --schema-file cannot hold it")]
    FileDoesNotFit { collection: CollectionName, differs: Vec<SchemaDifference> },
    /// More replicas were asked for than there are nodes.
    #[error("{collection}: {replicas} replicas need as many nodes, and the server has {nodes}")]
    TooFewNodes { collection: CollectionName, replicas: u64, nodes: u64 },
    /// The server does not make it: that was tried out, under a scratch name or in the run.
    #[error("{collection}: {why}")]
    Unmakeable {
        collection: CollectionName,
        why: Unmakeable,
        /// Settings of the collection that would help, if any would.
        help: Vec<Setting>,
    },
    /// A vectorizer the server has not enabled.
    #[error("{collection}: {key} needs the module {module:?}, which the server has not enabled")]
    Module {
        collection: CollectionName,
        /// Where it stands in the class document, keys from the top.
        key: String,
        module: String,
    },
    /// A reference to a collection that is neither chosen nor on the server.
    #[error(
        "{collection}: {property} refers to {target}{}, which is neither chosen nor on the server",
        renamed.as_ref().map(|renamed| format!(", here {renamed} by --rename")).unwrap_or_default()
    )]
    MissingTarget {
        collection: CollectionName,
        property: String,
        /// The collection it refers to, as the archive calls it.
        target: String,
        /// Its name on the server, where it was given another.
        renamed: Option<CollectionName>,
    },
    /// The server has a collection of that name.
    #[error("{collection}: the server has {there} already")]
    Exists {
        collection: CollectionName,
        /// The name that is taken, as the server spells it.
        there: CollectionName,
    },
    /// What an unfinished run made is not there as it left it.
    #[error("{collection}: {there} is not as the unfinished run left it: {what}")]
    NotAsLeft {
        collection: CollectionName,
        /// Its name on the server.
        there: CollectionName,
        what: Altered,
    },
    /// The server has an alias of that name.
    #[error("{collection}: {alias} is an alias of {of} on the server")]
    IsAlias {
        collection: CollectionName,
        /// The name that is taken.
        alias: CollectionName,
        of: CollectionName,
    },
    /// Objects, and the key of a module with them, would be sent where nobody said that they may go.
    #[error("{collection}: {endpoint} would get the texts of its objects, and the key of the module that sends them")]
    Endpoint { collection: CollectionName, endpoint: Endpoint },
    /// Objects would be sent to the server's vectorizer.
    #[error(
        "{collection}: {} without a vector that the server would make, which may cost money",
        counted(*objects, "object")
    )]
    WouldVectorise { collection: CollectionName, objects: u64 },
}

impl RestoreRefusal {
    /// That a server does not make a collection of this class document.
    pub(in crate::ops) fn unmakeable(collection: CollectionName, why: Unmakeable, document: &[u8]) -> Self {
        let document = serde_json::from_slice(document).unwrap_or_default();
        let help = why.cause().map(|cause| against_operator(cause, &document)).unwrap_or_default();
        Self::Unmakeable { collection, why, help }
    }

    /// The collection it is about; `None`: it is about none of them.
    #[must_use]
    pub fn collection(&self) -> Option<&CollectionName> {
        match self {
            Self::NoRoles { .. } | Self::RoleUnknown { .. } => None,
            Self::AliasTaken { collection, .. }
            | Self::AliasUnfit { collection, .. }
            | Self::AliasSimilar { collection, .. }
            | Self::AliasHidden { collection, .. }
            | Self::TenantExists { collection, .. }
            | Self::MayNotActivate { collection, .. }
            | Self::NotAllowed { collection, .. }
            | Self::DoesNotFit { collection, .. }
            | Self::FileDoesNotFit { collection, .. }
            | Self::TooFewNodes { collection, .. }
            | Self::TenantsInactive { collection, .. }
            | Self::Conflicts { collection, .. }
            | Self::WouldLose { collection, .. }
            | Self::RefersLast { collection, .. }
            | Self::Unsupported { collection, .. }
            | Self::Unmakeable { collection, .. }
            | Self::Module { collection, .. }
            | Self::MissingTarget { collection, .. }
            | Self::TargetUnreadable { collection, .. }
            | Self::Unreadable { collection, .. }
            | Self::NotAsLeft { collection, .. }
            | Self::Exists { collection, .. }
            | Self::IsAlias { collection, .. }
            | Self::SelectionMerged { collection }
            | Self::Endpoint { collection, .. }
            | Self::WouldVectorise { collection, .. } => Some(collection),
        }
    }
}

fn needs(since: Option<&str>, server: &str) -> String {
    match since {
        Some(since) => format!("needs Weaviate {since} or later, the server is {server}"),
        None => format!("is nothing that Weaviate {server} can create"),
    }
}
