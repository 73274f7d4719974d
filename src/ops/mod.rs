//! The operations: each is a `plan` that only reads and a `run` that asks nothing again. They join the stages, hold
//! both sides' totals, and alone decide that something is done.

pub mod backup;
pub mod cat;
pub mod check;
mod chosen;
mod claim;
pub mod clear;
pub mod create;
mod drift;
mod dropping;
mod error;
pub mod exposed;
pub mod firsts;
pub mod held;
pub mod inventory;
mod journalling;
mod lacking;
mod proof;
mod protected;
mod prove;
pub mod remove;
pub mod restore;
mod rounds;
pub mod safety;
mod schema;
mod select;
mod server;
pub mod standing;
pub mod verify;
mod waking;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::archive::Disk;
use crate::event::Events;
use crate::model::Clock;

pub use error::{Error, Hint};
pub use lacking::{Lack, LackOf, SomeTenants};
pub use schema::{Rehearsed, Unmakeable};

/// What every operation gets from outside: where events go, how it is told to stop, the disk and the clock.
#[derive(Clone)]
pub struct Session {
    /// Where events go.
    pub events: Events,
    /// Cancelled when the run should stop soon.
    pub cancel: CancellationToken,
    /// The file system.
    pub disk: Arc<dyn Disk>,
    /// The wall clock.
    pub clock: Clock,
}

impl Session {
    /// An answer of the server, unless the run is told to stop while it is waited for: it may be minutes away.
    async fn unless_stopped<T, E>(&self, asked: impl Future<Output = Result<T, E>>) -> Result<T, Error>
    where
        Error: From<E>,
    {
        tokio::select! {
            answer = asked => Ok(answer?),
            () = self.cancel.cancelled() => Err(Error::Interrupted),
        }
    }
}

/// Runs blocking work off the async threads, and turns its panic into an error.
async fn blocking<T, E>(what: &str, work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, Error>
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
