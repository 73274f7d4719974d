//! Rehearsal: the very class document, with the very key, created under a scratch name, compared, and removed. What a server
//! would refuse, or make something else of, is known before anything of the user's is touched. Sends writing requests.

mod books;
mod subject;
mod sweep;
mod unmakeable;

use super::fit::{Fit, Target};
use super::made::{Made, made, remade};
use super::make::{CreateAnswer, Late, begin_or_late, complete};
use crate::event::Warning;
use crate::model::{CollectionName, Schema};
use crate::ops::{Error, StateFolders, WriteAccess};
use crate::weaviate::{Error as WireError, Rights, Tenant};
use books::ScratchBooks;
use sweep::{ScratchStays, removed};

pub(in crate::ops) use subject::Subject;
pub(in crate::ops) use sweep::sweep;
pub use unmakeable::Unmakeable;

/// Tenants created in one request: all inactive, so that none is opened.
const TENANTS_A_REQUEST: usize = 10_000;

/// Whether it was tried out that the server makes what is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rehearsed {
    /// Nothing is created.
    #[default]
    NotNeeded,
    /// It has to be, before anything is touched.
    Due,
    /// It was, and the server makes it.
    Done,
    /// Nobody wants it.
    Skipped,
    /// The roles of the key do not let it.
    NotAllowed {
        /// The permission that lacks.
        lacks: &'static str,
    },
}

/// What every collection of a plan is rehearsed with.
pub(in crate::ops) struct Rehearsal<'a> {
    access: WriteAccess<'a>,
    target: Target<'a>,
    /// What the key may do, where that is known.
    rights: Option<&'a Rights>,
    books: ScratchBooks<'a>,
    /// Scratch collections that stay until the end.
    held: Vec<CollectionName>,
    /// Those that may come once more after they were removed: a request to create them was not answered.
    late: Vec<CollectionName>,
    /// The server did not answer when one was to be removed: the others are left to the next run.
    gave_up: bool,
    /// What was found out about documents, each once.
    known: Vec<(String, Result<Made, Unmakeable>)>,
}

impl<'a> Rehearsal<'a> {
    /// Removes what killed runs left on this server, and gets ready. Nothing is created yet.
    pub(in crate::ops) async fn open(
        access: WriteAccess<'a>,
        state: &'a StateFolders,
        target: Target<'a>,
        rights: Option<&'a Rights>,
    ) -> Result<Self, Error> {
        sweep(access, state).await?;
        let books = ScratchBooks::new(access.session, state, access.client.url(), target.version);
        Ok(Self {
            access,
            target,
            rights,
            books,
            held: Vec::new(),
            late: Vec::new(),
            gave_up: false,
            known: Vec::new(),
        })
    }

    /// Creates, compares, and removes; gives what the server made of it, or why it does not make it. A document that was
    /// rehearsed before is not rehearsed again.
    pub(in crate::ops) async fn one(&mut self, subject: &Subject<'_>) -> Result<Result<Made, Unmakeable>, Error> {
        let key = subject.key();
        if let Some((_, found)) = self.known.iter().find(|(known, _)| *known == key) {
            return Ok(found.clone());
        }
        let (found, name) = self.begin(subject).await?;
        if let Some(name) = name {
            self.remove(&name).await;
        }
        if is_about_the_document(&found) {
            self.known.push((key, found.clone()));
        }
        Ok(found)
    }

    /// The same, but that the scratch collection stays until [`Rehearsal::close`]: so it shows how many there may be.
    pub(in crate::ops) async fn hold(&mut self, subject: &Subject<'_>) -> Result<Result<Made, Unmakeable>, Error> {
        let (found, name) = self.begin(subject).await?;
        self.held.extend(name);
        Ok(found)
    }

    /// Removes what is held, and the journal if nothing is left.
    pub(in crate::ops) async fn close(mut self) {
        for name in std::mem::take(&mut self.held) {
            self.remove(&name).await;
        }
        self.books.close().await;
    }

    /// Creates and compares. The scratch collection that may be there since, if any; if it fails, that is removed.
    async fn begin(
        &mut self,
        subject: &Subject<'_>,
    ) -> Result<(Result<Made, Unmakeable>, Option<CollectionName>), Error> {
        let mut refused = None;
        for name in CollectionName::scratch(&subject.fit.target, rand()) {
            if let Some(lacks) = self.lacks(&name, subject) {
                let collection = subject.fit.target.clone();
                refused = refused.or(Some(Unmakeable::NoScratchName { collection, lacks }));
                continue;
            }
            self.access.go_on()?;
            self.books.note(&name).await?;
            match self.make(&name, subject).await {
                // Where nothing is told of its roles, another name may be allowed.
                Ok(Err(Unmakeable::Refused { status: Some(403), words, cause })) if self.rights.is_none() => {
                    self.remove(&name).await;
                    refused = Some(Unmakeable::Refused { status: Some(403), words, cause });
                }
                Ok(found) => return Ok((found, Some(name))),
                Err(error) => {
                    self.remove(&name).await;
                    return Err(error);
                }
            }
        }
        let nothing =
            || Unmakeable::NoScratchName { collection: subject.fit.target.clone(), lacks: "create_collections" };
        Ok((Err(refused.unwrap_or_else(nothing)), None))
    }

    /// The permission for a scratch collection of this name that the roles of the key do not give.
    fn lacks(&self, name: &CollectionName, subject: &Subject<'_>) -> Option<&'static str> {
        let rights = self.rights?;
        subject.needs().into_iter().find(|action| !rights.allow(action, name))
    }

    async fn make(&mut self, name: &CollectionName, subject: &Subject<'_>) -> Result<Result<Made, Unmakeable>, Error> {
        let fit = subject.under(name);
        let mut late = Late::default();
        let begun = begin_or_late(self.access, &fit, &mut late).await;
        if late.may_come() {
            self.late.push(name.clone());
        }
        match begun? {
            // A name like this one is nobody else's: the request went out twice.
            CreateAnswer::There | CreateAnswer::Taken => {}
            CreateAnswer::Refused(source) | CreateAnswer::HalfMade(source) | CreateAnswer::Unanswered(source) => {
                return refused(source);
            }
        }
        let there = match complete(self.access.writer, &fit).await {
            Ok(there) => there,
            Err(Error::NotCreated { source, .. }) => return refused(source),
            Err(error) => return Err(error),
        };
        let found = self.compare(&fit, subject.archived, &there, subject.strict);
        if let Made::Other { differences } = found {
            return Ok(Err(Unmakeable::Otherwise { differences }));
        }
        Ok(self.tenants(name, subject.tenants).await?.map(|()| found))
    }

    fn compare(&self, fit: &Fit, archived: &Schema, there: &Schema, strict: bool) -> Made {
        let compare = if strict { remade } else { made };
        compare(&fit.asked, archived, there, &self.target)
    }

    /// Creates the tenants, all of them where servers have a limit, each inactive.
    async fn tenants(&self, name: &CollectionName, tenants: &[Tenant]) -> Result<Result<(), Unmakeable>, Error> {
        // Usage limits came with 1.38.
        let some = if self.target.version.at_least(1, 38) { tenants } else { &tenants[..tenants.len().min(1)] };
        for chunk in some.chunks(TENANTS_A_REQUEST) {
            let chunk: Vec<Tenant> = chunk.iter().map(Tenant::inactive).collect();
            match self.access.ask(self.access.writer.create_tenants(name, &chunk)).await {
                Ok(()) => {}
                Err(Error::Wire(source)) => {
                    return match Unmakeable::of(&source) {
                        Some(Unmakeable::Refused { words, cause, .. }) => {
                            Ok(Err(Unmakeable::Tenants { tenants: tenants.len(), words, cause }))
                        }
                        _ => Err(source.into()),
                    };
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Ok(()))
    }

    /// Removes a scratch collection. If that fails, or if it may come once more, it stays in the journal, for the next run.
    async fn remove(&mut self, name: &CollectionName) {
        let removed = if self.gave_up { Err(ScratchStays::NoAnswer) } else { removed(self.access, name).await };
        match removed {
            Ok(()) if self.late.contains(name) => self.books.left(),
            Ok(()) => self.books.gone(name).await,
            Err(stays) => {
                self.gave_up |= stays == ScratchStays::NoAnswer;
                self.books.left();
                self.access.events.warn(Warning::ScratchStays { collection: name.clone(), reason: stays.to_string() });
            }
        }
    }
}

/// Whether what was found out holds for every collection of this document: what is about the names that a key may use does
/// not.
fn is_about_the_document(found: &Result<Made, Unmakeable>) -> bool {
    !matches!(found, Err(Unmakeable::NoScratchName { .. } | Unmakeable::Refused { status: Some(403), .. }))
}

/// A random number for a name.
fn rand() -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().1
}

/// What a server refused, unless it did not answer at all.
fn refused(source: WireError) -> Result<Result<Made, Unmakeable>, Error> {
    Unmakeable::of(&source).map_or_else(|| Err(source.into()), |why| Ok(Err(why)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_key_may_not_do_under_one_name_is_not_remembered_for_another() {
        let refused = |status| Err(Unmakeable::Refused { status: Some(status), words: "no".into(), cause: None });
        let collection = "A".parse().expect("a name");
        assert!(!is_about_the_document(&Err(Unmakeable::NoScratchName { collection, lacks: "create_collections" })));
        assert!(!is_about_the_document(&refused(403)));
        assert!(is_about_the_document(&refused(422)));
        assert!(is_about_the_document(&Ok(Made::Same { additions: Vec::new(), applied: Vec::new() })));
    }
}
