//! The aliases of restored collections: what the archive knows, what the server has, and what is done about it in the end.

use super::{AliasPolicy, RestoreRefusal};
use crate::archive::Archive;
use crate::event::{AliasRemark, Remark};
use crate::model::{CollectionName, Renames};
use crate::ops::{Error, WriteAccess, archive_selection};
use crate::weaviate::{Aliases, Client, Error as WireError, Listed, Named, Rights};

/// The document that holds them.
const ALIASES: &str = "aliases.json";

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
    /// It is there, and the key may not see what it stands for: it stays what it is.
    Hidden,
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
    /// The permission for it that lacks, if it is known that one does.
    pub lacks: Option<&'static str>,
}

impl PlannedAlias {
    /// What is done.
    #[must_use]
    pub fn remark(&self) -> AliasRemark {
        let (alias, target, lacks) = (self.alias.clone(), self.target.clone(), self.lacks);
        match self.step.clone() {
            AliasStep::Create => AliasRemark::AliasToCreate { alias, target, lacks },
            AliasStep::Overwrite { was } => AliasRemark::AliasToMove { alias, was, target, lacks },
            AliasStep::Keep { of } => AliasRemark::AliasToKeep { alias, of, target },
            AliasStep::Same => AliasRemark::AliasThere { alias, target },
            AliasStep::Hidden => AliasRemark::AliasHidden { alias, target },
        }
    }
}

/// The aliases in an archive: names as they are spelled, and collections as the archive calls them.
pub(in crate::ops) fn archived(archive: &Archive) -> Result<Vec<(String, CollectionName)>, crate::archive::Error> {
    let Some(text) = archive.document(ALIASES)? else { return Ok(Vec::new()) };
    let aliases = Aliases::parse(text).map_err(|error| archive.not_read(ALIASES, &error))?;
    Ok(aliases.pairs)
}

/// Whether servers take it for the name of an alias.
pub(in crate::ops) fn is_fit(alias: &str) -> bool {
    alias.parse::<CollectionName>().is_ok()
}

/// What the plan holds of aliases: steps, those that cannot be, and what stands against it.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) planned: Vec<PlannedAlias>,
    pub(super) remarks: Vec<(CollectionName, Remark)>,
    pub(super) refused: Vec<RestoreRefusal>,
}

/// What it takes to look what is to be done about aliases.
pub(super) struct AliasPlanning<'a> {
    pub(super) client: &'a Client,
    /// Those of the server, as far as it has any and shows them.
    pub(super) listed: &'a Listed<Aliases>,
    /// What the key may do, where that is known.
    pub(super) rights: Option<&'a Rights>,
    pub(super) policy: AliasPolicy,
    pub(super) renames: &'a Renames,
    /// Names on the server of all that is restored.
    pub(super) made: &'a [CollectionName],
    /// Those of the collections that are there.
    pub(super) live: &'a [CollectionName],
    /// The server's version.
    pub(super) server: &'a str,
}

impl AliasPlanning<'_> {
    /// Looks what is to be done about the aliases of these collections. One that the server does not list is asked for by
    /// its name, since a list leaves out what the key may not see.
    pub(super) async fn plan(&self, archived: Vec<(String, CollectionName)>) -> Result<Found, Error> {
        let mut found = Found::default();
        if self.policy == AliasPolicy::Skip {
            return Ok(found);
        }
        for (alias, collection) in archived {
            let target = self.renames.of(&collection).clone();
            if !self.made.contains(&target) {
                continue;
            }
            let Ok(name) = alias.parse() else {
                found.refused.push(RestoreRefusal::AliasUnfit { collection, alias });
                continue;
            };
            let alias = archive_selection::capital(&name);
            if *self.listed == Listed::Nothing {
                let none = AliasRemark::NoAliases { alias, server: self.server.to_owned() };
                found.remarks.push((target, none.into()));
                continue;
            }
            match self.step(collection, &alias, &target).await? {
                Ok(step) => {
                    let needed = match &step {
                        AliasStep::Create => Some("create_aliases"),
                        AliasStep::Overwrite { .. } => Some("update_aliases"),
                        AliasStep::Keep { .. } | AliasStep::Same | AliasStep::Hidden => None,
                    };
                    let may = |action: &&str| self.rights.is_none_or(|rights| rights.allow(action, &target));
                    let lacks = needed.filter(|action| !may(action));
                    found.planned.push(PlannedAlias { alias, target, step, lacks });
                }
                Err(refusal) => found.refused.push(refusal),
            }
        }
        Ok(found)
    }

    /// What is to be done about one alias, or why it cannot be. Servers compare it with names of collections as they are
    /// spelled, and with other aliases without regard to case.
    async fn step(
        &self,
        collection: CollectionName,
        alias: &CollectionName,
        target: &CollectionName,
    ) -> Result<Result<AliasStep, RestoreRefusal>, Error> {
        let alias = alias.clone();
        if let Some(taken) = self.made.iter().chain(self.live).find(|name| **name == alias) {
            return Ok(Err(RestoreRefusal::AliasTaken { collection, alias, by: taken.clone() }));
        }
        let pairs = if let Listed::Seen(aliases) = self.listed { &aliases.pairs[..] } else { &[] };
        let known = pairs.iter().find(|(name, _)| name.eq_ignore_ascii_case(alias.as_str()));
        let stands = match known {
            Some((name, of)) if name == alias.as_str() => Named::There(of.clone()),
            Some((name, of)) => {
                let (there, of) = (name.clone(), of.clone());
                return Ok(Err(RestoreRefusal::AliasSimilar { collection, alias, there, of }));
            }
            None => self.client.alias(&alias).await?,
        };
        let overwrites = self.policy == AliasPolicy::Overwrite;
        Ok(match stands {
            Named::Missing => Ok(AliasStep::Create),
            Named::There(of) if of == *target => Ok(AliasStep::Same),
            Named::There(was) if overwrites => Ok(AliasStep::Overwrite { was }),
            Named::There(of) => Ok(AliasStep::Keep { of }),
            Named::Hidden if overwrites => Err(RestoreRefusal::AliasHidden { collection, alias }),
            Named::Hidden => Ok(AliasStep::Hidden),
        })
    }
}

/// What is to be known of an alias after it was to be set, by what became of the request and by what asking for it gave; and
/// whether it stands for its collection, as far as can be seen.
fn outcome(planned: &PlannedAlias, sent: Result<(), WireError>, now: Named<CollectionName>) -> (bool, AliasRemark) {
    let (alias, target) = (planned.alias.clone(), &planned.target);
    match (now, sent) {
        (Named::There(of), _) if of == *target => {
            let was = if let AliasStep::Overwrite { was } = &planned.step { Some(was.clone()) } else { None };
            (true, AliasRemark::AliasSet { alias, was })
        }
        (Named::Hidden, Ok(())) => (true, AliasRemark::AliasUnseen { alias }),
        (Named::Hidden, Err(error)) if !error.is_no() => {
            (false, AliasRemark::AliasUnknown { alias, error: error.to_string() })
        }
        (_, Err(error)) => (false, AliasRemark::AliasNotSet { alias, error: error.to_string() }),
        (_, Ok(())) => (false, AliasRemark::AliasOtherwise { alias }),
    }
}

/// What the server said, `None` if it refused to. If it did not answer, the run stops here and can be resumed.
pub(super) fn answered<T>(asked: Result<T, Error>) -> Result<Option<T>, Error> {
    match asked {
        Ok(answer) => Ok(Some(answer)),
        Err(Error::Wire(refused)) if refused.is_auth() || refused.is_refused() => Ok(None),
        Err(other) => Err(other),
    }
}

/// What became of a request to create something, which is sent once more where a gateway answered and it is still missing.
pub(super) async fn created<T: PartialEq>(
    create: impl AsyncFn() -> Result<(), WireError>,
    ask: impl AsyncFn() -> Result<Named<T>, Error>,
) -> Result<Result<(), WireError>, Error> {
    let sent = create().await;
    let again = sent.as_ref().is_err_and(WireError::is_gateway) && answered(ask().await)? == Some(Named::Missing);
    Ok(if again { create().await } else { sent })
}

/// Does what was planned and reads it back; what became of each, and whether all is as planned.
/// `complete`: nothing is missing or different in what was restored.
pub(super) async fn set(
    access: WriteAccess<'_>,
    planned: &[PlannedAlias],
    complete: bool,
) -> Result<(Vec<(CollectionName, Remark)>, bool), Error> {
    let (mut remarks, mut all) = (Vec::<(CollectionName, Remark)>::new(), true);
    for one in planned {
        let PlannedAlias { alias, target, step, .. } = one;
        access.go_on()?;
        let sent = match step {
            AliasStep::Same => continue,
            AliasStep::Keep { of } => {
                let stays = AliasRemark::AliasStays { alias: alias.clone(), of: of.clone() };
                remarks.push((target.clone(), stays.into()));
                continue;
            }
            AliasStep::Hidden => {
                remarks.push((target.clone(), one.remark().into()));
                continue;
            }
            AliasStep::Create => {
                let create = async || access.writer.create_alias(alias, target).await;
                created(create, async || access.ask(access.client.alias(alias)).await).await?
            }
            AliasStep::Overwrite { was } => {
                // Whoever reads by the alias is better served by the other collection than by half of this one.
                let (alias, was) = (alias.clone(), was.clone());
                let stays = if complete {
                    match answered(access.ask(access.client.alias(&one.alias)).await)?.unwrap_or(Named::Hidden) {
                        Named::There(of) if of == was || of == *target => None,
                        Named::There(of) => Some(AliasRemark::AliasMovedSince { alias, of }),
                        Named::Missing => Some(AliasRemark::AliasGoneSince { alias, was }),
                        Named::Hidden => Some(AliasRemark::AliasHiddenSince { alias, was }),
                    }
                } else {
                    Some(AliasRemark::AliasNotMoved { alias, was })
                };
                if let Some(stays) = stays {
                    all = false;
                    remarks.push((target.clone(), stays.into()));
                    continue;
                }
                access.writer.move_alias(&one.alias, target).await
            }
        };
        let now = answered(access.ask(access.client.alias(alias)).await)?;
        let (done, remark) = outcome(one, sent, now.unwrap_or(Named::Missing));
        all &= done;
        remarks.push((target.clone(), remark.into()));
    }
    Ok((remarks, all))
}
