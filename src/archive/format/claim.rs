//! What a run claims of a server, in the folder of locks: `Claimed`, then any number of `Grown`, a line each.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::claimant::{Claimant, Use};
use super::stand_as;
use crate::event::Op;
use crate::model::{CollectionName, ServerIdentity};

stand_as! { Claimant => By, Use => Purpose, ServerIdentity => Server }

/// The first line of a claim.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::archive) struct Claimed {
    pub(in crate::archive) by: Claimant,
    pub(in crate::archive) server: ServerIdentity,
    pub(in crate::archive) collections: Vec<CollectionName>,
    /// Earlier builds had one kind of claim.
    #[serde(default)]
    pub(in crate::archive) purpose: Use,
}

/// A later line: shards of collections that the run has made.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::archive) struct Grown {
    pub(in crate::archive) shards: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Claimant")]
struct By {
    op: Op,
    pid: u32,
    started: Timestamp,
    server_url: String,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Use")]
enum Purpose {
    #[serde(rename = "changes")]
    Changes,
    #[serde(rename = "wakes")]
    Wakes,
    #[serde(rename = "reads")]
    Reads,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "ServerIdentity")]
struct Server {
    url: String,
    #[serde(default)]
    voters: BTreeSet<String>,
    #[serde(default)]
    shards: BTreeSet<String>,
    #[serde(default)]
    lasting_shards: usize,
}
