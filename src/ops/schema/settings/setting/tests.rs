//! How settings are typed, what of a text is none, and what stands in journals.

use super::*;

fn setting(text: &str) -> Setting {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn wrong(text: &str) -> String {
    text.parse::<Setting>().expect_err(text).to_string()
}

#[test]
fn a_setting_is_written_as_it_is_typed_again() {
    for (typed, written) in [
        ("replicationConfig.factor=3", "replicationFactor=3"),
        ("shards=2", "shards=2"),
        ("Article.shards=2", "Article.shards=2"),
        ("acme:Article.quantizer=rq", "acme:Article.quantizer=rq"),
        ("vectorConfig.a.vectorIndexConfig.ef=100", "vectorConfig.a.vectorIndexConfig.ef=100"),
        ("description=a=b", "description=a=b"),
        ("description=", "description="),
        ("objectTtl=off", "objectTtl=off"),
    ] {
        assert_eq!(setting(typed).to_string(), written);
        assert_eq!(setting(written), setting(typed));
    }
    assert_eq!(setting("Article.shards=2").of().map(CollectionName::as_str), Some("Article"));
    assert_eq!(setting("shards=2").of(), None);
}

#[test]
fn what_is_no_setting_is_told_with_what_was_perhaps_meant() {
    assert_eq!(wrong("shards"), "must be KEY=VALUE, such as replicationFactor=1");
    assert_eq!(wrong("=1"), "must be KEY=VALUE, such as replicationFactor=1");
    assert_eq!(wrong("shard=1"), "no setting is named \"shard\"; did you mean shards?");
    assert_eq!(wrong("Article.shard=1"), "no setting is named \"Article.shard\"; did you mean Article.shards?");
    assert_eq!(wrong("class=B"), "no setting is named \"class\"");
    assert_eq!(wrong("shards=none"), "shards takes a whole number from 1");
    assert_eq!(wrong("quantizer=zip"), "quantizer takes one of none, pq, bq, sq, rq");
}

#[test]
fn what_a_setting_takes_is_told() {
    let wanted = |text: &str| match text.parse::<Setting>() {
        Err(InvalidSetting::Value { wanted, .. }) => wanted,
        other => panic!("{text}: {other:?}"),
    };
    assert!(matches!("shards".parse::<Setting>(), Err(InvalidSetting::Form)));
    assert!(matches!("shard=1".parse::<Setting>(), Err(InvalidSetting::Unknown { .. })));
    assert!(matches!(wanted("shards=0"), Takes::Count));
    assert!(matches!(wanted("vectorIndexConfig.ef=all"), Takes::Number));
    assert!(matches!(wanted("indexFilterable=no"), Takes::Switch));
    assert!(matches!(wanted("vectorIndexType=tree"), Takes::OneOf(words) if words.contains(&"hnsw")));
    assert!(matches!(wanted("invertedIndexConfig.stopwords.additions=a"), Takes::List));
    assert!(matches!(wanted("textAnalyzer=fold"), Takes::Object));
    assert!(matches!(wanted("objectTtl=never"), Takes::Ttl));
}

#[test]
fn two_values_for_one_setting_contradict_each_other() {
    let all = |texts: &[&str]| texts.iter().map(|text| setting(text)).collect::<Vec<_>>();
    let same = all(&["shards=1", "shardingConfig.desiredCount=1", "A.shards=2", "quantizer=rq"]);
    assert_eq!(Setting::contradiction(&same), None);
    let other = all(&["shards=1", "shardingConfig.desiredCount=2"]);
    assert_eq!(Setting::contradiction(&other), Some((&other[0], &other[1])));
}

#[test]
fn journals_read_what_earlier_versions_wrote() {
    let read = |text: &str| serde_json::from_str::<Setting>(text);
    assert_eq!(read(r#""no_vectorizer""#).ok(), Some(setting("vectorizer=none")));
    assert_eq!(read(r#""no_object_ttl""#).ok(), Some(setting("objectTtl=off")));
    assert_eq!(read(r#""shards=3""#).ok(), Some(setting("shards=3")));
    assert!(read(r#""nothing""#).is_err());
}
