//! What is said in the end when a server keeps failing: what was asked, how often, for how long, and the last answer.

use std::time::Duration;

use elysiactl::cli::Failure;
use elysiactl::weaviate::RetryPolicy;
use sandbox::{Fault, Kind, Sandbox};

use crate::support::binary::{Stage, said};
use crate::support::world::{QUICK, World, world};

const STOPS: Duration = Duration::from_secs(60);

/// What a backup says whose pages fail so from the third on.
async fn backup_with(kind: Kind, policy: RetryPolicy) -> String {
    let world = World { policy, stall: Duration::from_millis(300), ..world(articles()) };
    world.sandbox.faults().add(Fault::new(kind).on("GET", "/v1/objects").after(2));
    // One after the other, since all share what may be sent again.
    let options = elysiactl::ops::backup::BackupOptions { jobs: Some(1), ..world.options() };
    let (done, _) = world.try_backup(options).await;
    let error = done.expect_err("a failure").error;
    Failure::from_error(error.class(), &error).text(false)
}

fn articles() -> sandbox::Builder {
    Sandbox::builder().seeded("Article", 200, 2, 1)
}

/// Times and the system's own words differ from run to run and machine to machine.
fn settled() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"\d+\.\d s", "[time]");
    settings.add_filter(r"127\.0\.0\.1:\d+", "[host]");
    settings.add_filter(r"connection lost: .*", "connection lost: [why]");
    settings.add_filter(r"tcp connect error: .*", "tcp connect error: [why]");
    settings.add_filter(r"dns error: .*", "dns error: [why]");
    settings
}

#[tokio::test]
async fn what_was_asked_how_often_how_long_and_the_last_answer() {
    let _settled = settled().bind_to_scope();
    insta::assert_snapshot!(backup_with(Kind::status(503, r#"{"error":[{"message":"busy"}]}"#), QUICK).await, @r"
    error: cannot read Article
      1: gave up on GET /v1/objects after 8 attempts in [time]
      2: GET /v1/objects: server error (503): busy
    ");
    insta::assert_snapshot!(backup_with(Kind::ResetBefore, QUICK).await, @r"
    error: cannot read Article
      1: gave up on GET /v1/objects after 8 attempts in [time]
      2: GET /v1/objects: connection lost: [why]
    ");
    insta::assert_snapshot!(backup_with(Kind::Stall(10, STOPS), QUICK).await, @r"
    error: cannot read Article
      1: gave up on GET /v1/objects after 2 attempts in [time]
      2: GET /v1/objects: no progress for [time]
    ");
    insta::assert_snapshot!(backup_with(Kind::status(401, r#"{"code":401,"message":"expired"}"#), QUICK).await, @r"
    error: cannot read Article
      1: GET /v1/objects: not authenticated: expired
    ");
}

#[tokio::test]
async fn a_run_that_may_send_nothing_again_says_so() {
    let _settled = settled().bind_to_scope();
    let policy = RetryPolicy { budget_floor: 3, budget_percent: 0, ..QUICK };
    insta::assert_snapshot!(backup_with(Kind::status(500, "oops"), policy).await, @r"
    error: cannot read Article
      1: gave up on GET /v1/objects after 4 attempts in [time], as this run has sent 3 requests again, more than its share
      2: GET /v1/objects: server error (500): oops
    ");
}

#[tokio::test]
async fn a_request_that_is_sent_once_says_why_it_was_not_sent_again() {
    let _settled = settled().bind_to_scope();
    let world = world(articles());
    world.sandbox.faults().add(Fault::new(Kind::ResetBefore).on("DELETE", "/v1/schema/Article"));
    let client = elysiactl::weaviate::Writer::new(world.client(elysiactl::event::Events::none()));
    client.client().ready().await.expect("ready");
    let error = client.drop_collection(&"Article".parse().expect("a name")).await.expect_err("no answer");
    insta::assert_snapshot!(Failure::from_error(elysiactl::event::Class::Server, &error).text(false), @r"
    error: gave up on DELETE /v1/schema/Article after 1 attempt in [time], as it must not be sent twice
      1: DELETE /v1/schema/Article: connection lost: [why]
    ");
}

#[test]
fn a_server_out_of_reach_is_told_with_how_often_it_was_tried() {
    let _settled = settled().bind_to_scope();
    let stage = Stage::new(articles());
    let tried = |url: &str| {
        let output = stage.run(&["col", "backup", "--url", url]);
        assert_eq!(output.status.code(), Some(5));
        said(&output)
    };
    insta::assert_snapshot!(tried("http://127.0.0.1:1"), @r"
    error: cannot reach [host] (4 attempts in [time]): tcp connect error: [why]

    hint: check --url, WEAVIATE_URL or WCD_URL: the REST port is usually 8080 (8079 for embedded Weaviate, 443 in the cloud)
    ");
    insta::assert_snapshot!(tried("http://weaviate.invalid:8080"), @r"
    error: cannot reach weaviate.invalid:8080 (4 attempts in [time]): dns error: [why]

    hint: check the host in --url or WEAVIATE_URL: its name cannot be resolved from here
    ");
}

#[test]
fn an_answer_that_stops_is_told_by_the_binary_with_how_long_it_was_waited_for() {
    let _settled = settled().bind_to_scope();
    let stage = Stage::new(articles());
    let faults = stage.sandbox.faults();
    faults.add(Fault::new(Kind::Stall(10, STOPS)).on("GET", "/v1/objects").query("include=vector"));
    let output = stage.run(&["col", "backup", "-q", "--stall-timeout", "1s"]);
    assert_eq!(output.status.code(), Some(5));
    insta::assert_snapshot!(said(&output), @r"
    error: gave up on GET /v1/objects after 3 attempts in [time]
      1: GET /v1/objects: no progress for [time]

    hint: run the command again; every run makes an archive of its own
    ");
}

#[test]
fn pages_that_cannot_be_had_are_told_by_the_binary_with_what_would_help() {
    let mut settings = settled();
    settings.add_filter(r"hint: .*/archives/.*", "hint: [how to carry it on]");
    let _settled = settings.bind_to_scope();
    let told = |kind: Kind| {
        let stage = Stage::new(articles());
        stage.sandbox.faults().add(Fault::new(kind).on("GET", "/v1/objects").query("include=vector"));
        let output = stage.run(&["col", "backup", "-q"]);
        assert_eq!(output.status.code(), Some(5));
        said(&output)
    };
    let refused = r#"{"error":[{"message":"query maximum results exceeded"}]}"#;
    insta::assert_snapshot!(told(Kind::status(422, refused)), @r"
    error: cannot read Article
      1: the server refuses even a page of one object of Article

    hint: raise QUERY_MAXIMUM_RESULTS on the server: it allows no page at all
    hint: [how to carry it on]
    ");
    insta::assert_snapshot!(told(Kind::Promises(1 << 30)), @r"
    error: cannot read Article
      1: an object of Article is larger than 268435456 bytes

    hint: leave this collection out to back up the others, or make the object smaller
    hint: [how to carry it on]
    ");
}
