//! Refused objects are read back before they are called rejected: a server may refuse what it has stored, as its vector
//! index or another index refuses what the store took. And what leads a tenant with vectors of several lengths.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use super::group::{DateLists, Group, Step};
use super::{Dealt, Error, Rejected, Shared};
use crate::event::Warning;
use crate::model::{TenantName, is_odd};
use crate::pipeline::compare::Vectors;
use crate::pipeline::rewrite::Form;
use crate::pipeline::{Batch, split};
use crate::weaviate::{Error as WireError, ImportReply, MostAttempts, PrintedObject, phrases};

/// Refused objects of one collection that are read back at most.
pub(super) const READS_BACK: u64 = 100_000;
/// Pauses before an object is asked for again whose tenant a server does not know: not every node hears at once of one that
/// was created just now.
const UNHEARD_PAUSES: [Duration; 3] =
    [Duration::from_millis(100), Duration::from_millis(300), Duration::from_millis(600)];
/// Such pauses in one collection at most: where very many tenants were removed, they are not waited for one by one.
const MOST_PAUSES: usize = 60;
/// How an empty list is shown where objects differ.
const EMPTY_LISTS: [&str; 2] = ["[]", "[] (0 elements)"];

/// What a server said of an object that it did not call stored.
#[derive(Debug)]
pub(super) enum Said {
    /// That it refused it, in these words.
    Refused(String),
    /// Nothing: there is no result, or one without a status that means something. The words for that.
    Nothing(String),
}

/// Objects that were not called stored and were found to be there, equal to the archive's, when they were read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FoundEqual {
    /// Refused for the length of a vector: no index takes two. Which one the source's index took, no archive tells.
    pub lengths: u64,
    /// Refused in other words: an index may lack them.
    pub refused: u64,
    /// The server did not say what became of them.
    pub unsaid: u64,
}

impl FoundEqual {
    /// These and others.
    #[must_use]
    pub fn plus(self, others: Self) -> Self {
        Self {
            lengths: self.lengths + others.lengths,
            refused: self.refused + others.refused,
            unsaid: self.unsaid + others.unsaid,
        }
    }
}

/// What reading a refused object back told.
#[derive(Debug, PartialEq, Eq)]
enum ReadBack {
    /// It is there as it should be.
    Equal,
    /// Something else is there under its id.
    Other,
    Absent,
    /// It could not be read, for this reason.
    Unknown(String),
}

/// What is known of objects without asking for each of them.
#[derive(Debug, Default)]
pub(super) struct Unreadable {
    /// Why none is read back any more: one question was in vain after all its attempts, and others would take as long.
    all: Option<String>,
    /// Tenants of which none can be read, each with why; `None`: it is not there, and so none of its objects is.
    tenants: BTreeMap<TenantName, Option<String>>,
    /// Pauses made for tenants that the server did not know.
    pauses: usize,
}

fn is_no_tenant(error: &WireError) -> bool {
    error.is_refused() && error.message().is_some_and(phrases::is_no_tenant)
}

impl Unreadable {
    fn of(&self, tenant: Option<&TenantName>) -> Option<ReadBack> {
        let one = tenant.and_then(|tenant| self.tenants.get(tenant));
        let one = one.map(|why| why.clone().map_or(ReadBack::Absent, ReadBack::Unknown));
        one.or_else(|| self.all.clone().map(ReadBack::Unknown))
    }

    /// The pause before an object is asked for again; `None` once this is the answer. `asked`: times it was asked for.
    fn next_pause(&mut self, tenant: Option<&TenantName>, error: &WireError, asked: usize) -> Option<Duration> {
        let pause = *UNHEARD_PAUSES.get(asked.checked_sub(1)?)?;
        // Somebody else's question may have been answered meanwhile.
        if self.pauses >= MOST_PAUSES || !is_no_tenant(error) || self.of(tenant).is_some() {
            return None;
        }
        self.pauses += 1;
        Some(pause)
    }

    /// Keeps what a failed question tells of the objects to come, and tells it of this one.
    fn learn(&mut self, tenant: Option<&TenantName>, error: &WireError, shown: impl Fn(&str) -> String) -> ReadBack {
        let why = shown(&error.to_string());
        match tenant.filter(|_| error.is_refused()) {
            Some(tenant) => {
                self.tenants.insert(tenant.clone(), (!is_no_tenant(error)).then_some(why));
            }
            None => self.all = Some(why),
        }
        self.of(tenant).unwrap_or(ReadBack::Absent)
    }
}

impl Shared<'_> {
    fn unreadable(&self) -> MutexGuard<'_, Unreadable> {
        self.unreadable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Groups that hold objects of odd lengths alone, or none. A server may tell of the refusal of one at the place of
    /// another, and leave others out of its index: nothing but such objects is sent with them.
    pub(super) fn apart(&self, batch: &Batch, groups: Vec<Group>) -> Vec<Group> {
        let Some(mixed) = self.import.mixed.of(batch.space.as_ref()) else { return groups };
        let cut = |group: Group| {
            let is_odd = |at: &usize| is_odd(mixed, &batch.objects[*at]);
            let (odd, usual): (Vec<usize>, Vec<usize>) = group.members.iter().copied().partition(is_odd);
            let part = |members, odd| Group { members, odd, fresh: group.fresh && !odd, ..group.clone() };
            [part(odd, true), part(usual, false)]
        };
        groups.into_iter().flat_map(cut).filter(|group| !group.members.is_empty()).collect()
    }

    /// Sends what leads a tenant. What became of it shows when the same objects are sent in their turn; only that it was
    /// too large is of account, as then less of it may do.
    pub(super) async fn lead(&self, batch: &Batch) -> Result<(), Error> {
        let mixed = self.import.mixed.of(batch.space.as_ref()).unwrap_or_default();
        let (odd, usual): (Vec<_>, Vec<_>) = batch.objects.iter().partition(|object| is_odd(mixed, object));
        let (mut most_usual, mut most_odd) = (usual.len(), odd.len());
        loop {
            let objects = usual[..most_usual].iter().chain(&odd[..most_odd]).copied();
            let outgoing = self.outgoing(batch, objects, &self.import.rewrite, Form::Whole)?;
            match self.intake.send(outgoing, MostAttempts::ANY).await? {
                ImportReply::TooLarge if most_usual + most_odd > 1 => {
                    (most_usual, most_odd) = (most_usual.div_ceil(2), most_odd / 2);
                }
                ImportReply::Judged { .. } | ImportReply::TooLarge | ImportReply::Refused { .. } => return Ok(()),
            }
        }
    }

    /// Objects that the server refused for good: reads each back, and gives those that are there as they should be. The
    /// others are rejected.
    pub(super) async fn give_up(
        &self,
        batch: &Batch,
        group: &Group,
        refused: Vec<(usize, Said)>,
        dealt: &mut Dealt,
    ) -> Result<Vec<usize>, Error> {
        // Nothing of it was stored: there may be nothing to store it in, and each object would be asked for in vain.
        let all = refused.len() == group.members.len() && group.step == Step::Objects;
        if all && self.import.client.client().is_removed(&self.import.collection).await {
            return Err(Error::Removed);
        }
        let mut found = Vec::new();
        for (at, said) in refused {
            let (reason, is_said) = match said {
                Said::Refused(reason) => (reason, true),
                Said::Nothing(reason) => (reason, false),
            };
            let rejected = |stored: bool, more: &str| {
                let rejected = self.refused(batch, group, at, &format!("{reason}{more}"));
                Rejected { stored: stored || rejected.stored, ..rejected }
            };
            // Of later steps it is known that it is there.
            if group.step != Step::Objects {
                dealt.rejected.push(rejected(true, ""));
                continue;
            }
            match self.read_back(batch, group, at).await {
                ReadBack::Equal => {
                    if is_said {
                        let lengths = phrases::is_about_lengths(&reason);
                        dealt.found.lengths += u64::from(lengths);
                        dealt.found.refused += u64::from(!lengths);
                        self.tell_refused_yet_stored(&reason);
                    } else {
                        dealt.found.unsaid += 1;
                    }
                    found.push(at);
                }
                ReadBack::Other => dealt.rejected.push(rejected(true, "; what is there is not as it should be")),
                ReadBack::Absent => dealt.rejected.push(rejected(false, "")),
                ReadBack::Unknown(why) => {
                    dealt
                        .rejected
                        .push(rejected(false, &format!("; whether it is there all the same is unknown: {why}")));
                }
            }
        }
        Ok(found)
    }

    /// Tells once of the words in which objects were refused that are stored.
    fn tell_refused_yet_stored(&self, reason: &str) {
        if !self.told.swap(true, Ordering::Relaxed) {
            let (collection, reason) = (self.import.collection.clone(), self.import.client.client().shown(reason));
            self.import.events.warn(Warning::RefusedYetStored { collection, reason });
        }
    }

    async fn read_back(&self, batch: &Batch, group: &Group, at: usize) -> ReadBack {
        let (import, object, tenant) = (self.import, &batch.objects[at], batch.space.as_ref());
        if let Some(known) = self.unreadable().of(tenant) {
            return known;
        }
        let one_less = |left: u64| left.checked_sub(1);
        if self.reads_back.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_err() {
            return ReadBack::Unknown(format!("only {READS_BACK} refused objects are read back"));
        }
        let mut asked = 0;
        let printed = loop {
            asked += 1;
            let error = match import.client.client().object(&import.collection, tenant, object.id).await {
                Ok(Some(printed)) => break printed,
                Ok(None) => return ReadBack::Absent,
                Err(error) => error,
            };
            let pause = self.unreadable().next_pause(tenant, &error, asked);
            let Some(pause) = pause else {
                return self.unreadable().learn(tenant, &error, |text| import.client.client().shown(text));
            };
            tokio::time::sleep(pause).await;
        };
        let PrintedObject { text, unprintable } = printed;
        let Ok(live) = split::line(&text, &import.collection) else {
            return ReadBack::Unknown("the server printed something else".to_owned());
        };
        let vectors = Vectors::of(import.rewrite.sends_vectors(), unprintable);
        let differing = import.comparer.fields(object, &live, vectors);
        let follows = |field: &crate::event::FieldDiff| {
            let name = field.field.strip_prefix("properties.").unwrap_or_default();
            let later = import.rewrite.following(group.form).iter().any(|property| property == name);
            let empty = field.left.as_deref().is_some_and(|shown| EMPTY_LISTS.contains(&shown));
            field.right.is_none() && (later || (group.date_lists == DateLists::Filled && empty))
        };
        if differing.iter().all(follows) { ReadBack::Equal } else { ReadBack::Other }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_of_one_tenant_is_asked_once_and_told_alike_of_each_of_its_objects() {
        let refused = |message: &str| WireError::Rejected {
            route: "GET /v1/objects/R/…".into(),
            status: 422,
            message: message.into(),
        };
        let (b, c): (TenantName, TenantName) = ("b".parse().expect("a name"), "c".parse().expect("a name"));
        let mut known = Unreadable::default();
        let first = known.learn(Some(&b), &refused("tenant not active: 'b'"), str::to_owned);
        assert!(matches!(&first, ReadBack::Unknown(why) if why.contains("tenant not active")), "{first:?}");
        assert_eq!(known.of(Some(&b)), Some(first));
        assert_eq!((known.of(Some(&c)), known.of(None)), (None, None), "others are still asked for");
        assert_eq!(known.learn(Some(&c), &refused("tenant not found: \"c\""), str::to_owned), ReadBack::Absent);
        let lost = WireError::Server { route: "GET".into(), status: 503, message: "x".into(), asks: None };
        let all = known.learn(None, &lost, str::to_owned);
        assert_eq!((known.of(None), known.of(Some(&c))), (Some(all), Some(ReadBack::Absent)));
    }

    #[test]
    fn a_tenant_that_the_server_does_not_know_is_asked_for_a_few_times_and_many_are_not() {
        let error = |message: &str| WireError::Rejected { route: "GET".into(), status: 422, message: message.into() };
        let name = |text: &str| text.parse::<TenantName>().expect("a name");
        let (gone, other) = (error("tenant not found: \"b\""), error("tenant not active: 'b'"));
        let mut known = Unreadable::default();
        let pauses: Vec<_> = (1..).map_while(|asked| known.next_pause(Some(&name("b")), &gone, asked)).collect();
        assert_eq!(pauses, UNHEARD_PAUSES);
        assert_eq!(known.next_pause(Some(&name("b")), &other, 1), None, "that is an answer");
        known.learn(Some(&name("b")), &gone, str::to_owned);
        assert_eq!(known.next_pause(Some(&name("b")), &gone, 1), None, "it is known");
        let more = (0..200).filter(|n| known.next_pause(Some(&name(&format!("t{n}"))), &gone, 1).is_some()).count();
        assert_eq!(more, MOST_PAUSES - UNHEARD_PAUSES.len());
    }
}
