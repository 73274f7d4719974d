//! Whether a text is JSON: exactly what `serde_json` would build a value of.

/// The deepest nesting, as `serde_json` takes it.
const NESTING: u32 = 127;
/// A number of so few characters that has no exponent is far from the largest `float64`.
const SMALL_NUMBER: usize = 300;

/// Whether `serde_json` would take a text for a value. Builds nothing of it.
#[must_use]
pub fn is_valid(text: &str) -> bool {
    let mut check = Check { text, at: 0, depth: 0 };
    let is_value = check.value().is_some();
    check.gap();
    is_value && check.at == text.len()
}

struct Check<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
}

impl Check<'_> {
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn gap(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.byte() {
            self.at += 1;
        }
    }

    fn word(&mut self, word: &str) -> Option<()> {
        let rest = self.text.as_bytes().get(self.at..)?;
        self.at += word.len();
        rest.starts_with(word.as_bytes()).then_some(())
    }

    fn value(&mut self) -> Option<()> {
        self.gap();
        match self.byte()? {
            b'{' => self.inside(b'}', |check| {
                check.gap();
                check.string()?;
                check.gap();
                check.word(":")?;
                check.value()
            }),
            b'[' => self.inside(b']', Self::value),
            b'"' => self.string(),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            _ => self.number(),
        }
    }

    /// A list or an object, with each element or member read by `one`.
    fn inside(&mut self, close: u8, one: fn(&mut Self) -> Option<()>) -> Option<()> {
        self.depth += 1;
        self.at += 1;
        self.gap();
        if self.depth > NESTING {
            return None;
        }
        if self.byte()? != close {
            loop {
                one(self)?;
                self.gap();
                match self.byte()? {
                    b',' => self.at += 1,
                    byte if byte == close => break,
                    _ => return None,
                }
            }
        }
        self.at += 1;
        self.depth -= 1;
        Some(())
    }

    fn string(&mut self) -> Option<()> {
        self.word("\"")?;
        loop {
            let rest = self.text.as_bytes().get(self.at..)?;
            self.at += rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))?;
            match self.byte()? {
                b'"' => break,
                b'\\' => self.escape()?,
                _ => return None,
            }
        }
        self.at += 1;
        Some(())
    }

    fn escape(&mut self) -> Option<()> {
        self.at += 1;
        match self.byte()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 1,
            b'u' => match self.unit()? {
                0xDC00..=0xDFFF => return None,
                0xD800..=0xDBFF => {
                    self.word("\\")?;
                    (self.byte()? == b'u').then_some(())?;
                    (0xDC00..=0xDFFF).contains(&self.unit()?).then_some(())?;
                }
                _ => {}
            },
            _ => return None,
        }
        Some(())
    }

    /// The four digits behind a `u`.
    fn unit(&mut self) -> Option<u16> {
        let digits = self.text.get(self.at + 1..self.at + 5)?;
        self.at += 5;
        digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
    }

    fn number(&mut self) -> Option<()> {
        let start = self.at;
        if self.byte()? == b'-' {
            self.at += 1;
        }
        let whole = self.at;
        self.digits()?;
        if self.text.as_bytes()[whole] == b'0' && self.at > whole + 1 {
            return None;
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        let mut is_small = self.at - start < SMALL_NUMBER;
        if let Some(b'e' | b'E') = self.byte() {
            is_small = false;
            self.at += 1;
            if let Some(b'+' | b'-') = self.byte() {
                self.at += 1;
            }
            self.digits()?;
        }
        let is_finite = || self.text[start..self.at].parse::<f64>().is_ok_and(f64::is_finite);
        (is_small || is_finite()).then_some(())
    }

    /// At least one digit.
    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.byte().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }
}
