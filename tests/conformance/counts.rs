//! Counting over GraphQL, several collections in one query.

use serde_json::{Value, json};

use crate::ask::{Failure, Reply, Server, class, id, same};

const ONE: &str = "ConformanceCountOne";
const TWO: &str = "ConformanceCountTwo";
const TENANTS: &str = "ConformanceCountTenants";

async fn ask(server: &Server, fields: &str) -> Result<Reply, Failure> {
    server.post("/v1/graphql", &json!({"query": format!("{{Aggregate{{{fields}}}}}")})).await?.want(200)
}

pub(crate) async fn check(url: &str, _: (u32, u32)) -> Result<(), Failure> {
    let server = Server::new(url);
    let mut tenants = class(TENANTS, &[("n", "int")]);
    tenants["multiTenancyConfig"] = json!({"enabled": true});
    for document in [class(ONE, &[("n", "int")]), class(TWO, &[("n", "int")]), tenants] {
        server.fresh(&document).await?;
    }
    server.post(&format!("/v1/schema/{TENANTS}/tenants"), &json!([{"name": "t"}])).await?.want(200)?;
    let mut objects: Vec<Value> = (1..=3).map(|n| json!({"class": ONE, "id": id(n)})).collect();
    objects.extend((1..=2).map(|n| json!({"class": TENANTS, "tenant": "t", "id": id(n)})));
    server.write(&objects).await?;
    let fields =
        format!("a0:{ONE}{{meta{{count}}}} {TWO}{{meta{{count}}}} a2:{TENANTS}(tenant:\"t\"){{meta{{count}}}}");
    let text = ask(&server, &fields).await?.text;
    let wanted = format!(
        "{{\"data\":{{\"Aggregate\":{{\"{TWO}\":[{{\"meta\":{{\"count\":0}}}}],\"a0\":[{{\"meta\":{{\"count\":3}}}}],\"a2\":[{{\"meta\":{{\"count\":2}}}}]}}}}}}\n"
    );
    same("counts", &text, &wanted)?;
    errors(&server).await?;
    server.delete(&format!("/v1/objects/{ONE}/{}", id(1))).await?.want(204)?;
    let counted = ask(&server, &format!("{ONE}{{meta{{count}}}}")).await?.json();
    same("at once", &counted["data"]["Aggregate"][ONE][0]["meta"]["count"], &2)?;
    for class in [ONE, TWO, TENANTS] {
        server.drop_class(class).await?;
    }
    Ok(())
}

async fn errors(server: &Server) -> Result<(), Failure> {
    let unknown = ask(server, "a:ConformanceNo1{meta{count}} b:ConformanceNo2{meta{count}}").await?.json();
    same("no data", &unknown.get("data").is_some(), &false)?;
    let message = "Cannot query field \"ConformanceNo1\" on type \"AggregateObjectsObj\".";
    // Some servers go on: Did you mean …?
    let said = unknown["errors"][0]["message"].as_str().unwrap_or("");
    same(said, &said.starts_with(message), &true)?;
    same("where", &unknown["errors"][0]["locations"], &json!([{"column": 12, "line": 1}]))?;
    same("both", &unknown["errors"].as_array().map(Vec::len), &Some(2))?;
    let argument = ask(server, &format!("a:{ONE}(tenant:\"x\"){{meta{{count}}}}")).await?.json();
    let message = format!("Unknown argument \"tenant\" on field \"{ONE}\" of type \"AggregateObjectsObj\".");
    same("tenant where there are none", &argument["errors"][0]["message"], &message)?;
    // One that fails does not keep the others from being counted.
    let half = ask(server, &format!("a:{TENANTS}{{meta{{count}}}} b:{ONE}{{meta{{count}}}}")).await?.json();
    same("the good one", &half["data"]["Aggregate"]["b"][0]["meta"]["count"], &3)?;
    same("the bad one", &half["data"]["Aggregate"]["a"], &Value::Null)?;
    let message = format!("class {TENANTS} has multi-tenancy enabled, but request was without tenant");
    same("why", &half["errors"][0]["message"], &message)?;
    same("where", &half["errors"][0]["path"], &json!(["Aggregate", "a"]))?;
    let syntax = ask(server, "").await?.json();
    same(
        "syntax",
        &syntax["errors"][0]["message"].as_str().is_some_and(|m| m.starts_with("Syntax Error GraphQL")),
        &true,
    )?;
    server.post("/v1/graphql", &json!({"query": ""})).await?.want(422)?.says("query cannot be empty")?;
    Ok(())
}
