//! Classes: made, completed with defaults, refused, dropped.

use serde_json::{Value, json};

use crate::ask::{Failure, Server, class, same};

const NAME: &str = "ConformanceSchema";

pub(crate) async fn check(url: &str, version: (u32, u32)) -> Result<(), Failure> {
    let server = Server::new(url);
    let given = class("conformanceSchema", &[("t", "text"), ("s", "string"), ("i", "int"), ("T2", "text[]")]);
    server.drop_class(NAME).await?;
    let made = server.post("/v1/schema", &given).await?.want(200)?.json();
    let read = server.get(&format!("/v1/schema/{NAME}")).await?.want(200)?.json();
    same("what was made and what is read", &made, &read)?;
    defaults(&read, version)?;
    refusals(&server, version).await?;
    let lower = server.get("/v1/schema/conformanceSchema").await?;
    same("lower-case name", &lower.status, &if version >= (1, 28) { 200 } else { 404 })?;
    // What was read makes the same class again.
    server.drop_class(NAME).await?;
    server.post("/v1/schema", &read).await?.want(200)?;
    let again = server.get(&format!("/v1/schema/{NAME}")).await?.want(200)?.json();
    same("recreated", &again, &read)?;
    server.drop_class(NAME).await?;
    server.drop_class(NAME).await?;
    same("gone", &server.get(&format!("/v1/schema/{NAME}")).await?.want(404)?.text, &"")
}

fn defaults(document: &Value, version: (u32, u32)) -> Result<(), Failure> {
    same("class", &document["class"], &NAME)?;
    same("vectorizer", &document["vectorizer"], &"none")?;
    same("vectorIndexType", &document["vectorIndexType"], &"hnsw")?;
    same("tokenization", &document["properties"][0]["tokenization"], &"word")?;
    same("string", &document["properties"][1]["dataType"], &json!(["text"]))?;
    same("string's tokenization", &document["properties"][1]["tokenization"], &"whitespace")?;
    same("int's tokenization", &document["properties"][2].get("tokenization"), &None::<&Value>)?;
    same("property name", &document["properties"][3]["name"], &"t2")?;
    same("shards", &document["shardingConfig"]["actualCount"], &1)?;
    let config = &document["vectorIndexConfig"];
    same("maxConnections", &config["maxConnections"], &if version >= (1, 28) { 32 } else { 64 })?;
    same("rq", &config.get("rq").is_some(), &(version >= (1, 32)))?;
    let strategy = if version >= (1, 39) { "TimeBasedResolution" } else { "NoAutomatedResolution" };
    same("deletionStrategy", &document["replicationConfig"]["deletionStrategy"], &strategy)
}

/// How vectors cannot be compressed, and nested texts not be cut into words.
fn quantizers_and_words(version: (u32, u32)) -> [(Value, String); 3] {
    let index = |kind: &str, settings: Value| json!({"class": "ConformanceNo", "vectorIndexType": kind, "vectorIndexConfig": settings});
    let on = json!({"enabled": true});
    let two = if version >= (1, 28) { "more than a single compression methods" } else { "two compression methods" };
    let words = if version >= (1, 28) {
        "property 'o.n': Tokenization 'trigram' is not allowed for data type 'text'"
    } else {
        "nestedProperties.0.tokenization in body should be one of [word lowercase whitespace field]"
    };
    let nested = json!([{"name": "n", "dataType": ["text"], "tokenization": "trigram"}]);
    let object = json!([{"name": "o", "dataType": ["object"], "nestedProperties": nested}]);
    [
        (index("flat", json!({"pq": on})), "PQ is not currently supported for flat indices".to_owned()),
        (index("hnsw", json!({"pq": on, "bq": on})), format!("{two} enabled")),
        (json!({"class": "ConformanceNo", "properties": object}), words.to_owned()),
    ]
}

async fn refusals(server: &Server, version: (u32, u32)) -> Result<(), Failure> {
    let quoted = if version >= (1, 28) { NAME.to_owned() } else { format!("\"{NAME}\"") };
    let mut cases = vec![
        (class(NAME, &[]), format!("class name {quoted} already exists")),
        (
            class("CONFORMANCESCHEMA", &[]),
            if version >= (1, 28) {
                format!("class already exists: found similar class \"{NAME}\"")
            } else {
                format!("already exists as a permutation of: \"{NAME}\"")
            },
        ),
        (class("Conformance-Bad", &[]), "'Conformance-Bad' is not a valid class name".to_owned()),
        (class(&format!("C{}", "x".repeat(255)), &[]), "is not a valid class name".to_owned()),
        (json!({}), "'' is not a valid class name".to_owned()),
        (class("ConformanceNo", &[("a", "varchar")]), "nknown primitive data type 'varchar'".to_owned()),
        (class("ConformanceNo", &[("a", "ConformanceNowhere")]), "reference property to nonexistent class".to_owned()),
        (class("ConformanceNo", &[("a-b", "text")]), "'a-b' is not a valid property name".to_owned()),
        (class("ConformanceNo", &[("id", "text")]), "'id' is a reserved property name".to_owned()),
        (class("ConformanceNo", &[("a", "text"), ("a", "text")]), "conflict for property \"a\"".to_owned()),
        (json!({"class": "ConformanceNo", "vectorizer": "text2vec-nowhere"}), "no module with name".to_owned()),
        (
            json!({"class": "ConformanceNo", "replicationConfig": {"factor": 99}}),
            "could not find enough weaviate nodes for replication: 1 available, 99 requested".to_owned(),
        ),
        (
            json!({"class": "ConformanceNo", "multiTenancyConfig": {"enabled": true}, "shardingConfig": {"desiredCount": 1}}),
            "cannot have both shardingConfig and multiTenancyConfig".to_owned(),
        ),
    ];
    cases.extend(quantizers_and_words(version));
    if version >= (1, 32) {
        let named = json!({"x": {"vectorizer": {"none": {}}, "vectorIndexType": "hnsw"}});
        let both =
            json!({"class": "ConformanceNo", "vectorizer": "none", "vectorIndexType": "hnsw", "vectorConfig": named});
        cases.push((both, "creating a class with both a class level vector index and named vectors".to_owned()));
    }
    for (document, message) in cases {
        let refused = server.post("/v1/schema", &document).await?.want(422)?.says(&message)?;
        same("allowed", &refused.json().get("allowed").is_some(), &(version >= (1, 39)))?;
    }
    if version < (1, 28) {
        let newer = json!({"class": "ConformanceNo", "replicationConfig": {"deletionStrategy": "TimeBasedResolution"}});
        same("code", &server.post("/v1/schema", &newer).await?.want(422)?.json()["code"], &606)?;
    }
    let path = format!("/v1/schema/{NAME}/properties");
    server.post(&path, &json!({"name": "t", "dataType": ["text"]})).await?.want(422)?.says("already in use")?;
    let added = server.post(&path, &json!({"name": "later", "dataType": ["number"]})).await?.want(200)?.json();
    same("added", &added["name"], &"later")?;
    let broken = server.send(reqwest::Method::POST, "/v1/schema", Some("{\"class\":")).await?.want(400)?;
    broken.says("parsing objectClass body from \"\" failed, because unexpected EOF")?;
    server.drop_class(NAME).await?;
    server
        .post("/v1/schema", &class(NAME, &[("t", "text"), ("s", "string"), ("i", "int"), ("T2", "text[]")]))
        .await?
        .want(200)?;
    Ok(())
}
