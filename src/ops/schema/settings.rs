//! Settings of collections that a person wants otherwise (`--set`): what they are, and what they make of a class document.
//! Pure.

mod adapt;
mod keys;
mod setting;
mod values;
mod vector;

pub(in crate::ops) use adapt::{Adapted, UnusedSetting, adapt, unused, wanted_replicas};
pub(in crate::ops) use keys::IndexKind;
pub use setting::{InvalidSetting, Setting};
pub use values::Takes;
pub(in crate::ops) use vector::{indexes, places as vector_places};
