//! Values as they stand in an object, and how they are compared with those of a filter. Nothing is decoded that does not have
//! to be.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use memchr::memmem;

use crate::model::ObjectId;
use crate::model::fold::unescaped;
use crate::model::json::{characters, string};

/// What a filter takes a value for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Uuid,
    Number,
    Flag,
    Date,
    /// Anything else: only whether it is there is asked.
    Other,
}

/// A number as it is printed or typed. Two integers are compared exactly, all else as `float64`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Integer(i128),
    Float(f64),
}

impl Number {
    pub(super) fn printed(text: &str) -> Option<Self> {
        let first = text.bytes().find(|b| *b != b'-')?;
        if !first.is_ascii_digit() {
            return None;
        }
        let integer = text.parse().ok().map(Self::Integer);
        integer.or_else(|| text.parse().ok().filter(|float: &f64| float.is_finite()).map(Self::Float))
    }

    /// What may be typed is what may be printed, and a `+` before it.
    pub(super) fn typed(text: &str) -> Option<Self> {
        Self::printed(text.strip_prefix('+').unwrap_or(text))
    }

    pub(super) fn compare(self, other: Self) -> Option<Ordering> {
        #[expect(clippy::cast_precision_loss, reason = "as documented")]
        let float = |number| match number {
            Self::Integer(integer) => integer as f64,
            Self::Float(float) => float,
        };
        match (self, other) {
            (Self::Integer(one), Self::Integer(other)) => Some(one.cmp(&other)),
            (one, other) => float(one).partial_cmp(&float(other)),
        }
    }
}

/// A value of a filter.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar {
    Text(String),
    Uuid(u128),
    Number(Number),
    Flag(bool),
    /// Nanoseconds since 1970.
    Instant(i128),
}

/// A value of an object.
#[derive(Debug, Clone, Copy)]
pub(super) enum Held<'a> {
    /// What stands between the quotes.
    Text(&'a str),
    Uuid(u128),
    Number(Number),
    Flag(bool),
    Instant(i128),
}

impl<'a> Held<'a> {
    /// What is printed, if it is of this kind.
    pub(super) fn read(kind: Kind, printed: &'a str) -> Option<Self> {
        match kind {
            Kind::Text => string(printed).map(Self::Text),
            Kind::Uuid => short(printed)?.parse().ok().map(|id: ObjectId| Self::Uuid(id.0)),
            Kind::Number => Number::printed(printed).map(Self::Number),
            Kind::Flag => match printed {
                "true" => Some(Self::Flag(true)),
                "false" => Some(Self::Flag(false)),
                _ => None,
            },
            Kind::Date => short(printed).and_then(|text| instant(&text)).map(Self::Instant),
            Kind::Other => None,
        }
    }

    pub(super) fn compare(self, other: &Scalar) -> Option<Ordering> {
        match (self, other) {
            (Self::Text(printed), Scalar::Text(text)) => Some(compare_text(printed, text)),
            (Self::Uuid(one), Scalar::Uuid(other)) => Some(one.cmp(other)),
            (Self::Number(one), Scalar::Number(other)) => one.compare(*other),
            (Self::Flag(one), Scalar::Flag(other)) => Some(one.cmp(other)),
            (Self::Instant(one), Scalar::Instant(other)) => Some(one.cmp(other)),
            _ => None,
        }
    }
}

/// A string that is a UUID or a time, with its escapes undone.
fn short(printed: &str) -> Option<Cow<'_, str>> {
    string(printed).filter(|text| text.len() <= SHORT_BYTES).map(unescaped)
}

/// The longest UUID or time, every character of it escaped.
const SHORT_BYTES: usize = 6 * 64;

fn is_escaped(printed: &str) -> bool {
    memchr::memchr(b'\\', printed.as_bytes()).is_some()
}

/// By code points, which is the order of the bytes.
fn compare_text(printed: &str, text: &str) -> Ordering {
    if is_escaped(printed) { characters(printed).cmp(text.chars()) } else { printed.cmp(text) }
}

/// Whether a text, as printed between its quotes, contains another one.
pub(super) fn contains(printed: &str, text: &str) -> bool {
    if !is_escaped(printed) {
        return memmem::find(printed.as_bytes(), text.as_bytes()).is_some();
    }
    let mut rest = characters(printed);
    loop {
        let mut wanted = text.chars();
        let mut there = rest.clone();
        if wanted.all(|character| there.next() == Some(character)) {
            return true;
        }
        if rest.next().is_none() {
            return false;
        }
    }
}

/// A pattern of `like`: `%` stands for any characters, `_` for one; behind a backslash they stand for themselves.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wildcards(Vec<Wildcard>);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Wildcard {
    Any,
    One,
    Character(char),
}

impl Wildcards {
    pub(super) fn of(pattern: &str) -> Self {
        let (mut wildcards, mut rest) = (Vec::new(), pattern.chars());
        while let Some(character) = rest.next() {
            wildcards.push(match character {
                '%' => Wildcard::Any,
                '_' => Wildcard::One,
                '\\' => Wildcard::Character(rest.next().unwrap_or('\\')),
                other => Wildcard::Character(other),
            });
        }
        Self(wildcards)
    }

    /// Whether a text, as printed between its quotes, is of this pattern.
    pub(super) fn fits(&self, printed: &str) -> bool {
        let (mut rest, mut at) = (characters(printed), 0);
        // Where the last `%` stands, and what of the text it has not taken yet.
        let mut back = None;
        loop {
            if self.0.get(at) == Some(&Wildcard::Any) {
                at += 1;
                back = Some((at, rest.clone()));
                continue;
            }
            let fits = match (rest.next(), self.0.get(at)) {
                (None, None) => return true,
                // Whatever the last `%` takes, there is too little.
                (None, Some(_)) => return false,
                (Some(character), Some(Wildcard::Character(wanted))) => character == *wanted,
                (Some(_), Some(Wildcard::One)) => true,
                (Some(_), _) => false,
            };
            if fits {
                at += 1;
                continue;
            }
            let Some((behind, from)) = &mut back else { return false };
            from.next();
            (at, rest) = (*behind, from.clone());
        }
    }
}

/// A moment in nanoseconds since 1970, of an RFC 3339 time or of a day, which is its first moment in UTC.
pub(super) fn instant(text: &str) -> Option<i128> {
    if text.len() > DAY_LENGTH {
        return text.parse::<Timestamp>().ok().map(Timestamp::as_nanosecond);
    }
    let day: Date = if text.len() == DAY_LENGTH { text.parse().ok()? } else { return None };
    TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok().map(Timestamp::as_nanosecond)
}

/// Characters of `YYYY-MM-DD`.
const DAY_LENGTH: usize = 10;

/// A moment that is printed in milliseconds.
pub(super) fn of_millis(millis: i64) -> i128 {
    i128::from(millis) * 1_000_000
}
