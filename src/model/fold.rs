//! How servers read the names of members, and what is therefore refused. A server decodes JSON as Go's `encoding/json`
//! does: a name is unescaped and taken for a field of that name, or else for one that equals it without regard to case
//! (`ſ` is an `s`, the Kelvin sign a `k`); of several members that are taken for one field the last one wins. So a text
//! that says `"class":"Copy"` and later `"Class":"Victim"` is about `Victim`. Whoever reads such a text otherwise than
//! the server does judges another document than the one that is carried out. Nothing that comes from outside may
//! therefore hold a member that is taken for a known one and is not spelled as it, nor any member twice.

mod documents;

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize as _, Deserializer};
use serde_json::value::RawValue;

pub use documents::{ALIASES, CLASS, OBJECT, REFERENCES, ROLE, ROLES, TENANTS};

/// Characters of a name that are repeated.
const SHOWN_CHARS: usize = 100;
/// Names that are held at once while they are looked at for doubles: those of an object, and of those it stands in.
const NAMES_HELD: u32 = 1 << 16;

/// Why a server would read a document otherwise than it is meant, or why nobody reads it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misread {
    /// A member that is not spelled as a known one, and is taken for it.
    #[error("a server takes the member \"{printed}\" for \"{member}\"")]
    Folds {
        /// The known member.
        member: &'static str,
        /// The name as it is printed, escapes and all, cut at 100 characters.
        printed: String,
    },
    /// One name twice in one object: a server takes the last.
    #[error("the member \"{member}\" stands twice")]
    Twice {
        /// The name as it is printed the second time, cut at 100 characters.
        member: String,
    },
    /// More values than such a document honestly has, or more members than are held.
    #[error("it holds more than {limit} values")]
    Values {
        /// The most.
        limit: u32,
    },
    /// No JSON, or nested too deep.
    #[error("not valid JSON: {0}")]
    Json(String),
}

/// What a server makes of a value: which of its members are fields.
#[derive(Debug)]
pub enum Layout {
    /// An object with these fields. Other members mean nothing to servers.
    Fields(&'static [(&'static str, &'static Layout)]),
    /// An object whose names are taken as they are, each with such a value.
    Map(&'static Layout),
    /// A list of such values.
    List(&'static Layout),
    /// Anything, with names taken as they are.
    Free,
}

/// A name as it stands between the quotes, with its escapes undone as Go undoes them: half of a surrogate pair becomes
/// U+FFFD. So does an escape that is none, for which a server refuses the whole text.
#[must_use]
pub fn unescaped(printed: &str) -> Cow<'_, str> {
    let Some(first) = memchr::memchr(b'\\', printed.as_bytes()) else { return Cow::Borrowed(printed) };
    let mut name = printed[..first].to_owned();
    let mut rest = &printed[first..];
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        name.push_str(&rest[..at]);
        let (character, bytes) = escape(&rest[at + 1..]);
        name.push(character);
        rest = rest.get(at + 1 + bytes..).unwrap_or_default();
    }
    name.push_str(rest);
    Cow::Owned(name)
}

/// The character that an escape stands for, and the bytes it takes after its backslash.
pub(super) fn escape(after: &str) -> (char, usize) {
    let Some(kind) = after.chars().next() else { return (char::REPLACEMENT_CHARACTER, 0) };
    let plain = match kind {
        '"' | '\\' | '/' => kind,
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => return unicode(after),
        _ => char::REPLACEMENT_CHARACTER,
    };
    (plain, kind.len_utf8())
}

fn unicode(after: &str) -> (char, usize) {
    let unit = |from: usize| -> Option<u16> {
        let digits = after.get(from..from + 4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        u16::from_str_radix(digits, 16).ok()
    };
    let Some(first) = unit(1) else { return (char::REPLACEMENT_CHARACTER, 1) };
    let second = after.get(5..7).filter(|next| *next == "\\u").and_then(|_| unit(7));
    let pair = second.and_then(|second| char::decode_utf16([first, second]).next()?.ok());
    match pair {
        Some(character) if character.len_utf16() == 2 => (character, 11),
        _ => (char::from_u32(first.into()).unwrap_or(char::REPLACEMENT_CHARACTER), 5),
    }
}

/// A character as it is compared with those of a known name, which are all ASCII: no other character than these two is
/// taken for an ASCII letter.
fn folded(character: char) -> char {
    match character {
        '\u{17f}' => 'S',
        '\u{212a}' => 'K',
        other => other.to_ascii_uppercase(),
    }
}

/// The known member that a server takes a name for, printed as it stands between the quotes; `None` if it means nothing
/// to it.
#[must_use]
pub fn taken_for(printed: &[u8], known: &[&'static str]) -> Option<&'static str> {
    if let Some(exact) = known.iter().find(|name| name.as_bytes() == printed) {
        return Some(exact);
    }
    let printed = String::from_utf8_lossy(printed);
    let name = unescaped(&printed);
    known.iter().find(|known| name.chars().map(folded).eq(known.chars().map(folded))).copied()
}

/// Whether a server takes a name in an object's properties for the property of this name: the case of its first letter
/// does not count.
#[must_use]
pub fn is_property(property: &str, printed: &[u8]) -> bool {
    match (property.as_bytes(), printed) {
        ([a, property @ ..], [b, printed @ ..]) => a.eq_ignore_ascii_case(b) && property == printed,
        (a, b) => a == b,
    }
}

/// Refuses a name that a server takes for a known member, and that is not spelled as it.
pub fn refuse_other_spelling(printed: &[u8], known: &[&'static str]) -> Result<(), Misread> {
    match taken_for(printed, known) {
        Some(member) if member.as_bytes() != printed => {
            Err(Misread::Folds { member, printed: shown(&String::from_utf8_lossy(printed)) })
        }
        _ => Ok(()),
    }
}

fn shown(printed: &str) -> String {
    printed.chars().take(SHOWN_CHARS).collect()
}

/// Walks through a document, and refuses it if a server would read any name in it otherwise than it is spelled, if any
/// object has a name twice, or if it holds more than `most_values` values. Builds nothing of it.
pub fn check(text: &[u8], layout: &'static Layout, most_values: u32) -> Result<(), Misread> {
    let left = Cell::new(most_values);
    let state = State { limit: most_values, left, names: Cell::new(0), found: RefCell::new(None) };
    let mut from = serde_json::Deserializer::from_slice(text);
    let walked = Walk { layout, state: &state }.deserialize(&mut from).and_then(|()| from.end());
    match (state.found.into_inner(), walked) {
        (Some(misread), _) => Err(misread),
        (None, Err(error)) => Err(Misread::Json(error.to_string())),
        (None, Ok(())) => Ok(()),
    }
}

struct State {
    limit: u32,
    left: Cell<u32>,
    /// Names that are held at the moment.
    names: Cell<u32>,
    found: RefCell<Option<Misread>>,
}

impl State {
    /// Stops the walk.
    fn stop<E: serde::de::Error>(&self, misread: Misread) -> E {
        let error = E::custom(&misread);
        self.found.replace(Some(misread));
        error
    }

    fn count<E: serde::de::Error>(&self) -> Result<(), E> {
        let left = self.left.get().checked_sub(1).ok_or_else(|| self.stop(Misread::Values { limit: self.limit }))?;
        self.left.set(left);
        Ok(())
    }

    fn hold_name<E: serde::de::Error>(&self) -> Result<(), E> {
        if self.names.get() == NAMES_HELD {
            return Err(self.stop(Misread::Values { limit: NAMES_HELD }));
        }
        self.names.set(self.names.get() + 1);
        Ok(())
    }
}

#[derive(Clone, Copy)]
struct Walk<'s> {
    layout: &'static Layout,
    state: &'s State,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        self.state.count()?;
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let layout = if let Layout::List(element) = self.layout { element } else { &Layout::Free };
        while list.next_element_seed(Walk { layout, ..self })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let (fields, others) = match self.layout {
            Layout::Fields(fields) => (*fields, &Layout::Free),
            Layout::Map(value) => (&[][..], *value),
            Layout::List(_) | Layout::Free => (&[][..], &Layout::Free),
        };
        let held_before = self.state.names.get();
        let mut names: BTreeSet<Cow<'de, str>> = BTreeSet::new();
        while let Some(key) = members.next_key_seed(Printed)? {
            let printed = &key[1..key.len() - 1];
            if let Err(misread) = other_spelling(printed, fields) {
                return Err(self.state.stop(misread));
            }
            if !names.insert(unescaped(printed)) {
                return Err(self.state.stop(Misread::Twice { member: shown(printed) }));
            }
            self.state.hold_name()?;
            let field = fields.iter().find(|(name, _)| *name == printed);
            let layout = field.map_or(others, |(_, layout)| *layout);
            members.next_value_seed(Walk { layout, ..self })?;
        }
        self.state.names.set(held_before);
        Ok(())
    }
}

fn other_spelling(printed: &str, fields: &[(&'static str, &'static Layout)]) -> Result<(), Misread> {
    if fields.is_empty() || fields.iter().any(|(name, _)| *name == printed) {
        return Ok(());
    }
    let known: Vec<&'static str> = fields.iter().map(|(name, _)| *name).collect();
    refuse_other_spelling(printed.as_bytes(), &known)
}

/// A name as it is printed, quotes and all.
struct Printed;

impl<'de> DeserializeSeed<'de> for Printed {
    type Value = &'de str;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<&'de str, D::Error> {
        let name = <&RawValue>::deserialize(from)?.get();
        if name.len() >= 2 { Ok(name) } else { Err(D::Error::custom("a name that is no string")) }
    }
}

#[cfg(test)]
mod tests;
