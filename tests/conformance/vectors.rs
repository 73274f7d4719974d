//! Vectors: one without a name, several with names, several rows.

use serde_json::json;

use crate::ask::{Failure, Server, class, id, same};

const ONE: &str = "ConformanceVector";
const NAMED: &str = "ConformanceNamed";

pub(crate) async fn check(url: &str, version: (u32, u32)) -> Result<(), Failure> {
    let server = Server::new(url);
    server.fresh(&class(ONE, &[("n", "int")])).await?;
    server
        .write(&[json!({"class": ONE, "id": id(1), "vector": [1, 2, 3]}), json!({"class": ONE, "id": id(2)})])
        .await?;
    let page = server.get(&format!("/v1/objects?class={ONE}&limit=5&include=vector&after=")).await?.want(200)?.json();
    same("vector", &page["objects"][0]["vector"], &json!([1, 2, 3]))?;
    same("no vector", &page["objects"][1].get("vector").is_some(), &false)?;
    let bare = server.get(&format!("/v1/objects?class={ONE}&limit=5&after=")).await?.want(200)?.json();
    same("not asked for", &bare["objects"][0].get("vector").is_some(), &false)?;
    let long = server.failure(&format!("{{\"class\":\"{ONE}\",\"vector\":[1,2,3,4]}}")).await?.unwrap_or_default();
    let sentence = "new node has a vector with length 4. Existing nodes have vectors with length 3";
    same(&long, &long.contains(sentence), &true)?;
    let empty = server.failure(&format!("{{\"class\":\"{ONE}\",\"vector\":[]}}")).await?;
    same("empty vector fails", &empty.is_some(), &(version < (1, 32)))?;
    let named = server.failure(&format!("{{\"class\":\"{ONE}\",\"vectors\":{{\"foo\":[1,2,3]}}}}")).await?;
    same("named vector on a class without names fails", &named.is_some(), &(version >= (1, 28)))?;
    server.drop_class(ONE).await?;
    several(&server, version).await
}

async fn several(server: &Server, version: (u32, u32)) -> Result<(), Failure> {
    let index = json!({"vectorizer": {"none": {}}, "vectorIndexType": "hnsw"});
    let mut config = json!({"title": index, "body": index});
    if version >= (1, 32) {
        config["rows"] = index.clone();
        config["rows"]["vectorIndexConfig"] = json!({"multivector": {"enabled": true}});
    }
    server
        .fresh(&json!({"class": NAMED, "vectorConfig": config, "properties": [{"name": "t", "dataType": ["text"]}]}))
        .await?;
    let mut vectors = json!({"title": [1, 2, 3], "body": [0.5, 0.25]});
    if version >= (1, 32) {
        vectors["rows"] = json!([[1, 2], [3, 4.5]]);
    }
    server
        .write(&[
            json!({"class": NAMED, "id": id(1), "vectors": vectors}),
            json!({"class": NAMED, "id": id(2), "vectors": {"title": [4, 5, 6]}}),
            json!({"class": NAMED, "id": id(3)}),
        ])
        .await?;
    let text = server.get(&format!("/v1/objects?class={NAMED}&limit=5&include=vector&after=")).await?.want(200)?.text;
    let rows = if version >= (1, 32) { ",\"rows\":[[1,2],[3,4.5]]" } else { "" };
    let first = format!("\"vectorWeights\":null,\"vectors\":{{\"body\":[0.5,0.25]{rows},\"title\":[1,2,3]}}}}");
    same(&format!("{first} is in {text}"), &text.contains(&first), &true)?;
    same("second", &text.contains("\"vectorWeights\":null,\"vectors\":{\"title\":[4,5,6]}}"), &true)?;
    let unnamed = server.failure(&format!("{{\"class\":\"{NAMED}\",\"vector\":[1,2,3]}}")).await?;
    same("unnamed vector on a class with names fails", &unnamed.is_some(), &(version >= (1, 28)))?;
    let unknown = server.failure(&format!("{{\"class\":\"{NAMED}\",\"vectors\":{{\"nope\":[1]}}}}")).await?;
    if version >= (1, 32) {
        let wanted = format!("collection {NAMED} does not have configuration for vector nope");
        same("unknown named vector", &unknown, &Some(wanted))?;
    }
    let body = json!({"objects": [{"class": NAMED, "vectors": {"title": [[1, 2]]}}]});
    let nested = server.post("/v1/batch/objects", &body).await?;
    if version < (1, 32) {
        nested.want(400)?.says("json: cannot unmarshal array")?;
    }
    server.drop_class(NAMED).await
}
