//! What becomes of each object after an answer to its group.

use super::again::Said;
use super::group::{Group, Next};
use super::{Dealt, Error, OBJECT_ATTEMPTS, REFUSED_PIECES, Shared};
use crate::pipeline::Batch;
use crate::pipeline::rewrite::Form;
use crate::weaviate::{Fate, phrases};

/// What becomes of one object after an answer.
enum Turn {
    Stored,
    /// It is sent without its references.
    Bare,
    /// It is sent without its empty lists of dates.
    Undated,
    GivenUp(Said),
    /// It is sent again, for this reason.
    Again(String),
    /// The answer says nothing about it.
    Silent,
}

impl Shared<'_> {
    /// What becomes of an object, by what an answer said of it.
    fn turn(&self, batch: &Batch, group: &Group, at: usize, fate: Fate) -> Result<Turn, Error> {
        let last = group.attempt >= OBJECT_ATTEMPTS;
        Ok(match fate {
            Fate::Stored => Turn::Stored,
            // A target is missing. It may be so in the source too, and a server minds it only here.
            Fate::Refused(reason) if self.carries_bad_references(batch, group, at, &reason)? => Turn::Bare,
            Fate::Refused(reason) if self.carries_bad_date_lists(batch, group, at, &reason)? => Turn::Undated,
            // About its length the server will not change its mind.
            Fate::Refused(reason) if last || (group.odd && phrases::is_about_lengths(&reason)) => {
                Turn::GivenUp(Said::Refused(reason))
            }
            Fate::Unsaid(reason) if last => Turn::GivenUp(Said::Nothing(reason)),
            Fate::Refused(reason) | Fate::Unsaid(reason) => Turn::Again(reason),
            Fate::Silent => Turn::Silent,
        })
    }

    /// Sorts out what an answer said: stored objects are done, others go again or are given up.
    pub(super) async fn sort(
        &self,
        batch: &Batch,
        group: &Group,
        fates: Vec<Fate>,
        groups: &mut Vec<Group>,
        dealt: &mut Dealt,
    ) -> Result<(), Error> {
        let last = group.attempt >= OBJECT_ATTEMPTS;
        let (mut again, mut silent, mut said, mut given_up) = (Vec::new(), Vec::new(), String::new(), Vec::new());
        let (mut stored, mut bare, mut undated, mut accused) = (Vec::new(), Vec::new(), Vec::new(), 0);
        for (at, fate) in group.members.iter().copied().zip(fates) {
            match self.turn(batch, group, at, fate)? {
                Turn::Stored => stored.push(at),
                Turn::Bare => bare.push(at),
                Turn::Undated => undated.push(at),
                Turn::GivenUp(words) => {
                    if let Said::Refused(reason) = &words
                        && group.accused
                        && phrases::not_now(reason, group.made).is_some()
                    {
                        accused += 1;
                        said.clone_from(reason);
                    }
                    given_up.push((at, words));
                }
                Turn::Again(reason) => {
                    said = reason;
                    again.push(at);
                }
                Turn::Silent => silent.push(at),
            }
        }
        if !self.blame.book(stored.len() as u64, accused) {
            let reason = self.import.client.client().shown(&said);
            return Err(Error::WritesRefused { reason, waited: self.import.options.patience });
        }
        stored.extend(self.give_up(batch, group, given_up, dealt).await?);
        self.follow(batch, group, stored, groups, dealt);
        if !bare.is_empty() {
            groups.push(group.goes_on(bare, Next::Bare));
        }
        if !undated.is_empty() {
            groups.push(group.goes_on(undated, Next::Undated));
        }
        if !again.is_empty() {
            self.import.client.client().pause_to_retry(self.intake.route(), group.attempt, &said).await;
            groups.push(group.goes_on(again, Next::Attempt(group.attempt + 1)));
        }
        if silent.is_empty() {
            return Ok(());
        }
        let reason = format!("no result for {} of {} objects", silent.len(), group.members.len());
        if !self.import.client.client().wait_to_retry(self.intake.route(), group.attempt, &reason).await {
            return Err(Error::Unjudged);
        }
        match silent.as_slice() {
            _ if !last => groups.push(group.goes_on(silent, Next::Attempt(group.attempt + 1))),
            // One object can make a server drop the whole answer: find it by halves.
            [one] => {
                let unsaid = vec![(*one, Said::Nothing("the server does not say what became of it".to_owned()))];
                let found = self.give_up(batch, group, unsaid, dealt).await?;
                self.follow(batch, group, found, groups, dealt);
            }
            _ => groups.extend(group.goes_on(silent, Next::Attempt(1)).pieces(REFUSED_PIECES)),
        }
        Ok(())
    }

    /// Whether an object was refused for the references it carries, without which it could be taken.
    fn carries_bad_references(&self, batch: &Batch, group: &Group, at: usize, reason: &str) -> Result<bool, Error> {
        let bad = group.form == Form::Whole && phrases::is_bad_reference(reason);
        Ok(bad && self.import.rewrite.carries_references(&batch.objects[at]).map_err(Error::Text)?)
    }
}
