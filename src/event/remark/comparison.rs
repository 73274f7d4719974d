//! What is to be known about a comparison of an archive with a server.
#![expect(missing_docs, reason = "the variant says the fact, and a field's name says what it is of it")]

use serde::Serialize;

use crate::event::ActivationRefusal;
use crate::model::{Subset, TenantName};

/// A fact about a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ComparisonRemark {
    /// Vectors were not compared; `archived`: although the archive holds them.
    ComparedWithoutVectors { archived: bool },
    /// Only some objects were compared.
    Sampled { compared: u64, of: u64 },
    /// The archive holds a selection, and the server has so many objects that are not of it.
    Selection { selection: Subset, others: u64 },
    /// Only objects that the filter is true of on either side were compared; the server has so many others.
    Filtered { filter: String, others: u64 },
    /// These were compared without vectors: the server could not print them for the archive.
    VectorsUnprintable { objects: u64 },
    /// These got vectors from the server, which were not compared.
    MadeVectorsUncompared { objects: u64 },
    /// Values that no server takes back were not compared.
    BlobHashesUncompared { properties: Vec<String> },
    /// At least so many were written meanwhile.
    WrittenMeanwhile { objects: u64 },
    /// So many of the missing objects were not asked for one by one.
    MissingUnasked { objects: u64 },
    /// The server counts another number, and no writer explains it.
    CountUnexplained { listed: u64, counted: u64 },
    /// The server's count moved meanwhile, and nothing of that was seen in what was listed.
    CountMoved { listed: u64, before: u64, after: u64 },
    /// The server counts another number, and objects are being written.
    CountUnseen { listed: u64, counted: u64 },
    /// The server's count could not be held against it.
    CountsUnverified { reason: String },
    /// These were older on the replica that was listed.
    OlderOnReplica { objects: u64 },
    /// The replicas hold different versions of these.
    ReplicasDiffer { objects: u64 },
    /// One replica was listed, which could not be compared with the others.
    ReplicasUncompared { reason: String },
    /// Tenants that could not be compared, with their objects in the archive.
    TenantsUncompared { tenants: u64, first: TenantName, objects: u64, why: OutOfReach },
    /// Tenants are in another state than in the archive.
    TenantsInOtherStates { tenants: u64, first: TenantName },
    /// The server lacks tenants of the archive.
    TenantsMissing { tenants: u64, first: TenantName },
    /// Tenants were created meanwhile.
    TenantsCame { tenants: u64, first: TenantName },
    /// Tenants were removed meanwhile.
    TenantsWent { tenants: u64, first: TenantName },
    /// Tenants that the archive says it does not hold.
    TenantsNotArchived { tenants: u64, first: TenantName },
    /// The server has tenants that the archive does not know, with their objects where these are counted.
    TenantsUnknown { tenants: u64, first: TenantName, objects: Option<u64> },
    /// One has tenants, the other has none: nothing was compared.
    OfAnotherKind,
    /// The archive holds the schema alone: no objects were compared.
    SchemaCompared,
    /// Objects of the collection expire, which may be why some are gone.
    MayHaveExpired,
}

/// Why a tenant was not compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum OutOfReach {
    /// The server says that it is not active.
    NotActive,
    /// It is in other storage, or on the way.
    Offloaded,
    /// It is not listed to the key, and may be there.
    Unseen,
    /// It is inactive, and cannot be activated.
    NotActivated { why: ActivationRefusal },
}
