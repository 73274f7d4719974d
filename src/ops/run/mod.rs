//! What every run has, whatever it does.

mod access;
pub mod bounds;
pub(in crate::ops) mod claim;
mod folders;
pub(in crate::ops) mod journal;
mod name;
mod session;

pub(in crate::ops) use access::{ReadAccess, WriteAccess};
pub(in crate::ops) use folders::ARCHIVES;
pub use folders::StateFolders;
pub use name::RunName;
pub use session::Session;
pub(in crate::ops) use session::blocking;
