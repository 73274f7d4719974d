//! JSON text that is walked and not parsed: an object may have millions of members, and a list millions of numbers, whose
//! values would take many times the memory of their text. Nothing here takes memory that grows with the text.

mod valid;

use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::ops::Range;

use serde_json::Number;

use super::fold::escape;

pub use valid::is_valid;

/// A number in more characters than this is no `u64` and no `i64`.
const LONGEST_INTEGER: usize = 20;

/// The elements of a list, as printed. `list` is valid JSON; what is no list has none.
pub fn elements(list: &str) -> impl Iterator<Item = &str> + Clone {
    let mut rest = Rest::inside(list, b'[');
    std::iter::repeat_with(move || rest.value()).map_while(|value| value)
}

/// The members of an object: names as printed between their quotes, and values. `object` is valid JSON; what is no object
/// has none.
pub fn members(object: &str) -> impl Iterator<Item = (&str, &str)> + Clone {
    let mut rest = Rest::inside(object, b'{');
    std::iter::repeat_with(move || rest.member()).map_while(|member| member)
}

/// The members of an object with their places in it: names as printed between their quotes, and from the quote before the
/// name to the end of the value. `object` is valid JSON and begins with its brace; what is no object has none.
pub fn placed_members(object: &str) -> impl Iterator<Item = (&str, Range<usize>)> {
    let mut rest = Rest::inside(object, b'{');
    let next = move || {
        rest.past(b',').filter(|first| *first == b'"')?;
        let start = rest.at;
        let (name, _) = rest.member()?;
        Some((name, start..rest.at))
    };
    std::iter::repeat_with(next).map_while(|member| member)
}

/// The characters of a string that is printed so between its quotes.
pub fn characters(printed: &str) -> impl Iterator<Item = char> + Clone {
    let mut rest = printed;
    let next = move || {
        let first = rest.chars().next()?;
        let (character, bytes) = if first == '\\' { escape(&rest[1..]) } else { (first, 0) };
        rest = rest.get(first.len_utf8() + bytes..).unwrap_or_default();
        Some(character)
    };
    std::iter::repeat_with(next).map_while(|character| character)
}

/// What stands between the quotes of a string; `None` for any other value.
#[must_use]
pub fn string(value: &str) -> Option<&str> {
    value.strip_prefix('"')?.strip_suffix('"')
}

/// Whether two strings, as printed between their quotes, have the same characters.
#[must_use]
pub fn is_same_string(one: &str, other: &str) -> bool {
    let is_escaped = |printed: &str| memchr::memchr(b'\\', printed.as_bytes()).is_some();
    one == other || ((is_escaped(one) || is_escaped(other)) && characters(one).eq(characters(other)))
}

/// Whether the names of an object ascend by their bytes, as servers print them, so that none stands twice; none is printed
/// with an escape.
#[must_use]
pub fn has_names_in_order(object: &str) -> bool {
    let mut last = None;
    members(object).all(|(name, _)| {
        let ascends = last.replace(name).is_none_or(|last| last < name);
        ascends && memchr::memchr(b'\\', name.as_bytes()).is_none()
    })
}

/// A name as printed between its quotes. Two are equal if they have the same characters.
#[derive(Debug, Clone, Copy)]
pub struct PrintedName<'a>(pub &'a str);

impl PartialEq for PrintedName<'_> {
    fn eq(&self, other: &Self) -> bool {
        is_same_string(self.0, other.0)
    }
}

impl Eq for PrintedName<'_> {}

impl Hash for PrintedName<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        characters(self.0).for_each(|character| state.write_u32(character.into()));
    }
}

/// The characters of a value in its canonical form: no white space, no escape that can be spared, each number as its
/// `u64`, `i64` or `float64` is printed. Members keep their order. `text` is valid JSON.
pub fn canonical(text: &str) -> impl Iterator<Item = char> + Clone {
    let mut canonical = Canonical { rest: text, in_string: false, ready: VecDeque::new() };
    std::iter::repeat_with(move || canonical.next()).map_while(|character| character)
}

#[derive(Clone)]
struct Canonical<'a> {
    rest: &'a str,
    in_string: bool,
    /// Characters of a number or an escape.
    ready: VecDeque<char>,
}

impl Canonical<'_> {
    fn next(&mut self) -> Option<char> {
        if let Some(ready) = self.ready.pop_front() {
            return Some(ready);
        }
        if !self.in_string {
            self.rest = self.rest.trim_start_matches(is_gap);
        }
        let first = self.rest.chars().next()?;
        let mut taken = first.len_utf8();
        match first {
            '"' => self.in_string = !self.in_string,
            '\\' if self.in_string => {
                let (character, bytes) = escape(&self.rest[1..]);
                taken += bytes;
                self.put_escaped(character);
            }
            '-' | '0'..='9' if !self.in_string => {
                taken = plain_end(self.rest.as_bytes(), 0);
                self.ready.extend(number(&self.rest[..taken]).chars());
            }
            _ => {}
        }
        self.rest = self.rest.get(taken..).unwrap_or_default();
        self.ready.pop_front().or(Some(first))
    }

    fn put_escaped(&mut self, character: char) {
        match character {
            '"' | '\\' => self.ready.extend(['\\', character]),
            '\u{8}' => self.ready.extend("\\b".chars()),
            '\u{c}' => self.ready.extend("\\f".chars()),
            '\n' => self.ready.extend("\\n".chars()),
            '\r' => self.ready.extend("\\r".chars()),
            '\t' => self.ready.extend("\\t".chars()),
            '\0'..='\u{1f}' => self.ready.extend(format!("\\u{:04x}", u32::from(character)).chars()),
            _ => self.ready.push_back(character),
        }
    }
}

fn number(token: &str) -> String {
    let exact = if token.len() <= LONGEST_INTEGER { serde_json::from_str(token).ok() } else { None };
    let number: Option<Number> = exact.or_else(|| Number::from_f64(token.parse().ok()?));
    number.map_or_else(|| token.to_owned(), |number| number.to_string())
}

fn is_gap(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}

/// What is left of a list or an object.
#[derive(Clone)]
struct Rest<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Rest<'a> {
    /// Everything between the brackets.
    fn inside(text: &'a str, open: u8) -> Self {
        let text = text.trim_matches(is_gap);
        let at = if text.as_bytes().first() == Some(&open) { 1 } else { text.len() };
        Self { text, at }
    }

    /// The next byte that is neither white space nor `mark`.
    fn past(&mut self, mark: u8) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let gap = rest.iter().position(|byte| *byte != mark && !is_gap(char::from(*byte)))?;
        self.at += gap;
        Some(rest[gap])
    }

    fn value(&mut self) -> Option<&'a str> {
        self.past(b',').filter(|first| *first != b']')?;
        Some(self.take())
    }

    fn member(&mut self) -> Option<(&'a str, &'a str)> {
        self.past(b',').filter(|first| *first == b'"')?;
        let name = self.take();
        self.past(b':')?;
        Some((string(name).unwrap_or_default(), self.take()))
    }

    fn take(&mut self) -> &'a str {
        let start = self.at;
        self.at = value_end(self.text.as_bytes(), start);
        self.text.get(start..self.at).unwrap_or_default()
    }
}

/// The place behind a value.
fn value_end(text: &[u8], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = start;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => at = string_end(text, at),
            b'{' | b'[' => (depth, at) = (depth + 1, at + 1),
            b'}' | b']' => (depth, at) = (depth.saturating_sub(1), at + 1),
            // What is no value ends behind its first byte, so that a walk goes on whatever comes.
            _ if depth == 0 => return plain_end(text, at).max(at + 1),
            _ => {
                at += 1;
                continue;
            }
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// The place behind a string that begins with a quote at `start`.
fn string_end(text: &[u8], start: usize) -> usize {
    let mut from = start + 1;
    while let Some(found) = memchr::memchr2(b'"', b'\\', text.get(from..).unwrap_or_default()) {
        if text[from + found] == b'"' {
            return from + found + 1;
        }
        from += found + 2;
    }
    text.len()
}

/// The place behind a number or a word.
fn plain_end(text: &[u8], start: usize) -> usize {
    let ends = |byte: &u8| matches!(byte, b',' | b':' | b']' | b'}') || is_gap(char::from(*byte));
    text[start..].iter().position(ends).map_or(text.len(), |length| start + length)
}

#[cfg(test)]
mod tests;
