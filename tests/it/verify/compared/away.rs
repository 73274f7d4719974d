//! A node that is away makes no difference: the comparison waits, or ends with an error.

use super::*;

/// Three nodes with a shard each.
fn three() -> World {
    let document = r#"{"class":"Article","vectorizer":"none","shardingConfig":{"desiredCount":3}}"#;
    let mut builder = Sandbox::builder().nodes(3).collection(document);
    for n in 0..900u128 {
        let id = uuid::Uuid::from_u128(n.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834));
        builder = builder.object(&format!(r#"{{"class":"Article","id":"{id}","properties":{{}},"vector":[1,2]}}"#));
    }
    world(builder)
}

#[tokio::test]
async fn a_node_that_is_away_for_a_while_never_makes_a_false_difference() {
    let mut dropped = 0;
    for requests in [16, 24, 32] {
        let world = three();
        let archive = backed_up(&world, many_parts(&world)).await;
        // Longer than the time between two looks at the nodes.
        world.sandbox.faults().add(Fault::new(Kind::Delay(Duration::from_millis(150))).on("GET", "/v1/objects"));
        world.sandbox.faults().now(&Change::Hang(Duration::from_secs(1)));
        world.sandbox.faults().in_requests(requests, Change::NodeDown("node3".into()));
        let options = VerifyOptions { patience: Duration::from_secs(30), ..verify_options(&archive) };
        let ((done, events), ()) = tokio::join!(world.try_verify(options), async {
            tokio::time::sleep(Duration::from_millis(2_500)).await;
            world.sandbox.faults().node_up("node3");
        });
        let outcome = done.expect("whole in the end");
        assert_eq!(
            (outcome.result.status, found(&outcome).len()),
            (Status::Ok, 0),
            "{requests}: {}",
            remarks(&outcome)
        );
        assert!(!events.iter().any(|e| matches!(e, Event::ObjectDiffers { .. })));
        assert!(events.iter().any(|e| matches!(e, Event::TopologyChanged { whole: false, .. })), "{requests}");
        dropped += events.iter().filter(|e| matches!(e, Event::PagesDropped { .. })).count();
    }
    assert!(dropped > 0, "no page was ever in doubt");
}

#[tokio::test]
async fn a_node_that_stays_away_is_an_error_and_no_difference() {
    let world = three();
    let archive = backed_up(&world, many_parts(&world)).await;
    world.sandbox.faults().now(&Change::Hang(Duration::from_secs(1)));
    for requests in [0, 12] {
        world.sandbox.faults().in_requests(requests, Change::NodeDown("node3".into()));
        let options = VerifyOptions { patience: Duration::from_millis(1_500), ..verify_options(&archive) };
        let (done, events) = world.try_verify(options).await;
        let error = done.expect_err("not whole");
        assert_eq!(error.class(), Class::Server, "{error:?}");
        assert!(!events.iter().any(|e| matches!(e, Event::ObjectDiffers { .. })));
        world.sandbox.faults().node_up("node3");
    }
}
