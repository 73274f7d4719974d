//! Whether the server is ready, and whether its 404 can be believed.

use std::time::{Duration, Instant};

use super::Error;
use super::ask::{Answer, Ask, Failure};
use super::body::{Body, Shape};
use super::client::Client;
use super::error::Tried;

/// Longest time for one look at `ready`, which answers at once or not at all.
const LOOK_TIMEOUT: Duration = Duration::from_secs(5);
/// Times a 404 is asked again before it is called an answer that makes no sense.
const DOUBTS_MAX: u32 = 8;

fn ask() -> Ask {
    // the server matches this route by its exact URL: no query
    Ask { shape: Shape::Any, timeout: Some(LOOK_TIMEOUT), ..Ask::get("/v1/.well-known/ready") }
}

impl Client {
    /// Waits, for a bounded time, until the server says it is ready. Says [`Error::NotReady`] if it never does, and
    /// [`Error::NotWeaviate`] if what answers is something else.
    pub async fn ready(&self) -> Result<(), Error> {
        let (ask, started, mut looks) = (ask(), Instant::now(), 0);
        loop {
            looks += 1;
            let failure = match self.attempt(&ask, looks).await {
                Ok(answer) => return self.is_weaviate(&answer),
                Err(failure) => failure,
            };
            if !failure.passing {
                return Err(self.no_weaviate(failure.error));
            }
            let policy = self.policy();
            let tired = !self.is_reached() && looks >= policy.first_attempts;
            if tired || started.elapsed() >= policy.ready_wait {
                return Err(self.never_ready(failure, looks, started.elapsed()));
            }
            self.pause(&ask.route, looks, policy.ready_pause, failure.error.to_string()).await;
        }
    }

    fn never_ready(&self, failure: Failure, looks: u32, waited: Duration) -> Error {
        match failure.error {
            Error::Unreachable { host, reason, .. } => {
                Error::Unreachable { host, reason, tried: Some(Tried { attempts: looks, elapsed: waited }) }
            }
            error @ Error::Tls { .. } => error,
            _ if failure.noise => Error::NotWeaviate { host: self.host().clone(), what: "not HTTP".into() },
            error => {
                let is_plain = self.url().starts_with("http:");
                let closes = is_plain && !self.is_reached() && matches!(error, Error::Lost { .. });
                Error::NotReady { host: self.host().clone(), waited, closes, last: error.to_string() }
            }
        }
    }

    /// The body of `ready` is empty; a page in HTML means that something else lives here.
    fn is_weaviate(&self, answer: &Answer) -> Result<(), Error> {
        match &answer.body {
            Body::Whole(body) if body.trim_ascii().first() != Some(&b'<') => Ok(()),
            _ => Err(Error::NotWeaviate { host: self.host().clone(), what: "an HTML page".into() }),
        }
    }

    fn no_weaviate(&self, error: Error) -> Error {
        match error {
            Error::NotFound { .. } | Error::Rejected { .. } => {
                Error::NotWeaviate { host: self.host().clone(), what: error.to_string() }
            }
            other => other,
        }
    }

    /// Asks like [`Client::send`], but takes a 404 for an answer only if the server said that it was ready both before
    /// and after: while it starts, it says 404 for collections it has.
    pub(super) async fn send_doubting_404(&self, ask: &Ask) -> Result<Answer, Error> {
        let mut was_ready = false;
        for _ in 0..DOUBTS_MAX {
            let not_found = match self.send(ask).await {
                Err(error @ Error::NotFound { .. }) => error,
                other => return other,
            };
            let is_ready = self.attempt(&self::ask(), 1).await.is_ok();
            if was_ready && is_ready {
                return Err(not_found);
            }
            was_ready = is_ready;
            if !is_ready {
                self.ready().await?;
                was_ready = true;
            }
        }
        Err(ask.bad_answer("not found again and again, from a server that is ready at one time and not at another"))
    }
}
