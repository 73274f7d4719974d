//! The members of a JSON object as printed.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::json;

/// The text of a JSON object, whose members are walked and not collected: there may be millions of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Members<'a>(&'a str);

impl<'a> Members<'a> {
    /// The members in printed order, with their texts: repeats and spelling kept. Names are as printed between the quotes,
    /// escapes and all.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, &'a str)> + Clone {
        json::members(self.0)
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <&RawValue>::deserialize(from)?.get();
        if text.starts_with('{') { Ok(Self(text)) } else { Err(D::Error::custom("not a JSON object")) }
    }
}
