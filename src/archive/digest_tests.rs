//! The digest against vectors made by another implementation (docs/archive-format.md), and its laws.

use bytes::Bytes;
use proptest::prelude::*;

use super::super::testing::split;
use super::*;

fn digest(schema: &'static str, content: Content, text: &str) -> Hash {
    let schema = Schema::parse(Bytes::from_static(schema.as_bytes())).expect("a schema");
    let object = split(&text.to_owned().into()).expect("an object");
    ObjectDigest::new(&schema, content).of(&object).expect("a digest")
}

const PLAIN: &str = r#"{"class":"A"}"#;
const LINKED: &str = r#"{"class":"A","properties":[{"name":"author","dataType":["Person"]},{"name":"sum","dataType":["blobHash"]},{"name":"title","dataType":["text"]}]}"#;

/// The three of docs/archive-format.md.
fn vectors() -> [Hash; 3] {
    [
        digest(
            PLAIN,
            Content::Full,
            r#"{"class":"A","id":"00000000-0000-0000-0000-000000000000","properties":{"title":"a","words":100000},"vectors":{}}"#,
        ),
        digest(
            PLAIN,
            Content::Full,
            r#"{"id":"0F6B1C2D-0000-4000-8000-000000000001","properties":{"title":"Grüße","ratio":-0.0},"vectors":{"title_vec":[[1,2],[3,4]],"default":[0.25,1e-7,-3]}}"#,
        ),
        digest(
            LINKED,
            Content::Full,
            r#"{"id":"ffffffff-ffff-ffff-ffff-ffffffffffff","properties":{"author":[{"beacon":"weaviate://localhost/Person/0f6b1c2d-0000-4000-8000-000000000001","href":"/v1/x"},{"beacon":"weaviate://localhost/Person/00000000-0000-0000-0000-000000000000"}],"sum":"abc","title":"b"},"vector":[1]}"#,
        ),
    ]
}

#[test]
fn digests_agree_with_another_implementation() {
    let text: Vec<String> = vectors().iter().map(ToString::to_string).collect();
    assert_eq!(
        text,
        [
            "93278df51ca45d95ac4007963f2ab2458e7bf11f3559d8107e876e613147b3b0",
            "5f221b52cffb530b456ec13c5e1208bfcdcf4a45e2f4ef05de417f2e2ddde3e4",
            "ad0e82ac571b55b52a24041dd3f9c86d9e644c34df62f7d86eb37b68a2514ee9",
        ]
    );
}

#[test]
fn sums_and_collections_agree_with_another_implementation() {
    let [a, b, c] = vectors();
    let mut sum = RunDigest::default();
    for hash in [c, a, b] {
        sum.add(hash);
    }
    assert_eq!(sum.hash().to_string(), "9f582af443bb06561cd3ccef70368372faaf8899f6b0bfefca7c69f80076e57e");
    assert_eq!(
        collection_digest([("", 3, sum.hash())]).to_string(),
        "9fb02ca3d0e0393fd459e4176887429f1cc31c66a0f4e4668bb7d8d47c0a35c8"
    );
    let mut two = RunDigest::default();
    for hash in [b, c] {
        two.add(hash);
    }
    assert_eq!(
        collection_digest([("a", 1, a), ("b", 2, two.hash())]).to_string(),
        "2f2bfff9844c42f009d3ad24213f5e95d21368ae8ff368d4a8f2729abcd19a28"
    );
}

#[test]
fn a_renamed_target_counts_but_a_host_or_link_does_not() {
    let text = |beacon: &str| {
        let id = "0f6b1c2d-0000-4000-8000-000000000001";
        let reference = format!(r#"[{{"beacon":"{beacon}/{id}"}}]"#);
        digest(LINKED, Content::Full, &format!(r#"{{"id":"{id}","properties":{{"author":{reference}}}}}"#))
    };
    assert_eq!(text("weaviate://localhost/P"), text("weaviate://elsewhere/P"));
    assert_ne!(text("weaviate://localhost/P"), text("weaviate://localhost/Q"));
}

#[test]
fn without_vectors_none_enters() {
    let with = r#"{"id":"0f6b1c2d-0000-4000-8000-000000000001","properties":{},"vector":[1]}"#;
    let without = r#"{"id":"0f6b1c2d-0000-4000-8000-000000000001","properties":{}}"#;
    assert_eq!(digest(PLAIN, Content::NoVectors, with), digest(PLAIN, Content::Full, without));
    assert_ne!(digest(PLAIN, Content::Full, with), digest(PLAIN, Content::Full, without));
}

#[test]
fn hex_is_lower_case_and_exact() {
    let text = "0f".repeat(32);
    assert_eq!(Hash::parse(&text).map(|h| h.to_string()), Some(text.clone()));
    for bad in [text.to_uppercase(), text[1..].to_owned(), format!("{text}0"), text.replace('f', "g"), "é".repeat(32)]
    {
        assert_eq!(Hash::parse(&bad), None, "{bad}");
    }
}

proptest! {
    #[test]
    fn a_sum_is_the_same_in_any_order_and_grouping(hashes in proptest::collection::vec(any::<[u8; 32]>(), 0..20)) {
        let add = |hashes: &mut dyn Iterator<Item = &[u8; 32]>| {
            let mut sum = RunDigest::default();
            hashes.for_each(|hash| sum.add(Hash(*hash)));
            sum
        };
        let mut grouped = add(&mut hashes.iter().step_by(2));
        grouped.add(add(&mut hashes.iter().skip(1).step_by(2)).hash());
        prop_assert_eq!(grouped, add(&mut hashes.iter().rev()));
    }
}
