//! The server that every fixture was made of: the same objects whenever it is made.

use std::collections::BTreeMap;

use sandbox::{Builder, Change, Sandbox};
use serde_json::{Value, json};

/// Objects of each plain collection.
pub(super) const OBJECTS: u64 = 12;
/// Tenants of the collection `Shop`, their states, and their objects.
pub(super) const TENANTS: [(&str, &str, u64); 3] = [("east", "FROZEN", 0), ("north", "HOT", 5), ("south", "COLD", 7)];
/// The object of `Book` whose vector no server prints.
pub(super) const UNPRINTABLE: u64 = 3;

pub(super) fn id(number: u64) -> String {
    format!("{:08x}-0000-4000-8000-{number:012x}", number.wrapping_mul(0x9e37_79b1) & 0xffff_ffff)
}

fn beacon(class: &str, number: u64) -> Value {
    json!({"beacon": format!("weaviate://localhost/{class}/{}", id(number))})
}

/// Numbers that are printed in every way a float32 can be.
fn vector(number: u64) -> String {
    let odd = ["0", "-0.0", "1e-7", "3.4028235e38", "0.1", "-1.1754944e-38", "16777216"];
    let at = |n: u64| odd[usize::try_from((number + n) % odd.len() as u64).expect("small")];
    format!("[{},{},{}.5,{}]", at(0), at(3), number, at(5))
}

fn author(number: u64, knows: &Value) -> String {
    let name = format!("Grüße, “{number}”\n\u{1F600}");
    let mut properties = json!({"name": name, "born": "1912-06-23T00:00:00.5Z"});
    if !knows.is_null() {
        properties["knows"] = knows.clone();
    }
    let (id, vector) = (id(number), vector(number));
    format!(
        r#"{{"class":"Author","id":"{id}","properties":{properties},"vectors":{{"name":{vector},"text":[{number},1]}}}}"#
    )
}

fn book(number: u64) -> String {
    let ratio = ["0.1", "-0.0", "1e-7", "123456789.125"][usize::try_from(number % 4).expect("small")];
    let (id, vector) = (id(number), vector(number));
    let by = if number.is_multiple_of(3) { String::new() } else { format!(r#","by":[{}]"#, beacon("Author", number)) };
    format!(
        r#"{{"class":"Book","id":"{id}","properties":{{"title":"Book {number}","words":9007199254740991,"ratio":{ratio}{by}}},"vector":{vector}}}"#
    )
}

fn shop(tenant: &str, number: u64) -> String {
    let (id, vector) = (id(number), vector(number));
    format!(
        r#"{{"class":"Shop","tenant":"{tenant}","id":"{id}","properties":{{"town":"{tenant} {number}"}},"vector":{vector}}}"#
    )
}

/// Two collections, of which one refers to itself, in a circle, and the other one to it, and an alias.
pub(super) fn library() -> Builder {
    let property = json!({"name": "knows", "dataType": ["Author"]});
    let builder = authors_and_books(Some(property));
    // A server takes no reference to what is not there yet: these objects are written for the second time.
    let builder = (0..OBJECTS).fold(builder, |builder, number| {
        let knows = json!([beacon("Author", (number + 1) % OBJECTS), beacon("Author", number)]);
        builder.object(&author(number, &knows))
    });
    builder.alias("Writer", "Author")
}

/// The same without what builds of format 1.0 do not restore: the circle.
pub(super) fn without_circle() -> Builder {
    authors_and_books(None)
}

fn authors_and_books(knows: Option<Value>) -> Builder {
    let text = |name: &str| json!({"name": name, "dataType": ["text"]});
    let index = json!({"vectorizer": {"none": {}}, "vectorIndexType": "hnsw"});
    let mut properties = vec![text("name"), json!({"name": "born", "dataType": ["date"]})];
    properties.extend(knows);
    let authors = json!({"class": "Author", "vectorConfig": {"name": index, "text": index}, "properties": properties});
    let books = json!({"class": "Book", "vectorizer": "none", "properties": [text("title"),
        {"name": "words", "dataType": ["int"]}, {"name": "ratio", "dataType": ["number"]},
        {"name": "by", "dataType": ["Author"]}]});
    let builder = Sandbox::builder().collection(&authors.to_string()).collection(&books.to_string());
    (0..OBJECTS).fold(builder, |builder, number| builder.object(&author(number, &Value::Null)).object(&book(number)))
}

/// The same with what makes an archive incomplete: a vector that cannot be printed, one of another length, and tenants of
/// which one is offloaded.
pub(super) fn odd() -> Builder {
    let mut builder = library().collection(
        r#"{"class":"Shop","vectorizer":"none","multiTenancyConfig":{"enabled":true},
            "properties":[{"name":"town","dataType":["text"]}]}"#,
    );
    for (tenant, status, objects) in TENANTS {
        builder = builder.tenant("Shop", tenant, status);
        for number in 0..objects {
            builder = builder.object(&shop(tenant, number));
        }
    }
    builder.change(Change::Unprintable("Book".to_owned(), id(UNPRINTABLE)))
}

/// What a line of an archive, or of a server, says of its object: all but what a server gives anew. By id.
pub(super) fn content(lines: &[String]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for line in lines {
        let mut object: Value = serde_json::from_str(line).expect("an object");
        let members = object.as_object_mut().expect("an object");
        for member in ["creationTimeUnix", "lastUpdateTimeUnix", "tenant"] {
            members.remove(member);
        }
        let id = object["id"].as_str().expect("an id").to_owned();
        assert!(found.insert(id, object.to_string()).is_none(), "an id comes twice");
    }
    found
}
