//! The beginning of a run: it claims its collections and begins a journal, or takes up that of the run it resumes.

use serde_json::{Map, Value};

use super::super::{PreparedRestore, Resuming};
use crate::archive::{RunAbout, RunHistory};
use crate::event::{Op, Warning};
use crate::ops::run::claim::Claiming;
use crate::ops::run::journal::{Journalled, Taken};
use crate::ops::{Error, ReadAccess};

/// Claims the collections and makes the run's directory, or takes up the one of the run that is resumed.
pub(super) async fn begin(access: ReadAccess<'_>, prepared: &PreparedRestore) -> Result<Journalled, Error> {
    let options = &prepared.plan.options;
    let targets = prepared.work.iter().map(|collection| collection.planned.target.clone()).collect();
    let claiming = Claiming::of(access, &options.state.locks, targets);
    let Some(resuming) = &prepared.resuming else {
        return Journalled::begin(claiming, &options.state, about(prepared)).await;
    };
    let Resuming { run, looked, again, .. } = resuming;
    let taken = Taken {
        op: Op::Restore,
        run_id: run.run_id,
        tenants: options.tenants.clone(),
        looked: RunHistory::clone(looked),
        forget: resuming.forget(),
    };
    let taken = Journalled::resume(claiming, &options.state, taken).await?;
    let Some(journalled) = taken else { return Err(Error::WentOn { run: run.clone() }) };
    for (collection, objects, reason) in again {
        let (collection, objects, reason) = (collection.clone(), *objects, reason.to_string());
        access.events.warn(Warning::SentAgain { collection, objects, reason });
    }
    Ok(journalled)
}

fn about(prepared: &PreparedRestore) -> RunAbout {
    let (asked, options) = (&prepared.asked, &prepared.plan.options);
    let choices = asked.choices.iter().map(|(key, _, value)| ((*key).to_owned(), value.clone()));
    let mut all: Map<String, Value> = choices.collect();
    all.insert("verify".to_owned(), options.verify.into());
    all.insert("jobs".to_owned(), options.jobs.into());
    all.insert("batch_size".to_owned(), options.batch_objects.into());
    all.insert("memory_bytes".to_owned(), options.memory_bytes.into());
    RunAbout {
        server_version: prepared.plan.server_version.clone(),
        archive: asked.archive.clone(),
        archive_run_id: asked.archive_run_id.clone(),
        options: all,
        ..RunAbout::new(Op::Restore, prepared.started, &asked.server_url)
    }
}
