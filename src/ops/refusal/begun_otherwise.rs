//! In what an earlier run is not the one that is asked for now.

use crate::model::{CollectionName, TenantName, shell_text};

/// In what a run that did not get to its end is not what is asked for now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the variant says the fact, and a field's name says what it is of it")]
pub enum RunDiffers {
    /// Its server.
    #[error("its server is {url}")]
    Server {
        /// The URL of that one.
        url: String,
    },
    /// Its archive.
    #[error("its archive is another one, {}", shell_text(archive))]
    Archive {
        /// Where that one lies.
        archive: String,
    },
    /// The place of its archive.
    #[error("its archive lay in {}", shell_text(archive))]
    ArchivePlace {
        /// Where it lay.
        archive: String,
    },
    /// The program that began it.
    #[error("elysiactl {version} began it")]
    Version { version: String },
    /// Something that was chosen.
    #[error("not the same: {0}")]
    Choice(RunChoice),
    /// The collections that it was to empty.
    #[error("it was to empty {}", each(collections))]
    Emptied { collections: Vec<CollectionName> },
    /// It was about all tenants.
    #[error("of all tenants")]
    AllTenants,
    /// It was about these tenants.
    #[error("of the tenants {}", each(tenants))]
    Tenants { tenants: Vec<TenantName> },
}

fn each(names: &[impl ToString]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What decides what a restore writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunChoice {
    /// The collections and their names.
    #[error("which collections are restored, and under which names (--only, --name, --rename)")]
    Collections,
    /// The names of others.
    #[error("new names of collections that are referred to (--rename)")]
    Renames,
    /// The tenants.
    #[error("which tenants are restored, and as what (--tenant, --into-tenant, --into-plain)")]
    Tenants,
    /// Objects.
    #[error("whether objects are restored (--skip-data)")]
    Data,
    /// Vectors.
    #[error("whether vectors are restored (--skip-vectors)")]
    Vectors,
    /// Vectors of the server's.
    #[error("whether the server makes vectors (--revectorize)")]
    Revectorize,
    /// Integers.
    #[error("whether integers are changed (--clamp-ints)")]
    ClampInts,
    /// Aliases.
    #[error("what becomes of aliases (--alias)")]
    Aliases,
    /// Roles.
    #[error("whether roles are made (--with-roles)")]
    Roles,
    /// Settings.
    #[error("settings that are wanted otherwise (--set)")]
    Settings,
}

/// In what an unsealed archive is not the backup that is asked for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BackupDiffers {
    /// The server.
    #[error("the server")]
    Server,
    /// Its version.
    #[error("the server's version")]
    ServerVersion,
    /// The collections.
    #[error("the choice of collections")]
    Collections,
    /// What is excluded.
    #[error("what is left out")]
    Excluded,
    /// The tenants.
    #[error("the choice of tenants")]
    Tenants,
    /// What is kept of each.
    #[error("what is kept")]
    Content,
    /// How files are compressed.
    #[error("the compression")]
    Compression,
    /// The run.
    #[error("the run")]
    Run,
}
