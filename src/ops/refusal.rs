//! What stands against an operation, as data. Nothing in here uses an operation: errors hold these, and the operations
//! make them.

mod clear;
mod lack;
mod restore;

pub use clear::ClearRefusal;
pub use lack::{Lack, LackOf, SomeTenants};
pub use restore::RestoreRefusal;
