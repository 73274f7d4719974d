//! Faults that pass, and how often they are asked again.

use super::server::{Act, Server, chunks, ok, quick, recorded, reply, said, waits};
use crate::event::{Event, Events};
use crate::weaviate::{Bound, Client, Error, RetryPolicy, Writer};

const META: &str = r#"{"hostname":"x","version":"1.40.0-dev","modules":{}}"#;

/// A server whose first answers misbehave and which then says who it is.
async fn after(faults: Vec<fn() -> Act>) -> Server {
    Server::start(move |n, _| faults.get(n).map_or_else(|| Act::Answer(ok(META)), |fault| fault())).await
}

#[tokio::test]
async fn every_fault_that_passes_is_asked_again() {
    let faults: [fn() -> Act; 14] = [
        || Act::Reset,
        || Act::Cut(Vec::new()),
        || Act::Cut(b"HTTP/1.1 200 OK\r\ncontent-le".to_vec()),
        || Act::Cut(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"version\"".to_vec()),
        || Act::Cut(chunks(&["{\"version\":", "\"1"])),
        || Act::Stall(chunks(&["{\"version\":"])),
        || Act::Stall(Vec::new()),
        || Act::Drip(chunks(&[]).into_iter().chain(*b"fff\r\n").collect()),
        || Act::Cut(b"HTTP/1.0 200 OK\r\n\r\n{\"version\"".to_vec()),
        || Act::Answer(reply(502, "", "<html>bad gateway</html>")),
        || Act::Answer(reply(503, "", "")),
        || Act::Answer(reply(500, "", "oops")),
        || Act::Answer(ok("")),
        || Act::Answer(ok(r#"{"error":[{"message":"panic"}]}"#)),
    ];
    for (n, fault) in faults.into_iter().enumerate() {
        let server = after(vec![fault]).await;
        let (client, mut heard) = server.client_heard();
        let version = client.meta().await.map(|meta| meta.version.text);
        assert_eq!(version.ok().as_deref(), Some("1.40.0-dev"), "fault {n}");
        assert_eq!((client.retries(), waits(&mut heard).len(), server.requests().len()), (1, 1, 2), "fault {n}");
    }
}

#[tokio::test]
async fn a_retry_is_said_without_host_and_query() {
    let server = after(vec![|| Act::Answer(reply(502, "", "<html>"))]).await;
    let (client, mut heard) = server.client_heard();
    client.meta().await.expect("an answer");
    let events = said(&mut heard);
    let [Event::Retrying { route, attempt: 1, reason, .. }] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((&**route, reason.as_str()), ("GET /v1/meta", "GET /v1/meta: server error (502): an HTML page"));
}

#[tokio::test]
async fn a_fault_that_stays_ends_with_the_number_of_attempts_and_the_last_one() {
    let server = Server::saying(reply(503, "", r#"{"error":[{"message":"busy"}]}"#)).await;
    let error = server.client().meta().await.expect_err("no answer");
    assert!(matches!(&error, Error::Exhausted { attempts: 5, .. }), "{error:?}");
    assert_eq!((error.status(), error.message()), (Some(503), Some("busy")));
    assert_eq!(server.requests().len(), 5);
}

#[tokio::test]
async fn answers_that_always_stall_are_given_up_sooner() {
    let server = Server::start(|_, _| Act::Stall(chunks(&["{"]))).await;
    let error = server.client().meta().await.expect_err("no answer");
    assert!(error.is_stalled() && matches!(error, Error::Exhausted { attempts: 2, .. }), "{error:?}");
}

#[tokio::test]
async fn a_dying_server_is_not_hammered_beyond_the_runs_budget() {
    let server = Server::saying(reply(500, "", "")).await;
    let policy = RetryPolicy { budget_floor: 3, ..quick() };
    let client = Client::with_policy(server.connection("http"), Events::none(), 1, policy).expect("a client");
    for _ in 0..4 {
        client.meta().await.expect_err("no answer");
    }
    assert_eq!((client.retries(), server.requests().len()), (3, 7));
}

#[tokio::test]
async fn a_server_that_asks_for_time_gets_it_up_to_a_cap() {
    let dated = "date: Sun, 06 Nov 1994 08:49:30 GMT\r\nretry-after: Sun, 06 Nov 1994 08:59:30 GMT\r\n";
    for headers in ["retry-after: 7\r\n", dated] {
        let server =
            Server::start(move |n, _| Act::Answer(if n == 0 { reply(429, headers, "") } else { ok(META) })).await;
        let (client, mut heard) = server.client_heard();
        client.meta().await.expect("an answer");
        assert_eq!(waits(&mut heard), [30], "{headers}");
    }
}

#[tokio::test]
async fn what_a_server_asked_for_is_told_where_it_was_not_left_alone_for_so_long() {
    for (status, asked) in [(503, "86400"), (429, "86400"), (503, "18446744073709551615")] {
        let server = Server::saying(reply(status, &format!("retry-after: {asked}\r\n"), "slow down")).await;
        let error = server.client().meta().await.expect_err("it goes on");
        let said =
            format!("server error ({status}): slow down; it asks for a pause of {asked} s, longer than a run waits");
        let Error::Exhausted { last, .. } = &error else { panic!("{error:?}") };
        assert!(last.to_string().ends_with(&said), "{last}");
        assert_eq!(error.message(), Some("slow down"), "its own words");
    }
}

#[tokio::test]
async fn being_turned_away_is_no_failure_until_the_question_was_turned_away_for_long() {
    let server = Server::start(|n, _| Act::Answer(if n < 20 { reply(429, "", "") } else { ok(META) })).await;
    let policy = RetryPolicy { budget_floor: 0, budget_percent: 0, turn_wait: quick().turn_wait * 50, ..quick() };
    let client = Client::with_policy(server.connection("http"), Events::none(), 1, policy).expect("a client");
    client.meta().await.expect("more attempts than a failure gets, and no budget");
    assert_eq!((client.retries(), server.requests().len()), (20, 21));
    let server = Server::saying(reply(429, "", "slow down")).await;
    let error = server.client().meta().await.expect_err("turned away for good");
    assert!(matches!(&error, Error::Exhausted { bound: Bound::Turn, .. }), "{error:?}");
    assert_eq!((error.status(), error.message()), (Some(429), Some("slow down")));
}

#[tokio::test]
async fn what_is_sent_once_is_sent_again_where_it_was_turned_away() {
    let server = Server::start(|n, _| Act::Answer(if n == 0 { reply(429, "", "") } else { ok("") })).await;
    let writer = Writer::new(server.client());
    writer.drop_collection(&"A".parse().expect("a name")).await.expect("dropped");
    assert_eq!(server.requests().len(), 2);
    let server = Server::start(|n, _| if n == 0 { Act::Cut(Vec::new()) } else { Act::Answer(ok("")) }).await;
    let writer = Writer::new(server.client());
    writer.drop_collection(&"A".parse().expect("a name")).await.expect_err("nobody knows what became of it");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_connection_that_the_server_had_closed_costs_one_request_more_and_no_time() {
    let server = Server::start(|n, _| if n == 1 { Act::Cut(Vec::new()) } else { Act::Answer(ok(META)) }).await;
    let (client, mut heard) = server.client_heard();
    client.meta().await.expect("an answer");
    client.meta().await.expect("an answer by another connection");
    assert_eq!((waits(&mut heard), server.requests().len()), (vec![0], 3));
}

#[tokio::test]
async fn a_temporary_state_that_comes_as_422_is_asked_again() {
    let server = Server::start(|n, _| {
        Act::Answer(if n == 0 { recorded("cluster/schema_create_two_nodes_down") } else { ok(META) })
    })
    .await;
    server.client().meta().await.expect("an answer");
}

#[tokio::test]
async fn what_asking_again_does_not_change_is_asked_once() {
    for status in [400, 401, 403, 405, 413, 415, 422, 501] {
        let server = Server::saying(reply(status, "", r#"{"code":1,"message":"no"}"#)).await;
        let error = server.client().schemas().await.expect_err("no answer");
        assert_eq!((error.is_auth(), error.message()), (matches!(status, 401 | 403), Some("no")), "{status}");
        assert_eq!((error.status(), server.requests().len()), (Some(status), 1));
    }
}

#[tokio::test]
async fn a_refusal_that_lasts_is_asked_once_and_names_its_cause() {
    let limit = r#"{"errorCode":"USAGE_LIMIT_EXCEEDED","limit":"objects","message":"m","value":10}"#;
    let mode =
        r#"{"error":[{"message":"write-only mode is enabled temporally at the config level: read operations"}]}"#;
    for (status, body) in [(429, limit), (503, mode), (401, r#"{"code":401,"message":"instance suspended"}"#)] {
        let server = Server::saying(reply(status, "retry-after: 1\r\n", body)).await;
        let error = server.client().schemas().await.expect_err("no answer");
        assert!(matches!(error, Error::Lasting { .. }) && error.is_no() && !error.is_auth(), "{error:?}");
        assert_eq!((error.status(), server.requests().len()), (Some(status), 1));
    }
}

#[tokio::test]
async fn a_refusal_whose_words_are_lost_is_asked_for_again() {
    let faults: [fn() -> Act; 4] = [
        || Act::Cut(b"HTTP/1.1 422 x\r\ncontent-length: 99\r\n\r\n{\"error\":".to_vec()),
        || Act::Cut(b"HTTP/1.0 422 x\r\n\r\n{\"error\":[{\"mess".to_vec()),
        || Act::Cut(b"HTTP/1.1 400 x\r\ntransfer-encoding: chunked\r\n\r\n9\r\n{\"error\":\r\n".to_vec()),
        || Act::Stall(b"HTTP/1.1 404 x\r\ncontent-length: 99\r\n\r\n{".to_vec()),
    ];
    for (n, fault) in faults.into_iter().enumerate() {
        let server = after(vec![fault]).await;
        server.client().meta().await.unwrap_or_else(|error| panic!("fault {n}: {error:?}"));
        assert_eq!(server.requests().len(), 2, "fault {n}");
    }
    // What needs no words is final without them.
    for status in [401, 403, 413] {
        let cut = move || Act::Cut(format!("HTTP/1.1 {status} x\r\ncontent-length: 99\r\n\r\n{{").into_bytes());
        let server = Server::start(move |_, _| cut()).await;
        let error = server.client().schemas().await.expect_err("refused");
        assert_eq!((error.status(), server.requests().len()), (Some(status), 1));
    }
}

#[tokio::test]
async fn nobody_listening_is_told_soon() {
    let server = Server::at(1);
    let (client, mut heard) = server.client_heard();
    for error in [client.ready().await.expect_err("nobody"), client.meta().await.expect_err("nobody")] {
        assert!(matches!(&error, Error::Unreachable { host, .. } if &**host == "localhost:1"), "{error:?}");
    }
    assert_eq!(waits(&mut heard).len(), 4);
}

#[tokio::test]
async fn a_server_that_is_starting_is_waited_for() {
    let server = Server::start(|n, _| Act::Answer(reply(if n < 3 { 503 } else { 200 }, "", ""))).await;
    server.client().ready().await.expect("ready");
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn a_server_that_never_gets_ready_is_not_waited_for_forever() {
    let server = Server::saying(reply(503, "", "")).await;
    let error = server.client().ready().await.expect_err("never ready");
    assert!(matches!(error, Error::NotReady { .. }), "{error:?}");
}
