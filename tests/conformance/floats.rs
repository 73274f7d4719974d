//! Numbers: printed shortest, as Go prints them, and integers as float64.

use crate::ask::{Failure, Server, class, id, same};

const NAME: &str = "ConformanceFloats";

pub(crate) async fn check(url: &str, _: (u32, u32)) -> Result<(), Failure> {
    let server = Server::new(url);
    server
        .fresh(&class(
            NAME,
            &[
                ("i", "int"),
                ("is", "int[]"),
                ("n", "number"),
                ("ns", "number[]"),
                ("t", "text"),
                ("d", "date"),
                ("u", "uuid"),
                ("g", "geoCoordinates"),
            ],
        ))
        .await?;
    let sent =
        "1,-0,1e21,0.0000001,0.1,3.4028235e38,1e-45,16777216,1E5,123456789012,0.30000000000000004,-1.5e-7,123456.789";
    let vector = "1,-0,1e+21,1e-7,0.1,3.4028235e+38,1e-45,16777216,100000,123456790000,0.3,-1.5e-7,123456.79";
    let doubles =
        "1,-0,1e+21,1e-7,0.1,3.4028235e+38,1e-45,16777216,100000,123456789012,0.30000000000000004,-1.5e-7,123456.789";
    // What is sent, and what is listed.
    let cases = [
        (format!("\"ns\":[{sent}]"), format!("\"ns\":[{doubles}]")),
        ("\"n\":1E400".to_owned(), "FAILED".to_owned()),
        ("\"n\":1.7976931348623157e308".to_owned(), "\"n\":1.7976931348623157e+308".to_owned()),
        ("\"n\":5e-324".to_owned(), "\"n\":5e-324".to_owned()),
        ("\"i\":9007199254740993".to_owned(), "\"i\":9007199254740992".to_owned()),
        ("\"i\":9223372036854775807".to_owned(), "\"i\":9223372036854776000".to_owned()),
        ("\"i\":9223372036854774784".to_owned(), "\"i\":9223372036854775000".to_owned()),
        ("\"i\":9223372036854776000".to_owned(), "FAILED".to_owned()),
        ("\"i\":5.0".to_owned(), "FAILED".to_owned()),
        ("\"i\":1e3".to_owned(), "FAILED".to_owned()),
        ("\"is\":[1,9007199254740993]".to_owned(), "\"is\":[1,9007199254740992]".to_owned()),
        ("\"is\":[]".to_owned(), "\"is\":[]".to_owned()),
        (
            "\"t\":\"a<b>&c\\u2028\\u0000\\ud83d\\ude00\\/\\b\\f\\u007f\\ud800x\"".to_owned(),
            "\"t\":\"a<b>&c\\u2028\\u0000😀/\\b\\f\u{7f}\u{fffd}x\"".to_owned(),
        ),
        ("\"t\":null".to_owned(), String::new()),
        ("\"d\":\"2024-01-02T03:04:05.120+00:00\"".to_owned(), "\"d\":\"2024-01-02T03:04:05.12Z\"".to_owned()),
        ("\"d\":\"2024-01-02T03:04:05.000+02:00\"".to_owned(), "\"d\":\"2024-01-02T03:04:05+02:00\"".to_owned()),
        (
            "\"u\":\"ABCDEF12-0000-4000-8000-00000000ABCD\"".to_owned(),
            "\"u\":\"abcdef12-0000-4000-8000-00000000abcd\"".to_owned(),
        ),
        (
            "\"g\":{\"longitude\":4.8374263,\"latitude\":52.3932696}".to_owned(),
            "\"g\":{\"latitude\":52.39327,\"longitude\":4.837426}".to_owned(),
        ),
    ];
    for (number, (given, wanted)) in (1..).zip(cases) {
        let object = format!(
            "{{\"class\":\"{NAME}\",\"id\":\"{}\",\"properties\":{{{given}}},\"vector\":[{sent}]}}",
            id(number)
        );
        let failure = server.failure(&object).await?;
        same(&format!("{given} fails"), &failure.is_some(), &(wanted == "FAILED"))?;
        if failure.is_some() {
            continue;
        }
        let query = format!("/v1/objects?class={NAME}&limit=1&include=vector&after={}", id(number - 1));
        let text = server.get(&query).await?.want(200)?.text;
        let wanted = format!("\"properties\":{{{wanted}}},\"vector\":[{vector}],\"vectorWeights\":null}}");
        same(&format!("{given} is listed as {wanted} in {text}"), &text.contains(&wanted), &true)?;
    }
    server.drop_class(NAME).await
}
