//! Aliases, which came with 1.32.

use serde_json::json;

use crate::ask::{Failure, Server, class, id, same};

const NAME: &str = "ConformanceAliased";
const ALIAS: &str = "ConformanceAlias";

pub(crate) async fn check(url: &str, version: (u32, u32)) -> Result<(), Failure> {
    let server = Server::new(url);
    if version < (1, 32) {
        server.get("/v1/aliases").await?.want(404)?.says("path /v1/aliases was not found")?;
        return Ok(());
    }
    server.delete(&format!("/v1/aliases/{ALIAS}")).await?;
    server.fresh(&class(NAME, &[("n", "int")])).await?;
    let pair = json!({"alias": ALIAS, "class": NAME});
    same("made", &server.post("/v1/aliases", &pair).await?.want(200)?.json(), &pair)?;
    let list = server.get(&format!("/v1/aliases?class={NAME}")).await?.want(200)?.json();
    same("list", &list, &json!({"aliases": [pair]}))?;
    same("one", &server.get(&format!("/v1/aliases/{ALIAS}")).await?.want(200)?.json(), &pair)?;
    server
        .post("/v1/aliases", &json!({"alias": "ConformanceOther", "class": "ConformanceNowhere"}))
        .await?
        .want(422)?;
    server
        .post("/v1/schema", &class(ALIAS, &[]))
        .await?
        .want(422)?
        .says(&format!("alias name {ALIAS} already exists"))?;
    spelled_otherwise(&server).await?;
    server.write(&[json!({"class": ALIAS, "id": id(1), "properties": {"n": 1}})]).await?;
    let page = server.get(&format!("/v1/objects?class={ALIAS}&limit=5&after=")).await?.want(200)?.json();
    same("the real class", &page["objects"][0]["class"], &NAME)?;
    let document = server.get(&format!("/v1/schema/{ALIAS}")).await?.want(200)?.json();
    same("the real document", &document["class"], &NAME)?;
    // Dropping by the alias succeeds and drops nothing.
    server.drop_class(ALIAS).await?;
    server.get(&format!("/v1/schema/{NAME}")).await?.want(200)?;
    server.drop_class(NAME).await?;
    same("dangling", &server.get(&format!("/v1/aliases/{ALIAS}")).await?.want(200)?.json(), &pair)?;
    server.get(&format!("/v1/objects?class={ALIAS}&limit=5&after=")).await?.want(404)?;
    server.delete(&format!("/v1/aliases/{ALIAS}")).await?.want(204)?;
    server.delete(&format!("/v1/aliases/{ALIAS}")).await?.want(404)?;
    Ok(())
}

/// A class gives way to no alias and no alias to another, in any spelling; an alias gives way to a class in its own alone.
async fn spelled_otherwise(server: &Server) -> Result<(), Failure> {
    let other = ALIAS.to_uppercase();
    let taken = server.post("/v1/schema", &class(&other, &[])).await?.want(422)?;
    taken.says(&format!("found similar alias \"{ALIAS}\""))?;
    let pair = |alias: &str| json!({"alias": alias, "class": NAME});
    server.post("/v1/aliases", &pair(&other)).await?.want(422)?.says("alias already exists")?;
    server.get(&format!("/v1/aliases/{other}")).await?.want(404)?;
    let shouted = NAME.to_uppercase();
    server.delete(&format!("/v1/aliases/{shouted}")).await?;
    server.post("/v1/aliases", &pair(&shouted)).await?.want(200)?;
    server.delete(&format!("/v1/aliases/{shouted}")).await?.want(204)?;
    Ok(())
}
