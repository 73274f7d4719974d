//! What a run gets from outside, and work off the async threads.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::archive::{self, Disk, OsDisk};
use crate::event::{Events, Warning};
use crate::model::{Clock, CollectionName};
use crate::ops::Error;
use crate::pipeline::guard::{self, Whole};
use crate::weaviate::Topology;

/// What every operation gets from outside: where events go, how it is told to stop, the disks and the clock.
#[derive(Clone)]
pub struct Session {
    /// Where events go.
    pub events: Events,
    /// Cancelled when the run should stop soon.
    pub cancel: CancellationToken,
    /// Where archives lie.
    pub archives: Arc<dyn Disk>,
    /// Where runs write about themselves, and lock what they work on: a disk of this machine.
    pub local: Arc<dyn Disk>,
    /// The wall clock.
    pub clock: Clock,
}

impl Session {
    /// With the disks and the clock of this machine.
    #[must_use]
    pub fn new(events: Events, cancel: CancellationToken) -> Self {
        Self { events, cancel, archives: archive::archives(), local: Arc::new(OsDisk), clock: Clock::system() }
    }

    /// An answer of the server, unless the run is told to stop while it is waited for: it may be minutes away.
    pub(in crate::ops) async fn unless_stopped<T, E>(
        &self,
        asked: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Error>
    where
        Error: From<E>,
    {
        tokio::select! {
            answer = asked => Ok(answer?),
            () = self.cancel.cancelled() => Err(Error::Interrupted),
        }
    }

    /// Ends a run here that is told to stop.
    pub(in crate::ops) fn go_on(&self) -> Result<(), Error> {
        if self.cancel.is_cancelled() { Err(Error::Interrupted) } else { Ok(()) }
    }

    /// Refuses a server with a node away, before a plan about `collection`; warns if it cannot be asked.
    pub(in crate::ops) async fn whole(
        &self,
        topology: impl Future<Output = Topology>,
        collection: &CollectionName,
    ) -> Result<Whole, Error> {
        let topology = self.unless_stopped::<_, Error>(async { Ok(topology.await) }).await?;
        let whole = Whole::judge(topology, collection)?;
        if let Some(reason) = whole.unchecked.clone() {
            self.events.warn(Warning::TopologyUnchecked { reason });
        }
        Ok(whole)
    }
}

impl Default for Session {
    /// The real disk and clock; nobody listens, and nobody tells it to stop.
    fn default() -> Self {
        Self::new(Events::none(), CancellationToken::new())
    }
}

impl From<guard::Error> for Error {
    fn from(error: guard::Error) -> Self {
        match error {
            guard::Error::Stopped => Self::Interrupted,
            guard::Error::Removed { collection } => Self::Vanished { collection },
            guard::Error::NotWhole { collection, reason, waited } => Self::NotWhole { collection, reason, waited },
            guard::Error::Thread => Self::Stage { what: "guard".into() },
        }
    }
}

/// Runs blocking work off the async threads, and turns its panic into an error.
pub(in crate::ops) async fn blocking<T, E>(
    what: &str,
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, Error>
where
    T: Send + 'static,
    E: Send + 'static,
    Error: From<E>,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(Error::Stage { what: what.to_owned() }),
    }
}
