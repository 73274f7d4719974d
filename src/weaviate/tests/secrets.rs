//! Keys stay where they belong.

use reqwest::header::HeaderName;
use secrecy::SecretString;

use super::server::{Act, Server, ok, quick, reply, said};
use crate::event::{Event, Events, Warning};
use crate::weaviate::{Client, Connection, Error};

const KEY: &str = "sesame-key";
const HEADER: &str = "sesame-header";

fn with_secrets(mut connection: Connection) -> Connection {
    connection.key = Some(SecretString::from(KEY));
    connection.headers = vec![(HeaderName::from_static("x-openai-api-key"), SecretString::from(HEADER))];
    connection
}

#[tokio::test]
async fn the_key_and_headers_are_sent() {
    let server = Server::saying(ok(r#"{"version":"1.40.0"}"#)).await;
    let connection = with_secrets(server.connection("http"));
    let client = Client::with_policy(connection, Events::none(), 1, quick()).expect("a client");
    client.meta().await.expect("an answer");
    let head = &server.requests()[0].head;
    assert!(head.contains("authorization: Bearer sesame-key\r\n"), "{head}");
    assert!(head.contains("x-openai-api-key: sesame-header\r\n"), "{head}");
}

#[tokio::test]
async fn a_redirect_to_another_host_is_not_followed_and_gets_no_key() {
    for status in [301, 307, 308] {
        let other = Server::saying(ok(r#"{"version":"1.40.0"}"#)).await;
        let location = format!("location: http://me:pw@127.0.0.1:{}/v1/meta?token=1\r\n", other.port);
        let server = Server::start(move |_, _| Act::Answer(reply(status, &location, ""))).await;
        let connection = with_secrets(server.connection("http"));
        let client = Client::with_policy(connection, Events::none(), 1, quick()).expect("a client");
        let error = client.meta().await.expect_err("a redirect");
        let Error::Redirected { to, .. } = &error else { panic!("{error:?}") };
        assert_eq!(*to, format!("http://127.0.0.1:{}", other.port));
        assert_eq!((other.requests().len(), server.requests().len()), (0, 1));
    }
}

#[tokio::test]
async fn no_error_event_or_debug_output_holds_a_secret() {
    let echo = |_: usize, request: &super::server::Request| {
        let status = if request.line.ends_with("meta") { 500 } else { 422 };
        Act::Answer(reply(status, "", &request.head))
    };
    let server = Server::start(echo).await;
    let (events, mut heard) = Events::channel();
    let client = Client::with_policy(with_secrets(server.connection("http")), events, 1, quick()).expect("a client");
    let errors = [client.meta().await.expect_err("500"), client.schemas().await.expect_err("422")];
    let shown = format!("{errors:?} {} {} {:?} {client:?}", errors[0].root(), errors[1], said(&mut heard));
    assert!(shown.contains("[redacted]") && !shown.contains("sesame"), "{shown}");
}

#[test]
fn a_key_over_plain_http_to_another_host_is_warned_about_once() {
    let (events, mut heard) = Events::channel();
    let mut connection = with_secrets(Server::at(1).connection("http"));
    connection.url = Connection::parse_url("http://weaviate.example:8080").expect("a url");
    let client = Client::new(connection, events, 1).expect("a client");
    assert_eq!(client.url(), "http://weaviate.example:8080");
    let warning = Event::Warning(Warning::KeyOverHttp { host: "weaviate.example".into() });
    assert_eq!(said(&mut heard), [warning]);
}

#[test]
fn a_key_that_no_header_can_carry_is_refused_without_showing_it() {
    let mut connection = Server::at(1).connection("http");
    connection.key = Some(SecretString::from("sesame\nkey"));
    let error = Client::new(connection, Events::none(), 1).expect_err("a bad key");
    assert!(matches!(error, Error::Header { .. }) && !format!("{error:?} {error}").contains("sesame"));
}
