//! What the journal is told of: durable parts and empty runs, once every page in them is proven. So a run that is killed
//! leaves nothing in doubt that counts.

use super::super::error::{Broken, Error};
use super::super::format::{Record, RunLine};
use super::super::index::Run;
use super::super::names;
use super::super::part::RunKey;
use super::super::runs::{Runs, run};
use super::{CollectionWriter, PartFacts};

/// The mark of what an earlier process kept is 0: that is proven before anything else is.
const NOTHING_PROVEN: u64 = 1;

/// A run that the journal is told of now.
fn journalled(runs: &mut Runs, key: &RunKey) -> Option<Run> {
    runs.facts_mut(key)?.journalled = true;
    runs.get(key).map(|covered| run(key, covered))
}

impl CollectionWriter {
    /// From now on the journal hears of pages only once they are proven, which [`CollectionWriter::note_proven`] says.
    /// Unless this is called, what is sealed counts at once.
    pub fn await_proof(&mut self) {
        self.proven_below = NOTHING_PROVEN;
    }

    /// Pages with a lower mark than this are proven: the journal is told of the parts that hold nothing else. Whether
    /// there were any.
    pub fn note_proven(&mut self, below: u64) -> Result<bool, Error> {
        if below <= self.proven_below {
            return Ok(false);
        }
        self.proven_below = below;
        self.guarded(Self::note_all_proven)
    }

    /// Objects that a process which resumes the run would not read again.
    #[must_use]
    pub fn noted_objects(&self) -> u64 {
        let noted = self.parts.iter().filter(|(number, _)| !self.unnoted.contains_key(number));
        noted.map(|(_, facts)| facts.objects).sum()
    }

    /// Tells the journal of everything that is proven by now.
    pub(super) fn note_all_proven(&mut self) -> Result<bool, Error> {
        let parts = self.note_parts()?;
        Ok(self.note_empties()? || parts)
    }

    fn is_proven(&self, key: &RunKey) -> bool {
        self.runs.get(key).is_none_or(|run| run.mark < self.proven_below)
    }

    /// What the journal is told of a part; its runs come before it.
    pub(super) fn part_record(&self, number: u32, facts: &PartFacts) -> Record {
        Record::Part {
            folder: self.folder.clone(),
            part: names::part(number, self.shared.codec),
            objects: facts.objects,
            bytes: facts.bytes,
            runs: facts.runs,
            stored_bytes: facts.stored_bytes,
            sha256: facts.sha256,
            vectors: self.vectors.known(),
        }
    }

    pub(super) fn note_parts(&mut self) -> Result<bool, Error> {
        let proven = |keys: &Vec<RunKey>| keys.iter().all(|key| self.is_proven(key));
        let due: Vec<u32> = self.unnoted.iter().filter(|(_, keys)| proven(keys)).map(|(number, _)| *number).collect();
        if due.is_empty() {
            return Ok(false);
        }
        let mut journal = self.shared.journal();
        for number in due {
            let (Some(facts), Some(keys)) = (self.parts.get(&number), self.unnoted.remove(&number)) else { continue };
            for key in &keys {
                let run = journalled(&mut self.runs, key).ok_or_else(|| Error::broken(&self.dir, Broken::Counts))?;
                let run = RunLine::new(&run, self.shared.codec);
                journal.append(&Record::Run { folder: self.folder.clone(), run })?;
            }
            journal.append(&self.part_record(number, facts))?;
        }
        journal.sync()?;
        Ok(true)
    }

    pub(super) fn note_empties(&mut self) -> Result<bool, Error> {
        let due: Vec<RunKey> = self.empties.iter().filter(|key| self.is_proven(key)).cloned().collect();
        if due.is_empty() {
            return Ok(false);
        }
        let mut journal = self.shared.journal();
        for key in due {
            self.empties.remove(&key);
            let run = journalled(&mut self.runs, &key).ok_or_else(|| Error::broken(&self.dir, Broken::Counts))?;
            let run = RunLine::new(&run, self.shared.codec);
            journal.append(&Record::Run { folder: self.folder.clone(), run })?;
        }
        journal.sync()?;
        Ok(true)
    }
}
