//! A collection that an earlier process began: what it kept is taken over, and proven again before anything follows.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::checkpoint::{CheckpointCollection, CheckpointPart};
use super::super::durable::Stored;
use super::super::error::{Broken, DiskOp, Error, on};
use super::super::format::Record;
use super::super::index::Run;
use super::super::manifest::FileEntry;
use super::super::names;
use super::super::part_reader::PartReader;
use super::super::runs;
use super::super::shared::Shared;
use super::{CollectionWriter, Dropped, PartFacts};
use crate::model::{ObjectId, RawObject, Schema, TenantName};

impl CollectionWriter {
    /// Takes over what the journal knows to be safe. Nothing of it is proven here.
    pub(in crate::archive) fn carried(
        shared: Arc<Shared>,
        schema: &Schema,
        kept: &CheckpointCollection,
        folder: String,
    ) -> Result<Self, Error> {
        let codec = shared.codec;
        let stored = Stored { bytes: schema.text.len() as u64, sha256: kept.schema_sha256 };
        let mut writer = Self::new(shared, schema, kept.content, folder, stored);
        writer.next_part = kept.next_part;
        writer.shards.clone_from(&kept.shards);
        for part in kept.parts.values() {
            let number = names::part_number(&part.file, codec).ok_or_else(|| writer.broken(Broken::Numbers))?;
            let facts = PartFacts {
                objects: part.objects,
                bytes: part.bytes,
                runs: part.runs.len() as u64,
                stored_bytes: part.stored_bytes,
                sha256: part.sha256,
            };
            writer.parts.insert(number, facts);
            writer.vectors.take_over(&part.vectors);
        }
        let runs = kept.parts.values().flat_map(|part| &part.runs).chain(kept.empty.values());
        for run in runs {
            runs::take_over(&mut writer.runs, run).map_err(|what| writer.broken(what))?;
        }
        Ok(writer)
    }

    /// The schema the collection was begun with.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Opens a durable part for reading; what it holds is proven once the reader's `finish` has said so.
    pub fn read_part(&self, part: &CheckpointPart) -> Result<PartReader, Error> {
        let folder = self.shared.disk.open_folder(&self.dir).map_err(on(DiskOp::Open, &self.dir))?;
        let path = self.dir.join(&part.file);
        let open = folder.open(&part.file).map_err(on(DiskOp::Open, &path))?.content;
        let file = FileEntry { path: self.path_of(&part.file), bytes: part.stored_bytes, sha256: part.sha256 };
        Ok(PartReader::new(path, self.shared.codec, file, part.runs.clone(), open))
    }

    /// Takes note of an object of a run that was taken over, while its part is proven.
    pub fn see_kept(&mut self, run: &Run, object: &RawObject) {
        if let Some(facts) = self.runs.facts_mut(&(run.tenant.clone(), run.covers.from)) {
            facts.lengths.see(&mut self.vector_names, object);
        }
    }

    /// Removes a durable part with all its runs. What it leaves open is in `gaps`.
    pub fn discard_part(&mut self, file: &str) -> Result<Dropped, Error> {
        let number = names::part_number(file, self.shared.codec).filter(|number| self.parts.contains_key(number));
        let number = number.ok_or_else(|| self.broken(Broken::Numbers))?;
        self.guarded(|writer| writer.discard_whole(|_, run| run.facts.part == Some(number)))
    }

    /// Writes down the names of the collection's shards, by which a resumed run, and whoever holds the archive against a
    /// server, knows whether it is the same one.
    pub fn note_shards(&mut self, shards: &[String]) -> Result<(), Error> {
        self.shards = shards.to_vec();
        self.shards.sort_unstable();
        let record = Record::Shards { folder: self.folder.clone(), shards: shards.to_vec() };
        self.guarded(|writer| writer.journal_now(&record))
    }

    /// Writes down that the next stretch holds these objects without a vector that the server cannot print. Durable not
    /// later than the part they go into.
    pub fn note_incomplete(&mut self, tenant: Option<&TenantName>, ids: Vec<ObjectId>) -> Result<(), Error> {
        let record = Record::Incomplete { folder: self.folder.clone(), tenant: tenant.cloned(), ids };
        self.guarded(|writer| writer.shared.journal().append(&record))
    }

    pub(super) fn journal_now(&self, record: &Record) -> Result<(), Error> {
        let mut journal = self.shared.journal();
        journal.append(record)?;
        journal.sync()
    }

    /// The tenants that any run is kept of, be it empty.
    #[must_use]
    pub fn tenants(&self) -> BTreeSet<TenantName> {
        self.runs.spaces().flatten().cloned().collect()
    }
}
