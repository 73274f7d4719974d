//! A forward reader over JSON text that knows structure only: where values begin and end.

use std::ops::Range;

use super::SplitError;

/// The deepest nesting that is followed; deeper text is refused.
const NESTING: u32 = 120;

/// Where the reader stands inside an object or array: whether a member or element was read already.
#[derive(Default)]
pub(super) struct Structure {
    begun: bool,
}

/// The text and a position in it.
pub(super) struct Text<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// Bytes that can stand in an array of numbers. Written without branches so that it compiles to vector code.
#[expect(clippy::needless_bitwise_bool, reason = "branches would keep this from being vector code")]
fn is_number_run(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |ok, &b| {
        let digit_or_sign = (b.wrapping_sub(b'+') <= b'9' - b'+') & (b != b'/');
        ok & (digit_or_sign | ((b | 0x20) == b'e') | (b == b' '))
    })
}

impl<'a> Text<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, SplitError> {
        match std::str::from_utf8(bytes) {
            Ok(_) => Ok(Self { bytes, at: 0 }),
            Err(e) => Err(SplitError::Encoding { at: e.valid_up_to() }),
        }
    }

    /// The next byte's offset.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Goes back to where a value began.
    pub(super) fn back_to(&mut self, at: usize) {
        self.at = at;
    }

    fn wrong<T>(&self) -> Result<T, SplitError> {
        Err(SplitError::Structure { at: self.at })
    }

    fn peek(&mut self) -> Result<u8, SplitError> {
        while let Some(&b) = self.bytes.get(self.at) {
            if !matches!(b, b' ' | b'\t' | b'\n' | b'\r') {
                return Ok(b);
            }
            self.at += 1;
        }
        self.wrong()
    }

    fn expect(&mut self, byte: u8) -> Result<(), SplitError> {
        if self.peek()? == byte {
            self.at += 1;
            return Ok(());
        }
        self.wrong()
    }

    /// The offset of the next value's first byte.
    pub(super) fn start(&mut self) -> Result<usize, SplitError> {
        self.peek()?;
        Ok(self.at)
    }

    /// Nothing but white space may follow.
    pub(super) fn end(&mut self) -> Result<(), SplitError> {
        let rest = &self.bytes[self.at..];
        if rest.iter().all(u8::is_ascii_whitespace) { Ok(()) } else { self.wrong() }
    }

    /// Enters an object.
    pub(super) fn object(&mut self) -> Result<Structure, SplitError> {
        self.expect(b'{')?;
        Ok(Structure::default())
    }

    /// Enters an array, which the member of this name must be.
    pub(super) fn array(&mut self, member: &'static str) -> Result<Structure, SplitError> {
        self.expect(b'[').map_err(|_| SplitError::Member { member, at: self.at })?;
        Ok(Structure::default())
    }

    /// The next member's name (as printed, escapes and all) with its value next; `None` after the closing brace.
    pub(super) fn member(&mut self, inside: &mut Structure) -> Result<Option<Range<usize>>, SplitError> {
        if !self.more(inside, b'}')? {
            return Ok(None);
        }
        self.peek()?;
        let name = self.quoted()?;
        self.expect(b':')?;
        Ok(Some(name))
    }

    /// Whether an element follows; `false` after the closing bracket.
    pub(super) fn element(&mut self, inside: &mut Structure) -> Result<bool, SplitError> {
        self.more(inside, b']')
    }

    fn more(&mut self, inside: &mut Structure, close: u8) -> Result<bool, SplitError> {
        let first = !std::mem::replace(&mut inside.begun, true);
        if self.peek()? == close {
            self.at += 1;
            return Ok(false);
        }
        if !first {
            self.expect(b',')?;
        }
        Ok(true)
    }

    /// A string's inside, as printed, which the member of this name must be.
    pub(super) fn string(&mut self, member: &'static str) -> Result<Range<usize>, SplitError> {
        if self.peek()? == b'"' { self.quoted() } else { Err(SplitError::Member { member, at: self.at }) }
    }

    fn quoted(&mut self) -> Result<Range<usize>, SplitError> {
        if self.bytes.get(self.at) != Some(&b'"') {
            return self.wrong();
        }
        let start = self.at + 1;
        let mut from = start;
        while let Some(found) = memchr::memchr2(b'"', b'\\', self.bytes.get(from..).unwrap_or_default()) {
            if self.bytes[from + found] == b'"' {
                self.at = from + found + 1;
                return Ok(start..from + found);
            }
            from += found + 2;
        }
        self.wrong()
    }

    /// Steps over `null`, if that is what comes.
    pub(super) fn skip_null(&mut self) -> Result<bool, SplitError> {
        if self.peek()? == b'n' {
            self.skip()?;
            return Ok(true);
        }
        Ok(false)
    }

    /// Steps over any value and returns where it stood.
    pub(super) fn skip(&mut self) -> Result<Range<usize>, SplitError> {
        let start = self.start()?;
        match self.bytes[start] {
            b'"' => {
                self.quoted()?;
            }
            b'{' | b'[' => self.skip_nested()?,
            _ => self.skip_plain()?,
        }
        Ok(start..self.at)
    }

    /// A number or a word.
    fn skip_plain(&mut self) -> Result<(), SplitError> {
        let rest = &self.bytes[self.at..];
        let end = rest.iter().position(|b| matches!(b, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r'));
        let token = &rest[..end.unwrap_or(rest.len())];
        let number = token.first().is_some_and(|b| b.is_ascii_digit() || *b == b'-') && is_number_run(token);
        if number || matches!(token, b"true" | b"false" | b"null") {
            self.at += token.len();
            return Ok(());
        }
        self.wrong()
    }

    /// `{…}` or `[…]`, whatever is inside. Commas and colons are not checked, brackets and strings are.
    fn skip_nested(&mut self) -> Result<(), SplitError> {
        let (mut depth, mut kinds) = (0_u32, 0_u128);
        loop {
            let Some(&byte) = self.bytes.get(self.at) else { return self.wrong() };
            match byte {
                b'"' => {
                    self.quoted()?;
                    continue;
                }
                b'[' if self.skip_numbers() => {
                    if depth == 0 {
                        return Ok(());
                    }
                    continue;
                }
                b'{' | b'[' => {
                    if depth == NESTING {
                        return self.wrong();
                    }
                    depth += 1;
                    kinds = kinds << 1 | u128::from(byte == b'{');
                }
                b'}' | b']' => {
                    if (kinds & 1 == 1) != (byte == b'}') {
                        return self.wrong();
                    }
                    depth -= 1;
                    kinds >>= 1;
                    if depth == 0 {
                        self.at += 1;
                        return Ok(());
                    }
                }
                b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' => {}
                _ => {
                    self.skip_plain()?;
                    continue;
                }
            }
            self.at += 1;
        }
    }

    /// Steps over an array that holds nothing but numbers: the hot path, most of every page.
    fn skip_numbers(&mut self) -> bool {
        let inside = &self.bytes[self.at + 1..];
        if !inside.first().is_some_and(|b| b.is_ascii_digit() || matches!(b, b'-' | b']')) {
            return false;
        }
        match memchr::memchr(b']', inside) {
            Some(end) if is_number_run(&inside[..end]) => {
                self.at += end + 2;
                true
            }
            _ => false,
        }
    }
}
