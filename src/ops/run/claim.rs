//! The collections that a run holds while it is at work, so that no other run of this machine changes them meanwhile,
//! through whatever URL it reaches the server.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use crate::archive::claims::{self, Claim};
use crate::archive::{Claimant, Use};
use crate::event::Op;
use crate::model::{CollectionName, Schema, ServerIdentity};
use crate::ops::{Error, ReadAccess, blocking};

/// Collections that a run is not about and by whose shards the server is known too. Few: each is a request.
const LASTING: usize = 4;

/// What is claimed.
pub(in crate::ops) struct Claiming<'a> {
    pub(in crate::ops) access: ReadAccess<'a>,
    /// The folder of locks.
    pub(in crate::ops) locks: &'a Path,
    pub(in crate::ops) targets: Vec<CollectionName>,
    /// Names of their shards, as far as they are known.
    pub(in crate::ops) shards: Vec<String>,
}

impl<'a> Claiming<'a> {
    /// These collections; the names of their shards are not known.
    pub(in crate::ops) fn of(access: ReadAccess<'a>, locks: &'a Path, targets: Vec<CollectionName>) -> Self {
        Self { access, locks, targets, shards: Vec::new() }
    }

    /// Refuses what another run holds: for a plan, so that nobody is asked to confirm what cannot be done. `all`: what the
    /// server has.
    pub(in crate::ops) async fn refuse_held(self, all: &[Schema]) -> Result<(), Error> {
        if !self.anybody().await? {
            return Ok(());
        }
        let server = self.server(&lasting(all, &self.targets)).await?;
        let (disk, locks, targets) = (Arc::clone(&self.access.local), self.locks.to_owned(), self.targets);
        let held = blocking("locks", move || claims::held(&*disk, &locks, &server, &targets)).await?;
        held.map_or(Ok(()), |held| Err(crate::archive::Error::from(held).into()))
    }

    /// Holds the collections until the claim is dropped.
    pub(in crate::ops) async fn take(self, op: Op) -> Result<Claim, Error> {
        let all = self.access.ask(self.access.client.schemas()).await?;
        let server = self.server(&lasting(&all, &self.targets)).await?;
        self.hold(op, server, Use::Changes).await
    }

    /// The same for a run that only activates tenants: it asks no more than which nodes there are.
    pub(in crate::ops) async fn take_briefly(self, op: Op) -> Result<Claim, Error> {
        let server = self.server(&[]).await?;
        self.hold(op, server, Use::Wakes).await
    }

    /// The same for a run that reads all there is, and that is worth little if somebody removes it meanwhile. Where nothing
    /// can be written down, nobody is kept out, and the run goes on.
    pub(in crate::ops) async fn take_to_read(self, op: Op) -> Result<Option<Claim>, Error> {
        let server = self.server(&[]).await?;
        match self.hold(op, server, Use::Reads).await {
            Ok(claim) => Ok(Some(claim)),
            Err(held @ Error::Archive(crate::archive::Error::Claimed(_))) => Err(held),
            Err(error) => {
                tracing::warn!(%error, "other runs cannot be told that these collections are read");
                Ok(None)
            }
        }
    }

    async fn hold(self, op: Op, server: ServerIdentity, purpose: Use) -> Result<Claim, Error> {
        let (started, server_url) = (self.access.clock.now(), self.access.client.url().to_owned());
        let by = Claimant { op, pid: std::process::id(), started, server_url };
        let (disk, locks, targets) = (Arc::clone(&self.access.local), self.locks.to_owned(), self.targets);
        blocking("locks", move || Claim::take(&disk, &locks, by, server, targets, purpose))
            .await
            .map_err(Error::of_run_files)
    }

    /// Whether there is any other run, before the server is asked anything.
    async fn anybody(&self) -> Result<bool, Error> {
        let (disk, locks) = (Arc::clone(&self.access.local), self.locks.to_owned());
        blocking("locks", move || claims::anybody(&*disk, &locks)).await
    }

    async fn server(&self, lasting: &[CollectionName]) -> Result<ServerIdentity, Error> {
        self.access.ask(self.access.client.identity(&self.shards, lasting)).await
    }
}

/// Plain collections that a run is not about, the first by name: another run of the same server picks the same ones.
fn lasting(all: &[Schema], targets: &[CollectionName]) -> Vec<CollectionName> {
    let targets: BTreeSet<&CollectionName> = targets.iter().collect();
    let others = all.iter().filter(|schema| !schema.multi_tenant && !targets.contains(&schema.name));
    let others: BTreeSet<&CollectionName> = others.map(|schema| &schema.name).collect();
    others.into_iter().take(LASTING).cloned().collect()
}
