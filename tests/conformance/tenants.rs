//! Tenants: made, put to sleep, kept apart.

use reqwest::Method;
use serde_json::{Value, json};

use crate::ask::{Failure, Server, class, id, same};

const NAME: &str = "ConformanceTenants";
const PATH: &str = "/v1/schema/ConformanceTenants/tenants";

async fn statuses(server: &Server) -> Result<Vec<String>, Failure> {
    let all = server.get(PATH).await?.want(200)?.json();
    let text =
        |t: &Value| format!("{}={}", t["name"].as_str().unwrap_or(""), t["activityStatus"].as_str().unwrap_or(""));
    let mut all: Vec<String> = all.as_array().into_iter().flatten().map(text).collect();
    all.sort();
    Ok(all)
}

pub(crate) async fn check(url: &str, version: (u32, u32)) -> Result<(), Failure> {
    let server = Server::new(url);
    let mut document = class(NAME, &[("n", "int")]);
    document["multiTenancyConfig"] = json!({"enabled": true});
    let made = server.fresh(&document).await?;
    same("no shards", &made["shardingConfig"]["actualCount"], &0)?;
    let tenants =
        json!([{"name": "t1"}, {"name": "t2", "activityStatus": "HOT"}, {"name": "t3", "activityStatus": "COLD"}]);
    let echo = server.post(PATH, &tenants).await?.want(200)?.json();
    same("echo", &echo.as_array().map(Vec::len), &Some(3))?;
    server.post(PATH, &json!([{"name": "t1"}])).await?.want(200)?;
    same("statuses", &statuses(&server).await?, &["t1=HOT", "t2=HOT", "t3=COLD"])?;
    objects(&server).await?;
    server.put(PATH, &json!([{"name": "t2", "activityStatus": "COLD"}])).await?.want(200)?;
    same("asleep", &statuses(&server).await?, &["t1=HOT", "t2=COLD", "t3=COLD"])?;
    inactive(&server).await?;
    words(&server, version).await?;
    server.send(Method::DELETE, PATH, Some("[\"t3\",\"nonexistent\"]")).await?.want(200)?;
    same("deleted", &statuses(&server).await?, &["t1=HOT", "t2=COLD"])?;
    if version >= (1, 28) {
        same(
            "one",
            &server.get(&format!("{PATH}/t1")).await?.want(200)?.json(),
            &json!({"name": "t1", "activityStatus": "HOT"}),
        )?;
        server.get(&format!("{PATH}/zz")).await?.want(404)?;
    }
    server.drop_class(NAME).await?;
    server.get("/v1/schema/ConformanceNowhere/tenants").await?.want(422)?;
    Ok(())
}

async fn objects(server: &Server) -> Result<(), Failure> {
    let objects: Vec<Value> = [("t1", 1), ("t1", 2), ("t2", 1)]
        .iter()
        .map(|(tenant, n)| json!({"class": NAME, "tenant": tenant, "id": id(*n), "properties": {"n": n}}))
        .collect();
    server.write(&objects).await?;
    for (tenant, count) in [("t1", 2), ("t2", 1)] {
        let ids = server.ids(&format!("class={NAME}&tenant={tenant}&limit=10&after=")).await?;
        same("ids", &ids.len(), &count)?;
    }
    let page = server.get(&format!("/v1/objects?class={NAME}&tenant=t1&limit=1&after=")).await?.want(200)?.json();
    same("no tenant in lists", &page["objects"][0].get("tenant").is_some(), &false)?;
    let one = server.get(&format!("/v1/objects/{NAME}/{}?tenant=t1", id(1))).await?.want(200)?.json();
    same("a tenant in single reads", &one["tenant"], &"t1")?;
    for (tenant, message) in [
        ("zz", "tenant not found: \"zz\"".to_owned()),
        ("t3", "tenant not active: 't3'".to_owned()),
        ("", format!("class {NAME} has multi-tenancy enabled, but request was without tenant")),
    ] {
        let query = if tenant.is_empty() { String::new() } else { format!("&tenant={tenant}") };
        let list = server.get(&format!("/v1/objects?class={NAME}&limit=1&after={query}")).await?.want(422)?;
        list.says(&format!("msg:search index conformancetenants code:422 err:{message}"))?;
        let sent = json!({"class": NAME, "tenant": tenant, "id": id(9)});
        same(tenant, &server.failure(&sent.to_string()).await?, &Some(message))?;
    }
    Ok(())
}

async fn inactive(server: &Server) -> Result<(), Failure> {
    let list = server.get(&format!("/v1/objects?class={NAME}&tenant=t2&limit=1&after=")).await?.want(422)?;
    list.says("tenant not active: 't2'")?;
    server.put(PATH, &json!([{"name": "zz", "activityStatus": "COLD"}])).await?.want(422)?;
    Ok(())
}

async fn words(server: &Server, version: (u32, u32)) -> Result<(), Failure> {
    let bad = server.post(PATH, &json!([{"name": "bad name!"}])).await?.want(422)?;
    bad.says("should only contain alphanumeric characters")?;
    let newer = server.put(PATH, &json!([{"name": "t2", "activityStatus": "ACTIVE"}])).await?;
    if version < (1, 28) {
        same("code", &newer.want(422)?.json()["code"], &606)?;
        return Ok(());
    }
    newer.want(200)?;
    same("awake", &statuses(server).await?, &["t1=HOT", "t2=HOT", "t3=COLD"])?;
    server.put(PATH, &json!([{"name": "t2", "activityStatus": "INACTIVE"}])).await?.want(200)?;
    same("asleep again", &statuses(server).await?, &["t1=HOT", "t2=COLD", "t3=COLD"])?;
    let twice = server.post(PATH, &json!([{"name": "t9"}, {"name": "t9"}])).await?;
    twice.want(422)?;
    let away = server.put(PATH, &json!([{"name": "t2", "activityStatus": "OFFLOADED"}])).await?.want(422)?;
    away.says("offload-s3 module is not enabled")?;
    Ok(())
}
