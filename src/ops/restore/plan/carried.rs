//! What a plan has to do with an earlier run: which one it resumes, and whether what that one began is still its own.

use std::collections::BTreeSet;

use super::super::remains::Remains;
use super::super::resume::{self, Asked, FoundRun, Resuming};
use super::super::{RestoreOptions, RestoreRefusal, create};
use super::Planning;
use super::candidate::Candidate;
use crate::archive::{Archive, RunHistory, location};
use crate::model::{CollectionName, Renames, Schema, path_text};
use crate::ops::run::claim::Claiming;
use crate::ops::{Altered, Error, ReadAccess, RunName, Session};
use crate::weaviate::Client;

/// What the run will be about, as its journal says it.
pub(super) fn asked(
    client: &Client,
    options: &RestoreOptions,
    archive: &Archive,
    collections: &[(usize, Schema)],
    renames: &Renames,
) -> Asked {
    let names: Vec<(CollectionName, CollectionName)> =
        collections.iter().map(|(_, s)| (s.name.clone(), renames.of(&s.name).clone())).collect();
    Asked {
        server_url: client.url().to_owned(),
        archive: path_text(&location::lasting(&options.archive)),
        archive_run_id: archive.manifest().run_id.clone(),
        choices: options.choices(&names, renames),
        targets: names.into_iter().map(|(_, target)| target).collect(),
    }
}

/// The run to resume, if that is asked for and there is one. Refuses what a run holds that is still at work.
pub(super) async fn resumed_run(
    access: ReadAccess<'_>,
    options: &RestoreOptions,
    asked: &Asked,
    there: &[Schema],
) -> Result<Option<Resuming>, Error> {
    let (locks, targets) = (&*options.state.locks, asked.targets.clone());
    Claiming::of(access, locks, targets).refuse_held(there).await?;
    if !options.resume {
        return Ok(None);
    }
    let there = there.iter().map(|schema| schema.name.clone()).collect();
    match resume::find(access.session, options, asked.clone(), there).await? {
        FoundRun::Nothing => Ok(None),
        FoundRun::Fits(resuming) => Ok(Some(*resuming)),
        FoundRun::Differs { run, differs } => Err(Error::OtherRun { run, differs }),
    }
}

/// The run that left what is in the way, if there is one and nothing else stands against the plan.
pub(super) async fn left_by(
    session: &Session,
    options: &RestoreOptions,
    asked: &Asked,
    refusals: &[RestoreRefusal],
) -> Option<RunName> {
    let left = |refusal: &RestoreRefusal| {
        matches!(refusal, RestoreRefusal::Exists { .. } | RestoreRefusal::TenantExists { .. })
    };
    if options.resume || refusals.is_empty() || !refusals.iter().all(left) {
        return None;
    }
    // Whether there was one is only advice.
    match resume::find(session, options, asked.clone(), BTreeSet::new()).await {
        Ok(FoundRun::Fits(resuming)) => Some(resuming.run),
        Ok(_) => None,
        Err(error) => {
            tracing::warn!(%error, "cannot look for earlier runs");
            None
        }
    }
}

impl Planning<'_> {
    /// What stands against resuming what an earlier run has begun.
    pub(super) async fn not_as_left(
        &self,
        candidates: &[Candidate],
        resuming: &Resuming,
    ) -> Result<Vec<RestoreRefusal>, Error> {
        let mut refusals = Vec::new();
        for candidate in candidates {
            let run = &resuming.kept.history;
            let what = match self.of_another_schema(candidate, run).await? {
                None => candidate.mode.altered(&self.left(candidate), run).await?,
                what => what,
            };
            let (collection, there) = (candidate.schema.name.clone(), candidate.target.clone());
            refusals.extend(what.map(|what| RestoreRefusal::NotAsLeft { collection, there, what }));
        }
        Ok(refusals)
    }

    /// What is wrong with the schema of one.
    async fn of_another_schema(&self, candidate: &Candidate, run: &RunHistory) -> Result<Option<Altered>, Error> {
        let Candidate { target, schema: asked, fit, .. } = candidate;
        let there = self.live.schemas.iter().find(|schema| schema.name == *target);
        let Some(history) = run.targets.get(target) else { return Ok(None) };
        if history.joined.is_some() {
            let asked = candidate.mode.asked(asked);
            return Ok(there.filter(|there| asked.multi_tenant && !there.multi_tenant).map(|_| Altered::NoTenants));
        }
        Ok(match (history.created.is_some(), there) {
            (false, None) => None,
            (false, Some(there)) => create::Begun { fit, asked, there }.other(self.access, self.server).await?,
            (true, Some(_)) if history.verified == Some(true) || run.complete => None,
            (true, there) => create::other(fit, asked, there, self.server),
        })
    }

    /// What an earlier run may have left of it.
    fn left<'c>(&'c self, candidate: &'c Candidate) -> Remains<'c> {
        let Candidate { target, schema, tenants, mode, .. } = candidate;
        let (access, multi_tenant, map) = (self.access, mode.asked(schema).multi_tenant, &self.options.tenants);
        Remains { access, target, multi_tenant, tenants, map }
    }
}
