//! A disk in memory, archives to tamper with, the comparison of the splitter with a parser, and documents as servers read
//! them.

#[allow(dead_code, unused_macros, unused_imports, reason = "the sandbox's, of which reading is wanted")]
#[path = "../../sandbox/src/fold.rs"]
mod fold;
pub mod go;
#[allow(dead_code, unused_macros, unused_imports, reason = "the sandbox's, of which reading is wanted")]
#[path = "../../sandbox/src/json.rs"]
mod json;
mod memory;
mod objects;
mod sealed;
mod spelled;

pub use memory::Memory;
pub use objects::same;
pub use sealed::{CODECS, Sealed, sealed};
pub use spelled::document;
