//! Whether the server is there, what it is, and what it says to paths it does not have.

use crate::ask::{Failure, Server, same};

pub(crate) async fn check(url: &str, version: (u32, u32)) -> Result<(), Failure> {
    let server = Server::new(url);
    for path in ["/v1/.well-known/live", "/v1/.well-known/ready"] {
        same(path, &server.get(path).await?.want(200)?.text, &"")?;
    }
    same("openid", &server.get("/v1/.well-known/openid-configuration").await?.want(404)?.text, &"")?;
    let meta = server.get("/v1/meta").await?.want(200)?.json();
    same("version", &server.version().await?, &version)?;
    same("modules", &meta["modules"].is_object(), &true)?;
    same("grpcMaxMessageSize", &meta.get("grpcMaxMessageSize").is_some(), &(version >= (1, 28)))?;
    server.get("/v1/nope").await?.want(404)?.says("path /v1/nope was not found")?;
    let wrong = server.send(reqwest::Method::PATCH, "/v1/schema", Some("{}")).await?.want(405)?;
    wrong.says("method PATCH is not allowed, but [")?;
    let own = server.get("/v1/users/own-info").await?;
    same("own-info without auth", &own.status, &if version >= (1, 28) { 401 } else { 404 })?;
    let statistics = server.get("/v1/cluster/statistics").await?;
    same("statistics", &statistics.status, &if version >= (1, 28) { 200 } else { 404 })
}
