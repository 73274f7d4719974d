//! One request and its answer, judged: nothing here waits for better times or asks again.

use std::time::{Duration, Instant};

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Response, Url};
use tokio::time::timeout;

use super::ask::{Answer, Ask, Failure};
use super::body::{self, Body, Cut, Room};
use super::client::Client;
use super::pieces::Pieces;
use super::retry::{self, Verdict};
use super::{Error, LastingCause, below_http, said};
use crate::model::fold::{self, Layout};

/// The status for too many requests.
const TOO_MANY: u16 = 429;
/// Longest part of an error's body that is read.
const ERROR_BYTES_MAX: u64 = 64 * 1024;

impl Client {
    /// Refuses an answer that a server would read otherwise than it is spelled.
    pub(super) fn trusted(&self, ask: &Ask, body: &[u8], layout: &'static Layout, values: u32) -> Result<(), Error> {
        fold::check(body, layout, values).map_err(|misread| ask.bad_answer(self.safe(&misread.to_string())))
    }

    /// Asks once, as soon as the server may be asked. `nth`: which try of the question this is, from 1; only told.
    pub(super) async fn attempt(&self, ask: &Ask, nth: u32) -> Result<Answer, Failure> {
        self.until_allowed().await;
        let begun = Instant::now();
        let done = match ask.timeout {
            None => self.exchange(ask).await,
            Some(limit) => {
                let stalled = |_| Failure::passing(Error::Stalled { route: ask.route.clone(), after: limit });
                timeout(limit, self.exchange(ask)).await.map_err(stalled).flatten()
            }
        };
        logged(ask, nth, begun.elapsed(), &done);
        done
    }

    async fn exchange(&self, ask: &Ask) -> Result<Answer, Failure> {
        let mut request = self.http().request(ask.method.clone(), format!("{}{}", self.url(), ask.path));
        if let Some(body) = &ask.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_body());
        }
        let cut = |cut| self.cut(ask, cut);
        let stall = self.0.connection.stall_timeout;
        let sent = timeout(stall, request.send()).await.map_err(|_| cut(Cut::Stalled(stall)))?;
        let response = sent.map_err(|error| cut(Cut::Transport(error)))?;
        self.was_reached();
        if response.status().as_u16() != TOO_MANY {
            self.was_answered();
        }
        let server_time = header(response.headers(), &DATE).and_then(retry::http_date);
        if response.status().as_u16() != ask.good {
            return Err(self.refusal(ask, response, server_time).await);
        }
        let room = self.room(ask.shape);
        // Boxed: the future of a request is part of every other one.
        let read = Box::pin(body::read(response, room, ask.max_bytes, ask.expected_bytes, stall));
        let body = read.await.map_err(cut)?;
        if let Body::Whole(bytes) = &body {
            body::judge(ask.shape, bytes).map_err(|what| self.nonsense(ask, what, bytes))?;
        }
        Ok(Answer { body, server_time, after: None })
    }

    fn cut(&self, ask: &Ask, cut: Cut) -> Failure {
        match cut {
            Cut::Stalled(after) => Failure::passing(Error::Stalled { route: ask.route.clone(), after }),
            Cut::Transport(error) => below_http::failure(error, self.host(), &ask.route),
        }
    }

    fn nonsense(&self, ask: &Ask, what: &str, body: &[u8]) -> Failure {
        let beginning = &body[..body.len().min(usize::try_from(ERROR_BYTES_MAX).unwrap_or(usize::MAX))];
        let words = if what.starts_with("an error") { self.safe(&said::message(beginning)) } else { String::new() };
        let joint = if words.is_empty() { "" } else { ": " };
        Failure::passing(ask.bad_answer(format!("{what}{joint}{words}")))
    }

    /// The error for a status other than the one that is wanted.
    async fn refusal(&self, ask: &Ask, response: Response, server_time: Option<Timestamp>) -> Failure {
        let (status, connection) = (response.status().as_u16(), &self.0.connection);
        let retry_after =
            header(response.headers(), &RETRY_AFTER).and_then(|text| retry::retry_after(text, server_time));
        let to = header(response.headers(), &LOCATION).map(origin).unwrap_or_default();
        let body = match body::read(response, Room::default(), ERROR_BYTES_MAX, 0, connection.stall_timeout).await {
            // Without its words nobody knows what such a refusal means, so it is asked for again.
            Ok(Body::Whole(bytes)) if retry::needs_words(status) && said::is_cut(&bytes) => {
                return Failure::passing(ask.bad_answer(format!("a refusal ({status}) that is cut off")));
            }
            Err(cut) if retry::needs_words(status) => return self.cut(ask, cut),
            Ok(Body::Whole(bytes)) => bytes,
            Ok(Body::TooLarge) | Err(_) => Bytes::new(),
        };
        let words = said::message(&body);
        let (route, message) = (ask.route.clone(), self.safe(&words));
        if let Some(cause) = LastingCause::of_answer(status, &body, &words, ask.body.as_ref()) {
            let cause = Box::new(cause.shown_by(|text| self.safe(text)));
            return Failure::last(Error::Lasting { route, status, cause, message });
        }
        if retry::judge(status, &words) == Verdict::Transient {
            retry_after.inspect(|asked| self.hold_back(*asked));
            let turned_away = status == TOO_MANY;
            let asks = retry_after.filter(|asked| *asked > self.policy().retry_after_cap);
            let error = Error::Server { route, status, message, asks };
            return Failure { retry_after, turned_away, ..Failure::passing(error) };
        }
        Failure::last(match status {
            200..=299 => return Failure::passing(ask.bad_answer(format!("unexpected status {status}"))),
            300..=399 => Error::Redirected { route, status, to },
            401 => Error::Unauthorized { route, message, key_sent: connection.key.is_some() },
            403 => Error::Forbidden { route, message },
            404 => Error::NotFound { route, message },
            _ => Error::Rejected { route, status, message },
        })
    }
}

/// One line a request. No query, id or header is in it; the server's words are safe to show.
fn logged(ask: &Ask, nth: u32, took: Duration, done: &Result<Answer, Failure>) {
    let (route, ms) = (&*ask.route, u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
    let sent = ask.body.as_ref().map_or(0, Pieces::bytes);
    match done {
        Ok(Answer { body: Body::Whole(body), .. }) => {
            tracing::debug!(status = ask.good, ms, sent, received = body.len(), tries = nth, "{route}");
        }
        Ok(_) => tracing::debug!(status = ask.good, ms, sent, received = "too much", tries = nth, "{route}"),
        Err(Failure { error, .. }) => {
            tracing::debug!(status = error.status(), ms, sent, tries = nth, %error, "{route}");
        }
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &reqwest::header::HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Scheme, host and port of where a redirect leads; nothing of its path, query or user.
fn origin(location: &str) -> String {
    Url::parse(location).map_or_else(|_| String::new(), |url| url.origin().ascii_serialization())
}
