//! The aliases of restored collections: what the archive knows, what the server has, and what is done about it in the end.

use serde::Serialize;
use serde_json::Value;

use super::Refusal;
use crate::archive::Archive;
use crate::model::{CollectionName, Renames};
use crate::ops::{Error, Session, chosen};
use crate::weaviate::{Aliases, Error as WireError, Writer};

/// What becomes of aliases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AliasPolicy {
    /// Missing ones are made, those that exist stay as they are.
    #[default]
    Keep,
    /// Those that exist are made to stand for the restored collections.
    Overwrite,
    /// None is touched.
    Skip,
}

/// What is done about one alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AliasStep {
    /// It is made.
    Create,
    /// It stands for this collection, and will stand for the restored one.
    Overwrite {
        /// What it stands for.
        was: CollectionName,
    },
    /// It stays what it is.
    Keep {
        /// What it stands for.
        of: CollectionName,
    },
    /// It stands for the restored collection already.
    Same,
}

/// An alias of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedAlias {
    /// Its name.
    pub alias: CollectionName,
    /// The restored collection, by its name on the server.
    pub target: CollectionName,
    /// What is done.
    pub step: AliasStep,
}

impl PlannedAlias {
    /// What is done, as a clause.
    #[must_use]
    pub fn clause(&self) -> String {
        let (alias, target) = (&self.alias, &self.target);
        match &self.step {
            AliasStep::Create => format!("the alias {alias} is made for {target}"),
            AliasStep::Overwrite { was } => {
                format!("the alias {alias}, which stands for {was}, will stand for {target}")
            }
            AliasStep::Keep { of } => {
                format!("the alias {alias} stays with {of}; --alias overwrite gives it to {target}")
            }
            AliasStep::Same => format!("the alias {alias} stands for {target} already"),
        }
    }
}

/// The aliases in an archive: names, and collections as the archive calls them.
pub(super) fn archived(archive: &Archive) -> Result<Vec<(CollectionName, CollectionName)>, crate::archive::Error> {
    let Some(text) = archive.document("aliases.json")? else { return Ok(Vec::new()) };
    let document: Value = serde_json::from_slice(&text).unwrap_or(Value::Null);
    let name = |value: &Value| value.as_str().and_then(|name| name.parse().ok());
    let listed = document["aliases"].as_array().into_iter().flatten();
    Ok(listed.filter_map(|pair| Some((name(&pair["alias"])?, name(&pair["class"])?))).collect())
}

/// What the plan holds of aliases: steps, clauses about those that cannot be, and what stands against it.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) planned: Vec<PlannedAlias>,
    pub(super) remarks: Vec<(CollectionName, String)>,
    pub(super) refused: Vec<Refusal>,
}

/// Looks what is to be done about the aliases of these collections. `there`: those of the server, if it has any or tells;
/// `made`: names on the server of all that is restored; `live`: those of the collections that are there.
pub(super) fn plan(
    there: Option<&Aliases>,
    archived: Vec<(CollectionName, CollectionName)>,
    policy: AliasPolicy,
    renames: &Renames,
    made: &[CollectionName],
    live: &[CollectionName],
    server: &str,
) -> Found {
    let mut found = Found::default();
    let ours = archived.into_iter().filter_map(|(alias, of)| {
        let target = renames.of(&of).clone();
        made.contains(&target).then_some((alias, of, target))
    });
    let ours: Vec<_> = ours.collect();
    if policy == AliasPolicy::Skip || ours.is_empty() {
        return found;
    }
    let Some(there) = there else {
        let why = format!("the server, Weaviate {server}, has no aliases, or the key may not see them");
        found.remarks =
            ours.into_iter().map(|(a, _, target)| (target, format!("without its alias {a}: {why}"))).collect();
        return found;
    };
    for (alias, collection, target) in ours {
        let same = |name: &&CollectionName| name.as_str().eq_ignore_ascii_case(alias.as_str());
        if let Some(taken) = made.iter().chain(live).find(same) {
            found.refused.push(Refusal::AliasTaken { collection, alias, by: taken.clone() });
            continue;
        }
        let known = there.pairs.iter().find(|(name, _)| name.eq_ignore_ascii_case(alias.as_str()));
        let step = match known.map(|(_, of)| of.clone()) {
            None => AliasStep::Create,
            Some(of) if of == target => AliasStep::Same,
            Some(was) if policy == AliasPolicy::Overwrite => AliasStep::Overwrite { was },
            Some(of) => AliasStep::Keep { of },
        };
        found.planned.push(PlannedAlias { alias: chosen::capital(&alias), target, step });
    }
    found
}

/// What the server said, `None` if it refused to. If it did not answer, the run stops here and can be carried on.
pub(super) fn answered<T>(asked: Result<T, Error>) -> Result<Option<T>, Error> {
    match asked {
        Ok(answer) => Ok(Some(answer)),
        Err(Error::Wire(refused)) if refused.is_auth() || matches!(refused.root(), WireError::Rejected { .. }) => {
            Ok(None)
        }
        Err(other) => Err(other),
    }
}

/// Does what was planned and reads it back; what became of each, as collection and clause, and whether all is as planned.
/// `complete`: nothing is missing or different in what was restored.
pub(super) async fn set(
    writer: &Writer,
    session: &Session,
    planned: &[PlannedAlias],
    complete: bool,
) -> Result<(Vec<(CollectionName, String)>, bool), Error> {
    let (mut remarks, mut all) = (Vec::new(), true);
    for PlannedAlias { alias, target, step } in planned {
        if session.cancel.is_cancelled() {
            return Err(Error::Interrupted);
        }
        let sent = match step {
            AliasStep::Same => continue,
            AliasStep::Keep { of } => {
                remarks.push((target.clone(), format!("the alias {alias} stays with {of}")));
                continue;
            }
            AliasStep::Create => writer.create_alias(alias, target).await,
            AliasStep::Overwrite { was } => {
                // Whoever reads by the alias is better served by the other collection than by half of this one.
                let stays = if complete {
                    match session.unless_stopped(writer.alias(alias)).await? {
                        Some(of) if of == *was || of == *target => None,
                        Some(of) => Some(format!("stays with {of}: somebody moved it there since the plan")),
                        None => Some(format!("stood for {was}, and is gone since the plan")),
                    }
                } else {
                    Some(format!("stays with {was}, since not everything was restored as it was"))
                };
                if let Some(stays) = stays {
                    all = false;
                    remarks.push((target.clone(), format!("the alias {alias} {stays}")));
                    continue;
                }
                writer.move_alias(alias, target).await
            }
        };
        let now = answered(session.unless_stopped(writer.alias(alias)).await)?;
        let done = now.flatten().as_ref() == Some(target);
        all &= done;
        let text = match (done, step, sent) {
            (true, AliasStep::Overwrite { was }, _) => {
                format!("the alias {alias} stands for it now, and no more for {was}")
            }
            (true, ..) => format!("the alias {alias} stands for it"),
            (false, _, Err(error)) => format!("the alias {alias} could not be set: {error}"),
            (false, _, Ok(())) => format!("the alias {alias} does not stand for it, whatever the server answered"),
        };
        remarks.push((target.clone(), text));
    }
    Ok((remarks, all))
}
