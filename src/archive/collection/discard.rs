//! Taking back what is in doubt and nothing else. A part that holds some of it is written anew without it: the new part is
//! durable first, then the journal says so, then the old one goes.

use std::collections::{BTreeMap, BTreeSet};

use super::super::durable::sync_parent;
use super::super::error::{Broken, DiskOp, Error, on};
use super::super::format::{Record, RunLine};
use super::super::index::Run;
use super::super::manifest::FileEntry;
use super::super::names;
use super::super::part::RunKey;
use super::super::part_reader::PartReader;
use super::super::runs::{RunFacts, run};
use super::{CollectionWriter, PartFacts};
use crate::model::TenantName;
use crate::model::coverage::Covered;

/// What was thrown away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dropped {
    /// Objects that no longer count as read, wanted or not.
    pub objects: u64,
    /// Their plain bytes.
    pub bytes: u64,
}

/// A run as it stays.
type Stays = Covered<RunFacts>;

/// What is left of the runs of a part, in the order of its file.
type Left = Vec<(RunKey, Option<Stays>)>;

/// A part that took another one's place.
struct Rewritten {
    number: u32,
    /// The highest mark of what it holds.
    mark: u64,
    facts: PartFacts,
    runs: Vec<(RunKey, Stays)>,
}

impl CollectionWriter {
    /// Takes back everything with a mark of at least `mark`: whole runs, and what joined others since. What it leaves open
    /// is in `gaps`. The rest is proven.
    pub fn discard_since(&mut self, mark: u64) -> Result<Dropped, Error> {
        self.guarded(|writer| {
            writer.proven_below = writer.proven_below.max(mark);
            let left = writer.runs.in_doubt(mark).map(|(key, earlier)| (key.clone(), earlier.cloned())).collect();
            let dropped = writer.discard(left)?;
            writer.note_all_proven()?;
            Ok(dropped)
        })
    }

    /// Takes back every run of these tenants. What it leaves open is in `gaps`.
    pub fn discard_tenants(&mut self, tenants: &BTreeSet<TenantName>) -> Result<Dropped, Error> {
        let theirs = |(tenant, _): &RunKey, _: &Stays| tenant.as_ref().is_some_and(|tenant| tenants.contains(tenant));
        self.guarded(|writer| writer.discard_whole(theirs))
    }

    /// Takes back whole runs.
    pub(super) fn discard_whole(&mut self, which: impl Fn(&RunKey, &Stays) -> bool) -> Result<Dropped, Error> {
        let fallen = self.runs.iter().filter(|(key, run)| which(key, run)).map(|(key, _)| (key.clone(), None));
        self.discard(fallen.collect())
    }

    /// Takes back runs, each to what is left of it.
    fn discard(&mut self, left: BTreeMap<RunKey, Option<Stays>>) -> Result<Dropped, Error> {
        let fallen: BTreeSet<RunKey> = left.keys().cloned().collect();
        let in_part = |key: &RunKey| self.runs.get(key).and_then(|run| run.facts.part);
        let parts: BTreeSet<u32> = fallen.iter().filter_map(in_part).collect();
        let mut of_parts: BTreeMap<u32, Left> = parts.iter().map(|part| (*part, Left::new())).collect();
        for (key, run) in self.runs.iter() {
            if let Some(of_part) = run.facts.part.and_then(|part| of_parts.get_mut(&part)) {
                let stays = left.get(key).map_or_else(|| Some(run.clone()), Clone::clone);
                of_part.push((key.clone(), stays));
            }
        }
        let before = self.kept_now();
        let rewritten = self.rewrite(&mut of_parts)?;
        self.journal_discarded(&parts, &left, &rewritten)?;
        for (key, earlier) in left {
            // The journal does not know it as it was.
            let earlier =
                earlier.map(|earlier| Stays { facts: RunFacts { journalled: false, ..earlier.facts }, ..earlier });
            let is_empty = earlier.as_ref().is_some_and(|earlier| earlier.facts.objects == 0);
            self.runs.take_back(&key, earlier);
            if is_empty {
                self.empties.insert(key);
            }
        }
        let is_new = |run: &Stays| run.facts.part.is_none() && !run.facts.journalled;
        self.empties.retain(|key| self.runs.get(key).is_some_and(is_new));
        for Rewritten { number, mark, facts, runs } in rewritten {
            let noted = mark < self.proven_below;
            self.parts.insert(number, facts);
            if !noted {
                self.unnoted.insert(number, runs.iter().map(|(key, _)| key.clone()).collect());
            }
            for (key, Covered { facts, .. }) in runs {
                let there = self.runs.facts_mut(&key).ok_or_else(|| Error::broken(&self.dir, Broken::Counts))?;
                *there = RunFacts { journalled: noted, lengths: std::mem::take(&mut there.lengths), ..facts };
            }
        }
        self.remove_parts(&parts, &fallen)?;
        let after = self.kept_now();
        Ok(Dropped { objects: before.objects - after.objects, bytes: before.bytes - after.bytes })
    }

    fn kept_now(&self) -> Dropped {
        let add = |sum: Dropped, (_, run): (&RunKey, &Stays)| Dropped {
            objects: sum.objects + run.facts.objects + run.facts.left_out,
            bytes: sum.bytes + run.facts.bytes,
        };
        self.runs.iter().fold(Dropped::default(), add)
    }

    /// Writes what is left of these parts into new ones. Parts of which nothing is left are passed over.
    fn rewrite(&mut self, of_parts: &mut BTreeMap<u32, Left>) -> Result<Vec<Rewritten>, Error> {
        let holds = |(_, stays): &(RunKey, Option<Stays>)| stays.as_ref().is_some_and(|run| run.facts.objects > 0);
        of_parts.retain(|_, of_part| of_part.iter().any(holds));
        // What is still open is closed first, so that there is one way to read it back.
        self.seal_lanes(|lane| lane.part.as_ref().is_some_and(|part| of_parts.contains_key(&part.number)))?;
        let mut rewritten = Vec::with_capacity(of_parts.len());
        for (number, of_part) in of_parts {
            let place = |key: &RunKey| self.runs.get(key).map(|run| run.facts.offset);
            of_part.sort_by_key(|(key, _)| place(key));
            rewritten.push(self.rewrite_part(*number, of_part)?);
        }
        Ok(rewritten)
    }

    /// Copies the first lines of each run as far as they are left. What is read back is proven to be what was written.
    fn rewrite_part(&mut self, number: u32, of_part: &Left) -> Result<Rewritten, Error> {
        let dir = self.dir.clone();
        let broken = |what| Error::broken(&dir, what);
        let runs: Option<Vec<Run>> =
            of_part.iter().map(|(key, _)| self.runs.get(key).map(|covered| run(key, covered))).collect();
        let mut reader = self.read_back(number, runs.ok_or_else(|| broken(Broken::Counts))?)?;
        let mut part = self.open_part()?;
        let (mut left, mut mark, mut next) = (Vec::new(), 0, reader.next_line()?);
        for (at, (key, stays)) in of_part.iter().enumerate() {
            let mut stays = stays.clone().filter(|run| run.facts.objects > 0);
            let mut wanted = stays.as_ref().map_or(0, |run| run.facts.objects);
            while let Some(line) = next.take_if(|line| line.run == at) {
                if wanted > 0 {
                    part.line(&line.text)?;
                    wanted -= 1;
                }
                next = reader.next_line()?;
            }
            if let Some(Covered { mark: read, facts: run, .. }) = &mut stays {
                let span = part.end_frame()?;
                if wanted > 0 || span.bytes != run.bytes {
                    return Err(broken(Broken::Counts));
                }
                (run.part, run.offset, run.stored_bytes) = (Some(part.number), span.offset, span.stored_bytes);
                mark = mark.max(*read);
            }
            left.extend(stays.map(|stays| (key.clone(), stays)));
        }
        reader.finish()?;
        let (number, objects, bytes) = (part.number, part.objects, part.bytes);
        let stored = part.finish()?;
        let facts =
            PartFacts { objects, bytes, runs: left.len() as u64, stored_bytes: stored.bytes, sha256: stored.sha256 };
        Ok(Rewritten { number, mark, facts, runs: left })
    }

    fn read_back(&self, number: u32, runs: Vec<Run>) -> Result<PartReader, Error> {
        let facts = self.parts.get(&number).ok_or_else(|| self.broken(Broken::Counts))?;
        let name = names::part(number, self.shared.codec);
        let path = self.dir.join(&name);
        let folder = self.shared.disk.open_folder(&self.dir).map_err(on(DiskOp::Open, &self.dir))?;
        let open = folder.open(&name).map_err(on(DiskOp::Open, &path))?.content;
        let file = FileEntry { path: self.path_of(&name), bytes: facts.stored_bytes, sha256: facts.sha256 };
        Ok(PartReader::new(path, self.shared.codec, file, runs, open))
    }

    /// The old parts go before the new ones come, so that no key is ever covered twice: a journal that is cut in between
    /// lacks a part, which is read again. Of what is not proven, old or new, it says nothing.
    fn journal_discarded(
        &self,
        parts: &BTreeSet<u32>,
        left: &BTreeMap<RunKey, Option<Stays>>,
        rewritten: &[Rewritten],
    ) -> Result<(), Error> {
        let (folder, codec) = (|| self.folder.clone(), self.shared.codec);
        let mut journal = self.shared.journal();
        let is_noted = |part: &&u32| self.parts.contains_key(part) && !self.unnoted.contains_key(part);
        for number in parts.iter().filter(is_noted) {
            journal.append(&Record::DropPart { folder: folder(), part: names::part(*number, codec) })?;
        }
        let journalled_empty =
            |key: &&RunKey| self.runs.get(key).is_some_and(|run| run.facts.journalled && run.facts.part.is_none());
        for (tenant, from) in left.keys().filter(journalled_empty) {
            journal.append(&Record::DropEmpty { folder: folder(), tenant: tenant.clone(), from: *from })?;
        }
        for Rewritten { number, facts, runs, .. } in rewritten.iter().filter(|part| part.mark < self.proven_below) {
            for (key, stays) in runs {
                journal.append(&Record::Run { folder: folder(), run: RunLine::new(&run(key, stays), codec) })?;
            }
            journal.append(&self.part_record(*number, facts))?;
        }
        journal.sync()
    }

    fn remove_parts(&mut self, parts: &BTreeSet<u32>, fallen: &BTreeSet<RunKey>) -> Result<(), Error> {
        for lane in self.lanes.values_mut() {
            if let Some(part) = lane.part.take_if(|part| parts.contains(&part.number)) {
                part.discard()?;
            }
            lane.run.take_if(|key| fallen.contains(key));
        }
        let disk = &*self.shared.disk;
        for number in parts {
            self.unnoted.remove(number);
            if self.parts.remove(number).is_some() {
                let path = self.dir.join(names::part(*number, self.shared.codec));
                disk.remove_file(&path).map_err(on(DiskOp::Remove, &path))?;
            }
        }
        if parts.is_empty() { Ok(()) } else { sync_parent(disk, &self.dir.join(names::INDEX)) }
    }
}
