//! When a server removes the objects of a collection by itself: `objectTtlConfig` (Weaviate 1.35 and later). Pure.

use jiff::Timestamp;
use serde_json::Value;

use super::place::is_off;
use crate::event::{ComparisonRemark, RestoreRemark};
use crate::model::{Members, RawObject, Schema, fold, json};

/// What the time to live counts from: the server's own times, by the names it takes for them.
const OWN_TIMES: [&str; 2] = ["_creationTimeUnix", "_lastUpdateTimeUnix"];

/// The longest text that may be a time, in bytes as printed.
const TIME_BYTES: usize = 1 << 10;

/// Why objects may have gone that nobody removed, where objects expire.
pub(in crate::ops) fn may_be_why(schema: &Schema) -> Option<ComparisonRemark> {
    expires(schema).then_some(ComparisonRemark::MayHaveExpired)
}

/// When objects of a collection expire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ops) struct Expiry {
    /// The property that holds the time it counts from.
    property: String,
    /// Seconds after that; may be negative.
    seconds: i64,
}

/// The property that the age counts from, `None` for the server's own times, and how many seconds; `None` where objects do
/// not expire.
fn enabled(schema: &Schema) -> Option<(Option<String>, i64)> {
    let document: Value = serde_json::from_slice(&schema.text).unwrap_or(Value::Null);
    let settings = Some(&document["objectTtlConfig"]).filter(|settings| !is_off(settings))?;
    let on = settings["deleteOn"].as_str().unwrap_or_default().trim();
    let property = Some(on.to_owned()).filter(|on| !on.is_empty() && !OWN_TIMES.contains(&on.as_str()));
    Some((property, settings["defaultTtl"].as_i64().unwrap_or(0)))
}

/// Whether objects are removed by the server when they reach an age.
pub(in crate::ops) fn expires(schema: &Schema) -> bool {
    enabled(schema).is_some()
}

/// What a copy of the collection does with the age of its objects; `None` if they do not expire.
pub(in crate::ops) fn ages(schema: &Schema) -> Option<RestoreRemark> {
    let (property, _) = enabled(schema)?;
    Some(property.map_or(RestoreRemark::AgeCountsAnew, |property| RestoreRemark::ExpiresBy { property }))
}

impl Expiry {
    /// When objects of such a collection expire, if what that counts from stands in them. By the server's own times their
    /// age counts anew.
    pub(in crate::ops) fn of(schema: &Schema) -> Option<Self> {
        let (property, seconds) = enabled(schema)?;
        Some(Self { property: property?, seconds })
    }

    /// How long objects of such a collection live, in seconds, if that counts from the server's own times: from a restore.
    pub(in crate::ops) fn own_seconds(schema: &Schema) -> Option<i64> {
        let (property, seconds) = enabled(schema)?;
        property.is_none().then_some(seconds)
    }

    /// The property that holds the time it counts from.
    pub(in crate::ops) fn property(&self) -> &str {
        &self.property
    }

    /// When an object expires, in s since 1970. One without a value never does.
    pub(in crate::ops) fn at(&self, object: &RawObject) -> Option<i64> {
        let properties = serde_json::from_slice::<Members<'_>>(object.properties()).ok()?;
        let value = properties.iter().filter(|(name, _)| *name == self.property).last().map(|(_, value)| value);
        let printed = value.and_then(json::string).filter(|printed| printed.len() <= TIME_BYTES)?;
        let time = fold::unescaped(printed).parse::<Timestamp>().ok()?;
        Some(time.as_second().saturating_add(self.seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(settings: &str) -> Schema {
        Schema::parse(format!(r#"{{"class":"A","objectTtlConfig":{settings}}}"#).into()).expect("a schema")
    }

    fn object(text: &str) -> RawObject {
        let places = crate::model::ObjectText { properties: 0..text.len(), ..Default::default() };
        let id = "00000000-0000-0000-0000-000000000001".parse().expect("an id");
        RawObject { id, updated_ms: None, text: text.to_owned().into(), places }
    }

    #[test]
    fn only_a_property_keeps_its_time() {
        let own = schema(r#"{"enabled":true,"deleteOn":"_creationTimeUnix","defaultTtl":60}"#);
        assert_eq!((Expiry::own_seconds(&own), Expiry::own_seconds(&schema("null"))), (Some(60), None));
        assert!(Expiry::of(&own).is_none() && ages(&own) == Some(RestoreRemark::AgeCountsAnew));
        let off = schema(r#"{"enabled":false,"deleteOn":"until"}"#);
        assert!(Expiry::of(&off).is_none() && ages(&off).is_none());
        let by = schema(r#"{"enabled":true,"deleteOn":" until ","defaultTtl":0}"#);
        assert_eq!(Expiry::own_seconds(&by), None);
        assert!(Expiry::of(&by).is_some() && ages(&by) == Some(RestoreRemark::ExpiresBy { property: "until".into() }));
    }

    #[test]
    fn an_object_expires_when_its_time_and_the_time_to_live_have_passed() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
        for (seconds, text, expired) in [
            (0, r#"{"until":"2026-01-01T00:00:00Z"}"#, true),
            (0, r#"{"until":"2026-01-01T00:00:01Z"}"#, false),
            (0, r#"{"until":"2026-01-01T01:00:00+02:00"}"#, true),
            (60, r#"{"until":"2025-12-31T23:59:01Z"}"#, false),
            (-60, r#"{"until":"2026-01-01T00:00:59Z"}"#, true),
            (i64::MAX, r#"{"until":"2026-01-01T00:00:00Z"}"#, false),
            (0, r#"{"other":"2020-01-01T00:00:00Z"}"#, false),
            (0, r#"{"until":"2026\u002d01-01T00:00:00Z"}"#, true),
            (0, r#"{"until":["2026-01-01T00:00:00Z"]}"#, false),
            (0, r#"{"until":"soon"}"#, false),
            (0, r#"{"until":null}"#, false),
        ] {
            let expiry = Expiry { property: "until".into(), seconds };
            let is_expired = expiry.at(&object(text)).is_some_and(|at| at <= now.as_second());
            assert_eq!(is_expired, expired, "{seconds} {text}");
        }
    }
}
