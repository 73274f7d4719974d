//! The archive: a directory of JSON lines with an index, checksums and a manifest that is written last
//! (docs/archive-format.md). Knows files, never servers.

pub mod catalog;
mod checkpoint;
mod claimant;
pub mod claims;
mod codec;
mod collection;
mod content;
pub mod digest;
mod disk;
mod durable;
mod error;
mod format;
mod growing;
mod header;
mod index;
mod journal;
mod lines;
pub mod location;
pub mod manifest;
mod names;
mod part;
mod part_reader;
mod reader;
pub mod resume;
mod run_proof;
pub mod runfiles;
mod runs;
mod shared;
mod stored;
mod writer;

pub use checkpoint::{Checkpoint, CheckpointCollection, CheckpointPart};
pub use claimant::{Claimant, Held, Use};
pub use codec::Codec;
pub use collection::{ClosedCollection, CollectionWriter, Dropped, PART_BYTES, SealedPart, TenantTotals, Totals};
pub use content::Content;
pub use disk::{Disk, Entry, Folder, Kind, Lock, Opened, OsDisk, Stamp, WriteFile};
pub use error::{Broken, Damage, DiskOp, Error};
pub use header::CheckpointHeader;
pub use index::{Index, Run};
pub use location::archives;
pub use manifest::{CollectionFacts, Manifest};
pub(crate) use names::MANIFEST;
pub use names::{stem, stem_of_replaced};
pub use part_reader::{Line, LineRoom, PartReader};
pub use reader::Archive;
pub use resume::{Begun, Noted, Resumed, ResumedCollection, Unfinished};
pub use run_proof::RunProof;
pub use runfiles::{RunAbout, RunFiles, RunHistory, RunRecord};
pub use writer::{ArchiveWriter, RunHeader, SealFacts, Sealed, place};

#[cfg(test)]
mod testing;
