//! Ending a collection: its index, its grown schema, and what the manifest will say about it.

use std::path::PathBuf;
use std::sync::Arc;

use super::super::content::Content;
use super::super::durable::{self, DurableFile, Stored};
use super::super::error::{Broken, DiskOp, Error, on};
use super::super::format::{Record, RunLine};
use super::super::manifest::{
    CollectionEntry, CollectionFacts, Consistency, Counts, FileEntry, LengthEntry, PartEntry, TenantEntry,
    TenantsChanged, VectorLengthsEntry,
};
use super::super::names;
use super::super::runs::run;
use super::super::shared::Shared;
use super::{CollectionWriter, Totals};
use crate::model::{CollectionName, Schema};

/// The index is handed to the disk in blocks of this many bytes.
const BLOCK_BYTES: usize = 256 << 10;

/// A complete collection. Only the operation knows the `facts`; it sets them before the archive is sealed.
pub struct ClosedCollection {
    /// Counts and consistency.
    pub facts: CollectionFacts,
    pub(in crate::archive) shared: Arc<Shared>,
    pub(in crate::archive) entry: CollectionEntry,
    pub(in crate::archive) files: Vec<FileEntry>,
    name: CollectionName,
    totals: Totals,
}

impl ClosedCollection {
    /// The collection.
    #[must_use]
    pub fn name(&self) -> &CollectionName {
        &self.name
    }

    /// What it holds.
    #[must_use]
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Whether its schema grew while it was read.
    #[must_use]
    pub fn schema_changed(&self) -> bool {
        self.entry.schema_changed
    }
}

impl CollectionWriter {
    /// Keeps the list of tenants and their states, as the operation prints it (multi-tenant collections only).
    pub fn put_tenants(&mut self, json: &[u8]) -> Result<(), Error> {
        self.guarded(|writer| {
            if !writer.schema.multi_tenant || writer.has(names::TENANTS) {
                return Err(writer.broken(Broken::Tenant));
            }
            serde_json::from_slice::<serde::de::IgnoredAny>(json).map_err(|_| writer.broken(Broken::Document))?;
            let stored = durable::put(&writer.shared.disk, writer.dir.join(names::TENANTS), json)?;
            writer.note(names::TENANTS, stored);
            Ok(())
        })
    }

    /// Ends the collection. `schema_after` is the schema read after the last page: if it differs, it is kept as the
    /// schema, and the earlier one beside it. Every part must be sealed, and every key of every tenant covered.
    pub fn close(mut self, schema_after: Option<&Schema>) -> Result<ClosedCollection, Error> {
        if self.failed {
            return Err(self.broken(Broken::AfterFailure));
        }
        if self.lanes.values().any(|lane| lane.part.is_some()) {
            return Err(self.broken(Broken::OpenPart));
        }
        for (_, mut lane) in std::mem::take(&mut self.lanes) {
            self.end_run(&mut lane)?;
        }
        // Whoever closes a collection vouches for all of it.
        self.proven_below = u64::MAX;
        self.note_all_proven()?;
        self.check_complete()?;
        let schema_changed = self.put_schema_after(schema_after)?;
        if self.content != Content::SchemaOnly {
            let stored = self.put_index()?;
            self.note(names::INDEX, stored);
        }
        let totals = self.totals();
        let entry = self.entry(&totals, schema_changed);
        self.journal_now(&Record::Closed { folder: self.folder.clone() })?;
        let Self { shared, files, schema, .. } = self;
        Ok(ClosedCollection { facts: CollectionFacts::default(), shared, entry, files, name: schema.name, totals })
    }

    /// The path in the archive of one of the collection's files.
    #[must_use]
    pub fn path_of(&self, file: &str) -> String {
        format!("{}/{}/{file}", names::COLLECTIONS, self.folder)
    }

    fn has(&self, file: &str) -> bool {
        let path = self.path_of(file);
        self.files.iter().any(|f| f.path == path)
    }

    pub(super) fn note(&mut self, file: &str, stored: Stored) {
        let path = self.path_of(file);
        self.files.retain(|f| f.path != path);
        self.files.push(FileEntry { path, bytes: stored.bytes, sha256: stored.sha256 });
    }

    /// Every key of every tenant is covered, and runs, parts and totals agree.
    fn check_complete(&self) -> Result<(), Error> {
        if self.content == Content::SchemaOnly {
            return Ok(());
        }
        let gap = if self.schema.multi_tenant {
            self.runs.spaces().any(|tenant| !self.gaps(tenant).is_empty())
        } else {
            !self.gaps(None).is_empty()
        };
        if gap {
            return Err(self.broken(Broken::Gap));
        }
        let mut sums = std::collections::BTreeMap::<u32, (u64, u64, u64, u64)>::new();
        for run in self.runs.iter().map(|(_, run)| &run.facts) {
            if let Some(part) = run.part {
                let sum = sums.entry(part).or_default();
                *sum = (sum.0 + run.objects, sum.1 + run.bytes, sum.2 + 1, sum.3 + run.stored_bytes);
            }
        }
        let parts = self.parts.iter().map(|(number, p)| (*number, (p.objects, p.bytes, p.runs, p.stored_bytes)));
        if parts.eq(sums) { Ok(()) } else { Err(self.broken(Broken::Counts)) }
    }

    fn put_schema_after(&mut self, after: Option<&Schema>) -> Result<bool, Error> {
        let Some(after) = after.filter(|after| after.text != self.schema.text) else { return Ok(false) };
        if after.name != self.schema.name || after.multi_tenant != self.schema.multi_tenant {
            return Err(self.broken(Broken::Collections));
        }
        let before = durable::put(&self.shared.disk, self.dir.join(names::SCHEMA_BEFORE), &self.schema.text)?;
        self.note(names::SCHEMA_BEFORE, before);
        let grown = durable::put(&self.shared.disk, self.dir.join(names::SCHEMA), &after.text)?;
        self.note(names::SCHEMA, grown);
        Ok(true)
    }

    fn put_index(&self) -> Result<Stored, Error> {
        let path: PathBuf = self.dir.join(names::INDEX);
        let mut file = DurableFile::create(&self.shared.disk, path.clone())?;
        let mut block = Vec::with_capacity(BLOCK_BYTES);
        for (key, covered) in self.runs.iter() {
            serde_json::to_writer(&mut block, &RunLine::new(&run(key, covered), self.shared.codec))
                .map_err(std::io::Error::from)
                .map_err(on(DiskOp::Write, &path))?;
            block.push(b'\n');
            if block.len() >= BLOCK_BYTES {
                file.write(&block)?;
                block.clear();
            }
        }
        file.write(&block)?;
        file.finish()
    }

    /// The vectors that objects have in several lengths, tenant by tenant.
    fn vector_lengths(&self) -> Vec<VectorLengthsEntry> {
        let mut all = Vec::new();
        let mut runs = self.runs.iter().peekable();
        while let Some(((tenant, _), first)) = runs.next() {
            let mut lengths = first.facts.lengths.clone();
            while let Some((_, more)) = runs.next_if(|((of, _), _)| of == tenant) {
                lengths.add(&more.facts.lengths);
            }
            all.extend(lengths.mixed(&self.vector_names).into_iter().map(|mixed| VectorLengthsEntry {
                tenant: tenant.clone().map(String::from),
                vector: mixed.vector,
                lengths: mixed.lengths.into_iter().map(|(length, objects)| LengthEntry { length, objects }).collect(),
            }));
        }
        all
    }

    fn entry(&mut self, totals: &Totals, schema_changed: bool) -> CollectionEntry {
        let codec = self.shared.codec;
        let mut parts = Vec::with_capacity(self.parts.len());
        for (number, p) in std::mem::take(&mut self.parts) {
            let file = names::part(number, codec);
            self.files.push(FileEntry { path: self.path_of(&file), bytes: p.stored_bytes, sha256: p.sha256 });
            parts.push(PartEntry { file, objects: p.objects, bytes: p.bytes, runs: p.runs });
        }
        let tenant = |t: &super::TenantTotals| TenantEntry {
            tenant: t.tenant.clone().map(String::from),
            objects: t.objects,
            bytes: t.bytes,
            digest: t.digest,
        };
        CollectionEntry {
            name: self.schema.name.to_string(),
            folder: self.folder.clone(),
            multi_tenant: self.schema.multi_tenant,
            replicas: self.schema.replicas,
            content: self.content,
            objects: totals.objects,
            bytes: totals.bytes,
            digest: totals.digest,
            tenants: totals.tenants.iter().map(tenant).collect(),
            vectors: self.vectors.known(),
            vector_lengths: self.vector_lengths(),
            shards: std::mem::take(&mut self.shards),
            parts,
            counts: Counts::default(),
            consistency: Consistency::default(),
            schema_changed,
            tenants_changed: TenantsChanged::default(),
            replica_check: None,
            selection: None,
        }
    }
}
