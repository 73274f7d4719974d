//! A line of `rejected.jsonl`: an object that the server refused. The object itself comes last, as it stands in the archive.

use serde::{Deserialize, Serialize};

use crate::model::{CollectionName, ObjectId, TenantName};

/// What stands before the object, as it is written.
#[derive(Serialize)]
pub(in crate::archive) struct Refusal<'a> {
    pub(in crate::archive) collection: &'a CollectionName,
    pub(in crate::archive) tenant: Option<&'a TenantName>,
    pub(in crate::archive) id: ObjectId,
    pub(in crate::archive) reason: &'a str,
}

/// The same as it is read.
#[derive(Debug, Deserialize)]
pub(in crate::archive) struct RejectedLine {
    pub(in crate::archive) collection: CollectionName,
    pub(in crate::archive) tenant: Option<TenantName>,
    pub(in crate::archive) id: ObjectId,
    pub(in crate::archive) reason: String,
}
