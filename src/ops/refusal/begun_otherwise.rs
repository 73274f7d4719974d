//! In what an earlier run is not the one that is asked for now.

use crate::model::{CollectionName, TenantName, shell_text};
use crate::ops::restore::RunChoice;

/// In what a run that did not get to its end is not what is asked for now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the variant says the fact, and a field's name says what it is of it")]
pub enum RunDiffers {
    #[error("its server is {url}")]
    Server {
        /// The URL of that one.
        url: String,
    },
    #[error("its archive is another one, {}", shell_text(archive))]
    Archive {
        /// Where that one lies.
        archive: String,
    },
    #[error("another archive lies in {} now", shell_text(archive))]
    ArchiveReplaced {
        /// Where its own lay.
        archive: String,
    },
    #[error("its archive lay in {}", shell_text(archive))]
    ArchivePlace {
        /// Where it lay.
        archive: String,
    },
    #[error("elysiactl {version} began it")]
    Version { version: String },
    #[error("not the same: {0}")]
    Choice(RunChoice),
    #[error("it was to empty {}", each(collections))]
    Emptied { collections: Vec<CollectionName> },
    #[error("of all tenants")]
    AllTenants,
    #[error("of the tenants {}", each(tenants))]
    Tenants { tenants: Vec<TenantName> },
}

fn each(names: &[impl ToString]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// In what an unsealed archive is not the backup that is asked for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the variant says the fact")]
pub enum BackupDiffers {
    #[error("the server")]
    Server,
    #[error("the server's version")]
    ServerVersion,
    #[error("the choice of collections")]
    Collections,
    #[error("what is left out")]
    Excluded,
    #[error("the choice of tenants")]
    Tenants,
    #[error("what is kept")]
    Content,
    #[error("the compression")]
    Compression,
    #[error("the filter (--where)")]
    Filter,
    #[error("the properties kept (--fields)")]
    Fields,
    #[error("the sample")]
    Sample,
    #[error("the seed of the sample")]
    SampleSeed,
    #[error("the limit")]
    Limit,
    #[error("the run")]
    Run,
}
