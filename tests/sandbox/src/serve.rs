//! The listeners, and the way of a request through faults, routes and log.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::http::header::{ALLOW, AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH};
use axum::http::{HeaderName, HeaderValue, Request, Response, StatusCode, Version};
use axum::response::IntoResponse;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::auth;
use crate::call::{Arrival, DROPPED, Failing, Reply};
use crate::faults::{Kind, apply};
use crate::json::{self, Json};
use crate::log::{Seen, is_writing};
use crate::print::{self, Style};
use crate::state::Core;
use crate::wire::{self, Cut, Wire};

/// What every connection needs.
#[derive(Clone)]
pub(crate) struct Serving {
    pub(crate) core: Arc<Core>,
    pub(crate) router: Router,
    pub(crate) stop: watch::Sender<bool>,
}

/// Takes connections for one node until the stop is set.
pub(crate) async fn accept(serving: Serving, listener: TcpListener, asked: usize) {
    let mut stopped = serving.stop.subscribe();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.wait_for(|stop| *stop) => return,
        };
        let Ok((stream, _)) = accepted else { continue };
        drop(stream.set_nodelay(true));
        let cut = Cut::default();
        if !serving.core.read().cluster.is_up(asked) {
            cut.now();
            drop(Wire { stream, cut });
            continue;
        }
        let serving = serving.clone();
        tokio::spawn(connection(serving, Wire { stream, cut }, asked));
    }
}

async fn connection(serving: Serving, wire: Wire, asked: usize) {
    let cut = wire.cut.clone();
    let mut stopped = serving.stop.subscribe();
    let each = cut.clone();
    let answers = service_fn(move |request| {
        let (serving, cut) = (serving.clone(), each.clone());
        async move { answer(&serving, &cut, asked, request).await }
    });
    let serve = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(wire), answers);
    tokio::select! {
        _ = serve => {}
        _ = stopped.wait_for(|stop| *stop) => cut.now(),
    }
}

fn reset(cut: &Cut) -> io::Error {
    cut.now();
    io::ErrorKind::ConnectionReset.into()
}

/// What names of scratch collections hold.
const SCRATCH: &str = "ElysiactlRehearsal";

fn is_rehearsing(path: &str, body: &[u8]) -> bool {
    path.contains(SCRATCH) || (path == "/v1/schema" && body.windows(SCRATCH.len()).any(|w| w == SCRATCH.as_bytes()))
}

async fn answer(serving: &Serving, cut: &Cut, asked: usize, request: Request<Incoming>) -> io::Result<Response<Body>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| reset(cut))?.to_bytes();
    let (_flying, beside) = serving.core.log.begin(parts.method.as_str(), parts.uri.path());
    let mut seen = Seen {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or("").to_owned(),
        status: 0,
        bytes: body.len() as u64,
        reply_bytes: 0,
        beside,
        at: Instant::now(),
        writing: is_writing(parts.method.as_str(), parts.uri.path(), &body),
        rehearsing: is_rehearsing(parts.uri.path(), &body),
    };
    let struck = serving.core.plan.strike(&seen.method, &seen.path, &seen.query, seen.writing);
    for change in &struck.changes {
        apply(&serving.core, change);
    }
    let arrival = Arrival { asked, body, ..Arrival::default() };
    let request = Request::from_parts(parts, Body::empty());
    let reply = faulty(serving, cut, struck.kinds, request, arrival, &mut seen).await;
    if let Ok(reply) = &reply {
        seen.status = reply.status().as_u16();
    }
    serving.core.log.push(seen);
    reply
}

/// Applies the faults around the routes: those that come before, the routes, those that spoil the reply.
async fn faulty(
    serving: &Serving,
    cut: &Cut,
    kinds: Vec<Kind>,
    request: Request<Body>,
    mut arrival: Arrival,
    seen: &mut Seen,
) -> io::Result<Response<Body>> {
    let mut after = Vec::new();
    for kind in kinds {
        match kind {
            Kind::Status { status, headers, body } => return Ok(refusal(status, &headers, body)),
            Kind::ResetBefore => return Err(reset(cut)),
            Kind::Die => {
                cut.now();
                serving.stop.send_replace(true);
                return Err(reset(cut));
            }
            Kind::LandsLate(late) => {
                let serving = serving.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(late).await;
                    drop(route(&serving, request, arrival).await);
                });
                return Err(reset(cut));
            }
            Kind::Delay(delay) => tokio::time::sleep(delay).await,
            Kind::Change(change) => apply(&serving.core, &change),
            Kind::Page(page) => arrival.page = Some(page),
            Kind::FailObjects(one_in, text) => arrival.failing = Some(Failing::Places(one_in, text)),
            Kind::FailIds(one_in, text) => arrival.failing = Some(Failing::Ids(one_in, text)),
            Kind::FailAdded(one_in, text) => arrival.failing = Some(Failing::Added(one_in, text)),
            Kind::PanicsOver(text) if String::from_utf8_lossy(&arrival.body).contains(&text) => {
                return Ok(refusal(200, &[], String::new()));
            }
            Kind::RefuseBodiesOver(most) if arrival.body.len() > most => {
                return Ok(refusal(413, &[], "<html>413 Request Entity Too Large</html>".to_owned()));
            }
            Kind::SlowBodiesOver(most, delay) if arrival.body.len() > most => tokio::time::sleep(delay).await,
            later => after.push(later),
        }
    }
    let reply = route(serving, request, arrival).await;
    if reply.status().as_u16() == DROPPED {
        let hang = serving.core.read().cluster.hang;
        tokio::time::sleep(hang).await;
        return Err(reset(cut));
    }
    let (mut parts, body) = reply.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    seen.reply_bytes = body.len() as u64;
    if parts.status == StatusCode::METHOD_NOT_ALLOWED {
        return Ok(not_allowed(&seen.method, parts.headers.get(ALLOW)));
    }
    parts.headers.remove(CONTENT_LENGTH);
    let mut reply = Response::from_parts(parts, wire::whole(body.clone()));
    for kind in after {
        reply = match spoil(kind, &body, reply) {
            Some(reply) => reply,
            None => return Err(reset(cut)),
        };
    }
    Ok(reply)
}

/// The reply as a fault leaves it; `None` for a reset.
fn spoil(kind: Kind, body: &Bytes, mut reply: Response<Body>) -> Option<Response<Body>> {
    match kind {
        Kind::AppliedThen { status, body } => return Some(refusal(status, &[], body)),
        Kind::ResetAfter => return None,
        Kind::Cut(keep) => *reply.body_mut() = wire::broken(body, keep),
        Kind::CutCloseDelimited(keep) => {
            *reply.version_mut() = Version::HTTP_10;
            reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            *reply.body_mut() = wire::short(body, keep);
        }
        Kind::Stall(keep, pause) => *reply.body_mut() = wire::stalled(body, keep, pause),
        Kind::Drip(size, every) => *reply.body_mut() = wire::dripping(body, size, every),
        Kind::Promises(bytes) => {
            reply.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(bytes));
            *reply.body_mut() = wire::broken(body, usize::MAX);
        }
        Kind::EmptyBody => {
            *reply.status_mut() = StatusCode::OK;
            *reply.body_mut() = Body::empty();
        }
        Kind::Garbage(text) => {
            let mut all = body.to_vec();
            all.extend_from_slice(text.as_bytes());
            *reply.body_mut() = wire::whole(all.into());
        }
        Kind::GzipBomb(mebibytes) => {
            reply.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            *reply.body_mut() = wire::whole(wire::gzip_bomb(mebibytes));
        }
        Kind::KeepResults(keep) => {
            let results =
                json::parse(body).ok().and_then(|all| all.as_array().map(<[Json]>::to_vec)).unwrap_or_default();
            let kept = Json::Array(results.into_iter().take(keep).collect());
            let mut out = Vec::new();
            print::json(&mut out, &kept, Style::Html);
            *reply.body_mut() = wire::whole(out.into());
        }
        Kind::ErrorIn200(text) => return Some(Reply::error(200, &text).into_response()),
        _ => {}
    }
    Some(reply)
}

async fn route(serving: &Serving, mut request: Request<Body>, mut arrival: Arrival) -> Response<Body> {
    let forbidden = serving.core.read().limits.mode_forbids(request.method(), request.uri().path());
    if let Some(refused) = forbidden {
        return refused.into_response();
    }
    let header = request.headers().get(AUTHORIZATION).and_then(|v| v.to_str().ok());
    match auth::identify(&serving.core.settings, request.uri().path(), header) {
        Ok(user) => arrival.user = Some(user),
        Err(refused) => return refused.into_response(),
    }
    request.extensions_mut().insert(arrival);
    match TowerToHyperService::new(serving.router.clone()).call(request).await {
        Ok(reply) => reply,
        Err(never) => match never {},
    }
}

fn refusal(status: u16, headers: &[(String, String)], body: String) -> Response<Body> {
    let mut reply = Response::new(Body::from(body));
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            reply.headers_mut().insert(name, value);
        }
    }
    reply
}

/// 405 in the server's words, with the methods there are.
fn not_allowed(method: &str, allow: Option<&HeaderValue>) -> Response<Body> {
    let allow = allow.and_then(|v| v.to_str().ok()).unwrap_or("");
    let mut methods: Vec<&str> = allow.split(',').filter(|m| !matches!(*m, "HEAD" | "")).collect();
    methods.sort_unstable();
    let methods = methods.join(",");
    let mut reply =
        Reply::coded(405, 405, &format!("method {method} is not allowed, but [{methods}] are")).into_response();
    if let Ok(value) = HeaderValue::try_from(&methods) {
        reply.headers_mut().insert(ALLOW, value);
    }
    reply
}
