//! What each operation does unless it is told otherwise: what the command does without flags. What has no sensible default,
//! such as the archive to compare, is asked for by `new`.

use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

use tokio_util::sync::CancellationToken;

use super::backup::BackupOptions;
use super::check::CheckOptions;
use super::clear::{ClearOptions, Wish};
use super::create::CreationOptions;
use super::remove::RemovalOptions;
use super::restore::{AliasPolicy, RestoreOptions};
use super::run::bounds::{MEMORY_BYTES, PATIENCE};
use super::run::{Session, StateFolders};
use super::verify::VerifyOptions;
use crate::archive::{Codec, Content};
use crate::event::Events;
use crate::model::{Renames, Schema, Selection, TenantMap};

/// The folder of archives.
const FOLDER: &str = "backups";

impl Default for Session {
    /// The real disk and clock; nobody listens, and nobody tells it to stop.
    fn default() -> Self {
        Self::new(Events::none(), CancellationToken::new())
    }
}

impl Default for BackupOptions {
    /// All collections with all that is in them, uncompressed, into a new archive in the folder `backups`. Inactive tenants
    /// are left out and named: to activate them takes a place for journals (`state`).
    fn default() -> Self {
        Self {
            folder: PathBuf::from(FOLDER),
            selection: Selection::default(),
            tenants: Vec::new(),
            content: Content::Full,
            codec: Codec::None,
            jobs: None,
            page_objects: None,
            memory_bytes: MEMORY_BYTES,
            part_age: Self::PART_AGE,
            patience: PATIENCE,
            state: None,
            allow_missing_nodes: false,
            resume: None,
        }
    }
}

impl VerifyOptions {
    /// Every object of an archive against the collections of the same names. Inactive tenants are left out and named: to
    /// activate them takes a place for journals (`state`).
    #[must_use]
    pub fn new(archive: impl Into<PathBuf>) -> Self {
        Self {
            archive: archive.into(),
            selection: Selection::default(),
            name: None,
            renames: Renames::default(),
            tenants: TenantMap::Same,
            sample: None,
            limit: Self::LIMIT,
            jobs: None,
            memory_bytes: MEMORY_BYTES,
            patience: PATIENCE,
            seed: 0,
            state: None,
        }
    }
}

impl RestoreOptions {
    /// All collections of an archive under their names, with objects, vectors and aliases and without roles, tried out first
    /// and compared afterwards.
    #[must_use]
    pub fn new(archive: impl Into<PathBuf>, state: StateFolders) -> Self {
        let archive = archive.into();
        Self {
            archive_at: std::path::absolute(&archive).unwrap_or_else(|_| archive.clone()),
            archive,
            selection: Selection::default(),
            name: None,
            renames: Renames::default(),
            tenants: TenantMap::Same,
            data: true,
            vectors: true,
            revectorize: false,
            allowed_endpoints: Vec::new(),
            key_headers: Vec::new(),
            clamp_ints: false,
            aliases: AliasPolicy::Keep,
            roles: false,
            settings: Vec::new(),
            verify: true,
            jobs: None,
            batch_objects: None,
            memory_bytes: MEMORY_BYTES,
            patience: PATIENCE,
            state,
            differences_listed: VerifyOptions::LIMIT,
            resume: false,
            looks_anyway: false,
            rehearse: true,
        }
    }
}

impl ClearOptions {
    /// These collections, in the way that fits each, tried out first.
    #[must_use]
    pub fn new(selection: Selection, state: StateFolders) -> Self {
        Self {
            selection,
            tenants: Vec::new(),
            wish: Wish::Auto,
            allow_protected: false,
            folder: PathBuf::from(FOLDER),
            state,
            memory_bytes: MEMORY_BYTES,
            patience: PATIENCE,
            rehearse: true,
            resumes: false,
        }
    }
}

impl CreationOptions {
    /// An empty collection of this class document, without tenants, tried out first.
    #[must_use]
    pub fn new(schema: Schema, state: StateFolders) -> Self {
        Self { schema, name: None, tenants: Vec::new(), state, rehearse: true }
    }
}

impl RemovalOptions {
    /// These collections.
    #[must_use]
    pub fn new(selection: Selection, locks: impl Into<PathBuf>) -> Self {
        let (folder, locks) = (PathBuf::from(FOLDER), locks.into());
        Self { selection, allow_protected: false, folder, locks, patience: PATIENCE }
    }
}

impl CheckOptions {
    /// Every byte of an archive, with a thread for each processor.
    #[must_use]
    pub fn new(archive: impl AsRef<Path>) -> Self {
        let readers = available_parallelism().map_or(1, usize::from);
        Self { archive: archive.as_ref().to_owned(), readers, memory_bytes: MEMORY_BYTES }
    }
}
