//! `col create`: what is asked for is what the server has afterwards, and nothing that exists is touched.

use std::time::Duration;

use bytes::Bytes;
use elysiactl::event::{Class, CreationRemark, Events, Status};
use elysiactl::model::{Schema, Selection};
use elysiactl::ops::Error;
use elysiactl::ops::create::{self, CreationOptions, CreationOutcome, CreationStopped, PreparedCreation};
use elysiactl::ops::remove;
use elysiactl::ops::restore::RestoreRefusal;
use elysiactl::weaviate::{Tenant, TenantState, Writer};
use sandbox::{Builder, Fault, Kind, Role, Sandbox};

use crate::support::said::words;
use crate::support::world::{World, world};

const VERSIONS: [&str; 5] = ["1.24", "1.28", "1.32", "1.39", "1.40"];
const PLAIN: &str = r#"{"class":"Article","vectorizer":"none","properties":[{"name":"title","dataType":["text"]}]}"#;
const TENANTS: &str = r#"{"class":"Mt","vectorizer":"none","multiTenancyConfig":{"enabled":true}}"#;

fn schema(text: impl Into<Bytes>) -> Schema {
    Schema::parse(text.into()).expect("a schema")
}

fn options(world: &World, document: &str) -> CreationOptions {
    CreationOptions {
        schema: schema(document.to_owned()),
        name: None,
        tenants: Vec::new(),
        state: world.state(),
        rehearse: true,
    }
}

async fn plan(world: &World, options: CreationOptions) -> Result<PreparedCreation, Error> {
    let events = Events::none();
    create::plan(&world.client(events.clone()), &world.session(events), options).await
}

async fn run(world: &World, prepared: PreparedCreation) -> Result<CreationOutcome, CreationStopped> {
    let events = Events::none();
    create::run(&Writer::new(world.client(events.clone())), &world.session(events), prepared).await
}

async fn created(world: &World, options: CreationOptions) -> CreationOutcome {
    let prepared = plan(world, options).await.unwrap_or_else(|e| panic!("no plan: {e:?}"));
    run(world, prepared).await.unwrap_or_else(|stopped| panic!("it stopped: {:?}", stopped.error))
}

/// What stands against it; nothing may have been sent.
async fn refusals(world: &World, options: CreationOptions) -> Vec<RestoreRefusal> {
    world.sandbox.clear_requests();
    let error = plan(world, options).await.expect_err("refused");
    assert_eq!((error.class(), world.sandbox.writing_requests()), (Class::Refused, 0), "{error:?}");
    match error {
        Error::CannotCreate { refusals } => refusals,
        other => panic!("{other:?}"),
    }
}

fn tenants(count: usize, state: impl Fn(usize) -> TenantState) -> Vec<Tenant> {
    (0..count).map(|n| Tenant { name: format!("t{n:03}").parse().expect("a name"), state: state(n) }).collect()
}

async fn shown(world: &World, name: &str) -> Bytes {
    let shown = world.client(Events::none()).schema(&name.parse().expect("a name")).await.expect("an answer");
    shown.expect("a schema").text
}

#[tokio::test]
async fn a_document_becomes_a_collection_in_one_request() {
    for version in VERSIONS {
        let world = world(Sandbox::builder().version(version));
        let outcome = created(&world, options(&world, PLAIN)).await;
        assert_eq!((outcome.result.status, outcome.missing.len()), (Status::Ok, 0), "{version}");
        assert_eq!((world.sandbox.collections(), world.sandbox.writing_requests()), (vec!["Article".to_owned()], 1));
        assert!(outcome.remarks.is_empty() && !outcome.additions.is_empty(), "{version}: {:?}", outcome.remarks);
    }
}

#[tokio::test]
async fn another_name_takes_references_to_itself_with_it() {
    let own = r#"{"class":"tree","vectorizer":"none","properties":[{"name":"up","dataType":["tree"]}]}"#;
    let world = world(Sandbox::builder());
    for (name, made) in [(None, "Tree"), (Some("oak"), "Oak")] {
        let name = name.map(|name: &str| name.parse().expect("a name"));
        created(
            &world,
            CreationOptions {
                name,
                ..options(&world, &own.replace("[\"tree\"]", "[\"Tree\"]").replace("tree", "Tree"))
            },
        )
        .await;
        let text = String::from_utf8(shown(&world, made).await.to_vec()).expect("text");
        assert!(text.contains(&format!(r#""dataType":["{made}"]"#)), "{text}");
    }
}

#[tokio::test]
async fn what_was_removed_comes_back_as_it_was() {
    let article = r#"{"class":"Article","vectorizer":"none","description":"d","vectorIndexConfig":{"distance":"dot"},"properties":[{"name":"title","dataType":["text"],"tokenization":"field"}]}"#;
    for version in VERSIONS {
        let world = world(Sandbox::builder().version(version).collection(article).collection(TENANTS));
        let all = tenants(150, |n| if n % 2 == 0 { TenantState::Hot } else { TenantState::Cold });
        let client = world.client(Events::none());
        let mt = "Mt".parse().expect("a name");
        Writer::new(client.clone()).create_tenants(&mt, &all).await.expect("tenants");
        let before = [shown(&world, "Article").await, shown(&world, "Mt").await];
        let removal = remove::RemovalOptions {
            selection: Selection::default(),
            allow_protected: false,
            folder: world.options().folder,
            locks: world.folder.path().join("state/locks"),
            patience: Duration::from_secs(1),
        };
        let session = world.session(Events::none());
        let plan = remove::plan(&client, &session, removal).await.expect("a plan");
        let outcome = remove::run(&Writer::new(client.clone()), &session, plan).await.expect("removed");
        assert!(world.sandbox.collections().is_empty(), "{version}");
        for (_, saved) in outcome.saved {
            let read = |path: std::path::PathBuf| std::fs::read(path).expect("a file");
            let tenants = saved.tenants.map(|path| serde_json::from_slice(&read(path)).expect("a list"));
            let schema = schema(read(saved.schema));
            let made = created(
                &world,
                CreationOptions {
                    schema,
                    name: None,
                    tenants: tenants.unwrap_or_default(),
                    state: world.state(),
                    rehearse: true,
                },
            )
            .await;
            assert_eq!(made.result.status, Status::Ok, "{version}");
            assert!(made.remarks.is_empty() && made.additions.is_empty(), "{version}: {made:?}");
        }
        assert_eq!([shown(&world, "Article").await, shown(&world, "Mt").await], before, "{version}");
        assert_eq!(client.tenants(&mt).await.expect("tenants"), all, "{version}");
    }
}

#[tokio::test]
async fn what_exists_is_never_written_to() {
    let world = world(Sandbox::builder().seeded("Article", 3, 2, 1));
    let body = r#"{"alias":"Now","class":"Article"}"#;
    let sent = reqwest::Client::new().post(format!("{}/v1/aliases", world.sandbox.url()));
    let sent = sent.header("content-type", "application/json").body(body).send().await.expect("an answer");
    assert!(sent.status().is_success());
    for name in ["Article", "article", "ARTICLE"] {
        let options = CreationOptions { name: Some(name.parse().expect("a name")), ..options(&world, PLAIN) };
        assert!(matches!(refusals(&world, options).await.as_slice(), [RestoreRefusal::Exists { .. }]), "{name}");
    }
    for name in ["Now", "now", "NOW"] {
        let options = CreationOptions { name: Some(name.parse().expect("a name")), ..options(&world, PLAIN) };
        assert!(matches!(refusals(&world, options).await.as_slice(), [RestoreRefusal::IsAlias { .. }]), "{name}");
    }
    // Somebody is faster.
    let prepared =
        plan(&world, CreationOptions { name: Some("New".parse().expect("a name")), ..options(&world, PLAIN) }).await;
    let other = CreationOptions { name: Some("NEW".parse().expect("a name")), ..options(&world, PLAIN) };
    created(&world, other).await;
    let stopped = run(&world, prepared.expect("a plan")).await.expect_err("taken");
    assert_eq!((stopped.error.class(), stopped.perhaps_there), (Class::Refused, None), "{:?}", stopped.error);
}

#[tokio::test]
async fn what_the_server_cannot_hold_is_refused_before_anything_is_sent() {
    let openai = r#"{"class":"A","vectorizer":"text2vec-openai"}"#;
    let hfresh = r#"{"class":"A","vectorizer":"none","vectorIndexType":"hfresh"}"#;
    let lost = r#"{"class":"A","vectorizer":"none","properties":[{"name":"to","dataType":["Lost"]}]}"#;
    let world = world(Sandbox::builder().version("1.28").modules(&[]));
    assert!(matches!(refusals(&world, options(&world, openai)).await.as_slice(), [RestoreRefusal::Module { .. }]));
    assert!(matches!(refusals(&world, options(&world, hfresh)).await.as_slice(), [RestoreRefusal::Unsupported { .. }]));
    let [RestoreRefusal::MissingTarget { target, .. }] = &refusals(&world, options(&world, lost)).await[..] else {
        panic!("a reference to nowhere")
    };
    assert_eq!(target, "Lost");
    let error = plan(&world, options(&world, lost)).await.expect_err("refused");
    assert_eq!(error.to_string(), "cannot create A: to refers to Lost, which is neither chosen nor on the server");
}

#[tokio::test]
async fn with_a_node_away_nothing_is_created() {
    let world = world(Sandbox::builder().nodes(3));
    world.sandbox.faults().node_down("node3");
    let error = plan(&world, options(&world, PLAIN)).await.expect_err("refused");
    assert_eq!((error.class(), world.sandbox.writing_requests()), (Class::Server, 0), "{error:?}");
}

fn on_create(kind: Kind) -> Fault {
    Fault::new(kind).on("POST", "/v1/schema").exactly()
}

#[tokio::test]
async fn a_request_whose_answer_is_lost_is_looked_for_before_it_is_sent_again() {
    for kind in [Kind::AppliedThen { status: 504, body: String::new() }, Kind::ResetAfter] {
        let world = world(Sandbox::builder().fault(on_create(kind.clone())));
        let outcome = created(&world, options(&world, PLAIN)).await;
        assert_eq!((outcome.result.status, world.sandbox.writing_requests()), (Status::Ok, 1), "{kind:?}");
    }
    let world = world(Sandbox::builder().fault(on_create(Kind::ResetBefore).times(1)));
    created(&world, options(&world, PLAIN)).await;
    assert_eq!(world.sandbox.collections(), ["Article"]);
}

#[tokio::test]
async fn a_server_that_refuses_or_keeps_failing_leaves_nothing() {
    let no = r#"{"error":[{"message":"no"}]}"#;
    for (kind, class) in [(Kind::status(422, no), Class::Refused), (Kind::status(500, no), Class::Server)] {
        let world = world(Sandbox::builder().fault(on_create(kind)));
        let prepared = plan(&world, options(&world, PLAIN)).await.expect("a plan");
        let stopped = run(&world, prepared).await.expect_err("refused");
        assert!(matches!(stopped.error, Error::NotCreated { .. }), "{:?}", stopped.error);
        assert_eq!((stopped.error.class(), stopped.perhaps_there), (class, None), "{:?}", stopped.error);
    }
    // Where its roles are told, the plan refuses (`may_not`).
    let untold = Fault::new(Kind::status(404, "no")).on("GET", "/v1/users/own-info");
    let reader = Sandbox::builder().seeded("Other", 1, 2, 3).key("canary-read", "reader", Role::Viewer);
    let mut world = world(reader.fault(untold));
    world.key = Some("canary-read");
    let prepared = plan(&world, options(&world, PLAIN)).await.expect("a plan");
    let stopped = run(&world, prepared).await.expect_err("refused");
    assert_eq!(stopped.error.class(), Class::Server, "{:?}", stopped.error);
    assert_eq!((world.sandbox.collections(), stopped.perhaps_there), (vec!["Other".to_owned()], None));
}

const UNKNOWN_DISTANCE: &str =
    r#"{"class":"Article","vectorizer":"none","vectorIndexConfig":{"distance":"foo"},"properties":[]}"#;

#[tokio::test]
async fn a_rehearsal_says_that_the_server_refuses_what_it_kept_a_half_of() {
    for version in VERSIONS {
        let world = world(Sandbox::builder().version(version));
        let prepared = plan(&world, options(&world, UNKNOWN_DISTANCE)).await.expect("a plan");
        let (client, session) = (world.client(Events::none()), world.session(Events::none()));
        let error = create::rehearse(&Writer::new(client), &session, prepared).await.expect_err("refused");
        let Error::CannotCreate { refusals } = &error else { panic!("{version}: {error:?}") };
        assert!(matches!(refusals[..], [RestoreRefusal::Unmakeable { .. }]), "{version}: {refusals:?}");
        assert!(refusals[0].to_string().contains("unrecognized distance metric"), "{version}: {}", refusals[0]);
        assert!(world.sandbox.collections().is_empty(), "{version}: {:?}", world.sandbox.collections());
    }
}

#[tokio::test]
async fn what_the_server_refused_and_kept_a_half_of_is_not_called_somebody_elses_and_goes_again() {
    for version in VERSIONS {
        let world = world(Sandbox::builder().version(version));
        let prepared = plan(&world, options(&world, UNKNOWN_DISTANCE)).await.expect("a plan");
        let stopped = run(&world, prepared).await.expect_err("refused");
        let Error::NotCreated { source, .. } = &stopped.error else { panic!("{version}: {:?}", stopped.error) };
        assert!(source.to_string().contains("unrecognized distance metric"), "{version}: {source}");
        assert_eq!((stopped.error.class(), stopped.perhaps_there), (Class::Refused, None), "{version}");
        assert!(world.sandbox.collections().is_empty(), "{version}: {:?}", world.sandbox.collections());
    }
}

#[tokio::test]
async fn a_refused_half_that_holds_objects_stays_and_is_named() {
    let world = world(Sandbox::builder());
    let prepared = plan(&world, options(&world, PLAIN)).await.expect("a plan");
    let body = r#"{"error":[{"message":"no"}]}"#.to_owned();
    world.sandbox.faults().add(on_create(Kind::AppliedThen { status: 422, body }));
    let counted = Kind::status(200, r#"{"data":{"Aggregate":{"c0":[{"meta":{"count":1}}]}}}"#);
    world.sandbox.faults().add(Fault::new(counted).on("POST", "/v1/graphql"));
    let stopped = run(&world, prepared).await.expect_err("refused");
    assert!(matches!(stopped.error, Error::NotCreated { .. }), "{:?}", stopped.error);
    assert_eq!(stopped.perhaps_there.map(|name| name.to_string()).as_deref(), Some("Article"));
    assert_eq!(world.sandbox.collections(), ["Article"]);
}

fn on_tenants(builder: Builder, kind: Kind) -> Builder {
    builder.fault(Fault::new(kind).on("POST", "/v1/schema/Mt/tenants").nth(2))
}

#[tokio::test]
async fn tenants_are_created_a_hundred_at_once_with_their_states() {
    for version in ["1.24", "1.40"] {
        let world = world(Sandbox::builder().version(version));
        let given = tenants(250, |n| match n {
            7 => TenantState::Cold,
            8 => TenantState::Frozen,
            _ => TenantState::Hot,
        });
        let outcome = created(&world, CreationOptions { tenants: given, ..options(&world, TENANTS) }).await;
        assert_eq!((outcome.result.status, outcome.result.collections[0].tenants), (Status::Ok, 250), "{version}");
        assert_eq!(world.sandbox.writing_requests(), 4, "{version}: the collection, and three times tenants");
        assert!(words(&outcome.remarks)[0].starts_with("1 tenant is created inactive"), "{:?}", outcome.remarks);
        let there = world.client(Events::none()).tenants(&"Mt".parse().expect("a name")).await.expect("tenants");
        let cold = there.iter().filter(|tenant| tenant.state == TenantState::Cold).count();
        assert_eq!((there.len(), cold), (250, 2), "{version}");
    }
}

#[tokio::test]
async fn tenants_that_cannot_be_created_are_counted_and_what_is_there_is_named() {
    let refusing = on_tenants(Sandbox::builder(), Kind::status(422, r#"{"error":[{"message":"no"}]}"#));
    let world = world(refusing);
    let given = tenants(250, |_| TenantState::Hot);
    let prepared =
        plan(&world, CreationOptions { tenants: given.clone(), ..options(&world, TENANTS) }).await.expect("a plan");
    let stopped = run(&world, prepared).await.expect_err("refused");
    assert!(matches!(stopped.error, Error::TenantsNotCreated { created: 100, all: 250, .. }), "{:?}", stopped.error);
    assert_eq!(stopped.error.class(), Class::Refused);
    assert_eq!(stopped.perhaps_there.map(|name| name.to_string()).as_deref(), Some("Mt"));
    // One that fails for a moment is asked again, and one that is only said to be done is found out.
    let passing = crate::support::world::world(on_tenants(
        Sandbox::builder(),
        Kind::AppliedThen { status: 503, body: String::new() },
    ));
    let outcome = created(&passing, CreationOptions { tenants: given.clone(), ..options(&passing, TENANTS) }).await;
    assert_eq!(outcome.result.status, Status::Ok);
    let lying = crate::support::world::world(on_tenants(Sandbox::builder(), Kind::status(200, "[]")));
    let outcome = created(&lying, CreationOptions { tenants: given, ..options(&lying, TENANTS) }).await;
    assert_eq!(
        (outcome.result.status, outcome.missing),
        (Status::Incomplete, vec![CreationRemark::TenantsNotThere { tenants: 100, of: 250 }])
    );
}

#[tokio::test]
async fn while_another_run_writes_to_it_nothing_is_created() {
    let world = world(Sandbox::builder());
    let wanted = options(&world, PLAIN);
    let prepared = plan(&world, wanted.clone()).await.expect("a plan");
    let held = world.held_by_another_run(wanted.schema.name.as_str());
    let stopped = run(&world, prepared).await.expect_err("held");
    assert_eq!((stopped.error.class(), world.sandbox.writing_requests()), (Class::Locked, 0));
    drop(held);
}
