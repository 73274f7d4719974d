//! Documents made of bytes: members of the names that matter, in spellings that a server may take for them.

/// Writes JSON as the bytes say.
struct Spelling<'a> {
    bytes: std::slice::Iter<'a, u8>,
    names: &'a [&'a str],
    text: String,
}

/// How deep lists and objects may stand in each other.
const DEPTH: u32 = 5;
/// A name is spelled otherwise by so many bytes of 256.
const OTHERWISE: u8 = 96;

/// The bytes as they stand, if the first one is even; else a document that they choose, `names` being what its members and
/// texts are called.
pub fn document(data: &[u8], names: &[&str]) -> Vec<u8> {
    match data {
        [first, rest @ ..] if first % 2 == 1 => {
            let mut spelling = Spelling { bytes: rest.iter(), names, text: String::new() };
            spelling.value(0);
            spelling.text.into_bytes()
        }
        [_, rest @ ..] => rest.to_vec(),
        [] => Vec::new(),
    }
}

impl Spelling<'_> {
    fn next(&mut self) -> u8 {
        self.bytes.next().copied().unwrap_or_default()
    }

    fn value(&mut self, depth: u32) {
        // What comes first is what documents are.
        let kind = self.next() % 10;
        match kind {
            0..4 if depth < DEPTH => self.list('{', '}', |spelling| {
                spelling.name();
                spelling.text.push(':');
                spelling.value(depth + 1);
            }),
            4..6 if depth < DEPTH => self.list('[', ']', |spelling| spelling.value(depth + 1)),
            6 => self.text.push_str("true"),
            7 => self.text.push_str("null"),
            8 => {
                let number = self.next();
                self.text.push_str(&number.to_string());
            }
            _ => self.name(),
        }
    }

    fn list(&mut self, open: char, close: char, each: impl Fn(&mut Self)) {
        self.text.push(open);
        for n in 0..self.next() % 6 {
            if n > 0 {
                self.text.push(',');
            }
            each(self);
        }
        self.text.push(close);
    }

    fn name(&mut self) {
        let at = usize::from(self.next()) % self.names.len();
        let (name, otherwise) = (self.names[at], self.next() < OTHERWISE);
        self.text.push('"');
        for letter in name.chars() {
            if otherwise { self.letter(letter) } else { self.text.push(letter) }
        }
        self.text.push('"');
    }

    fn letter(&mut self, letter: char) {
        let other = match (self.next() % 10, letter.to_ascii_lowercase()) {
            (0, _) => letter.to_ascii_uppercase(),
            (1, _) => letter.to_ascii_lowercase(),
            (2, 's') | (4, 's') => '\u{17f}',
            (2, 'k') | (4, 'k') => '\u{212a}',
            (3, 'i') => '\u{131}',
            _ => letter,
        };
        match self.next() % 12 {
            0 | 1 => self.text.push_str(&format!("\\u{:04x}", u32::from(other))),
            2 => self.text.push_str(&format!("\\u{:04X}", u32::from(other))),
            3 => self.text.push_str("\\ud83d"),
            _ => self.text.push(other),
        }
    }
}
