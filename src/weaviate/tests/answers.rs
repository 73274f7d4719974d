//! Schemas, aliases, roles and meta, from recorded answers.

use super::server::{Act, Server, ok, recorded, reply};
use crate::weaviate::{Listed, Named};

#[tokio::test]
async fn meta_tells_version_modules_and_clock() {
    let server = Server::saying(recorded("meta")).await;
    let meta = server.client().meta().await.expect("meta");
    assert_eq!((meta.version.text.as_str(), meta.version.minor), ("1.40.0-dev", 40));
    assert_eq!(meta.modules, ["generative-openai", "text2vec-openai"]);
    assert_eq!(meta.server_time_ms, None);
    let dated = reply(200, "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", r#"{"version":"1.24.26","modules":null}"#);
    let meta = Server::saying(dated).await.client().meta().await.expect("meta");
    assert_eq!(meta.server_time_ms, Some(784_111_777_000));
}

#[tokio::test]
async fn schemas_are_sorted_and_keep_their_bytes() {
    let text = "{\"classes\":[{\"class\":\"B\",\"x\":1.50},{ \"class\":\"A\"}]}\n";
    let schemas = Server::saying(ok(text)).await.client().schemas().await.expect("schemas");
    let seen: Vec<(&str, &[u8])> = schemas.iter().map(|s| (s.name.as_str(), &*s.text)).collect();
    assert_eq!(seen, [("A", &b"{ \"class\":\"A\"}"[..]), ("B", b"{\"class\":\"B\",\"x\":1.50}")]);
    assert!(Server::saying(recorded("schema_empty")).await.client().schemas().await.expect("none").is_empty());
    for nonsense in ["{}", "{\"classes\":[{}]}", "[]"] {
        Server::saying(ok(nonsense)).await.client().schemas().await.expect_err(nonsense);
    }
}

#[tokio::test]
async fn one_schema_is_found_or_missing() {
    let name = "Jeopardy".parse().expect("a name");
    let server = Server::saying(recorded("schema_get_class")).await;
    let schema = server.client().schema(&name).await.expect("an answer").expect("a schema");
    assert_eq!((schema.name, schema.text.last()), (name.clone(), Some(&b'}')));
    let server = Server::start(|_, request| {
        Act::Answer(if request.line.ends_with("ready") { ok("") } else { recorded("schema_class_unknown_404") })
    })
    .await;
    assert_eq!(server.client().schema(&name).await.expect("an answer"), None);
    let wrong_path = Server::start(|_, request| {
        Act::Answer(if request.line.ends_with("ready") { ok("") } else { recorded("extra/nonexistent_path") })
    })
    .await;
    assert!(wrong_path.client().schema(&name).await.expect_err("no such path").is_missing_route());
}

#[tokio::test]
async fn aliases_are_read_where_there_are_any() {
    let listed = async |answer| Server::saying(answer).await.client().aliases().await;
    let Listed::Seen(aliases) = listed(recorded("aliases_list_one")).await.expect("an answer") else { panic!("none") };
    assert_eq!(aliases.pairs, [("MyAlias".to_owned(), "Del".parse().expect("a name"))]);
    for closed in [recorded("extra/aliases_list__v1.24"), reply(501, "", "")] {
        assert_eq!(listed(closed).await.expect("an answer"), Listed::Nothing);
    }
    assert_eq!(listed(reply(403, "", "")).await.expect("an answer"), Listed::Forbidden);
    assert!(listed(reply(401, "", "")).await.expect_err("no key").is_auth());
}

#[tokio::test]
async fn roles_are_kept_verbatim_where_they_exist() {
    let text = "[{\"name\":\"admin\",\"permissions\":[]}]";
    let listed = async |answer| Server::saying(answer).await.client().roles().await.expect("an answer");
    assert_eq!(listed(ok(&format!("{text}\n"))).await, Listed::Seen(text.into()));
    for nothing in [ok("[]\n"), ok("null"), ok(""), reply(401, "", ""), recorded("extra/nonexistent_path")] {
        assert_eq!(listed(nothing).await, Listed::Nothing);
    }
    assert_eq!(listed(reply(403, "", "")).await, Listed::Forbidden);
}

#[tokio::test]
async fn what_is_asked_by_its_name_is_there_or_missing_or_hidden() {
    let alias = async |answer| Server::saying(answer).await.client().alias(&"Live".parse().expect("a name")).await;
    let there = ok(r#"{"alias":"Live","class":"Article"}"#);
    assert_eq!(alias(there).await.expect("an answer"), Named::There("Article".parse().expect("a name")));
    assert_eq!(alias(reply(403, "", "")).await.expect("an answer"), Named::Hidden);
    assert_eq!(alias(reply(404, "", "")).await.expect("an answer"), Named::Missing);
    assert!(alias(reply(401, "", "")).await.expect_err("no key").is_auth());
    let server = Server::saying(reply(404, "", "")).await;
    assert_eq!(server.client().role("../x y").await.expect("an answer"), Named::Missing);
    assert_eq!(server.requests()[0].line, "GET /v1/authz/roles/..%2Fx%20y");
}
