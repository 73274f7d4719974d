//! A collection that an earlier process began: what it kept is taken over, and proven again before anything follows.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::super::checkpoint::{CheckpointCollection, Record};
use super::super::error::{Broken, DiskOp, Error, on};
use super::super::index::Run;
use super::super::manifest::{FileEntry, PartEntry};
use super::super::names;
use super::super::part_reader::PartReader;
use super::super::writer::Shared;
use super::{CollectionWriter, Dropped, PartFacts};
use crate::model::{ObjectId, Schema, TenantName};

impl CollectionWriter {
    /// Takes over what the journal knows to be safe. Nothing of it is proven here.
    pub(in crate::archive) fn carried(
        shared: Arc<Shared>,
        schema: &Schema,
        kept: &CheckpointCollection,
        folder: String,
        dir: PathBuf,
        file: FileEntry,
    ) -> Result<Self, Error> {
        let codec = shared.codec;
        let mut writer = Self::new(shared, schema, kept.content, folder, dir, file);
        writer.next_part = kept.next_part;
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
            writer.runs.take_over(run.clone()).map_err(|what| writer.broken(what))?;
        }
        Ok(writer)
    }

    /// The schema the collection was begun with.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The parts that are durable, by number.
    #[must_use]
    pub fn sealed_parts(&self) -> Vec<PartEntry> {
        let entry = |(number, part): (&u32, &PartFacts)| PartEntry {
            file: names::part(*number, self.shared.codec),
            objects: part.objects,
            bytes: part.bytes,
            runs: part.runs,
        };
        self.parts.iter().map(entry).collect()
    }

    /// Opens a durable part for reading; what it holds is proven once the reader's `finish` has said so.
    pub fn read_part(&self, file: &str) -> Result<PartReader, Error> {
        let (number, facts) = self.sealed(file)?;
        let folder = self.shared.disk.open_folder(&self.dir).map_err(on(DiskOp::Open, &self.dir))?;
        let path = self.dir.join(file);
        let (open, _) = folder.open(file).map_err(on(DiskOp::Open, &path))?;
        let mut runs: Vec<Run> =
            self.runs.iter().filter(|kept| kept.run.part == Some(number)).map(|kept| kept.run.clone()).collect();
        runs.sort_by_key(|run| run.offset);
        let file = FileEntry { path: self.path_of(file), bytes: facts.stored_bytes, sha256: facts.sha256 };
        Ok(PartReader::new(path, self.shared.codec, file, runs, open))
    }

    /// Removes a durable part with all its runs. What it leaves open is in `gaps`.
    pub fn discard_part(&mut self, file: &str) -> Result<Dropped, Error> {
        let (number, _) = self.sealed(file)?;
        self.guarded(|writer| writer.discard(|kept| kept.run.part == Some(number)))
    }

    /// Writes down the names of the collection's shards, by which a resumed run knows whether it is the same one.
    pub fn note_shards(&mut self, shards: &[String]) -> Result<(), Error> {
        let record = Record::Shards { folder: self.folder.clone(), shards: shards.to_vec() };
        self.guarded(|writer| writer.journal_now(&record))
    }

    /// Writes down that the next stretch holds these objects without a vector that the server cannot print. Durable not
    /// later than the part they go into.
    pub fn note_incomplete(&mut self, tenant: Option<&TenantName>, ids: Vec<ObjectId>) -> Result<(), Error> {
        let record = Record::Incomplete { folder: self.folder.clone(), tenant: tenant.cloned(), ids };
        self.guarded(|writer| writer.shared.journal().append(&record))
    }

    fn journal_now(&self, record: &Record) -> Result<(), Error> {
        let mut journal = self.shared.journal();
        journal.append(record)?;
        journal.sync()
    }

    /// The tenants that any run is kept of, be it empty.
    #[must_use]
    pub fn tenants(&self) -> BTreeSet<TenantName> {
        self.runs.tenants().flatten().cloned().collect()
    }

    fn sealed(&self, file: &str) -> Result<(u32, &PartFacts), Error> {
        let number = names::part_number(file, self.shared.codec);
        let found = number.and_then(|number| Some((number, self.parts.get(&number)?)));
        found.ok_or_else(|| self.broken(Broken::Numbers))
    }
}
