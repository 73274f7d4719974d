//! What every Weaviate must answer: asked of the sandbox in all its versions, and with `-- --ignored` of the real server that
//! `ELYSIACTL_TEST_URL` names. Collections are named `Conformance…`, and deleted before and after.

mod aliases;
mod ask;
mod batch;
mod counts;
mod cursor;
mod delete;
mod floats;
mod meta;
mod nodes;
mod references;
mod schema;
mod tenants;
mod vectors;

use ask::{Failure, Server};
use sandbox::{Release, Sandbox};

/// Runs every check against a server and says which failed.
async fn all(url: &str, version: (u32, u32)) -> Vec<String> {
    let mut failures = Vec::new();
    macro_rules! run {
        ($($module:ident),*) => {$(
            if let Err(why) = $module::check(url, version).await {
                failures.push(format!("{}: {why}", stringify!($module)));
            }
        )*};
    }
    run!(meta, schema, cursor, vectors, floats, batch, delete, tenants, aliases, counts, nodes, references);
    failures
}

#[tokio::test]
async fn the_sandbox_answers_as_every_version_does() {
    let mut failures = Vec::new();
    for release in Release::ALL {
        let sandbox = Sandbox::builder().version(release.text()).start().await;
        let wrong = all(&sandbox.url(), release.number()).await;
        failures.extend(wrong.into_iter().map(|why| format!("{}: {why}", release.text())));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[tokio::test]
#[ignore = "needs a real server, which ELYSIACTL_TEST_URL names"]
async fn a_real_server_answers_as_the_sandbox_does() -> Result<(), Failure> {
    let url = std::env::var("ELYSIACTL_TEST_URL").map_err(|why| format!("ELYSIACTL_TEST_URL: {why}"))?;
    let url = url.trim_end_matches('/');
    let version = Server::new(url).version().await?;
    let failures = all(url, version).await;
    assert!(failures.is_empty(), "{url}, version {version:?}:\n{}", failures.join("\n"));
    Ok(())
}
