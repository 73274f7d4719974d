//! The sandbox as a client meets it: pages, faults, the log.

use std::time::Duration;

use sandbox::{Change, Fault, Kind, PageFault, Sandbox};
use serde_json::Value;

type Outcome = Result<(), Box<dyn std::error::Error>>;

async fn page(url: &str, query: &str) -> Result<Value, Box<dyn std::error::Error>> {
    let text = reqwest::get(format!("{url}/v1/objects?{query}")).await?.text().await?;
    Ok(serde_json::from_str(&text)?)
}

fn ids(page: &Value) -> Vec<String> {
    let objects = page["objects"].as_array().map_or(&[][..], Vec::as_slice);
    objects.iter().filter_map(|o| o["id"].as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn a_seeded_collection_is_listed_whole_and_in_order() -> Outcome {
    let sandbox = Sandbox::builder().seeded("Article", 2_500, 8, 1).start().await;
    let mut all: Vec<String> = Vec::new();
    loop {
        let after = all.last().cloned().unwrap_or_default();
        let query = format!("class=Article&limit=1000&include=vector&after={after}");
        let got = ids(&page(&sandbox.url(), &query).await?);
        if got.is_empty() {
            break;
        }
        all.extend(got);
    }
    assert_eq!(all.len(), 2_500);
    assert!(all.is_sorted_by(|a, b| a < b));
    assert_eq!(sandbox.requests().len(), 4);
    assert_eq!(sandbox.writing_requests(), 0);
    assert_eq!(sandbox.count("Article", None), 2_500);
    Ok(())
}

#[tokio::test]
async fn faults_strike_where_the_plan_says() -> Outcome {
    let sandbox = Sandbox::builder().seeded("Article", 50, 8, 1).start().await;
    let faults = sandbox.faults();
    let url = sandbox.url();
    let list = format!("{url}/v1/objects?class=Article&limit=50&include=vector");
    let objects = |kind| Fault::new(kind).on("GET", "/v1/objects").times(1);

    faults.add(objects(Kind::too_many("2")));
    let reply = reqwest::get(&list).await?;
    assert_eq!(reply.status(), 429);
    assert_eq!(reply.headers()["retry-after"], "2");
    faults.add(objects(Kind::ResetBefore));
    assert!(reqwest::get(&list).await.is_err());
    faults.add(objects(Kind::Cut(5_000)));
    assert!(reqwest::get(&list).await?.bytes().await.is_err());
    faults.add(objects(Kind::CutCloseDelimited(5_000)));
    assert_eq!(reqwest::get(&list).await?.bytes().await?.len(), 5_000);
    faults.add(objects(Kind::EmptyBody));
    assert_eq!(reqwest::get(&list).await?.bytes().await?.len(), 0);
    faults.add(objects(Kind::Garbage("xyz".to_owned())));
    assert!(reqwest::get(&list).await?.text().await?.ends_with("xyz"));
    faults.add(objects(Kind::Stall(100, Duration::from_millis(10))));
    let whole = reqwest::get(&list).await?.text().await?;
    assert_eq!(reqwest::get(&list).await?.text().await?, whole);

    let plain = ids(&page(&url, "class=Article&limit=10").await?);
    for (fault, expected) in [
        (PageFault::Empty, 0),
        (PageFault::Skip, 9),
        (PageFault::Duplicate, 11),
        (PageFault::TooMany, 11),
        (PageFault::Backwards, 10),
    ] {
        faults.add(objects(Kind::Page(fault)));
        let got = ids(&page(&url, "class=Article&limit=10").await?);
        assert_eq!(got.len(), expected, "{fault:?}");
        assert!(fault == PageFault::TooMany || got != plain, "{fault:?}");
    }
    faults.unprintable("Article", &plain[3]);
    assert_eq!(reqwest::get(&list).await?.text().await?, "");
    assert_eq!(ids(&page(&url, "class=Article&limit=10").await?), plain);

    faults.add(Fault::new(Kind::Die));
    assert!(reqwest::get(&list).await.is_err());
    assert!(reqwest::get(&list).await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_server_that_is_not_ready_says_404_to_lists() -> Outcome {
    let sandbox = Sandbox::builder().seeded("Article", 5, 2, 1).start().await;
    sandbox.faults().not_ready(2);
    let ready = format!("{}/v1/.well-known/ready", sandbox.url());
    let list = format!("{}/v1/objects?class=Article&limit=5", sandbox.url());
    assert_eq!(reqwest::get(&ready).await?.status(), 503);
    assert_eq!(reqwest::get(&list).await?.status(), 404);
    assert_eq!(reqwest::get(&ready).await?.status(), 503);
    assert_eq!(reqwest::get(&list).await?.status(), 200);
    Ok(())
}

#[tokio::test]
async fn a_lost_node_shrinks_lists_of_new_servers_and_fails_those_of_old_ones() -> Outcome {
    for version in ["1.40", "1.39", "1.32", "1.28"] {
        let sandbox = Sandbox::builder().version(version).nodes(3).seeded("A1", 300, 0, 1).start().await;
        sandbox.faults().in_requests(2, Change::NodeDown("node3".to_owned()));
        let list = format!("{}/v1/objects?class=A1&limit=1000", sandbox.url());
        let whole: Value = serde_json::from_str(&reqwest::get(&list).await?.text().await?)?;
        assert_eq!(whole["totalResults"], 300);
        let left = reqwest::get(&list).await?;
        if version >= "1.39" {
            assert_eq!(left.status(), 200);
            let left: Value = serde_json::from_str(&left.text().await?)?;
            assert!(left["totalResults"].as_u64().is_some_and(|n| n < 250 && n > 150));
        } else {
            assert_eq!(left.status(), 500);
        }
        sandbox.faults().node_up("node3");
        assert_eq!(reqwest::get(&list).await?.status(), 200);
    }
    Ok(())
}
