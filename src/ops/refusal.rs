//! What stands against an operation, as data. Nothing in here uses what an operation does: errors hold these, and the
//! operations make them.

mod altered;
mod begun_otherwise;
mod clear;
mod distrust;
mod lack;
mod restore;

pub use altered::Altered;
pub use begun_otherwise::{BackupDiffers, RunDiffers};
pub use clear::{ClearRefusal, NotRepeatable};
pub use distrust::Distrust;
pub use lack::{Lack, LackOf, SomeTenants};
pub use restore::RestoreRefusal;

#[cfg(test)]
mod tests;
