//! Objects that are sent in one request, and what becomes of them.

use std::sync::Arc;

use super::looked::Looked;
use crate::pipeline::Batch;
use crate::pipeline::rewrite::{Form, Rewrite};
use crate::weaviate::Fate;

/// What came of one attempt.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The fate of each object of the group, in its order.
    Judged(Vec<Fate>),
    /// The whole group was refused, for a reason that smaller groups may not have.
    Whole(String),
    /// No answer came in time; smaller groups may be faster.
    Slow,
}

/// What is to be sent of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The objects.
    Objects,
    /// The objects, which were stored before: they take the place of what is there.
    ObjectsAgain,
    /// The lists of dates that have to follow the objects, which are stored.
    DateLists,
    /// The references that have to follow the objects, which are stored.
    References,
}

/// Which of their lists of dates objects carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DateLists {
    /// All.
    All,
    /// Those that are not empty; the others follow.
    Filled,
}

/// What went wrong with the references of a group so far. Each time its objects are sent again first, which puts them in
/// the place of whatever had been added to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tries {
    /// Times some were refused, or nothing was said about them.
    pub(super) refused: u32,
    /// Times nobody knew what became of them, or they were to come at another time.
    pub(super) unknown: u32,
    /// Those of them without an answer in time.
    pub(super) stalls: u32,
}

/// What comes next for members of a group.
///
/// | Sent | What came of it | Next |
/// | --- | --- | --- |
/// | objects | no good answer, a refusal that may pass | [`Next::Attempt`], perhaps in pieces |
/// | objects | refused for a reference, or for an empty list of dates | [`Next::Bare`], [`Next::Undated`] |
/// | objects without empty lists of dates | stored | [`Next::DateLists`] |
/// | objects, lists of dates | stored, and references wait | [`Next::References`] |
/// | references | not sent yet, since others before them got no answer | [`Next::Attempt`] |
/// | references | not known, or refused though they may stand there | [`Next::Anew`] |
/// | references | the same for the last time | [`Next::Farewell`] |
#[derive(Debug)]
pub(super) enum Next {
    /// The same once more, for the `n`th time.
    Attempt(u32),
    /// Its objects without references.
    Bare,
    /// Its objects without empty lists of dates.
    Undated,
    /// Those lists, as the objects are stored.
    DateLists,
    /// Its references, as the objects are stored.
    References,
    /// Its objects in the place of what is there, then their references.
    Anew(Tries),
    /// The same for the last time, without references: the reason is why.
    Farewell(Tries, String),
}

/// Objects of a batch, by their places in it, that are sent together.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Group {
    pub(super) members: Vec<usize>,
    /// What is to be sent.
    pub(super) step: Step,
    /// Which references its objects carry.
    pub(super) form: Form,
    /// Which lists of dates its objects carry.
    pub(super) date_lists: DateLists,
    /// The attempt to come, from 1.
    pub(super) attempt: u32,
    /// What went wrong with its references.
    pub(super) tries: Tries,
    /// Why its objects are sent for the last time, without the references that should have followed.
    pub(super) farewell: Option<String>,
    /// Nothing of it was sent before: how long it takes says something about the pace.
    pub(super) fresh: bool,
    /// The server makes vectors for these objects.
    pub(super) made: bool,
    /// Others were stored beside these objects: whatever is said of them is about them, not about the server.
    pub(super) accused: bool,
    /// They have vectors of another length than most: the server will not change its mind about them.
    pub(super) odd: bool,
    /// What the objects of the batch met where others have objects.
    pub(super) looked: Option<Arc<Looked>>,
}

impl Group {
    /// The batch as one group; or as two where the server makes the vectors of some objects, since a vectorizer that
    /// fails takes the whole request with it. `vectorised`: the vectors that it makes where they lack.
    pub(super) fn of(batch: &Batch, vectorised: &[String], rewrite: &Rewrite) -> Vec<Self> {
        // Where no vector is sent, all objects are alike.
        let sent = rewrite.sends_vectors();
        let lacks = |at: &usize| {
            let object = &batch.objects[*at];
            let has = |name: &String| sent && object.vectors().any(|(n, _)| n == name.as_bytes());
            !vectorised.iter().all(has)
        };
        let (lacking, whole): (Vec<usize>, Vec<usize>) = (0..batch.objects.len()).partition(lacks);
        let group = |members, made| Self {
            members,
            step: Step::Objects,
            form: Form::Whole,
            date_lists: DateLists::All,
            attempt: 1,
            tries: Tries::default(),
            farewell: None,
            fresh: true,
            made,
            accused: false,
            odd: false,
            looked: None,
        };
        let groups = [group(lacking, true), group(whole, false)];
        groups.into_iter().filter(|group| !group.members.is_empty()).collect()
    }

    /// Some of its members, and what comes next for them. Every way on is one of these.
    pub(super) fn goes_on(&self, members: Vec<usize>, next: Next) -> Self {
        let (farewell, looked) = (self.farewell.clone(), self.looked.clone());
        let on = Self { members, attempt: 1, fresh: false, farewell, looked, ..*self };
        match next {
            Next::Attempt(attempt) => Self { attempt, ..on },
            Next::Bare => Self { form: Form::Bare, ..on },
            Next::Undated => Self { date_lists: DateLists::Filled, ..on },
            Next::DateLists => Self { step: Step::DateLists, ..on },
            Next::References => Self { step: Step::References, ..on },
            Next::Anew(tries) => Self { step: Step::ObjectsAgain, tries, accused: false, ..on },
            Next::Farewell(tries, reason) => {
                Self { farewell: Some(reason), ..self.goes_on(on.members, Next::Anew(tries)) }
            }
        }
    }

    /// Up to so many pieces of it, sent before as a whole.
    pub(super) fn smaller(self, pieces: usize) -> Vec<Self> {
        Self { fresh: false, ..self }.pieces(pieces).collect()
    }

    /// Up to so many pieces of it, the first one last, as the end of the list is taken first.
    pub(super) fn pieces(&self, pieces: usize) -> impl Iterator<Item = Self> {
        let size = self.members.len().div_ceil(pieces.max(1)).max(1);
        let piece = |members: &[usize]| {
            let (farewell, looked) = (self.farewell.clone(), self.looked.clone());
            Self { members: members.to_vec(), farewell, looked, ..*self }
        };
        self.members.chunks(size).rev().map(piece)
    }

    /// Plain bytes of its objects, line ends included.
    pub(super) fn bytes(&self, batch: &Batch) -> u64 {
        self.members.iter().map(|at| batch.objects[*at].text.len() as u64 + 1).sum()
    }
}
