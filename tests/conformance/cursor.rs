//! Pages: in order of the ids' bytes, behind an exclusive cursor that need not be an object.

use serde_json::json;

use crate::ask::{Failure, Server, class, same};

const NAME: &str = "ConformanceCursor";
const IDS: [&str; 6] = [
    "00000000-0000-0000-0000-000000000001",
    "00000000-0000-0000-0000-0000000000ff",
    "10000000-0000-4000-8000-000000000000",
    "7fffffff-ffff-4fff-bfff-ffffffffffff",
    "80000000-0000-4000-8000-000000000000",
    "ffffffff-ffff-4fff-bfff-ffffffffffff",
];

pub(crate) async fn check(url: &str, version: (u32, u32)) -> Result<(), Failure> {
    let server = Server::new(url);
    let mut document = class(NAME, &[("n", "int")]);
    document["shardingConfig"] = json!({"desiredCount": 3});
    server.fresh(&document).await?;
    let empty = server.get(&format!("/v1/objects?class={NAME}&limit=2&after=")).await?.want(200)?;
    same("empty page", &empty.text, &"{\"deprecations\":[],\"objects\":[]}\n")?;
    let objects: Vec<_> =
        IDS.iter().rev().map(|id| json!({"class": NAME, "id": id, "properties": {"n": 1}, "vector": [1, 2]})).collect();
    server.write(&objects).await?;
    pages(&server).await?;
    errors(&server, version).await?;
    server.drop_class(NAME).await
}

async fn pages(server: &Server) -> Result<(), Failure> {
    let first = format!("class={NAME}");
    let after = |id: &str, limit: u32| format!("class={NAME}&limit={limit}&after={id}");
    for (query, wanted) in [
        (first.clone(), &IDS[..]),
        (format!("{first}&after="), &IDS[..]),
        (after("", 2), &IDS[..2]),
        (after(IDS[1], 2), &IDS[2..4]),
        (after("20000000-0000-0000-0000-000000000000", 10), &IDS[3..]),
        (after("7FFFFFFF-FFFF-4FFF-BFFF-FFFFFFFFFFFF", 1), &IDS[4..5]),
        (after("7fffffffffff4fffbfffffffffffffff", 1), &IDS[4..5]),
        (after("00000000-0000-0000-0000-000000000000", 10), &IDS[..]),
        (after("ffffffff-ffff-ffff-ffff-ffffffffffff", 10), &IDS[6..]),
        (after("", 0), &IDS[6..]),
        (after("", 10_000), &IDS[..]),
        (format!("class=conformanceCursor&limit=3&nonsense=1&after={}", IDS[0]), &IDS[1..4]),
        (format!("{first}&limit=2&offset=1"), &IDS[1..3]),
    ] {
        same(&query, &server.ids(&query).await?, &wanted)?;
    }
    // Times, the same for all objects of a batch, are the only thing in a page that cannot be foretold.
    let text = server.get(&format!("/v1/objects?{}", after(IDS[4], 5))).await?.want(200)?.text;
    let time = text.split("creationTimeUnix\":").nth(1).and_then(|t| t.split(',').next()).unwrap_or("");
    let wanted = format!(
        "{{\"deprecations\":[],\"objects\":[{{\"class\":\"{NAME}\",\"creationTimeUnix\":{time},\"id\":\"{}\",\
         \"lastUpdateTimeUnix\":{time},\"properties\":{{\"n\":1}},\"vectorWeights\":null}}],\"totalResults\":1}}\n",
        IDS[5]
    );
    same("page", &text, &wanted)
}

async fn errors(server: &Server, version: (u32, u32)) -> Result<(), Failure> {
    let id = IDS[0];
    let list = |query: String| format!("/v1/objects?{query}");
    let cursor = |why: &str| format!("msg:cursor api: invalid 'after' parameter code:400 err:{why}");
    for (query, status, message) in [
        (
            format!("class={NAME}&limit=2&after=nonsense"),
            422,
            cursor("after parameter 'nonsense' is not a valid uuid: invalid UUID length: 8"),
        ),
        (
            format!("class={NAME}&limit=2&after=zz000000-0000-0000-0000-000000000001"),
            422,
            cursor("after parameter 'zz000000-0000-0000-0000-000000000001' is not a valid uuid: invalid UUID format"),
        ),
        (
            format!("class={NAME}&limit=2&offset=1&after={id}"),
            422,
            cursor("offset cannot be set with after and limit parameters"),
        ),
        (
            format!("class={NAME}&limit=2&sort=n&after={id}"),
            422,
            cursor("sort cannot be set with after and limit parameters"),
        ),
        (format!("class={NAME}&after={id}"), 422, cursor("limit parameter must be set")),
        (format!("limit=2&after={id}"), 500, "cursor must be specific to one class".to_owned()),
        (format!("class={NAME}&limit=10001&after="), 422, "query maximum results exceeded".to_owned()),
        (format!("class={NAME}&limit=abc"), 422, "limit in query must be of type int64: \"abc\"".to_owned()),
        (
            format!("class={NAME}&limit=1&include=bogus"),
            400,
            "unrecognized property 'bogus' in ?include list".to_owned(),
        ),
        (
            format!("class={NAME}&limit=1&tenant=t"),
            422,
            format!("class {NAME} has multi-tenancy disabled, but request was with tenant"),
        ),
    ] {
        let reply = server.get(&list(query.clone())).await?;
        reply.want(status).and_then(|r| r.says(&message)).map_err(|why| format!("{query}: {why}"))?;
    }
    let over = server.get(&list(format!("class={NAME}&limit=10001"))).await?.want(422)?.message();
    same("the error names the values", &over.contains("'10001'"), &(version >= (1, 39)))?;
    let unknown = server.get(&list("class=ConformanceNowhere&limit=2".to_owned())).await?.want(404)?;
    same("unknown class", &unknown.text, &"")?;
    let any = server.get(&list("limit=2".to_owned())).await?.want(200)?.json();
    same("no class lists all of them", &any["objects"].as_array().map(Vec::len), &Some(2))
}
