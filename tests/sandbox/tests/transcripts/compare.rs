//! Compares two JSON values, apart from what differs from run to run.

use serde_json::Value;

/// Members whose values differ from run to run or are not modelled.
const IGNORED: [&str; 9] = [
    "creationTimeUnix",
    "lastUpdateTimeUnix",
    "tookMs",
    "ratePerSecond",
    "objectCount",
    "asyncReplicationStatus",
    "address",
    "leaderAddress",
    "leaderId",
];

/// Where the values differ, if they do.
pub(crate) fn difference(expected: &Value, got: &Value) -> Option<String> {
    let (expected, got) = (plain(expected, ""), plain(got, ""));
    (expected != got).then(|| format!("\n  expected {expected}\n  got      {got}"))
}

fn plain(value: &Value, name: &str) -> Value {
    match value {
        _ if IGNORED.contains(&name) => "*".into(),
        Value::Object(members) => {
            let raft = members.contains_key("appliedIndex");
            let mut all: Vec<(String, Value)> = members
                .iter()
                .map(|(n, v)| (n.clone(), if raft && v.is_string() { "*".into() } else { plain(v, n) }))
                .collect();
            all.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(all.into_iter().collect())
        }
        Value::Array(items) => {
            let mut all: Vec<Value> = items.iter().map(|item| plain(item, "")).collect();
            let unordered = |item: &Value| item.get("class").is_none() || item.get("vectorQueueLength").is_some();
            if all.iter().all(|item| item.is_object() && unordered(item) && item.get("from").is_none()) {
                all.sort_by_key(Value::to_string);
            }
            Value::Array(all)
        }
        Value::String(text) => words(text).into(),
        other => other.clone(),
    }
}

/// The text without shard names, addresses and the order of nodes.
fn words(text: &str) -> String {
    let mut out = String::new();
    let mut word = String::new();
    for letter in text.chars().chain([' ']) {
        if letter.is_ascii_alphanumeric() || letter == '_' {
            word.push(letter);
            continue;
        }
        let mixed = word.chars().any(|c| c.is_ascii_uppercase()) && word.chars().any(|c| c.is_ascii_lowercase());
        let name = word.len() == 12 && mixed && !word.contains('_');
        out.push_str(if name { "SHARD" } else { &word });
        word.clear();
        out.push(letter);
    }
    out.pop();
    for (address, node) in [("127.0.0.1:28501", "node1"), ("127.0.0.1:28511", "node2"), ("127.0.0.1:28521", "node3")] {
        out = out.replace(address, node);
    }
    out.replace("[node2,node3]", "[node3,node2]")
}
