//! Lines of a part against the server's reader: an object that is taken is the object that a server sees.
#![no_main]

use bytes::Bytes;
use elysiactl::model::{CollectionName, TenantName};
use elysiactl::pipeline::split;
use elysiactl_fuzz::go::{self, Kind};
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 20] = [
    "class", "id", "properties", "vector", "vectors", "tenant", "A", "00000000-0000-0000-0000-000000000001", "B", "ref",
    "beacon", "href", "weaviate://localhost/A/00000000-0000-0000-0000-000000000001", "additional", "vectorWeights",
    "lastUpdateTimeUnix", "creationTimeUnix", "default", "text", "",
];

fuzz_target!(|data: &[u8]| {
    let collection: CollectionName = "A".parse().expect("a name");
    // Every other one begins as an object of the collection does.
    let text = match data {
        [1, rest @ ..] => {
            let more = elysiactl_fuzz::document(&[&[1, 0][..], rest].concat(), &NAMES);
            let head = br#"{"class":"A","id":"00000000-0000-0000-0000-000000000001","#;
            [&head[..], more.get(1..).unwrap_or_default()].concat()
        }
        _ => elysiactl_fuzz::document(data, &NAMES),
    };
    let text = Bytes::from(text);
    let Ok(object) = split::line(&text, &collection) else { return };
    let Some(seen) = go::read(Kind::Object, &text) else { return };
    assert_eq!(seen.text("class"), Some("A"));
    let id = object.id.to_string();
    assert!(seen.text("id").is_some_and(|seen| seen.eq_ignore_ascii_case(&id)), "{seen:?}");
    match object.tenant() {
        // Another text is the name of no tenant, and the object is refused wherever it comes from.
        Some(tenant) if std::str::from_utf8(tenant).is_ok_and(|name| name.parse::<TenantName>().is_ok()) => {
            assert_eq!(seen.text("tenant").map(str::as_bytes), Some(tenant));
        }
        Some(_) => {}
        None => assert_eq!(seen.text("tenant").unwrap_or_default(), ""),
    }
    if !object.properties().is_empty() {
        seen.member_is("properties", object.properties());
    }
    if split::references(&object, |name| name == b"ref").is_ok() {
        let properties = serde_json::from_slice::<std::collections::BTreeMap<String, &serde_json::value::RawValue>>(
            object.properties(),
        );
        if let Some(list) = properties.ok().and_then(|all| all.get("ref").map(|list| list.get().to_owned()))
            && let Some(seen) = go::read(Kind::References, list.as_bytes())
        {
            seen.is(list.as_bytes());
        }
    }
});
