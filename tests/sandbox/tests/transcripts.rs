//! Replays what real servers were recorded to answer, and compares.

#[path = "transcripts/compare.rs"]
mod compare;
#[path = "transcripts/pages.rs"]
mod pages;
#[path = "transcripts/settings.rs"]
mod settings;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use compare::difference;
use sandbox::Sandbox;
use serde_json::Value;

/// Recorded exchanges the sandbox does not play, and why.
const NOT_COVERED: &[(&str, &str)] = &[
    ("extra/backup_create.json", "native backups are out of scope"),
    ("extra/backup_status.json", "native backups are out of scope"),
    ("extra/export_create.json", "the export API is out of scope"),
    ("extra/export_status.json", "the export API is out of scope"),
    ("extra/nodes_verbose_async.json", "asynchronous indexing is not modelled"),
    ("lasting/tokenizer_off.json", "tokenizers are not modelled"),
    ("lasting/restriction_compression.json", "compressions are not modelled"),
    ("lasting/suspended_shards.json", "shards of suspended namespaces are not modelled"),
    ("lasting/namespaced_create.json", "keys of namespaces are not modelled"),
    ("extra/batch_blobhash.json", "the hash is another one than the server's"),
];

type Failure = Box<dyn std::error::Error>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/transcripts")
}

fn files() -> Result<Vec<String>, Failure> {
    let mut all = Vec::new();
    for folder in ["", "extra/", "cluster/", "lasting/"] {
        for entry in std::fs::read_dir(root().join(folder))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if Path::new(&name).extension().is_some_and(|e| e == "json") {
                all.push(format!("{folder}{name}"));
            }
        }
    }
    all.sort();
    Ok(all)
}

#[tokio::test]
async fn every_recorded_exchange_is_answered_as_it_was() -> Result<(), Failure> {
    let mut wrong = Vec::new();
    let files = files()?;
    let known: BTreeSet<&str> = files.iter().map(String::as_str).collect();
    for (name, _) in NOT_COVERED.iter().filter(|(name, _)| !known.contains(name)) {
        wrong.push(format!("{name}: listed as not covered, and there is no such file"));
    }
    for name in &files {
        let listed = NOT_COVERED.iter().any(|(listed, _)| listed == name);
        let outcome = replay(name).await;
        match (listed, outcome) {
            (false, Err(why)) => wrong.push(format!("{name}: {why}")),
            (true, Ok(())) => wrong.push(format!("{name}: listed as not covered, but it passes")),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{} of {} wrong:\n{}", wrong.len(), files.len(), wrong.join("\n"));
    Ok(())
}

/// Brings a sandbox into the state a recording assumes, asks the same, and compares.
async fn replay(name: &str) -> Result<(), Failure> {
    let recorded: Value = serde_json::from_str(&std::fs::read_to_string(root().join(name))?)?;
    let version = recorded["version"].as_str().unwrap_or("");
    let stem = name.trim_end_matches(".json").rsplit('/').next().unwrap_or("");
    let cluster = name.starts_with("cluster/");
    if name.starts_with("lasting/") {
        return settings::lasting::replay(stem, &recorded).await;
    }
    let sandbox = settings::build(stem, version, cluster, &recorded).await?;
    let asked = recorded["asked_node"].as_str().unwrap_or("node1");
    let reply = ask(&sandbox.node_url(asked), &recorded["request"], &settings::renamed(&sandbox)).await?;
    let status = recorded["response"]["status"].as_u64().unwrap_or(0);
    if u64::from(reply.0) != status {
        return Err(format!("status {} instead of {status}: {}", reply.0, reply.1).into());
    }
    let body = if reply.1.is_empty() { Value::Null } else { serde_json::from_str(&reply.1)? };
    match difference(&recorded["response"]["body"], &body) {
        Some(why) => Err(why.into()),
        None => Ok(()),
    }
}

/// Sends a recorded request; names that differ from run to run are replaced.
async fn ask(url: &str, request: &Value, renamed: &[(String, String)]) -> Result<(u16, String), Failure> {
    let mut path = request["path"].as_str().unwrap_or("").to_owned();
    for (old, new) in renamed {
        path = path.replace(old, new);
    }
    let method = reqwest::Method::from_bytes(request["method"].as_str().unwrap_or("GET").as_bytes())?;
    let mut asking = reqwest::Client::new().request(method, format!("{url}{path}"));
    for (header, value) in request["headers"].as_object().into_iter().flatten() {
        asking = asking.header(header, value.as_str().unwrap_or(""));
    }
    if request["headers"]["Content-Encoding"] == "gzip" {
        asking = asking.body(vec![0x1f, 0x8b, 0x08, 0x00]);
    } else if let Some(text) = request["body_text"].as_str() {
        asking = asking.body(text.to_owned());
    } else if !request["body"].is_null() {
        asking = asking.body(request["body"].to_string());
    }
    let reply = asking.send().await?;
    Ok((reply.status().as_u16(), reply.text().await?))
}

/// Sends a request that must succeed.
async fn send(sandbox: &Sandbox, method: &str, path: &str, body: &Value) -> Result<String, Failure> {
    let url = format!("{}{path}", sandbox.url());
    let method = reqwest::Method::from_bytes(method.as_bytes())?;
    let mut asking = reqwest::Client::new().request(method, url).header("authorization", "Bearer rootkey");
    if !body.is_null() {
        asking = asking.header("content-type", "application/json").body(body.to_string());
    }
    let reply = asking.send().await?;
    let status = reply.status();
    let text = reply.text().await?;
    if status.is_success() { Ok(text) } else { Err(format!("setting up {path}: {status} {text}").into()) }
}
