//! What a run gets from outside, and work off the async threads.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::archive::Disk;
use crate::event::Events;
use crate::model::Clock;
use crate::ops::Error;

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
