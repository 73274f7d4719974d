//! The client: what all questions of one run share.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use secrecy::SecretString;

use super::body::{Room, Shape};
use super::connection::{Connection, shown};
use super::pace::Pace;
use super::retry::{Budget, Dice, RetryPolicy};
use super::{Error, said};
use crate::event::{Events, RateLimit, Warning};

/// Bytes of the pages whose buffers are kept for later ones, together.
const SPARE_BYTES: usize = 8 << 20;

/// A connection to one server. Cloning is cheap; clones share connections, retry budget and counters.
#[derive(Clone)]
pub struct Client(pub(super) Arc<Shared>);

pub(super) struct Shared {
    /// How the server is reached.
    pub(super) connection: Connection,
    http: reqwest::Client,
    url: String,
    host: Arc<str>,
    secrets: Vec<SecretString>,
    pub(super) events: Events,
    policy: RetryPolicy,
    pub(super) budget: Budget,
    /// Objects sent again since the server refused them alone; these do not count against the budget.
    pub(super) again: AtomicU64,
    pub(super) dice: Dice,
    begun: Instant,
    /// How many requests a second the server takes, by those it turned away.
    pace: Mutex<Pace>,
    /// Nothing is sent before then, as the server asked for.
    hold: Mutex<Option<Instant>>,
    /// Whether the server has ever answered.
    reached: AtomicBool,
    /// Size of the last page, which the next one's buffer is made for.
    page_bytes: AtomicU64,
    /// Buffers of pages that nobody holds any more, and these pages still in them.
    spare: Mutex<Vec<BytesMut>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("url", &self.0.url).finish_non_exhaustive()
    }
}

impl Client {
    /// Sets up a client; nothing is sent yet. `seed` drives the jitter of retries. Warns if a key would cross the
    /// network in the clear.
    ///
    /// # Errors
    ///
    /// A certificate or a header cannot be used. Whether the server answers is found out by the first question.
    pub fn new(connection: Connection, events: Events, seed: u64) -> Result<Self, Error> {
        Self::with_policy(connection, events, seed, RetryPolicy::default())
    }

    /// The same with other bounds for asking again.
    ///
    /// # Errors
    ///
    /// The same as of [`Client::new`].
    pub fn with_policy(connection: Connection, events: Events, seed: u64, policy: RetryPolicy) -> Result<Self, Error> {
        let http = connection.http()?;
        if let Some(host) = connection.exposed_host() {
            events.warn(Warning::KeyOverHttp { host: host.to_owned() });
        }
        let port = connection.url.port_or_known_default().unwrap_or_default();
        Ok(Self(Arc::new(Shared {
            http,
            url: shown(&connection.url),
            host: format!("{}:{port}", connection.url.host_str().unwrap_or_default()).into(),
            secrets: connection.secrets(),
            connection,
            events,
            policy,
            budget: Budget::default(),
            again: AtomicU64::new(0),
            dice: Dice::new(seed),
            begun: Instant::now(),
            pace: Mutex::new(Pace::new(policy.slowest_pace)),
            hold: Mutex::default(),
            reached: AtomicBool::new(false),
            page_bytes: AtomicU64::new(0),
            spare: Mutex::default(),
        })))
    }

    /// Gives back the buffer of a page that was dealt with. It serves the next page, so that memory does not creep up
    /// with the number of pages. Does nothing while somebody still holds a slice of it.
    pub fn give_back(&self, page: Bytes) {
        if let Ok(buffer) = page.try_into_mut() {
            let mut spare = self.0.spare.lock().unwrap_or_else(PoisonError::into_inner);
            // A large one is a mapping of its own: what it ever held goes back to the system with it.
            if spare.iter().map(BytesMut::capacity).sum::<usize>() + buffer.capacity() <= SPARE_BYTES {
                spare.push(buffer);
            }
        }
    }

    /// Where an answer of this shape goes.
    pub(super) fn room(&self, shape: Shape) -> Room {
        let spare = || self.0.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match shape {
            Shape::Results => Room::Skim(Box::default()),
            Shape::Page => Room::Buffer(spare().map(cleared).unwrap_or_default()),
            _ => Room::default(),
        }
    }

    /// The base address, without credentials and without a trailing slash.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// Requests sent again so far. Looks at a server that is not ready yet do not count.
    #[must_use]
    pub fn retries(&self) -> u64 {
        self.0.budget.retries() + self.0.again.load(Ordering::Relaxed)
    }

    pub(super) fn http(&self) -> &reqwest::Client {
        &self.0.http
    }

    pub(super) fn host(&self) -> &Arc<str> {
        &self.0.host
    }

    pub(super) fn policy(&self) -> &RetryPolicy {
        &self.0.policy
    }

    pub(super) fn page_bytes(&self) -> &AtomicU64 {
        &self.0.page_bytes
    }

    pub(super) fn was_reached(&self) {
        self.0.reached.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_reached(&self) -> bool {
        self.0.reached.load(Ordering::Relaxed)
    }

    /// The server asked not to be asked again for so long: that is heeded by everything this run sends, up to the cap.
    pub(super) fn hold_back(&self, asked: Duration) {
        let until = Instant::now() + asked.min(self.policy().retry_after_cap);
        let mut hold = self.0.hold.lock().unwrap_or_else(PoisonError::into_inner);
        *hold = Some(hold.map_or(until, |earlier| earlier.max(until)));
    }

    /// Waits until something may be sent: the server may have asked for time, and may take only so many requests a second.
    pub(super) async fn until_allowed(&self) {
        loop {
            while let Some(until) = self.held_until() {
                tokio::time::sleep_until(until.into()).await;
            }
            let wait = self.with_pace(Pace::reserve);
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
            // Somebody may have been told to wait meanwhile.
            if self.held_until().is_none() {
                return;
            }
        }
    }

    /// How long nothing is sent yet, as the server asked for.
    #[must_use]
    pub fn held_back_for(&self) -> Duration {
        self.held_until().map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()))
    }

    fn held_until(&self) -> Option<Instant> {
        let until = *self.0.hold.lock().unwrap_or_else(PoisonError::into_inner);
        until.filter(|until| *until > Instant::now())
    }

    fn with_pace<T>(&self, then: impl FnOnce(&mut Pace, Duration) -> T) -> T {
        let mut pace = self.0.pace.lock().unwrap_or_else(PoisonError::into_inner);
        then(&mut pace, self.0.begun.elapsed())
    }

    /// A question was turned away so many times: from the second one on the run goes slower.
    pub(super) fn turned_away(&self, turns: u32) {
        if let Some(rate) = self.with_pace(|pace, now| pace.turned_away(now, turns > 1)) {
            tracing::trace!(requests_per_second = format!("{rate:.1}"), "pace: turned away, going slower");
        }
    }

    /// An answer came that turned nothing away.
    pub(super) fn was_answered(&self) {
        self.with_pace(Pace::answered);
    }

    /// How long to rest between two rounds of so many questions that only watch, where the server takes few requests.
    #[must_use]
    pub fn rest_between(&self, questions: u32) -> Duration {
        self.with_pace(|pace, _| pace.rest(questions))
    }

    /// What the server lets through, if it turned enough requests away to tell.
    #[must_use]
    pub fn rate_limit(&self) -> Option<RateLimit> {
        self.with_pace(|pace, _| pace.limit())
    }

    /// Makes a server's text safe to show.
    pub(super) fn safe(&self, text: &str) -> String {
        said::harmless(&said::without_secrets(text, self.0.secrets.iter()))
    }

    /// Makes a text of the server safe to show: control characters escaped, secrets taken out, cut at 500 characters.
    #[must_use]
    pub fn shown(&self, text: &str) -> String {
        self.safe(text)
    }
}

fn cleared(mut buffer: BytesMut) -> BytesMut {
    buffer.clear();
    buffer
}
