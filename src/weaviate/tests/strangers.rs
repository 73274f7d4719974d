//! Addresses behind which something else lives.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::server::{Act, Server, ok, recorded, reply};
use crate::weaviate::Error;

#[tokio::test]
async fn a_web_page_is_not_taken_for_a_server() {
    let server = Server::saying(ok("<!doctype html><title>Welcome to nginx!</title>")).await;
    let client = server.client();
    for error in [client.ready().await.expect_err("a stranger"), client.meta().await.expect_err("a stranger")] {
        assert!(matches!(error, Error::NotWeaviate { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn another_json_service_or_path_is_not_taken_for_a_server() {
    for answer in [
        ok(r#"{"name":"elastic","version":{"number":"8.0"}}"#),
        ok("[]"),
        ok(r#"{"version":"latest"}"#),
        reply(404, "", "404 page not found"),
        recorded("extra/nonexistent_path"),
        reply(400, "", "Client sent an HTTP request to an HTTPS server."),
    ] {
        let error = Server::saying(answer).await.client().meta().await.expect_err("a stranger");
        assert!(matches!(error, Error::NotWeaviate { .. }), "{error:?}");
    }
    let error = Server::saying(reply(404, "", "")).await.client().ready().await.expect_err("a stranger");
    assert!(matches!(error, Error::NotWeaviate { .. }), "{error:?}");
}

#[tokio::test]
async fn a_port_that_speaks_first_is_told_apart() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let client = Server::at(listener.local_addr().expect("an address").port()).client();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.write_all(b"\0\0\x06\x04\0\0\0\0\0\0\x05\0\0@\0").await.expect("a connection");
            let mut all = Vec::new();
            let _ = stream.read_to_end(&mut all).await;
        }
    });
    for error in [client.ready().await.expect_err("a stranger"), client.meta().await.expect_err("a stranger")] {
        assert!(matches!(error, Error::NotWeaviate { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_port_that_does_not_speak_http_is_told_apart() {
    let server = Server::start(|_, _| Act::Cut(b"\0\0\x06\x04\0\0\0\0\0\0\x05\0\0@\0SSH-2.0\r\n\r\n".to_vec())).await;
    let client = server.client();
    for error in [client.ready().await.expect_err("a stranger"), client.meta().await.expect_err("a stranger")] {
        assert!(matches!(error, Error::NotWeaviate { .. }), "{error:?}");
    }
}
