//! What stands against emptying a collection: each is named with what can be done, and nothing is sent that writes.

use elysiactl::event::SettingRemark;
use elysiactl::ops::clear::NotRepeatable;

use super::*;

/// What a clear of the only thing that is wrong with it is refused for.
async fn refusal(world: &World, options: ClearOptions, hints: &[Hint]) -> ClearRefusal {
    let error = refused(world, options).await;
    assert_eq!((error.class(), error.hints().as_slice()), (Class::Refused, hints), "{error:?}");
    match error {
        Error::CannotClear { mut refusals } if refusals.len() == 1 => refusals.remove(0),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn tenants_that_cannot_be_meant_are_refused() {
    let world = world(
        articles().collection(r#"{"class":"Many","multiTenancyConfig":{"enabled":true}}"#).tenant("Many", "a", "HOT"),
    );
    let of = |take: &[&str]| ClearOptions { tenants: vec!["t".parse().expect("a name")], ..options(&world, take) };
    let plain = refusal(&world, of(&["Article"]), &[]).await;
    assert_eq!(plain, ClearRefusal::NotMultiTenant { collection: name("Article") });
    let unknown = refusal(&world, of(&["Many"]), &[Hint::ListTenants]).await;
    assert!(matches!(&unknown, ClearRefusal::UnknownTenant { tenant, .. } if tenant.as_str() == "t"), "{unknown:?}");
    let many = refusal(&world, of(&["Article", "Many"]), &[]).await;
    assert_eq!(many, ClearRefusal::TenantsOfMany { collections: 2 });
}

#[tokio::test]
async fn a_key_that_may_only_read_is_found_out_in_the_plan() {
    let mut world = world(articles().with_keys());
    world.key = Some("readkey");
    let refusal = refusal(&world, options(&world, &["Article"]), &[Hint::GrantPermission]).await;
    assert!(matches!(refusal, ClearRefusal::NotAllowed { ref lack } if lack.action == "delete_data"), "{refusal:?}");
}

#[tokio::test]
async fn read_only_shards_are_not_deleted_from() {
    let world = world(articles());
    let shard = world.sandbox.shards("Article")[0].clone();
    call(&world, "PUT", &format!("/v1/schema/Article/shards/{shard}"), r#"{"status":"READONLY"}"#).await;
    let refusal = refusal(&world, one(Wish::Delete, options(&world, &["Article"])), &[Hint::RecreateInstead]).await;
    assert!(matches!(&refusal, ClearRefusal::ReadOnly { shards, .. } if *shards == [shard]), "{refusal:?}");
}

#[tokio::test]
async fn what_somebody_writes_to_is_not_dropped() {
    let world = world(articles());
    // Between the two counts of the plan.
    let write = Kind::Change(Change::Write(article(1)));
    world.sandbox.faults().add(Fault::new(write).on("POST", "/v1/graphql").nth(2));
    let refusal =
        refusal(&world, one(Wish::Recreate, options(&world, &["Article"])), &[Hint::DeleteInstead, Hint::WritersFirst])
            .await;
    assert_eq!(
        refusal,
        ClearRefusal::BeingWritten { collection: name("Article"), before: OBJECTS, after: OBJECTS + 1 }
    );
    assert_eq!(world.sandbox.count("Article", None), OBJECTS + 1);
}

#[tokio::test]
async fn a_collection_beside_an_alias_of_its_name_in_another_spelling_is_not_dropped() {
    let world = world(articles().alias("ARTICLE", "Article"));
    let refusal = refusal(&world, one(Wish::Recreate, options(&world, &["Article"])), &[Hint::DeleteInstead]).await;
    assert!(
        matches!(&refusal, ClearRefusal::NotRecreated { why: NotRepeatable::AliasOfItsName { alias }, .. } if alias == "ARTICLE"),
        "{refusal:?}"
    );
    assert_eq!(world.sandbox.count("Article", None), OBJECTS);
}

#[tokio::test]
async fn what_the_server_would_not_take_back_is_not_dropped() {
    let odd = r#"{"class":"Odd","vectorizer":"text2vec-contextionary"}"#;
    let world = world(Sandbox::builder().modules(&["text2vec-contextionary"]).collection(odd));
    // It was started anew without the module.
    let meta = r#"{"hostname":"http://[::]:8080","modules":{},"version":"1.40.0"}"#;
    world.sandbox.faults().add(Fault::new(Kind::status(200, meta)).on("GET", "/v1/meta"));
    let refusal = refusal(&world, one(Wish::Recreate, options(&world, &["Odd"])), &[Hint::DeleteInstead]).await;
    let told = matches!(&refusal, ClearRefusal::NotRecreated { why: NotRepeatable::Refused(why), .. } if why.to_string().contains("text2vec-contextionary"));
    assert!(told, "{refusal:?}");
    assert_eq!(world.sandbox.collections(), ["Odd"]);
}

#[tokio::test]
async fn what_would_come_back_without_a_setting_is_not_dropped() {
    let generates = r#"{"class":"Gen","vectorConfig":{"v":{"vectorizer":{"none":{}},"vectorIndexType":"hnsw"}},
        "moduleConfig":{"generative-openai":{"model":"gpt-4"}}}"#;
    let idle = r#"{"class":"Idle","vectorizer":"none","properties":[
        {"name":"title","dataType":["text"],"moduleConfig":{"text2vec-openai":{"skip":true}}}]}"#;
    let world = world(Sandbox::builder().collection(generates).collection(idle));
    // It was started anew without one of its modules.
    let meta = r#"{"hostname":"http://[::]:8080","modules":{"text2vec-openai":{}},"version":"1.40.0"}"#;
    world.sandbox.faults().add(Fault::new(Kind::status(200, meta)).on("GET", "/v1/meta"));
    for (collection, setting, value) in [
        ("Gen", "moduleConfig.generative-openai", r#"{"model":"gpt-4"}"#),
        ("Idle", "properties.*.moduleConfig.text2vec-openai", r#"{"skip":true}"#),
    ] {
        let wanted = one(Wish::Recreate, options(&world, &[collection]));
        let refusal = refusal(&world, wanted, &[Hint::DeleteInstead]).await;
        let ClearRefusal::NotRecreated { why: NotRepeatable::SettingLost(lost), .. } = &refusal else {
            panic!("{refusal:?}")
        };
        let SettingRemark::SettingLost { key, was, now: None, .. } = lost else { panic!("{lost:?}") };
        assert_eq!((key.as_str(), was.as_str()), (setting, value));
        let plan = planned(&world, options(&world, &[collection])).await.expect("a plan");
        assert_eq!(plan.collections[0].method, Method::Delete);
    }
}

#[tokio::test]
async fn what_others_created_since_the_run_that_is_resumed_dropped_it_is_theirs() {
    let world = world(articles());
    let recreate = || ClearOptions { rehearse: false, ..one(Wish::Recreate, options(&world, &["Article"])) };
    let plan = planned(&world, recreate()).await.expect("a plan");
    let theirs = r#"{"class":"Article","properties":[{"name":"title","dataType":["text"]}]}"#;
    world.sandbox.faults().now(&Change::CreatorAfterDrop("Article".into(), theirs.into()));
    let (stopped, _) = run(&world, plan).await;
    stopped.expect_err("another one of that name is there");
    let resumed = || ClearOptions { resumes: true, ..recreate() };
    planned(&world, resumed()).await.expect("an empty one is nobody's loss");
    world.sandbox.faults().now(&Change::Write(article(1)));
    let refusal = refusal(&world, resumed(), &[]).await;
    assert_eq!(refusal, ClearRefusal::BelongsToOthers { collection: name("Article"), objects: Some(1) });
    planned(&world, recreate()).await.expect("who names it anew means what is there");
}
