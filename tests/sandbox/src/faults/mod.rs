//! Faults on demand: what to break, when, and the switches a test holds.

mod change;
mod handle;
mod kind;
pub(crate) mod plan;
mod vectors;

pub use change::Change;
pub(crate) use change::{apply, apply_to};
pub use handle::Faults;
pub use kind::{Fault, Kind, PageFault, When};
