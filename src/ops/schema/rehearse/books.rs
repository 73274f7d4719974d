//! The journal of a rehearsal, off the async threads: begun with the first scratch collection, removed with the last one.

use std::sync::Arc;

use crate::archive::runfiles::{LeftScratch, ScratchBook, left_scratches};
use crate::archive::{self, RunAbout, RunRecord};
use crate::event::Op;
use crate::model::CollectionName;
use crate::ops::{Error, Session, StateFolders, blocking};
use crate::weaviate::Version;

/// The journal of a rehearsal.
pub(super) struct ScratchBooks<'a> {
    session: &'a Session,
    state: &'a StateFolders,
    url: &'a str,
    version: &'a Version,
    book: Option<ScratchBook>,
    /// Something stays on the server, so that the journal has to stay too.
    left: bool,
}

impl<'a> ScratchBooks<'a> {
    pub(super) fn new(session: &'a Session, state: &'a StateFolders, url: &'a str, version: &'a Version) -> Self {
        Self { session, state, url, version, book: None, left: false }
    }

    /// Writes down, durably, that this scratch collection may exist from now on.
    pub(super) async fn note(&mut self, name: &CollectionName) -> Result<(), Error> {
        let record = RunRecord::Scratch { target: name.clone(), at: self.session.clock.now() };
        let (disk, runs, about) = (Arc::clone(&self.session.local), self.state.runs.clone(), self.about());
        let book = self.book.take();
        let write = move || {
            let mut book = book.map_or_else(|| ScratchBook::create(disk, &runs, about), Ok)?;
            book.note(&record)?;
            Ok::<_, archive::Error>(book)
        };
        self.book = Some(blocking("journal", write).await.map_err(Error::of_run_files)?);
        Ok(())
    }

    /// Writes down that it is gone. If that cannot be, the next run looks for it in vain.
    pub(super) async fn gone(&mut self, name: &CollectionName) {
        let Some(mut book) = self.book.take() else { return };
        let record = RunRecord::ScratchGone { target: name.clone() };
        let write = move || {
            let noted = book.note(&record);
            Ok::<_, archive::Error>((book, noted))
        };
        if let Ok((book, noted)) = blocking("journal", write).await {
            self.left |= noted.is_err();
            self.book = Some(book);
        }
    }

    /// Something stays on the server.
    pub(super) fn left(&mut self) {
        self.left = true;
    }

    /// Removes the journal, unless it tells of something that is still there.
    pub(super) async fn close(self) {
        let Some(book) = self.book.filter(|_| !self.left) else { return };
        if let Err(error) = blocking("journal", move || book.remove()).await {
            // It does no harm where it is.
            tracing::warn!(%error, "the journal of a rehearsal cannot be removed");
        }
    }

    fn about(&self) -> RunAbout {
        let server_version = self.version.text.clone();
        RunAbout { server_version, ..RunAbout::new(Op::Rehearsal, self.session.clock.now(), self.url) }
    }
}

/// What rehearsals left that were killed.
pub(super) async fn left(session: &Session, state: &StateFolders, url: &str) -> Result<Vec<LeftScratch>, Error> {
    let (disk, runs, url) = (Arc::clone(&session.local), state.runs.clone(), url.to_owned());
    let now = session.clock.now();
    blocking("earlier runs", move || left_scratches(&disk, &runs, &url, now)).await.map_err(Error::of_run_files)
}

/// Removes such a journal.
pub(super) async fn forget(left: LeftScratch) {
    if let Err(error) = blocking("journal", move || left.remove()).await {
        tracing::warn!(%error, "the journal of a rehearsal that was killed cannot be removed");
    }
}
