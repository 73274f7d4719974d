//! Objects on their way from one stage to the next.

use std::ops::Deref;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::budget::Share;
use crate::model::coverage::Space;
use crate::model::{KeyRange, RawObject};
use crate::weaviate::Client;

/// Batches that may wait between two stages. Small: the bytes are bounded by the budget, this only bounds their number.
pub const BATCHES_WAITING: usize = 2;

/// A stretch of the keys of one space, in order.
#[derive(Debug)]
pub struct Batch {
    /// The space, as it is called where the batch goes to.
    pub space: Space,
    /// The keys these objects stand for: there are no others in it.
    pub covers: KeyRange,
    /// The objects, ids ascending, all inside `covers`.
    pub objects: Objects,
    /// Plain bytes of the objects, line ends included.
    pub bytes: u64,
    /// Where it comes from.
    pub origin: BatchOrigin,
    /// In a merge, the objects that were kept where they go to and may be replaced, by their places, ascending; each with the
    /// time at which it was written last, in ms by the server's clock.
    pub known: Vec<(usize, i64)>,
}

/// Where a batch comes from.
#[derive(Debug)]
pub enum BatchOrigin {
    /// A live server.
    Live {
        /// The worker that read it; stretches of one worker follow each other.
        worker: usize,
        /// When it was read, as counted by `guard`.
        mark: u64,
        /// The objects lack a vector that the server cannot print.
        unprintable: bool,
    },
    /// An archive.
    Archived {
        /// The place of its run among those of the collection.
        run: usize,
    },
    /// An archive, of several runs. It is sent before all else of its space, as a server's index takes the length of the
    /// vectors it meets first; these objects come again.
    Leading {
        /// Whoever takes the batch lets go of this once it was sent.
        sent: oneshot::Sender<()>,
    },
}

/// The objects of a batch and the page that they are slices of. It outlives them, since fields are dropped in order.
#[derive(Debug)]
pub struct Objects {
    list: Vec<RawObject>,
    _page: Page,
}

impl Objects {
    /// These objects, all of them slices of the page or of nothing that it holds.
    #[must_use]
    pub fn new(list: Vec<RawObject>, page: Page) -> Self {
        Self { list, _page: page }
    }
}

impl Deref for Objects {
    type Target = [RawObject];

    fn deref(&self) -> &[RawObject] {
        &self.list
    }
}

/// A page while its objects are in use: holds its share of the budget, and gives its buffer back in the end.
#[derive(Debug)]
pub struct Page {
    client: Option<Client>,
    body: Bytes,
    _share: Share,
}

impl Page {
    /// For objects that came from a server: `body` is the buffer they are slices of.
    pub(super) fn of(client: Client, body: Bytes, share: Share) -> Self {
        Self { client: Some(client), body, _share: share }
    }

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
