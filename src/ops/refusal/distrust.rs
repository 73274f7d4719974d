//! Why nothing counts any more of what an earlier run wrote into a collection.

use crate::model::{TenantName, count};

/// Why what was written down as there is not trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the variant says the fact, and a field's name says what it is of it")]
pub enum Distrust {
    /// The collection is gone.
    #[error("it is gone from the server, and is recreated")]
    Gone,
    /// A tenant is gone.
    #[error("its tenant {tenant} is gone")]
    TenantGone { tenant: TenantName },
    /// Not all refused objects are kept.
    #[error("{refused} refused objects were written down, and {kept} of them are kept")]
    RefusedLost { refused: u64, kept: u64 },
    /// The journal tells of other ids than the archive.
    #[error("its journal tells of ids that the archive does not hold so")]
    OtherIds,
    /// The journal contradicts itself.
    #[error("its journal contradicts itself about the number of objects")]
    Contradiction,
    /// The server counts fewer.
    #[error("{} written down as there, and the server counts {}", crate::model::counted(*written, "object"), count(*counted))]
    Fewer { written: u64, counted: u64 },
}
