//! A request as the routes see it, and the shapes a reply can have.

use std::collections::HashMap;

use axum::extract::{FromRequestParts, Path};
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use crate::auth::User;
use crate::behaviour::Behaviour;
use crate::faults::PageFault;
use crate::fold::Struct;
use crate::json::{self, Json, object};
use crate::print::{self, Style};

/// A status no server sends: the connection is to end without one.
pub(crate) const DROPPED: u16 = 999;

/// A request.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) path: String,
    pub(crate) params: HashMap<String, String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) user: User,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Bytes,
    pub(crate) arrival: Arrival,
}

/// Which objects or references of a batch fail.
#[derive(Debug, Clone)]
pub(crate) enum Failing {
    /// One in so many, by their place in the batch.
    Places(u64, String),
    /// Those whose id is a multiple of this.
    Ids(u64, String),
    /// As `Places`, but the server did what it says it did not.
    Added(u64, String),
}

/// What the connection knows about a request before it is routed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Arrival {
    /// Number of the node that was asked.
    pub(crate) asked: usize,
    pub(crate) user: Option<User>,
    pub(crate) body: Bytes,
    pub(crate) page: Option<PageFault>,
    /// What of a batch fails.
    pub(crate) failing: Option<Failing>,
}

impl Call {
    pub(crate) fn param(&self, name: &str) -> &str {
        self.params.get(name).map_or("", String::as_str)
    }

    /// A query parameter; empty ones are there.
    pub(crate) fn ask(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    pub(crate) fn tenant(&self) -> Option<&str> {
        self.ask("tenant").filter(|t| !t.is_empty())
    }

    /// The body as the struct that the server decodes it into; `name` is what the server calls it in its complaint.
    pub(crate) fn json(&self, name: &str, into: &Struct) -> Result<Json, Reply> {
        let kind = self.content_type.as_deref().unwrap_or("");
        let plain = kind.split(';').next().unwrap_or("").trim();
        if !plain.is_empty() && plain != "application/json" && plain != "application/yaml" {
            let text =
                format!("unsupported media type \"{plain}\", only [application/json application/yaml] are allowed");
            return Err(Reply::coded(415, 415, &text));
        }
        json::parse(&self.body)
            .map(|value| into.decoded(value))
            .map_err(|error| Reply::coded(400, 400, &format!("parsing {name} body from \"\" failed, because {error}")))
    }
}

impl<S: Send + Sync> axum::extract::FromRequest<S> for Call {
    type Rejection = Response;

    async fn from_request(request: Request<axum::body::Body>, state: &S) -> Result<Self, Self::Rejection> {
        let (mut parts, _) = request.into_parts();
        let params = Path::<HashMap<String, String>>::from_request_parts(&mut parts, state).await;
        let arrival = parts.extensions.remove::<Arrival>().unwrap_or_default();
        let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let user = arrival.user.clone().unwrap_or(User {
            name: String::new(),
            role: crate::auth::Role::None,
            anonymous: true,
        });
        Ok(Self {
            path: parts.uri.path().to_owned(),
            params: params.map(|Path(p)| p).unwrap_or_default(),
            query: pairs(parts.uri.query().unwrap_or("")),
            user,
            content_type,
            body: arrival.body.clone(),
            arrival,
        })
    }
}

/// Splits a query and undoes its percent escapes.
fn pairs(query: &str) -> Vec<(String, String)> {
    let parts = query.split('&').filter(|p| !p.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (unescape(name), unescape(value))
        })
        .collect()
}

fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = tail.get(..2).and_then(|d| std::str::from_utf8(d).ok()).and_then(|d| u8::from_str_radix(d, 16).ok());
        match (first, code) {
            (b'%', Some(code)) => {
                bytes.push(code);
                rest = &tail[2..];
                continue;
            }
            (b'+', _) => bytes.push(b' '),
            _ => bytes.push(*first),
        }
        rest = tail;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A reply.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    body: Vec<u8>,
    text: bool,
    json: bool,
}

impl Reply {
    /// No body at all.
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, body: Vec::new(), text: false, json: false }
    }

    /// A body that is printed already; the newline at its end is added.
    pub(crate) fn printed(status: u16, mut body: Vec<u8>) -> Self {
        body.push(b'\n');
        Self { status, body, text: false, json: true }
    }

    pub(crate) fn json(status: u16, value: &Json) -> Self {
        let mut body = Vec::new();
        print::json(&mut body, value, Style::Plain);
        Self::printed(status, body)
    }

    /// Error shape (a): `{"error":[{"message":…}]}`.
    pub(crate) fn error(status: u16, message: &str) -> Self {
        Self::json(status, &errors(message))
    }

    /// Error shape (a) as schema calls print it.
    pub(crate) fn schema_error(ours: Behaviour, status: u16, message: &str) -> Self {
        if !ours.schema_errors_say_allowed() {
            return Self::error(status, message);
        }
        let error = vec![object! {"message": message}];
        Self::json(status, &object! {"allowed": Json::Null, "error": error})
    }

    /// Error shape (b): `{"code":…,"message":…}`, without a newline.
    pub(crate) fn coded(status: u16, code: i64, message: &str) -> Self {
        let mut reply = Self::json(status, &object! {"code": code, "message": message});
        reply.body.pop();
        reply
    }

    /// The connection ends without a status, as when the server gives up.
    pub(crate) fn dropped() -> Self {
        Self::empty(DROPPED)
    }

    pub(crate) fn plain_text(mut self) -> Self {
        self.text = true;
        self
    }
}

/// `{"error":[{"message":…}]}`
pub(crate) fn errors(message: &str) -> Json {
    object! {"error": vec![object! {"message": message}]}
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = Response::new(axum::body::Body::from(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let kind = if self.text { "text/plain; charset=utf-8" } else { "application/json" };
        if self.json || !matches!(self.status, 204 | 404) {
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("Origin"));
        response
    }
}

/// Joins the two halves of an answer whose error is a reply too.
pub(crate) fn either(answer: Result<Reply, Reply>) -> Reply {
    answer.unwrap_or_else(|refused| refused)
}
