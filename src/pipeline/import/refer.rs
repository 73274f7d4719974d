//! Adds references to objects that are stored. A server appends them, so a request is never simply sent again: whenever
//! it is not known, or not good, what became of it, the objects are sent first, which replaces them.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::group::{DateLists, Group, Next, Step, Tries};
use super::request::{Request, Requests};
use super::{Dealt, Error, OBJECT_ATTEMPTS, Pass, REFUSED_PIECES, SLOW_PIECES, Shared};
use crate::pipeline::Batch;
use crate::pipeline::pacer::Came;
use crate::weaviate::{ReferReply, Unknown, phrases};

/// What became of the references of one object.
#[derive(Debug, Default)]
struct Followed {
    added: u64,
    /// Why some were not added, and will not be.
    refused: Option<String>,
    /// Why the object is to be sent again, and its references after it.
    again: Option<Again>,
}

#[derive(Debug)]
enum Again {
    /// The server refused a reference, and may have added it. `all`: it refused all in the request.
    Refused { reason: String, all: bool },
    /// The answer does not say what became of it.
    Unsaid,
    /// There was no answer.
    Unknown,
}

/// What became of the references of a group, by the places of their objects in the batch.
#[derive(Debug, Default)]
struct Told {
    objects: BTreeMap<usize, Followed>,
    unknown: Option<Unknown>,
}

impl Told {
    fn of(&mut self, at: usize) -> &mut Followed {
        self.objects.entry(at).or_default()
    }

    fn refuse(&mut self, at: usize, reason: &str) {
        self.of(at).refused.get_or_insert_with(|| reason.to_owned());
    }

    fn all_again(&mut self, request: &Request, again: impl Fn() -> Again) {
        for (at, _) in &request.references {
            self.of(*at).again = Some(again());
        }
    }
}

impl Shared<'_> {
    /// Sorts stored objects: done, to be followed by lists of dates or by their references, or stored for the last time.
    pub(super) fn follow(
        &self,
        batch: &Batch,
        group: &Group,
        stored: Vec<usize>,
        groups: &mut Vec<Group>,
        dealt: &mut Dealt,
    ) {
        if group.date_lists == DateLists::Filled && group.step != Step::DateLists {
            if !stored.is_empty() {
                groups.push(group.goes_on(stored, Next::DateLists));
            }
        } else if let Some(reason) = &group.farewell {
            dealt.rejected.extend(stored.into_iter().map(|at| self.refused(batch, group, at, reason)));
        } else if self.import.pass != Pass::Objects && self.import.rewrite.defers(group.form) && !stored.is_empty() {
            groups.push(group.goes_on(stored, Next::References));
        }
    }

    /// Sends the references of a group whose objects are stored.
    pub(super) async fn refer(
        &self,
        batch: &Batch,
        group: Group,
        groups: &mut Vec<Group>,
        dealt: &mut Dealt,
    ) -> Result<(), Error> {
        let started = Instant::now();
        let mut told = Told::default();
        let mut requests = Requests::new(batch, &group, &self.import.rewrite);
        loop {
            let most_bytes = self.references_bytes.load(Ordering::Relaxed);
            let wanted = |at: usize| told.objects.get(&at).is_none_or(|known| known.again.is_none());
            let Some(request) = requests.next(most_bytes, wanted).map_err(Error::Text)? else { break };
            let bytes = request.body.len();
            let reply = {
                let _open = self.gate.read().await;
                self.import.client.refer(request.body.clone(), request.references.len()).await?
            };
            let refused = match reply {
                ReferReply::Judged(outcomes) => {
                    self.judge(&request, outcomes, &mut told);
                    continue;
                }
                // Nothing is known about any of them.
                ReferReply::Unsaid => {
                    told.all_again(&request, || Again::Unsaid);
                    continue;
                }
                ReferReply::Unknown(unknown) => {
                    self.import.pacer().failed();
                    told.all_again(&request, || Again::Unknown);
                    told.unknown = Some(unknown);
                    // Nothing more before this is put right.
                    break;
                }
                ReferReply::TooLarge => {
                    self.references_bytes.fetch_min(bytes / 2, Ordering::Relaxed);
                    format!("too large: the server, or a proxy, takes no request of {bytes} bytes")
                }
                ReferReply::Refused { status, message } => format!("refused ({status}): {message}"),
            };
            // Nothing of it was added.
            if let Err(one) = requests.cut(request) {
                one.references.into_iter().for_each(|(at, _)| told.refuse(at, &refused));
            }
        }
        if self.import.pass == Pass::References && group.fresh && told.unknown.is_none() {
            let (took, at) = (started.elapsed(), self.begun.elapsed());
            let objects = u32::try_from(batch.objects.len()).unwrap_or(u32::MAX);
            let came = Came { asked: objects, objects: objects.into(), bytes: batch.bytes, took, at };
            self.import.pacer().came(came);
        }
        self.settle(batch, &group, told, groups, dealt).await
    }

    /// Takes in what became of each reference.
    fn judge(&self, request: &Request, outcomes: Vec<Option<String>>, told: &mut Told) {
        let all = outcomes.iter().all(Option::is_some);
        for ((at, _), outcome) in request.references.iter().zip(outcomes) {
            match outcome {
                None => told.of(*at).added += 1,
                Some(reason) if self.was_rejected_before(&reason) => {}
                Some(reason) if phrases::is_not_added(&reason) => told.refuse(*at, &reason),
                Some(reason) => told.of(*at).again = Some(Again::Refused { reason, all }),
            }
        }
    }

    /// Whether it is the object that is missing, since the pass before could not store it.
    fn was_rejected_before(&self, reason: &str) -> bool {
        self.import.pass == Pass::References && phrases::is_no_source(reason)
    }

    /// Sorts the objects of a group by what became of their references.
    async fn settle(
        &self,
        batch: &Batch,
        group: &Group,
        told: Told,
        groups: &mut Vec<Group>,
        dealt: &mut Dealt,
    ) -> Result<(), Error> {
        let Told { mut objects, unknown } = told;
        let (mut lost, mut unsent, mut unsaid, mut refused) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (mut said, mut all_refused) = (String::new(), true);
        for at in group.members.iter().copied() {
            let followed = objects.remove(&at);
            match followed.as_ref().map(|known| &known.again) {
                // After an answer was lost no more was sent.
                None if unknown.is_some() => unsent.push(at),
                Some(None) | None => {}
                Some(Some(Again::Unknown)) => lost.push(at),
                Some(Some(Again::Unsaid)) => unsaid.push(at),
                Some(Some(Again::Refused { reason, all })) => {
                    refused.push(at);
                    said.clone_from(reason);
                    all_refused &= all;
                }
            }
            let Some(Followed { added, refused, again: None }) = followed else { continue };
            dealt.references += added;
            if let Some(reason) = refused {
                dealt.rejected.push(self.refused(batch, group, at, &without(&reason)));
            }
        }
        if !unsent.is_empty() {
            groups.push(group.goes_on(unsent, Next::Attempt(1)));
        }
        if let Some(unknown) = unknown {
            self.mend(group, lost, unknown, groups).await?;
        }
        self.ask_again(group, unsaid, groups).await?;
        self.insist(group, refused, &said, all_refused, groups).await
    }

    /// Has objects sent again, and their references after them, for which there was no answer.
    async fn mend(
        &self,
        group: &Group,
        lost: Vec<usize>,
        unknown: Unknown,
        groups: &mut Vec<Group>,
    ) -> Result<(), Error> {
        let stalled = unknown.error.is_stalled();
        let Tries { refused, unknown: before, stalls } = group.tries;
        let tries = Tries { refused, unknown: before + 1, stalls: stalls + u32::from(stalled) };
        let route = &self.references_route;
        if !self.import.client.client().wait_to_mend(route, tries.unknown, tries.stalls, &unknown).await {
            return Err(unknown.error.into());
        }
        let again = group.goes_on(lost, Next::Anew(tries));
        groups.extend(again.pieces(if stalled { SLOW_PIECES } else { 1 }));
        Ok(())
    }

    /// Has objects sent again, and their references after them, about which nothing was said.
    async fn ask_again(&self, group: &Group, members: Vec<usize>, groups: &mut Vec<Group>) -> Result<(), Error> {
        if members.is_empty() {
            return Ok(());
        }
        let tries = Tries { refused: group.tries.refused + 1, ..group.tries };
        let reason = "the server does not say what became of its references";
        if !self.import.client.client().wait_to_retry(&self.references_route, tries.refused, reason).await {
            return Err(Error::Unjudged);
        }
        match members.as_slice() {
            _ if tries.refused < OBJECT_ATTEMPTS => groups.push(group.goes_on(members, Next::Anew(tries))),
            // One object can make a server drop the whole answer: find it by halves.
            [_] => groups.push(group.goes_on(members, Next::Farewell(tries, without(reason)))),
            _ => {
                groups.extend(group.goes_on(members, Next::Anew(Tries { refused: 0, ..tries })).pieces(REFUSED_PIECES));
            }
        }
        Ok(())
    }

    /// The same for those whose references were refused. In the end they are sent without. `all`: nothing in their requests
    /// was added, for which one of them may be to blame.
    async fn insist(
        &self,
        group: &Group,
        members: Vec<usize>,
        reason: &str,
        all: bool,
        groups: &mut Vec<Group>,
    ) -> Result<(), Error> {
        if members.is_empty() {
            return Ok(());
        }
        let (client, route) = (&self.import.client, &self.references_route);
        if phrases::not_now(reason, false).is_some() {
            // If it is the server's state, the objects wait for it.
            let tries = Tries { unknown: group.tries.unknown + 1, ..group.tries };
            if client.client().wait_to_retry(route, tries.unknown, reason).await {
                groups.push(group.goes_on(members, Next::Anew(tries)));
                return Ok(());
            }
            if all {
                return Err(Error::WritesRefused {
                    reason: client.client().shown(reason),
                    waited: self.import.options.patience,
                });
            }
            groups.push(group.goes_on(members, Next::Farewell(tries, without(reason))));
            return Ok(());
        }
        let tries = Tries { refused: group.tries.refused + 1, ..group.tries };
        if tries.refused < OBJECT_ATTEMPTS {
            client.client().pause_to_retry(route, tries.refused, reason).await;
            groups.push(group.goes_on(members, Next::Anew(tries)));
        } else if all && members.len() > 1 && client.client().wait_to_retry(route, 1, reason).await {
            groups.extend(group.goes_on(members, Next::Anew(Tries { refused: 0, ..tries })).pieces(REFUSED_PIECES));
        } else {
            groups.push(group.goes_on(members, Next::Farewell(tries, without(reason))));
        }
        Ok(())
    }
}

/// Why an object is rejected whose references were refused.
fn without(reason: &str) -> String {
    format!("stored without some of its references: {reason}")
}
