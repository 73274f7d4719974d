//! A run that did not get to its end: found by its journal, and held against what is asked for now.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use super::options::Choices;
use super::{Collection, RestoreOptions};
use crate::archive::runfiles::{self, EarlierRun, Forget, Kept};
use crate::archive::{self, Archive, Disk, RunAbout, RunHistory, location};
use crate::event::Op;
use crate::model::{CollectionName, TenantName, path_of_text};
use crate::ops::{Distrust, Error, RunDiffers, RunName, Session, blocking};

/// What a plan says about the run that it resumes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResumedRestore {
    /// The run.
    pub run: RunName,
    /// Objects that are there and are not sent again.
    pub objects: u64,
    /// Of so many.
    pub of: u64,
    /// That run got to its end, and only did not come to tell it.
    pub complete: bool,
    /// Collections of which everything is sent again, the objects that were written down as there, and why these are not
    /// trusted any more.
    pub again: Vec<(CollectionName, u64, Distrust)>,
}

/// A run to resume, with what its files hold.
#[derive(Debug, Clone)]
pub(super) struct Resuming {
    pub(super) run: RunName,
    /// What its journal says, word for word.
    pub(super) looked: Arc<RunHistory>,
    /// What its files hold, but for collections that are gone.
    pub(super) kept: Kept,
    /// Collections that it made, and that are gone from the server.
    gone: Vec<CollectionName>,
    /// Collections of which nothing counts any more, with the objects that were written down as there, and why.
    pub(super) again: Vec<(CollectionName, u64, Distrust)>,
}

impl Resuming {
    /// Whether that run was about to create a collection; not, whether it added tenants to one that existed.
    pub(super) fn began(&self, target: &CollectionName) -> bool {
        self.kept.history.targets.get(target).is_some_and(|history| history.joined.is_none())
    }

    /// The tenants that it added to a collection that existed, or was about to.
    pub(super) fn added(&self, target: &CollectionName) -> Option<&[TenantName]> {
        self.kept.history.targets.get(target)?.joined.as_deref()
    }

    /// Nothing of what was written into a collection counts any more.
    pub(super) fn distrust(&mut self, target: &CollectionName, why: Distrust) {
        let history = self.kept.history.targets.get(target);
        let written = history.map_or(0, |history| history.imported.iter().map(|run| run.objects + run.stored).sum());
        self.again.push((target.clone(), written, why));
    }

    /// What it made of collections that are not `there` any more counts no more: they are begun anew.
    fn forget_gone(&mut self, there: &BTreeSet<CollectionName>) {
        let made = self.kept.history.targets.iter().filter(|(_, history)| history.is_there());
        self.gone = made.map(|(target, _)| target.clone()).filter(|target| !there.contains(target)).collect();
        for target in self.gone.clone() {
            self.distrust(&target, Distrust::Gone);
            self.kept.history.targets.remove(&target);
            self.kept.refused.remove(&target);
        }
    }

    /// What of it does not count any more, for its journal.
    pub(super) fn forget(&self) -> Forget {
        let again = self.again.iter().map(|(target, ..)| target).filter(|target| !self.gone.contains(target));
        Forget { again: again.cloned().collect(), gone: self.gone.clone() }
    }

    /// What a plan of these collections says about it.
    pub(super) fn said(&self, planned: &[Collection]) -> ResumedRestore {
        ResumedRestore {
            run: self.run.clone(),
            objects: planned.iter().map(|collection| collection.before.filled.there()).sum(),
            of: planned.iter().map(|collection| collection.planned.objects).sum(),
            complete: self.kept.history.complete,
            again: self.again.clone(),
        }
    }
}

/// What a run is asked to do: what it shares with an earlier one that it resumes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    pub(super) server_url: String,
    pub(super) archive: String,
    pub(super) archive_run_id: String,
    pub(super) targets: Vec<CollectionName>,
    pub(super) choices: Choices,
}

/// What was found.
#[derive(Debug)]
pub(super) enum FoundRun {
    /// No run that has to do with this one.
    Nothing,
    /// The newest one that fits.
    Fits(Box<Resuming>),
    /// None that fits; what is different in the newest one that has to do with this one.
    Differs { run: RunName, differs: Vec<RunDiffers> },
}

impl Asked {
    /// What an earlier run was about that this one is not.
    fn differs(&self, archives: &dyn Disk, about: &RunAbout) -> Vec<RunDiffers> {
        let mut differs = Vec::new();
        if !about.is_about(&self.server_url) {
            differs.push(RunDiffers::Server { url: about.server_url.clone() });
        }
        let archive = about.archive.clone();
        let is_same_place = location::is_same(archives, &path_of_text(&archive), &path_of_text(&self.archive));
        differs.extend(match (about.archive_run_id == self.archive_run_id, is_same_place) {
            (true, true) => None,
            (true, false) => Some(RunDiffers::ArchivePlace { archive }),
            (false, true) => Some(RunDiffers::ArchiveReplaced { archive }),
            (false, false) => Some(RunDiffers::Archive { archive }),
        });
        if major(&about.tool.version) != major(&RunAbout::this_tool().version) {
            differs.push(RunDiffers::Version { version: about.tool.version.clone() });
        }
        // What an older journal does not know was not chosen.
        let begun = |key| about.options.get(key).unwrap_or(&Value::Null);
        let other = self.choices.iter().filter(|(key, _, value)| begun(*key) != value);
        differs.extend(other.map(|(_, choice, _)| RunDiffers::Choice(*choice)));
        differs
    }

    /// Whether an earlier run that is not the same is worth a word: it restored the same archive, or is in the way.
    fn concerns(&self, run: &EarlierRun) -> bool {
        let in_the_way = || self.targets.iter().any(|target| run.targets.contains(target));
        run.about.archive_run_id == self.archive_run_id || (run.about.is_about(&self.server_url) && in_the_way())
    }
}

fn major(version: &str) -> &str {
    version.split('.').next().unwrap_or(version)
}

/// Looks for the newest run that fits: one that did not get to its end, or one that did and of which everything is still
/// `there`, since it may have been stopped before it could tell.
pub(super) async fn find(
    session: &Session,
    options: &RestoreOptions,
    asked: Asked,
    there: BTreeSet<CollectionName>,
) -> Result<FoundRun, Error> {
    let (disk, archives) = (Arc::clone(&session.local), Arc::clone(&session.archives));
    let (runs, tenants) = (options.state.runs.clone(), options.tenants.clone());
    let merges = options.merge.is_some();
    blocking("earlier runs", move || {
        let mut differing = None;
        for run in runfiles::last_runs(&*disk, &runs, Op::Restore)? {
            // A merge that got to its end is another one when it is asked for again.
            if run.complete && (merges || !run.targets.is_subset(&there)) {
                continue;
            }
            let differs = asked.differs(&*archives, &run.about);
            let name = RunName::of(&run.about);
            if !differs.is_empty() {
                if differing.is_none() && !run.complete && asked.concerns(&run) {
                    differing = Some(FoundRun::Differs { run: name, differs });
                }
                continue;
            }
            if let Some(damage) = run.damage {
                return Err(damage);
            }
            let kept = runfiles::look(&*disk, &runs, name.run_id, &tenants)?;
            let looked = Arc::new(kept.history.clone());
            let mut resuming = Resuming { run: name, looked, kept, gone: Vec::new(), again: Vec::new() };
            resuming.forget_gone(&there);
            return Ok(FoundRun::Fits(Box::new(resuming)));
        }
        Ok::<_, archive::Error>(differing.unwrap_or(FoundRun::Nothing))
    })
    .await
}

/// The archive of the newest restore to this server that did not get to its end.
///
/// # Errors
///
/// The folder of runs cannot be read, or another archive lies where that one lay.
pub async fn left_open(session: &Session, runs: PathBuf, server_url: &str) -> Result<Option<PathBuf>, Error> {
    let (disk, archives, url) = (Arc::clone(&session.local), Arc::clone(&session.archives), server_url.to_owned());
    let newest = blocking("earlier runs", move || {
        let runs = runfiles::last_runs(&*disk, &runs, Op::Restore)?;
        let newest = runs.into_iter().find(|run| !run.complete && run.about.is_about(&url));
        Ok::<_, archive::Error>(newest.map(|run| {
            let path = path_of_text(&run.about.archive);
            // One that cannot be opened is told of when it is restored.
            let is_its =
                Archive::open(&archives, &path).map_or(true, |a| a.manifest().run_id == run.about.archive_run_id);
            (run.about, path, is_its)
        }))
    });
    match newest.await? {
        Some((about, _, false)) => {
            let differs = vec![RunDiffers::ArchiveReplaced { archive: about.archive.clone() }];
            Err(Error::OtherRun { run: RunName::of(&about), differs })
        }
        newest => Ok(newest.map(|(_, path, _)| path)),
    }
}

#[cfg(test)]
mod tests;
