//! Writing one collection: lanes of stretches become runs, runs become parts, parts become durable.

mod carried;
mod close;
mod discard;
mod noting;
mod vectors;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::content::Content;
use super::digest::{Hash, ObjectDigest, RunDigest, collection_digest};
use super::durable::Stored;
use super::error::{Broken, Error};
use super::lines::OBJECT_BYTES;
use super::manifest::FileEntry;
use super::names;
use super::part::{OpenPart, RunKey};
use super::runs::{self, RunFacts, Runs};
use super::shared::Shared;
use crate::model::coverage::Covered;
use crate::model::{KeyRange, PlaceOfObject, RawObject, Schema, TenantName, VectorNames};

pub use close::ClosedCollection;
pub use discard::Dropped;
use vectors::Vectors;

/// A part is closed before it would grow past this many plain bytes.
pub const PART_BYTES: u64 = 64 << 20;

/// A part that became durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedPart {
    /// The file's name in the collection's folder.
    pub part: Arc<str>,
    /// Objects in it.
    pub objects: u64,
    /// Bytes before compression.
    pub bytes: u64,
    /// Bytes on disk.
    pub stored_bytes: u64,
}

/// What a collection holds so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Totals {
    /// Objects.
    pub objects: u64,
    /// Plain bytes of their lines, line ends included.
    pub bytes: u64,
    /// Objects that were read and not wanted.
    pub left_out: u64,
    /// The content digest; `None` if only the schema is kept.
    pub digest: Option<Hash>,
    /// Tenants in byte order; one without a name in a plain collection.
    pub tenants: Vec<TenantTotals>,
}

impl Totals {
    /// Objects that were read, wanted or not.
    #[must_use]
    pub fn read(&self) -> u64 {
        self.objects + self.left_out
    }
}

/// What a tenant holds so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantTotals {
    /// The tenant.
    pub tenant: Option<TenantName>,
    /// Objects.
    pub objects: u64,
    /// Objects that were read and not wanted.
    pub left_out: u64,
    /// Plain bytes of their lines.
    pub bytes: u64,
    /// Sum of their digests.
    pub digest: Hash,
}

/// One sequence of stretches with its own open part.
#[derive(Default)]
struct Lane {
    part: Option<OpenPart>,
    run: Option<RunKey>,
    /// When its run began.
    begun: Option<Instant>,
}

/// A durable part.
struct PartFacts {
    objects: u64,
    bytes: u64,
    runs: u64,
    stored_bytes: u64,
    sha256: Hash,
}

/// Writes the objects of one collection. Every call may block on the disk. After an error nothing may follow: the parts
/// sealed so far stay, and the archive stays unsealed.
pub struct CollectionWriter {
    shared: Arc<Shared>,
    schema: Schema,
    content: Content,
    folder: String,
    dir: PathBuf,
    digest: ObjectDigest,
    runs: Runs,
    lanes: BTreeMap<usize, Lane>,
    parts: BTreeMap<u32, PartFacts>,
    next_part: u32,
    /// Empty runs the journal does not know yet.
    empties: BTreeSet<RunKey>,
    /// Durable parts that the journal does not know yet, with their runs in the order of the file.
    unnoted: BTreeMap<u32, Vec<RunKey>>,
    /// Pages with a lower mark are proven; the journal is told of nothing else.
    proven_below: u64,
    vectors: Vectors,
    vector_names: VectorNames,
    /// The names of the collection's shards, if it is a plain one and they are known.
    shards: Vec<String>,
    files: Vec<FileEntry>,
    failed: bool,
}

impl CollectionWriter {
    pub(super) fn new(shared: Arc<Shared>, schema: &Schema, content: Content, folder: String, stored: Stored) -> Self {
        let dir = shared.path.join(names::COLLECTIONS).join(&folder);
        let mut writer = Self {
            shared,
            digest: ObjectDigest::new(schema, content),
            schema: schema.clone(),
            content,
            folder,
            dir,
            runs: Runs::default(),
            lanes: BTreeMap::new(),
            parts: BTreeMap::new(),
            next_part: 0,
            empties: BTreeSet::new(),
            unnoted: BTreeMap::new(),
            proven_below: u64::MAX,
            vectors: Vectors::default(),
            vector_names: VectorNames::default(),
            shards: Vec::new(),
            files: Vec::new(),
            failed: false,
        };
        writer.note(names::SCHEMA, stored);
        writer
    }

    /// Takes the next stretch of a lane: objects ascending within `covers`, the keys they stand for. A stretch that
    /// begins where the lane's last one of the same tenant ended carries its run on; any other one begins a new run.
    /// `mark` is the caller's non-decreasing number; the highest one of a run is kept. Says which parts became durable.
    pub fn append(
        &mut self,
        lane: usize,
        tenant: Option<&TenantName>,
        covers: KeyRange,
        objects: &[RawObject],
        mark: u64,
    ) -> Result<Vec<SealedPart>, Error> {
        self.append_wanted(lane, tenant, covers, (objects, 0), mark)
    }

    /// The same for a stretch that has more objects, so many, which are not wanted.
    pub fn append_wanted(
        &mut self,
        lane: usize,
        tenant: Option<&TenantName>,
        covers: KeyRange,
        (objects, left_out): (&[RawObject], u64),
        mark: u64,
    ) -> Result<Vec<SealedPart>, Error> {
        self.guarded(|writer| {
            let covers = covers.canonical();
            let bytes = writer.check(tenant, &covers, objects)?;
            if covers.is_empty() {
                return Ok(Vec::new());
            }
            let mut at = writer.lanes.remove(&lane).unwrap_or_default();
            let mut sealed = Vec::new();
            if at.part.as_ref().is_some_and(|p| p.bytes > 0 && p.bytes + bytes > PART_BYTES && !objects.is_empty()) {
                sealed.extend(writer.seal_lane(&mut at)?);
            }
            let key = writer.run_for(&mut at, tenant, covers, mark)?;
            if let Some(run) = writer.runs.facts_mut(&key) {
                run.left_out += left_out;
            }
            for object in objects {
                writer.put(&mut at, &key, object)?;
            }
            writer.lanes.insert(lane, at);
            Ok(sealed)
        })
    }

    /// Makes every part durable that has been open for this long, so that a process that is killed on a slow server has
    /// something to resume from.
    pub fn seal_older(&mut self, age: Duration) -> Result<Vec<SealedPart>, Error> {
        self.guarded(|writer| {
            let left_out = |key: &RunKey| writer.runs.get(key).is_some_and(|run| run.facts.left_out > 0);
            let is_old = |lane: &Lane| match (&lane.part, &lane.run) {
                (Some(part), _) => part.opened.elapsed() >= age,
                // Where hardly anything is wanted, no part shows how far it was read.
                (None, Some(run)) => lane.begun.is_some_and(|begun| begun.elapsed() >= age) && left_out(run),
                (None, None) => false,
            };
            let old: Vec<usize> =
                writer.lanes.iter().filter(|(_, lane)| is_old(lane)).map(|(number, _)| *number).collect();
            let sealed = writer.seal_these(&old)?;
            writer.note_empties()?;
            Ok(sealed)
        })
    }

    /// Makes every open part durable, in the order of the lanes.
    pub fn seal_parts(&mut self) -> Result<Vec<SealedPart>, Error> {
        self.guarded(|writer| {
            let sealed = writer.seal_lanes(|_| true)?;
            writer.note_empties()?;
            Ok(sealed)
        })
    }

    /// Its folder, by its path in the archive.
    #[must_use]
    pub fn folder(&self) -> String {
        format!("{}/{}", names::COLLECTIONS, self.folder)
    }

    /// The keys of a tenant that no run covers, in order.
    #[must_use]
    pub fn gaps(&self, tenant: Option<&TenantName>) -> Vec<KeyRange> {
        self.runs.gaps(tenant)
    }

    /// Whether no run is kept at all, not even an empty one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Whether any run of a tenant is kept, be it empty.
    #[must_use]
    pub fn has_runs(&self, tenant: &TenantName) -> bool {
        self.runs.of(Some(tenant)).next().is_some()
    }

    /// The last object that is kept, by tenant and id.
    #[must_use]
    pub fn last_kept(&self) -> Option<PlaceOfObject> {
        let last = |((tenant, _), run): (&RunKey, &Covered<RunFacts>)| Some((tenant.clone(), run.facts.last_id?));
        self.runs.iter().filter_map(last).last()
    }

    /// Objects of a tenant that were read so far and count, wanted or not, open parts included.
    #[must_use]
    pub fn read_of(&self, tenant: Option<&TenantName>) -> u64 {
        self.runs.of(tenant).map(|run| run.facts.objects + run.facts.left_out).sum()
    }

    /// What is kept so far, open parts included.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let of = |tenant: Option<&TenantName>| {
            let mut totals =
                TenantTotals { tenant: tenant.cloned(), objects: 0, left_out: 0, bytes: 0, digest: Hash::default() };
            let mut sum = RunDigest::default();
            for run in self.runs.of(tenant).map(|run| &run.facts) {
                totals.objects += run.objects;
                totals.left_out += run.left_out;
                totals.bytes += run.bytes;
                sum.add(run.digest.hash());
            }
            totals.digest = sum.hash();
            totals
        };
        let mut tenants: Vec<TenantTotals> = self.runs.spaces().map(of).collect();
        if tenants.is_empty() && !self.schema.multi_tenant && self.content != Content::SchemaOnly {
            tenants.push(of(None));
        }
        let digest = (self.content != Content::SchemaOnly).then(|| {
            let name = |t: &TenantTotals| t.tenant.clone().map(String::from).unwrap_or_default();
            let names: Vec<String> = tenants.iter().map(name).collect();
            collection_digest(tenants.iter().zip(&names).map(|(t, name)| (name.as_str(), t.objects, t.digest)))
        });
        Totals {
            objects: tenants.iter().map(|t| t.objects).sum(),
            left_out: tenants.iter().map(|t| t.left_out).sum(),
            bytes: tenants.iter().map(|t| t.bytes).sum(),
            digest,
            tenants,
        }
    }

    /// After an error nothing may follow.
    fn guarded<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if self.failed {
            return Err(self.broken(Broken::AfterFailure));
        }
        let result = work(self);
        self.failed = result.is_err();
        result
    }

    fn broken(&self, what: Broken) -> Error {
        Error::broken(&self.dir, what)
    }

    /// The invariants of a stretch; its plain bytes.
    fn check(&self, tenant: Option<&TenantName>, covers: &KeyRange, objects: &[RawObject]) -> Result<u64, Error> {
        if self.content == Content::SchemaOnly {
            return Err(self.broken(Broken::SchemaOnly));
        }
        if tenant.is_some() != self.schema.multi_tenant {
            return Err(self.broken(Broken::Tenant));
        }
        if covers.from > Some(covers.end()) {
            return Err(self.broken(Broken::Range));
        }
        let (mut last, mut bytes) = (None, 0);
        for object in objects {
            if !covers.contains(object.id) || last >= Some(object.id) {
                return Err(self.broken(Broken::IdOrder(object.id)));
            }
            if object.text.len() >= OBJECT_BYTES {
                return Err(self.broken(Broken::TooLong(object.id)));
            }
            let inside = |at: &std::ops::Range<usize>| at.start <= at.end && at.end <= object.text.len();
            let places = &object.places;
            let places_fit = inside(&places.properties)
                && places.vectors.iter().all(|v| inside(&v.value) && v.name.as_ref().is_none_or(inside));
            if !places_fit || object.text.is_empty() || memchr::memchr(b'\n', &object.text).is_some() {
                return Err(self.broken(Broken::Text(object.id)));
            }
            last = Some(object.id);
            bytes += object.text.len() as u64 + 1;
        }
        Ok(bytes)
    }

    /// The lane's run if the stretch carries it on, else a new one.
    fn run_for(
        &mut self,
        lane: &mut Lane,
        tenant: Option<&TenantName>,
        covers: KeyRange,
        mark: u64,
    ) -> Result<RunKey, Error> {
        let resumes =
            |key: &RunKey| key.0.as_ref() == tenant && self.runs.get(key).is_some_and(|run| run.keys.meets(&covers));
        if let Some(key) = lane.run.take_if(|key| resumes(key)) {
            let there = self.runs.extend(&key, covers, mark).map_err(|_| self.broken(Broken::Overlap))?;
            there.ok_or_else(|| self.broken(Broken::Counts))?;
            lane.run = Some(key.clone());
            return Ok(key);
        }
        self.end_run(lane)?;
        let begun = runs::begin(&mut self.runs, tenant, covers, mark, RunFacts::default());
        let key = begun.map_err(|what| self.broken(what))?;
        lane.run = Some(key.clone());
        lane.begun = Some(Instant::now());
        Ok(key)
    }

    fn put(&mut self, lane: &mut Lane, key: &RunKey, object: &RawObject) -> Result<(), Error> {
        let part = match &mut lane.part {
            Some(part) => part,
            None => lane.part.insert(self.open_part()?),
        };
        let dir = &self.dir;
        let digest = self.digest.of(object).map_err(|_| Error::broken(dir, Broken::Text(object.id)))?;
        let run = self.runs.facts_mut(key).ok_or_else(|| Error::broken(dir, Broken::Counts))?;
        run.lengths.see(&mut self.vector_names, object);
        if run.part.is_none() {
            run.part = Some(part.number);
            run.first_id = Some(object.id);
            part.runs.push(key.clone());
        }
        run.last_id = Some(object.id);
        run.objects += 1;
        run.bytes += object.text.len() as u64 + 1;
        run.digest.add(digest);
        self.vectors.see(object);
        part.line(&object.text)
    }

    fn open_part(&mut self) -> Result<OpenPart, Error> {
        let number = self.next_part;
        if number > names::LAST_PART {
            return Err(self.broken(Broken::Numbers));
        }
        self.next_part += 1;
        OpenPart::create(&self.shared.disk, &self.dir, number, self.shared.codec)
    }

    /// Ends the lane's run; the next stretch begins a new one.
    fn end_run(&mut self, lane: &mut Lane) -> Result<(), Error> {
        let Some(key) = lane.run.take() else { return Ok(()) };
        let broken = |what| Error::broken(&self.dir, what);
        let run = self.runs.facts_mut(&key).ok_or_else(|| broken(Broken::Counts))?;
        match &mut lane.part {
            Some(part) if run.part == Some(part.number) => {
                let span = part.end_frame()?;
                if span.bytes != run.bytes {
                    return Err(broken(Broken::Counts));
                }
                run.offset = span.offset;
                run.stored_bytes = span.stored_bytes;
            }
            _ if run.part.is_none() => drop(self.empties.insert(key)),
            _ => return Err(broken(Broken::Counts)),
        }
        Ok(())
    }

    /// Ends these lanes, in their order; whoever appends to one of them begins it anew.
    fn seal_lanes(&mut self, which: impl Fn(&Lane) -> bool) -> Result<Vec<SealedPart>, Error> {
        let due: Vec<usize> = self.lanes.iter().filter(|(_, lane)| which(lane)).map(|(number, _)| *number).collect();
        self.seal_these(&due)
    }

    fn seal_these(&mut self, due: &[usize]) -> Result<Vec<SealedPart>, Error> {
        let mut sealed = Vec::new();
        for mut lane in due.iter().filter_map(|number| self.lanes.remove(number)).collect::<Vec<_>>() {
            sealed.extend(self.seal_lane(&mut lane)?);
        }
        Ok(sealed)
    }

    /// Ends the lane's run and makes its part durable: first the part, then the journal, as soon as it is proven.
    fn seal_lane(&mut self, lane: &mut Lane) -> Result<Option<SealedPart>, Error> {
        self.end_run(lane)?;
        let Some(mut part) = lane.part.take() else { return Ok(None) };
        let (number, objects, bytes) = (part.number, part.objects, part.bytes);
        let keys = std::mem::take(&mut part.runs);
        let stored = part.finish()?;
        let mut sums = (0, 0, 0);
        for key in &keys {
            let run = &self.runs.get(key).ok_or_else(|| self.broken(Broken::Counts))?.facts;
            sums = (sums.0 + run.objects, sums.1 + run.bytes, sums.2 + run.stored_bytes);
        }
        if sums != (objects, bytes, stored.bytes) {
            return Err(Error::broken(&self.dir, Broken::Counts));
        }
        let name = names::part(number, self.shared.codec);
        let runs = keys.len() as u64;
        let facts = PartFacts { objects, bytes, runs, stored_bytes: stored.bytes, sha256: stored.sha256 };
        self.parts.insert(number, facts);
        self.unnoted.insert(number, keys);
        self.note_parts()?;
        Ok(Some(SealedPart { part: name.into(), objects, bytes, stored_bytes: stored.bytes }))
    }
}

#[cfg(test)]
mod tests;
