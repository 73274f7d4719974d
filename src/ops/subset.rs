//! The objects of collections that a command is about, where that is not all of them.

use std::sync::Arc;

use super::Error;
use crate::model::{Schema, Sieve, Subset, Unfit};

/// What decides whether an object of a collection is wanted; `None`: all are.
pub(super) fn sieve(subset: &Subset, schema: &Schema) -> Result<Option<Arc<Sieve>>, Error> {
    of_kept(subset, schema, &[])
}

/// The same for objects of which these properties alone are kept; all if there are none here.
pub(super) fn of_kept(subset: &Subset, schema: &Schema, kept: &[String]) -> Result<Option<Arc<Sieve>>, Error> {
    subset.bind(schema, kept).map(|sieve| sieve.map(Arc::new)).map_err(unfit(schema))
}

/// The error for a subset that is none of a collection.
pub(super) fn unfit(schema: &Schema) -> impl FnOnce(Unfit) -> Error {
    |source| Error::Unfit { collection: schema.name.clone(), source: Box::new(source) }
}
