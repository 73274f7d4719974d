//! A server together with what the run gets from outside: what every step of an operation works with.

use std::ops::Deref;
use std::time::Duration;

use super::Session;
use crate::event::{CollectionResult, Op, RunResult, Status};
use crate::model::{CollectionName, Schema};
use crate::ops::Error;
use crate::pipeline::guard::Guard;
use crate::weaviate::{Client, Count, Writer};

/// A server that is only read.
#[derive(Clone, Copy)]
pub(in crate::ops) struct ReadAccess<'a> {
    pub(in crate::ops) client: &'a Client,
    pub(in crate::ops) session: &'a Session,
}

/// A server that may be changed. Whoever may change it may read it, and not the other way round.
#[derive(Clone, Copy)]
pub(in crate::ops) struct WriteAccess<'a> {
    pub(in crate::ops) writer: &'a Writer,
    pub(in crate::ops) reading: ReadAccess<'a>,
}

impl Deref for ReadAccess<'_> {
    type Target = Session;

    fn deref(&self) -> &Session {
        self.session
    }
}

impl<'a> Deref for WriteAccess<'a> {
    type Target = ReadAccess<'a>;

    fn deref(&self) -> &ReadAccess<'a> {
        &self.reading
    }
}

impl ReadAccess<'_> {
    /// An answer of the server, unless the run is told to stop while it is waited for.
    pub(in crate::ops) fn ask<T, E>(
        &self,
        asked: impl Future<Output = Result<T, E>>,
    ) -> impl Future<Output = Result<T, Error>>
    where
        Error: From<E>,
    {
        self.session.unless_stopped(asked)
    }

    /// Whatever comes of asking, an error too, unless the run is told to stop while it is waited for.
    pub(in crate::ops) fn try_ask<T>(&self, asked: impl Future<Output = T>) -> impl Future<Output = Result<T, Error>> {
        self.ask(async { Ok::<_, Error>(asked.await) })
    }

    /// The objects of one plain collection.
    pub(in crate::ops) async fn count(&self, name: &CollectionName) -> Result<Count, Error> {
        let counts = self.ask(self.client.counts(std::slice::from_ref(name))).await?;
        Ok(counts.into_iter().next().unwrap_or_else(Count::not_given))
    }

    /// The aliases that the server lists for the key, each with its collection.
    pub(in crate::ops) async fn aliases(&self) -> Result<Vec<(String, CollectionName)>, Error> {
        Ok(self.ask(self.client.aliases()).await?.seen().map(|aliases| aliases.pairs).unwrap_or_default())
    }

    /// The result of a run over these collections, with what its requests met.
    pub(in crate::ops) fn result(
        &self,
        op: Op,
        status: Status,
        archive: Option<String>,
        collections: Vec<CollectionResult>,
    ) -> RunResult {
        let (retries, rate_limit) = (self.client.retries(), self.client.rate_limit());
        RunResult { retries, rate_limit, ..RunResult::of(op, status, archive, collections) }
    }

    /// Who watches over a collection while it is read or written.
    pub(in crate::ops) fn guard(&self, schema: Schema, patience: Duration) -> Guard {
        Guard::new(self.client.clone(), schema, self.events.clone(), self.cancel.clone(), patience)
    }
}

impl<'a> WriteAccess<'a> {
    pub(in crate::ops) fn new(writer: &'a Writer, session: &'a Session) -> Self {
        Self { writer, reading: ReadAccess { client: writer.client(), session } }
    }
}
