//! Pages: whole, or not taken for the data.

use super::server::{Act, Server, chunks, ok, recorded, reply};
use crate::model::{CollectionName, ObjectId};
use crate::weaviate::{Client, Error, PageReply, PageRequest};

const PAGE: &str = "{\"deprecations\":[],\"objects\":[]}\n";

async fn page(client: &Client, max_bytes: u64) -> Result<PageReply, Error> {
    let collection: CollectionName = "Article".parse().expect("a name");
    let after = Some(ObjectId(1));
    client
        .page(&PageRequest { collection: &collection, tenant: None, after, limit: 10, vectors: true, max_bytes })
        .await
}

fn in_chunks() -> Vec<u8> {
    chunks(&["{\"deprecations\":[],", "\"objects\":[]}\n"]).into_iter().chain(*b"0\r\n\r\n").collect()
}

#[tokio::test]
async fn a_page_arrives_byte_for_byte() {
    for answer in [ok(PAGE), in_chunks()] {
        let server = Server::saying(answer).await;
        let reply = page(&server.client(), 1_000).await.expect("a page");
        assert_eq!(reply, PageReply::Body(PAGE.into()));
        let line = "GET /v1/objects?class=Article&limit=10&after=00000000-0000-0000-0000-000000000001&include=vector";
        assert_eq!(server.requests()[0].line, line);
    }
}

#[tokio::test]
async fn an_empty_body_is_not_the_end() {
    let server = Server::saying(ok("")).await;
    assert_eq!(page(&server.client(), 1_000).await.expect("an answer"), PageReply::Empty);
}

#[tokio::test]
async fn a_page_beyond_its_permit_is_dropped() {
    let endless = || Act::Drip(chunks(&["{".repeat(2_000).as_str()]));
    for fits in [false, true] {
        let server = Server::start(move |_, _| if fits { Act::Answer(ok(&PAGE.repeat(99))) } else { endless() }).await;
        assert_eq!(page(&server.client(), 1_000).await.expect("an answer"), PageReply::TooLarge);
        assert_eq!(server.requests().len(), 1);
    }
    let exact = PAGE.len() as u64;
    let server = Server::saying(in_chunks()).await;
    assert_eq!(page(&server.client(), exact).await.expect("an answer"), PageReply::Body(PAGE.into()));
    assert_eq!(page(&server.client(), exact - 1).await.expect("an answer"), PageReply::TooLarge);
}

#[tokio::test]
async fn a_page_cut_off_is_never_taken_for_the_data() {
    let cut: [fn() -> Act; 7] = [
        || Act::Cut(chunks(&["{\"objects\":[{}"])),
        || Act::Cut(b"HTTP/1.1 200 OK\r\n\r\n{\"objects\":[{},".to_vec()),
        || Act::Cut(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{\"objects\":[]}".to_vec()),
        || Act::Answer(ok("{\"objects\":[]} and more")),
        || Act::Answer(ok("<html>maintenance</html>")),
        || Act::Answer(ok("{\"error\":[{\"message\":\"shard gone\"}]}")),
        || Act::Answer(reply(206, "", PAGE)),
    ];
    for (n, fault) in cut.into_iter().enumerate() {
        let passing = Server::start(move |n, _| if n == 0 { fault() } else { Act::Answer(ok(PAGE)) }).await;
        assert_eq!(page(&passing.client(), 1_000).await.expect("a page"), PageReply::Body(PAGE.into()), "fault {n}");
        let lasting = Server::start(move |_, _| fault()).await;
        let error = page(&lasting.client(), 1_000).await.expect_err("no page");
        assert!(matches!(error, Error::Exhausted { attempts: 5, .. }), "fault {n}: {error:?}");
    }
}

#[tokio::test]
async fn a_lowered_page_limit_is_recognised() {
    for record in ["list_after_limit_huge", "extra/list_limit_over_custom_max"] {
        let server = Server::saying(recorded(record)).await;
        assert_eq!(page(&server.client(), 1_000).await.expect("an answer"), PageReply::LimitTooHigh);
    }
    let old = r#"{"error":[{"message":"msg:offset or limit code:400 err:query maximum results exceeded"}]}"#;
    let server = Server::saying(reply(422, "", old)).await;
    assert_eq!(page(&server.client(), 1_000).await.expect("an answer"), PageReply::LimitTooHigh);
    let server = Server::saying(recorded("list_after_invalid")).await;
    let error = page(&server.client(), 1_000).await.expect_err("a refusal");
    assert!(matches!(error, Error::Rejected { status: 422, .. }), "{error:?}");
}

#[tokio::test]
async fn not_found_from_a_server_that_is_starting_is_not_believed() {
    // requests: list 404, ready 503, ready 503, ready 200, list 200
    let server = Server::start(|n, request| {
        let ready = request.line.ends_with("ready");
        Act::Answer(match (ready, n) {
            (true, ..3) => reply(503, "", ""),
            (true, _) => reply(200, "", ""),
            (false, ..3) => reply(404, "", ""),
            (false, _) => ok(PAGE),
        })
    })
    .await;
    assert_eq!(page(&server.client(), 1_000).await.expect("a page"), PageReply::Body(PAGE.into()));
    assert_eq!(server.count("GET /v1/objects"), 2);
}

#[tokio::test]
async fn a_collection_that_is_gone_is_not_found_and_not_the_end() {
    let server = Server::start(|_, request| {
        Act::Answer(if request.line.ends_with("ready") { reply(200, "", "") } else { reply(404, "", "") })
    })
    .await;
    let error = page(&server.client(), 1_000).await.expect_err("gone");
    assert!(matches!(error, Error::NotFound { .. }) && !error.is_missing_route(), "{error:?}");
    assert_eq!((server.count("GET /v1/objects"), server.count("GET /v1/.well-known/ready")), (2, 2));
}

#[tokio::test]
async fn a_server_that_never_gets_ready_again_does_not_make_a_collection_disappear() {
    let server =
        Server::start(|_, request| Act::Answer(reply(if request.line.ends_with("ready") { 503 } else { 404 }, "", "")))
            .await;
    let error = page(&server.client(), 1_000).await.expect_err("not ready");
    assert!(matches!(error, Error::NotReady { .. }), "{error:?}");
}
