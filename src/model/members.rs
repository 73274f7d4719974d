//! The members of a JSON object as printed.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The members of a JSON object in printed order, with their texts: repeats and spelling kept. Names are as printed
/// between the quotes, escapes and all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Members<'a>(pub Vec<(&'a str, &'a str)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((key, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                    let quoted = key.get();
                    members.push((&quoted[1..quoted.len() - 1], value.get()));
                }
                Ok(Members(members))
            }
        }
        from.deserialize_map(InOrder)
    }
}
