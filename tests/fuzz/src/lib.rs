//! A disk in memory, archives to tamper with, and the comparison of the splitter with a parser.

mod memory;
mod objects;
mod sealed;

pub use memory::Memory;
pub use objects::same;
pub use sealed::{CODECS, Sealed, sealed};
