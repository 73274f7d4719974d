//! Why objects cannot be read.

use crate::model::CollectionName;
use crate::pipeline::split::SplitError;

/// Why a scan stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server did not answer.
    #[error(transparent)]
    Wire(#[from] crate::weaviate::Error),
    /// Pages kept coming that make no sense.
    #[error("a page of {collection} makes no sense")]
    Page {
        /// The collection.
        collection: CollectionName,
        /// What is wrong with it.
        source: SplitError,
    },
    /// An answer without a body, even for one object without its vectors.
    #[error("the server answers with an empty body about {collection}")]
    EmptyBody {
        /// The collection.
        collection: CollectionName,
    },
    /// An object that is too large to be fetched.
    #[error("an object of {collection} is larger than {bytes} bytes")]
    ObjectTooLarge {
        /// The collection.
        collection: CollectionName,
        /// The most that is fetched.
        bytes: u64,
    },
    /// The server refuses pages of a single object.
    #[error("the server refuses even a page of one object of {collection}")]
    NoPageAllowed {
        /// The collection.
        collection: CollectionName,
    },
    /// The stage behind the channel is gone; its own error tells why.
    #[error("the stage that takes the batches stopped")]
    SinkGone,
}
