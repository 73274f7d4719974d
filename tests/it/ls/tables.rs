//! `col ls` and `col show`: what is there, and how far its numbers can be trusted.

use std::time::{Duration, Instant};

use sandbox::{Builder, Change, Fault, Kind, Role, Sandbox};
use serde_json::Value;

use crate::support::binary::{Stage, said};

const WIDE: &str = r#"{"class":"Wide","vectorConfig":{
    "title":{"vectorizer":{"none":{}},"vectorIndexType":"flat","vectorIndexConfig":{"distance":"dot","bq":{"enabled":true}}},
    "body":{"vectorizer":{"text2vec-openai":{}},"vectorIndexType":"hnsw"}},
    "shardingConfig":{"desiredCount":3},
    "properties":[{"name":"text","dataType":["text"],"tokenization":"field"},
      {"name":"about","dataType":["Author"]},
      {"name":"place","dataType":["object"],"nestedProperties":[{"name":"street","dataType":["text"]},{"name":"number","dataType":["int"]}]}]}"#;
const AUTHOR: &str = r#"{"class":"Author","vectorizer":"none","vectorIndexConfig":{"skip":true}}"#;
const CHATS: &str = r#"{"class":"Chats","vectorizer":"none","multiTenancyConfig":{"enabled":true,"autoTenantActivation":true},"properties":[{"name":"n","dataType":["int"]}]}"#;

fn id(n: u64) -> String {
    format!("00000000-0000-4000-8000-{n:012x}")
}

/// Three collections of different kinds, an alias, tenants in every state.
fn mixed() -> Builder {
    let builder =
        Sandbox::builder().seeded("Article", 1_200, 4, 7).collection(AUTHOR).collection(WIDE).collection(CHATS);
    let builder = builder.alias("Now", "Wide").alias("Talk", "Chats");
    let builder = builder.tenant("Chats", "anna", "HOT").tenant("Chats", "bert", "HOT").tenant("Chats", "carl", "COLD");
    let builder = builder.tenant("Chats", "dora", "FROZEN");
    let chats = [("anna", 1), ("anna", 2), ("bert", 3), ("carl", 4)].map(|(tenant, n)| {
        format!(r#"{{"class":"Chats","tenant":"{tenant}","id":"{}","properties":{{"n":{n}}},"vector":[1,2,3]}}"#, id(n))
    });
    chats.iter().fold(builder, |builder, chat| builder.object(chat)).object(&format!(
        r#"{{"class":"Wide","id":"{}","properties":{{}},"vectors":{{"title":[1,2],"body":[1,2,3,4,5]}}}}"#,
        id(9)
    ))
}

/// Runs it, holds its exit code and that it sent nothing that writes; gives stdout and stderr.
fn ends(stage: &Stage, arguments: &[&str], code: i32) -> (String, String) {
    let output = stage.run(arguments);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    assert_eq!(stage.sandbox.writing_requests(), 0, "{arguments:?}: reading only");
    (String::from_utf8(output.stdout).expect("text"), text)
}

fn listing(stage: &Stage, arguments: &[&str]) -> Value {
    let (text, _) = ends(stage, &[&["col", "ls", "--json"], arguments].concat(), 0);
    serde_json::from_str(&text).expect("one document")
}

fn collection<'a>(listing: &'a Value, name: &str) -> &'a Value {
    let all = listing["collections"].as_array().expect("a list");
    all.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("no {name} in {listing}"))
}

/// Everything but what differs from run to run.
fn steady(text: &str, stage: &Stage) -> String {
    let mut text = text.replace(&stage.sandbox.url(), "http://sandbox");
    for (n, shard) in stage.sandbox.shards("Wide").iter().enumerate() {
        text = text.replace(shard, &format!("wideshard{n:03}"));
    }
    text
}

#[test]
fn a_table_of_all_collections() {
    let stage = Stage::new(mixed());
    let (text, warned) = ends(&stage, &["col", "ls"], 0);
    insta::assert_snapshot!(text);
    assert_eq!(warned, "");
    let (_, warned) = ends(&stage, &["col", "ls", "Now", "article"], 0);
    let (alias, case) =
        ("Now is an alias, and is taken for its collection Wide", "there is no article: Article is taken for it");
    assert_eq!(warned, format!("warning: {alias}\nwarning: {case}\n"));
    let (_, warned) = ends(&stage, &["col", "show", "article"], 0);
    assert_eq!(warned, format!("warning: {case}\n"));
    let (some, _) = ends(&stage, &["col", "ls", "A*", "Wide"], 0);
    assert!(some.contains("Article") && some.contains("Wide") && !some.contains("Chats"), "{some}");
}

#[test]
fn one_collection_in_full() {
    let stage = Stage::new(mixed());
    let (by_alias, warned) = ends(&stage, &["col", "show", "Now"], 0);
    insta::assert_snapshot!(steady(&by_alias, &stage));
    assert_eq!(warned, "");
    let (tenants, _) = ends(&stage, &["col", "show", "Chats"], 0);
    insta::assert_snapshot!("one_with_tenants", steady(&tenants, &stage));
}

#[test]
fn the_servers_own_schema_is_in_the_document_byte_for_byte() {
    let stage = Stage::new(mixed());
    for name in ["Article", "Wide", "Chats"] {
        let (text, _) = ends(&stage, &["col", "show", name, "--json"], 0);
        let theirs = tokio::runtime::Runtime::new().expect("a runtime").block_on(async {
            reqwest::get(format!("{}/v1/schema/{name}", stage.sandbox.url())).await.expect("an answer").text().await
        });
        assert!(text.contains(theirs.expect("a text").trim()), "{text}");
        let document: Value = serde_json::from_str(&text).expect("one document");
        assert_eq!((&document["name"], &document["schema"]["class"]), (&name.into(), &name.into()));
    }
    let (text, _) = ends(&stage, &["col", "show", "Wide", "--json"], 0);
    let wide: Value = serde_json::from_str(&text).expect("one document");
    assert_eq!(wide["vectors"][0]["dimensions"]["seen"][0], 5);
    assert_eq!((&wide["aliases"][0], &wide["asked_by_alias"]), (&"Now".into(), &Value::Null));
    assert_eq!(
        (&wide["shards_each"][2]["status"], &wide["shards_each"][2]["nodes"]["node1"]),
        (&"READY".into(), &"READY".into())
    );
}

#[test]
fn sleeping_tenants_are_neither_counted_nor_woken() {
    let stage = Stage::new(mixed());
    let chats = collection(&listing(&stage, &["Chats"]), "Chats").clone();
    assert_eq!(
        (&chats["objects"], &chats["objects_seen"], &chats["count"]),
        (&Value::Null, &3.into(), &"active_tenants".into())
    );
    assert_eq!(
        chats["tenants"],
        serde_json::json!({"total": 4, "not_hot": 2, "states": {"HOT": 2, "COLD": 1, "FROZEN": 1}})
    );
    let (text, _) = ends(&stage, &["col", "show", "Talk", "--json"], 0);
    let shown: Value = serde_json::from_str(&text).expect("one document");
    assert_eq!(shown["asked_by_alias"], "Talk");
    assert_eq!(shown["tenants_each"][2], serde_json::json!({"name": "carl", "state": "COLD", "objects": null}));
    assert_eq!(shown["size"]["tenant"], "anna");
    assert_eq!(collection(&listing(&stage, &["Chats"]), "Chats")["tenants"], chats["tenants"], "none was woken");
    let asked = stage.sandbox.requests();
    assert!(!asked.iter().any(|seen| seen.path.contains("/Chats/shards")), "trap 22");
}

#[test]
fn many_tenants_are_counted_by_the_hundred() {
    let mut builder = Sandbox::builder().collection(CHATS);
    for n in 0..250 {
        let object = format!(r#"{{"class":"Chats","tenant":"t{n}","id":"{}","properties":{{}},"vector":[1]}}"#, id(n));
        builder = builder.tenant("Chats", &format!("t{n}"), "HOT").object(&object);
    }
    let stage = Stage::new(builder);
    let chats = collection(&listing(&stage, &[]), "Chats").clone();
    assert_eq!((&chats["objects"], &chats["count"]), (&250.into(), &"exact".into()));
    assert_eq!(stage.sandbox.requests().iter().filter(|seen| seen.path == "/v1/graphql").count(), 3);
}

#[test]
fn two_hundred_collections_take_few_requests() {
    let builder = (0..200).fold(Sandbox::builder(), |builder, n| builder.seeded(&format!("C{n:03}"), n % 7, 0, n));
    let stage = Stage::new(builder);
    let all = listing(&stage, &[]);
    let all = all["collections"].as_array().expect("a list");
    assert_eq!(all.len(), 200);
    for (n, one) in (0..200_u64).zip(all) {
        assert_eq!((&one["name"], &one["objects"]), (&format!("C{n:03}").into(), &(n % 7).into()));
    }
    let asked = stage.sandbox.requests().len();
    assert!(asked <= 20, "{asked} requests");
}

#[test]
fn a_server_without_collections_gives_an_empty_list() {
    let stage = Stage::new(Sandbox::builder());
    assert_eq!(listing(&stage, &[])["collections"], serde_json::json!([]));
    let (text, _) = ends(&stage, &["col", "ls"], 0);
    assert_eq!(text.lines().count(), 1, "{text}");
    ends(&stage, &["col", "ls", "Article"], 4);
    ends(&stage, &["col", "ls", "A*"], 4);
}

#[test]
fn unknown_names_are_refused_with_those_like_them() {
    let stage = Stage::new(mixed());
    for arguments in [["col", "ls", "Articel"], ["col", "show", "Articel"]] {
        let (text, warned) = ends(&stage, &arguments, 4);
        assert!(text.is_empty() && warned.contains("did you mean Article?"), "{warned}");
    }
    let (_, warned) = ends(&stage, &["col", "ls", "Qqqqqqq"], 4);
    assert!(warned.contains("elysiactl col ls"), "{warned}");
    let (text, _) = ends(&stage, &["col", "ls", "Now"], 0);
    assert!(text.contains("Wide") && !text.contains("Article"), "what the alias stands for: {text}");
    stage.sandbox.faults().now(&Change::Drop("Wide".into()));
    let (_, warned) = ends(&stage, &["col", "show", "Now"], 4);
    assert!(warned.contains("Now is an alias of Wide, which does not exist"), "{warned}");
    ends(&stage, &["col", "show", "no-name"], 2);
    ends(&stage, &["col", "ls", "[A"], 2);
}

fn three(version: &str) -> Builder {
    let class = r#"{"class":"Three","vectorizer":"none","shardingConfig":{"desiredCount":3}}"#;
    let mut builder = Sandbox::builder().version(version).nodes(3).collection(class).collection(CHATS);
    for n in 0..90_u64 {
        let id = uuid::Uuid::from_u128(u128::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834));
        builder = builder.object(&format!(r#"{{"class":"Three","id":"{id}","properties":{{}},"vector":[1,2]}}"#));
    }
    for tenant in ["a", "b", "c"] {
        let object =
            format!(r#"{{"class":"Chats","tenant":"{tenant}","id":"{}","properties":{{}},"vector":[1]}}"#, id(1));
        builder = builder.tenant("Chats", tenant, "HOT").object(&object);
    }
    builder
}

#[test]
fn with_a_node_away_no_count_passes_for_exact_and_nothing_hangs() {
    for version in ["1.28", "1.32", "1.39", "1.40"] {
        for noticed in [true, false] {
            let stage = Stage::new(three(version));
            for (tenant, node) in [("a", "node1"), ("b", "node2"), ("c", "node3")] {
                stage.sandbox.settle("Chats", tenant, node);
            }
            if noticed {
                stage.sandbox.faults().node_down("node3");
            } else {
                stage.sandbox.faults().node_unreachable("node3");
            }
            // One version has it wait as long as a server does, a minute; the others drop such a call soon.
            if version != "1.40" {
                stage.sandbox.faults().now(&Change::Hang(Duration::from_millis(300)));
            }
            let started = Instant::now();
            let (text, warned) = ends(&stage, &["col", "ls", "--json"], 0);
            assert!(started.elapsed() < Duration::from_secs(20), "{version}: {:?}", started.elapsed());
            let found: Value = serde_json::from_str(&text).expect("one document");
            for name in ["Three", "Chats"] {
                let one = collection(&found, name);
                assert!(one["objects"].is_null() && one["count"] != "exact", "{version}, {noticed}: {one}");
                assert!(one["count_reason"]["code"].is_string(), "{version}: {one}");
            }
            assert_eq!(found["topology"]["state"], "broken", "{version}");
            assert!(warned.starts_with("warning: part of the server is away"), "{version}: {warned}");
            if version == "1.40" {
                let (shown, _) = ends(&stage, &["col", "show", "Three"], 0);
                assert!(shown.contains("(unchecked)") || shown.contains("Objects     unknown"), "{noticed}: {shown}");
            }
        }
    }
}

#[test]
fn a_partial_count_is_marked_in_the_table() {
    let stage = Stage::new(three("1.40"));
    stage.sandbox.faults().node_down("node3");
    let (text, _) = ends(&stage, &["col", "ls", "Three"], 0);
    assert!(text.contains("(unchecked)"), "{text}");
    let seen = collection(&listing(&stage, &["Three"]), "Three")["objects_seen"].as_u64().expect("a number");
    assert!(seen > 0 && seen < 90, "{seen}");
    let (shown, _) = ends(&stage, &["col", "show", "Three"], 0);
    assert!(shown.contains("no answer"), "the shard on the node away: {shown}");
}

#[test]
fn a_node_that_goes_away_while_counting_is_noticed() {
    let stage = Stage::new(three("1.40"));
    stage.sandbox.faults().now(&Change::Hang(Duration::from_millis(100)));
    // ready, meta, schema, aliases, three questions: the node is gone when the counts come.
    stage.sandbox.faults().in_requests(8, Change::NodeDown("node3".into()));
    let three = collection(&listing(&stage, &["Three"]), "Three").clone();
    assert_eq!((&three["objects"], &three["count"]), (&Value::Null, &"unchecked".into()), "{three}");
}

#[test]
fn a_key_that_may_not_count_or_ask_for_nodes_is_told_so() {
    let builder = mixed().graphql(false).key("readkey", "reader", Role::Viewer);
    let stage = Stage::new(builder);
    let output = stage.command(&["col", "ls"]).env("WEAVIATE_API_KEY", "readkey").output().expect("the binary runs");
    let (text, warned) = (String::from_utf8_lossy(&output.stdout).into_owned(), said(&output));
    assert_eq!(output.status.code(), Some(0), "{warned}");
    let article = text.lines().find(|line| line.contains("Article")).expect("a line");
    assert!(article.contains("unknown") && !article.contains("1,200"), "{text}");
    assert!(warned.contains("warning: Article: not counted: ") && warned.contains("delete_data"), "{warned}");
    assert_eq!(stage.sandbox.writing_requests(), 0);
    let stage = Stage::new(mixed());
    for path in ["/v1/nodes", "/v1/cluster/statistics"] {
        stage.sandbox.faults().add(Fault::new(Kind::status(403, "{}")).path(path));
    }
    let (text, warned) = ends(&stage, &["col", "ls"], 0);
    assert!(text.contains("1,200 (unchecked)"), "{text}");
    assert_eq!(warned.lines().count(), 1, "{warned}");
    assert!(warned.starts_with("warning: cannot ask whether every node"), "{warned}");
}

#[test]
fn an_older_server_is_listed_too() {
    for version in ["1.24", "1.28"] {
        let stage = Stage::new(
            Sandbox::builder()
                .version(version)
                .seeded("Article", 5, 2, 1)
                .collection(CHATS)
                .tenant("Chats", "t", "COLD"),
        );
        let (text, _) = ends(&stage, &["col", "ls"], 0);
        assert!(text.contains("Article") && text.contains("1 (1 not active)"), "{text}");
        let (text, _) = ends(&stage, &["col", "show", "Article"], 0);
        assert!(text.contains("Aliases     none, this version has no aliases") && text.contains("READY"), "{text}");
    }
}

#[test]
fn a_server_cannot_drive_the_terminal() {
    let stage = Stage::new(Sandbox::builder().seeded("Article", 2, 2, 1));
    let evil = r#"{"class":"Article","vectorIndexType":"x\u001b[2J","vectorizer":"\u001b]0;t\u0007","properties":[{"name":"p\u001b[1m","dataType":["\u202etext"],"tokenization":"\n\nfake"}],"shardingConfig":{"actualCount":1}}"#;
    let faults = stage.sandbox.faults();
    faults.add(Fault::new(Kind::status(200, &format!(r#"{{"classes":[{evil}]}}"#))).on("GET", "/v1/schema").exactly());
    faults.add(Fault::new(Kind::status(200, evil)).on("GET", "/v1/schema/Article").exactly());
    faults.add(
        Fault::new(Kind::status(200, r#"[{"name":"\u001b[31m","status":"R\u0007"}]"#))
            .path("/v1/schema/Article/shards"),
    );
    for arguments in [&["col", "ls"][..], &["col", "show", "Article"]] {
        let (text, warned) = ends(&stage, arguments, 0);
        for bad in ['\u{1b}', '\u{7}', '\u{202e}'] {
            assert!(!text.contains(bad) && !warned.contains(bad), "{arguments:?}: {text:?} {warned:?}");
        }
    }
}
