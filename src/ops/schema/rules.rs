//! What a server of another version does with the settings of a stored schema: what a rule is, and which ones hold. The
//! rules themselves are data, in `table`.

mod table;

use serde_json::Value;

use super::place::{self, Path, places};
use crate::event::Loss;
use crate::weaviate::Version;
use table::{TABLE, UNREAD};

pub(super) use table::{MIXED_VECTORS, NOTES};

/// Since when servers know something: the first release of each 1.x line that does, as minor and patch number, ascending.
/// The last one holds for every later line, the others only for their own (they were backports).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ops) struct Since(pub &'static [(u64, u64)]);

impl Since {
    /// Whether a version knows it.
    pub(in crate::ops) fn knows(self, version: &Version) -> bool {
        let here = (version.minor, version.patch);
        let later = self.0.last().is_some_and(|(minor, _)| version.minor > *minor);
        let ever = !self.0.is_empty();
        (ever && version.major > 1) || later || self.0.iter().any(|first| first.0 == here.0 && first.1 <= here.1)
    }

    /// The first release that every later one follows: `1.36`, `1.39.2`.
    fn text(self) -> Option<String> {
        let (minor, patch) = self.0.last()?;
        Some(if *patch == 0 { format!("1.{minor}") } else { format!("1.{minor}.{patch}") })
    }
}

/// Which values of a place a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ops) enum When {
    /// Every value.
    Any,
    /// One that is off (see [`place::is_off`]).
    Off,
    /// One that is not off.
    On,
    /// This text, or a list that begins with it.
    Is(&'static str),
    /// An enabled quantiser of so many bits.
    Bits(u64),
    /// A text, or the first of a list, that is none of these. A name of a collection (upper case first, or with a
    /// namespace) is not meant.
    NoneOf(&'static [&'static str]),
    /// A text that ends with one of these.
    EndsWith(&'static [&'static str]),
    /// Any value, if one of these keys stands beside it.
    Beside(&'static [&'static str]),
}

/// Which servers a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ops) enum For {
    /// Those that do not know it.
    Before(Since),
    /// Those that do what was new then.
    From(Since),
    /// All of them.
    Every,
}

/// What becomes of the setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ops) enum Then {
    /// It is sent, and the server drops it without a word.
    Dropped,
    /// It is not sent, since the server would refuse the collection for it.
    LeftOut,
    /// It is sent, and the server decides by itself what it will be.
    Decided,
    /// The collection is refused.
    Refused,
}

/// One rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ops) struct Rule {
    /// The places it is about (see [`places`]).
    pub at: &'static str,
    /// The values.
    pub when: When,
    /// The servers.
    pub target: For,
    /// What becomes of it.
    pub then: Then,
    /// What is lost thereby, as a clause; `None` if nothing that anyone could notice.
    pub lost: Option<Loss>,
}

/// A rule that holds at a place of a document.
pub(in crate::ops) struct Hit<'a> {
    /// The rule.
    pub rule: &'static Rule,
    /// The place.
    pub path: Path,
    /// What stands there.
    pub value: &'a Value,
}

impl Hit<'_> {
    /// The first version that holds the setting; `None` if none is known.
    pub(in crate::ops) fn since(&self) -> Option<String> {
        match self.rule.target {
            For::Before(since) if since != UNREAD => since.text(),
            _ => None,
        }
    }
}

/// Every rule that holds for a document on its way to a server, at each of its places, in the order of the table.
pub(in crate::ops) fn hits<'a>(document: &'a Value, version: &Version) -> Vec<Hit<'a>> {
    let mut hits: Vec<Hit<'a>> = Vec::new();
    for rule in TABLE.iter().copied().flatten().filter(|rule| rule.target.holds(version)) {
        for found in places(document, rule.at) {
            let taken = hits.iter().any(|hit| found.path.starts_with(&hit.path));
            if !taken && rule.when.holds(found.value, found.within) {
                hits.push(Hit { rule, path: found.path, value: found.value });
            }
        }
    }
    hits
}

impl For {
    fn holds(self, version: &Version) -> bool {
        match self {
            Self::Before(since) => !since.knows(version),
            Self::From(since) => since.knows(version),
            Self::Every => true,
        }
    }
}

impl When {
    fn holds(self, value: &Value, within: &Value) -> bool {
        let text = || value.as_str().or_else(|| value.get(0).and_then(Value::as_str));
        match self {
            Self::Any => true,
            Self::Off => place::is_off(value),
            Self::On => !place::is_off(value),
            Self::Is(wanted) => text() == Some(wanted),
            Self::Bits(bits) => value["enabled"] == true && value["bits"] == bits,
            Self::NoneOf(known) => {
                let is_word = |text: &str| text.starts_with(|c: char| c.is_ascii_lowercase()) && !text.contains(':');
                text().is_some_and(|text| is_word(text) && !known.contains(&text))
            }
            Self::EndsWith(ends) => value.as_str().is_some_and(|text| ends.iter().any(|end| text.ends_with(end))),
            Self::Beside(keys) => keys.iter().any(|key| !within[key].is_null()),
        }
    }
}

#[cfg(test)]
mod tests;
