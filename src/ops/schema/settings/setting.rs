//! One setting that is wanted otherwise: how it is typed, and how it stands in a journal. Pure.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::keys::{self, About, SettingKey, TTL, VECTORIZER};
use super::values::{NONE, OFF, Takes, misfit};
use crate::model::CollectionName;

/// How the journals of earlier versions write what they knew.
const JOURNALED: [(&str, &str, &str); 2] = [("no_vectorizer", VECTORIZER, NONE), ("no_object_ttl", TTL, OFF)];

/// One setting that is wanted otherwise: `KEY=VALUE`, or `COLLECTION.KEY=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Setting {
    /// The collection that it is for, by its name in the archive; `None`: every one.
    pub(super) of: Option<CollectionName>,
    /// The key as it stands in a class document, whichever name was typed.
    pub(super) key: String,
    /// The value as it was typed.
    pub(super) value: String,
}

/// A text that is no setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the variant says the fact, and a field's name says what it is of it")]
pub enum InvalidSetting {
    #[error("must be KEY=VALUE, such as replicationFactor=1")]
    Form,
    #[error("no setting is named {key:?}{}{}{}", if near.is_empty() { "" } else { "; did you mean " }, near.join(" or "), if near.is_empty() { "" } else { "?" })]
    Unknown {
        key: String,
        /// Those that were perhaps meant.
        near: Vec<String>,
    },
    #[error("{key} takes {wanted}")]
    Value {
        key: String,
        /// What it takes.
        wanted: Takes,
    },
}

impl Setting {
    /// Two of these that set the same thing otherwise, if there are any.
    #[must_use]
    pub fn contradiction(settings: &[Self]) -> Option<(&Self, &Self)> {
        let contradicts =
            |one: &Self, other: &Self| (&one.of, &one.key) == (&other.of, &other.key) && one.value != other.value;
        let pairs = settings.iter().enumerate().flat_map(|(at, one)| settings[at + 1..].iter().map(move |o| (one, o)));
        pairs.into_iter().find(|(one, other)| contradicts(one, other))
    }

    /// The collection that it is for; `None`: every one.
    #[must_use]
    pub fn of(&self) -> Option<&CollectionName> {
        self.of.as_ref()
    }

    /// The same for one of several collections.
    pub(in crate::ops) fn for_collection(self, of: &CollectionName) -> Self {
        Self { of: Some(of.clone()), ..self }
    }

    /// Those of them each once, in the order of journals.
    pub(in crate::ops) fn sorted(settings: &[Self]) -> Vec<Self> {
        let mut sorted = settings.to_vec();
        sorted.sort_by(Self::in_order);
        sorted.dedup();
        sorted
    }

    /// As journals have them: what earlier versions knew first.
    fn in_order(&self, other: &Self) -> Ordering {
        let place = |setting: &Self| {
            let known = JOURNALED.iter().position(|(_, key, value)| setting.is(key, value));
            (known.unwrap_or(JOURNALED.len()), setting.to_string())
        };
        place(self).cmp(&place(other))
    }

    /// Whether it is this one, for every collection.
    fn is(&self, key: &str, value: &str) -> bool {
        self.of.is_none() && self.key == key && self.value == value
    }

    /// The key, which was understood once.
    pub(super) fn found(&self) -> Option<SettingKey> {
        SettingKey::find(&self.key)
    }
}

impl FromStr for Setting {
    type Err = InvalidSetting;

    fn from_str(text: &str) -> Result<Self, InvalidSetting> {
        let (typed, value) = text.split_once('=').filter(|(typed, _)| !typed.is_empty()).ok_or(InvalidSetting::Form)?;
        let (of, rest) = of_collection(typed);
        let unknown = || {
            let before = &typed[..typed.len() - rest.len()];
            let near = keys::near(rest).iter().map(|key| format!("{before}{key}")).collect();
            InvalidSetting::Unknown { key: typed.to_owned(), near }
        };
        let key = SettingKey::find(rest).ok_or_else(unknown)?;
        match misfit(key.row.takes, value) {
            Some(wanted) => Err(InvalidSetting::Value { key: typed.to_owned(), wanted }),
            None => Ok(Self { of, key: key.text(), value: value.to_owned() }),
        }
    }
}

/// The collection that stands before a key, and the key. No key of a class document begins with a capital letter.
fn of_collection(typed: &str) -> (Option<CollectionName>, &str) {
    let named = typed.split_once('.').filter(|(first, _)| first.contains(':') || first.starts_with(char::is_uppercase));
    match named.and_then(|(first, rest)| Some((first.parse().ok()?, rest))) {
        Some((of, rest)) => (Some(of), rest),
        None => (None, typed),
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(of) = &self.of {
            write!(f, "{of}.")?;
        }
        let row = self.found().map(|key| (key.row, key.about));
        let short = row.and_then(|(row, about)| row.short.filter(|_| about == About::All));
        write!(f, "{}={}", short.unwrap_or(&self.key), self.value)
    }
}

impl TryFrom<String> for Setting {
    type Error = InvalidSetting;

    fn try_from(text: String) -> Result<Self, InvalidSetting> {
        match JOURNALED.iter().find(|(journaled, ..)| *journaled == text) {
            Some((_, key, value)) => Ok(Self { of: None, key: (*key).to_owned(), value: (*value).to_owned() }),
            None => text.parse(),
        }
    }
}

impl From<Setting> for String {
    fn from(setting: Setting) -> Self {
        let journaled = JOURNALED.iter().find(|(_, key, value)| setting.is(key, value));
        journaled.map_or_else(|| setting.to_string(), |(journaled, ..)| (*journaled).to_owned())
    }
}

#[cfg(test)]
mod tests;
