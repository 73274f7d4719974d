//! The archive says where the server's modules send what they are given: it stands in the plan, and nothing goes to a
//! place that the operator did not name.

use elysiactl::ops::Error;
use elysiactl::ops::restore::{RestoreOptions, RestoreRefusal};
use sandbox::Sandbox;
use serde_json::json;

use crate::support::said::words;
use crate::support::world::world;

const PLACE: &str = "http://127.0.0.1:9/v1";

#[tokio::test]
async fn objects_to_be_vectorised_go_to_no_place_that_the_archive_alone_names() {
    let class = json!({"class": "Texts", "vectorizer": "text2vec-openai", "properties": [{"name": "t", "dataType": ["text"]}],
        "moduleConfig": {"text2vec-openai": {"baseURL": PLACE}}});
    let object = json!({"class": "Texts", "id": "00000000-0000-4000-8000-000000000001", "properties": {"t": "x"}});
    let source = world(Sandbox::builder().collection(&class.to_string()).object(&object.to_string()));
    let archive: std::path::PathBuf = source.backup(source.options()).await.result.archive.expect("an archive").into();
    let target = world(Sandbox::builder().makes_vectors(3));
    let options = || RestoreOptions { revectorize: true, verify: false, ..target.restore_options(&archive) };
    let other =
        RestoreOptions { allowed_endpoints: vec!["http://127.0.0.1:90".parse().expect("an origin")], ..options() };
    for options in [options(), other] {
        let error = target.refused(options).await;
        let Error::CannotRestore { refusals, .. } = &error else { panic!("{error:?}") };
        assert!(
            matches!(&refusals[..], [RestoreRefusal::Endpoint { endpoint, .. }] if endpoint.shown == PLACE),
            "{refusals:?}"
        );
        assert!(error.to_string().contains("moduleConfig.text2vec-openai.baseURL"), "{error}");
    }
    assert_eq!(target.sandbox.writing_requests(), 0, "nothing is sent before");
    // Without the module nothing goes anywhere, and with a word it may.
    let without = RestoreOptions { settings: vec!["vectorizer=none".parse().expect("a setting")], ..options() };
    let plan = target.restore_plan(without).await.expect("a plan").plan;
    assert!(plan.collections[0].endpoints.is_empty(), "{:?}", plan.collections[0].endpoints);
    let named =
        RestoreOptions { allowed_endpoints: vec!["http://127.0.0.1:9".parse().expect("an origin")], ..options() };
    let plan = target.restore_plan(named).await.expect("a plan");
    let remarks = words(&plan.plan.collections[0].remarks);
    assert!(remarks.iter().any(|remark| remark.contains(PLACE)), "{remarks:?}");
    let (done, _) = target.run_plan(plan).await;
    assert_eq!(done.unwrap_or_else(|stopped| panic!("{:?}", stopped.error)).result.objects, 1);
}
