//! Before anybody is asked, and before anything is dropped: what will be created again is created under a scratch name,
//! with its tenants, compared, and removed. Sends writing requests, which touch nothing of the user's.

use std::collections::BTreeSet;

use super::due::{Part, part};
use super::method::choose;
use super::plan::loses;
use super::{ClearPlan, ClearRefusal, CollectionClear};
use crate::event::{Remark, SettingRemark};
use crate::model::{CollectionName, Renames, Schema};
use crate::ops::schema::{Made, Rehearsal, Rehearsed, Subject, Target, Unmakeable, fit, remarks_of, sweep};
use crate::ops::{Error, Session, WriteAccess};
use crate::weaviate::{Tenant, Writer};

/// Rehearses what the plan creates again. Where the server would not take a collection back, it is emptied by deleting if
/// nobody asked for the other way; else it is refused. What killed runs left behind is removed in any case.
///
/// # Errors
///
/// The server would not take a collection back that was to be recreated, or cannot be reached.
pub async fn rehearse(writer: &Writer, session: &Session, mut plan: ClearPlan) -> Result<ClearPlan, Error> {
    let access = WriteAccess::new(writer, session);
    let state = plan.options.state.clone();
    if !plan.options.rehearse {
        sweep(access, &state).await?;
        return Ok(plan);
    }
    let (server, rights) = (plan.server.clone(), plan.rights.clone());
    let target = server.target();
    let mut rehearsal = Rehearsal::open(access, &state, target, rights.as_ref()).await?;
    // What an earlier run dropped is there again before anything else is created.
    let pending = plan.collections.iter().filter(|planned| !planned.exists).map(|planned| planned.name().clone());
    let pending = pending.collect();
    let mut refusals = Vec::new();
    let mut failed = None;
    for planned in &mut plan.collections {
        let mut on_stage = OnStage { rehearsal: &mut rehearsal, target, wish: plan.options.wish, pending: &pending };
        match on_stage.collection(planned).await {
            Ok(refusal) => refusals.extend(refusal),
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
    }
    rehearsal.close().await;
    match (failed, refusals.is_empty()) {
        (Some(error), _) => Err(error),
        (None, false) => Err(Error::CannotClear { refusals }),
        (None, true) => Ok(plan),
    }
}

struct OnStage<'a, 'r> {
    rehearsal: &'a mut Rehearsal<'r>,
    target: Target<'a>,
    wish: super::Wish,
    /// Collections that are not there yet, and will be when it is created.
    pending: &'a BTreeSet<CollectionName>,
}

impl OnStage<'_, '_> {
    /// Rehearses one collection by the method chosen, and by the other one if that is chosen then.
    async fn collection(&mut self, planned: &mut CollectionClear) -> Result<Option<ClearRefusal>, Error> {
        let mut done = Vec::new();
        while let Some(part) = part(planned).filter(|part| !done.contains(part)) {
            let unmakeable = match part {
                Part::Whole => self.whole(planned).await?,
                Part::Tenants => self.tenants(planned).await?,
            };
            done.push(part);
            let Some(why) = unmakeable else {
                planned.rehearsed = Rehearsed::Done;
                continue;
            };
            *match part {
                Part::Whole => &mut planned.facts.unmakeable,
                Part::Tenants => &mut planned.facts.tenants_unmakeable,
            } = Some(why);
            match choose(planned.name(), self.wish, &planned.facts) {
                Ok((method, why)) => {
                    (planned.method, planned.why) = (method, why);
                    planned.rehearsed = Rehearsed::NotNeeded;
                    planned.loses = loses(&planned.standing, &planned.fit, &planned.facts, method);
                }
                Err(refusal) => return Ok(Some(refusal)),
            }
        }
        Ok(None)
    }

    async fn whole(&mut self, planned: &mut CollectionClear) -> Result<Option<Unmakeable>, Error> {
        let tenants = planned.all_tenants().unwrap_or_default();
        let archived = planned.schema().clone();
        let mut found = self.under_scratch_name(&planned.fit, &archived, &tenants).await?;
        if matches!(found, Err(Unmakeable::Otherwise { .. }))
            && let Some(explicit) = planned.fit.without_default_compression()
        {
            let again = self.under_scratch_name(&explicit, &archived, &tenants).await?;
            if again.is_ok() {
                planned.fit = explicit;
            }
            // What else stands against it is told, now that this does not.
            if !matches!(again, Err(Unmakeable::Otherwise { .. })) {
                found = again;
            }
        }
        match found {
            Ok(made) => {
                planned.loses = loses(&planned.standing, &planned.fit, &planned.facts, planned.method);
                if let Made::Same { additions, applied } = made {
                    planned.loses.extend(remarks_of(&applied));
                    let added =
                        (!additions.is_empty()).then_some(SettingRemark::SettingsToCome { settings: additions });
                    planned.loses.extend(added.map(Remark::from));
                }
                Ok(None)
            }
            Err(why) => Ok(Some(why)),
        }
    }

    /// Tenants alone: those of a collection that stays.
    async fn tenants(&mut self, planned: &CollectionClear) -> Result<Option<Unmakeable>, Error> {
        let name = planned.name();
        let document =
            serde_json::json!({"class": name, "vectorizer": "none", "multiTenancyConfig": {"enabled": true}});
        let Ok(schema) = Schema::parse(document.to_string().into()) else {
            return Err(Error::Stage { what: "rehearsal".into() });
        };
        let fit = fit(&schema, &Renames::default(), &self.target);
        let tenants = planned.all_tenants().unwrap_or_default();
        let pending = BTreeSet::new();
        let subject = Subject { fit: &fit, archived: &schema, pending: &pending, tenants: &tenants, strict: false };
        Ok(match self.rehearsal.one(&subject).await? {
            // What is made of such a document says nothing about the tenants.
            Ok(_) | Err(Unmakeable::Otherwise { .. }) => None,
            Err(why) => Some(why),
        })
    }

    async fn under_scratch_name(
        &mut self,
        fit: &crate::ops::schema::Fit,
        archived: &Schema,
        tenants: &[Tenant],
    ) -> Result<Result<Made, Unmakeable>, Error> {
        self.rehearsal.one(&Subject { fit, archived, pending: self.pending, tenants, strict: true }).await
    }
}
