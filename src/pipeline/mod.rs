//! The stages between server and archive, and the value that travels between them on a bounded channel.

pub mod budget;
pub mod compare;
mod fetch;
pub mod guard;
pub mod ids;
pub mod import;
pub mod keyspace;
pub mod limits;
pub mod load;
pub mod long_lines;
pub mod pacer;
pub mod replicas;
pub mod rewrite;
pub mod scan;
mod slots;
pub mod split;
pub mod store;
pub mod waking;
pub mod windows;

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::model::{CollectionName, KeyRange, RawObject, TenantName};
use crate::weaviate::Client;
use budget::Share;

/// Batches that may wait between two stages. Small: the bytes are bounded by the budget, this only bounds their number.
pub const BATCHES_WAITING: usize = 2;

/// Objects on their way from one stage to the next: a stretch of the keys of one tenant, in order.
#[derive(Debug)]
pub struct Batch {
    /// The collection.
    pub collection: CollectionName,
    /// The tenant, in a multi-tenant collection.
    pub tenant: Option<TenantName>,
    /// The worker that read it; stretches of one lane follow each other.
    pub lane: usize,
    /// The keys these objects stand for: there are no others in it.
    pub covers: KeyRange,
    /// The objects, ids ascending, all inside `covers`.
    pub objects: Vec<RawObject>,
    /// Plain bytes of the objects, line ends included.
    pub bytes: u64,
    /// When it was read, as counted by `guard`.
    pub mark: u64,
    /// The objects lack a vector that the server cannot print.
    pub unprintable: bool,
    /// It is sent before all else of its tenant, as a server's index takes the length of the vectors it meets first; these
    /// objects come again. Whoever takes it lets go of this once it was sent.
    pub leads: Option<oneshot::Sender<()>>,
    /// The page behind the objects, and its share of the memory budget. Last, so that it outlives the objects.
    pub page: Page,
}

/// A page while its objects are in use: holds its share of the budget, and gives its buffer back in the end. Declare it
/// behind whatever holds slices of it.
#[derive(Debug)]
pub struct Page {
    client: Option<Client>,
    body: Bytes,
    _share: Share,
}

impl Page {
    /// For objects that came from a file: holds their share of the budget alone.
    #[must_use]
    pub fn from_file(share: Share) -> Self {
        Self { client: None, body: Bytes::new(), _share: share }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        if let Some(client) = &self.client {
            client.give_back(std::mem::take(&mut self.body));
        }
    }
}
