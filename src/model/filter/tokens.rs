//! The words, texts, numbers and signs of a filter.

use super::value::Number;
use super::{FilterProblem, Wrong};

/// Characters shown of what stands where something else should.
const SHOWN_CHARS: usize = 30;

/// One of them.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A name or a word that means something.
    Word(String),
    /// A name between backquotes: never a word that means something.
    Quoted(String),
    /// What follows an `@`.
    Special(String),
    Text(String),
    Number(Number),
    /// `=` `!=` `<` `<=` `>` `>=` `(` `)` `,` `.`
    Sign(&'static str),
}

impl Token {
    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(self, Self::Word(text) if text.eq_ignore_ascii_case(word))
    }
}

/// A token and where it begins and ends.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) at: usize,
    pub(super) end: usize,
    pub(super) token: Token,
}

/// The longest first.
const SIGNS: [(&str, &str); 13] = [
    ("!=", "!="),
    ("<>", "!="),
    ("<=", "<="),
    (">=", ">="),
    ("==", "="),
    ("=", "="),
    ("<", "<"),
    (">", ">"),
    ("(", "("),
    (")", ")"),
    (",", ","),
    (".", "."),
    ("≠", "!="),
];

/// The next token behind `from`, if there is one.
pub(super) fn next(filter: &str, from: usize) -> Result<Option<Placed>, Wrong> {
    let rest = filter.get(from..).unwrap_or_default();
    let at = from + (rest.len() - rest.trim_start().len());
    let rest = &filter[at..];
    let Some(first) = rest.chars().next() else { return Ok(None) };
    let (token, end) = match first {
        '"' | '\'' => quoted(filter, at, first).map(|(text, end)| (Token::Text(text), end))?,
        '`' => quoted(filter, at, first).map(|(text, end)| (Token::Quoted(text), end))?,
        '0'..='9' | '-' | '+' => number(filter, at)?,
        '@' => {
            let end = at + 1 + word_length(&rest[1..]);
            (Token::Special(filter[at + 1..end].to_owned()), end)
        }
        _ if is_letter(first) => {
            let end = at + word_length(rest);
            (Token::Word(filter[at..end].to_owned()), end)
        }
        _ => {
            let sign = SIGNS.iter().find(|(spelled, _)| rest.starts_with(spelled));
            let (spelled, sign) = sign.ok_or((at, FilterProblem::Character { found: first }))?;
            (Token::Sign(sign), at + spelled.len())
        }
    };
    Ok(Some(Placed { at, end, token }))
}

/// What stands at a place, as it is repeated in an error; empty at the end.
pub(super) fn shown(filter: &str, placed: Option<&Placed>) -> String {
    let Some(Placed { at, end, .. }) = placed else { return String::new() };
    let text = &filter[*at..*end];
    let mut shown: String = text.chars().take(SHOWN_CHARS).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

fn is_letter(character: char) -> bool {
    character == '_' || character.is_ascii_alphabetic()
}

fn word_length(text: &str) -> usize {
    text.bytes().take_while(|b| *b == b'_' || b.is_ascii_alphanumeric()).count()
}

/// A text that begins with `quote` at `at`: inside it a quote is doubled, or stands behind a backslash.
fn quoted(filter: &str, at: usize, quote: char) -> Result<(String, usize), Wrong> {
    let mut text = String::new();
    let mut rest = filter[at + 1..].char_indices().map(|(place, character)| (at + 1 + place, character)).peekable();
    while let Some((place, character)) = rest.next() {
        match character {
            _ if character == quote => {
                if rest.next_if(|(_, next)| *next == quote).is_none() {
                    return Ok((text, place + 1));
                }
                text.push(quote);
            }
            '\\' if quote != '`' => {
                let no_escape = |found: String| (place, FilterProblem::Escape { found });
                match rest.next() {
                    None => return Err((at, FilterProblem::Unclosed)),
                    Some((_, kept @ ('\\' | '\'' | '"'))) => text.push(kept),
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 'r')) => text.push('\r'),
                    Some((_, 't')) => text.push('\t'),
                    Some((_, 'u')) => {
                        let digits: String =
                            std::iter::from_fn(|| rest.next_if(|(_, digit)| digit.is_ascii_hexdigit()))
                                .take(4)
                                .map(|(_, digit)| digit)
                                .collect();
                        let code = u32::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 4);
                        text.push(code.and_then(char::from_u32).ok_or_else(|| no_escape(format!("u{digits}")))?);
                    }
                    Some((_, other)) => return Err(no_escape(other.to_string())),
                }
            }
            _ => text.push(character),
        }
    }
    Err((at, FilterProblem::Unclosed))
}

fn number(filter: &str, at: usize) -> Result<(Token, usize), Wrong> {
    let bytes = filter.as_bytes();
    let belongs = |(place, byte): &(usize, &u8)| {
        let after_e = *place > at && matches!(bytes[place - 1], b'e' | b'E');
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'.' | b'_')
            || (matches!(byte, b'+' | b'-') && (*place == at || after_e))
    };
    let length = bytes.iter().enumerate().skip(at).take_while(belongs).count();
    let text = &filter[at..at + length];
    match Number::typed(text) {
        Some(number) => Ok((Token::Number(number), at + length)),
        None => Err((at, FilterProblem::Number { found: text.chars().take(SHOWN_CHARS).collect() })),
    }
}
