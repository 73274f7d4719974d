//! Keeps of the answer to a batch what is read of it while it comes: the server repeats every object, and writes some
//! characters as six. So an answer costs next to no memory, however long it is.

use bytes::{Bytes, BytesMut};

/// The deepest nesting that is followed, as when the answer is split.
const NESTING: u32 = 120;
/// The members of a result that are kept.
const KEPT: [&[u8]; 3] = [b"id", b"creationTimeUnix", b"result"];
/// So much of a name is kept until it is known which one it is: more than any of those with its quotes.
const KEY_BYTES: usize = 24;
/// So much of a text is kept, in bytes: more than is ever shown of what a server says.
const TEXT_BYTES: usize = 1 << 10;
/// The same once very much was kept: a server may say something of every object.
const LATER_TEXT_BYTES: usize = 256;
/// Very much.
const MUCH_KEPT: usize = 1 << 20;
/// Digits of an escape behind its `u`.
const ESCAPE_DIGITS: usize = 4;
/// What stands for a value that is left out, with the colon before it.
const LEFT_OUT: &[u8] = b":0";
/// A text that no JSON can begin or go on with: whatever came is not a list of results.
const NONSENSE: &[u8] = b"]]";

/// An answer on its way.
#[derive(Debug)]
pub(super) struct Skim {
    kept: BytesMut,
    depth: u32,
    /// What is open, the innermost last: 1 for an object, 0 for an array.
    kinds: u128,
    string: InString,
    /// Bytes kept of the text that is being read; `None` if the rest of it is left out.
    text_bytes: Option<usize>,
    /// Bytes of it that still belong to an escape.
    digits: usize,
    /// The name of the member that is being read, as far as it may be one that is kept.
    key: Vec<u8>,
    /// The next string of a result is a name.
    key_next: bool,
    /// Inside of a value that is left out.
    leaves_out: bool,
    broken: bool,
}

/// Where the text stands with regard to strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InString {
    No,
    Yes,
    /// The next byte is escaped.
    Escaped,
}

impl Default for Skim {
    fn default() -> Self {
        Self {
            kept: BytesMut::new(),
            depth: 0,
            kinds: 0,
            string: InString::No,
            text_bytes: None,
            digits: 0,
            key: Vec::new(),
            key_next: false,
            leaves_out: false,
            broken: false,
        }
    }
}

impl Skim {
    /// Takes the next bytes.
    pub(super) fn take(&mut self, chunk: &[u8]) {
        let mut rest = chunk;
        while let Some(first) = rest.first().filter(|_| !self.broken) {
            let was = self.string;
            let taken = match was {
                InString::No => self.outside(*first),
                InString::Escaped => {
                    self.string = InString::Yes;
                    1
                }
                InString::Yes => match memchr::memchr2(b'"', b'\\', rest) {
                    Some(at) if rest[at] == b'"' => {
                        self.string = InString::No;
                        at + 1
                    }
                    Some(at) => {
                        self.string = InString::Escaped;
                        at + 1
                    }
                    None => rest.len(),
                },
            };
            let (now, later) = rest.split_at(taken);
            if self.broken {
                return;
            }
            if !self.leaves_out {
                self.keep(was, now);
            }
            let is_gap = self.string == InString::No && now.trim_ascii().is_empty();
            if self.key_next && !is_gap && self.key.len() < KEY_BYTES {
                self.key.extend_from_slice(&now[..now.len().min(KEY_BYTES)]);
            }
            self.after(now);
            rest = later;
        }
    }

    /// Keeps the bytes just taken, but for the end of a long text. `was`: where the text stood before them.
    fn keep(&mut self, was: InString, now: &[u8]) {
        match was {
            InString::No => {
                (self.text_bytes, self.digits) = (Some(0), 0);
                self.kept.extend_from_slice(now);
            }
            InString::Escaped => {
                if let Some(bytes) = &mut self.text_bytes {
                    *bytes += now.len();
                    self.digits = if now == b"u" { ESCAPE_DIGITS } else { 0 };
                    self.kept.extend_from_slice(now);
                }
            }
            InString::Yes => {
                let ends = usize::from(self.string != InString::Yes);
                let (text, end) = now.split_at(now.len() - ends);
                self.keep_text(text);
                // Behind an escape nothing is cut: it may be half of a character.
                let may_cut = !text.is_empty() && self.digits == 0;
                let most = self.most_text();
                self.text_bytes = self.text_bytes.filter(|bytes| end != b"\\" || !may_cut || *bytes < most);
                if self.text_bytes.is_some() || end == b"\"" {
                    self.kept.extend_from_slice(end);
                }
            }
        }
    }

    /// Keeps a stretch of a text without escapes, up to the end of a character.
    fn keep_text(&mut self, text: &[u8]) {
        let Some(bytes) = self.text_bytes else { return };
        let room = self.most_text().saturating_sub(bytes).max(self.digits);
        let begins_character = |at: &usize| text[*at] & 0b1100_0000 != 0b1000_0000;
        let cut = (room..text.len()).find(begins_character);
        self.kept.extend_from_slice(&text[..cut.unwrap_or(text.len())]);
        self.text_bytes = if cut.is_none() { Some(bytes + text.len()) } else { None };
        self.digits = self.digits.saturating_sub(text.len());
    }

    fn most_text(&self) -> usize {
        if self.kept.len() < MUCH_KEPT { TEXT_BYTES } else { LATER_TEXT_BYTES }
    }

    /// A byte outside of strings: notes what it opens or closes. How many bytes were taken.
    fn outside(&mut self, byte: u8) -> usize {
        match byte {
            b'"' => self.string = InString::Yes,
            b'{' | b'[' if self.depth == NESTING => self.give_up(),
            b'{' | b'[' => {
                self.depth += 1;
                self.kinds = self.kinds << 1 | u128::from(byte == b'{');
            }
            b'}' | b']' if self.depth == 0 || (self.kinds & 1 == 1) != (byte == b'}') => self.give_up(),
            b'}' | b']' => {
                // The value that was left out ends with its object.
                self.leaves_out &= self.depth > 2;
                self.depth -= 1;
                self.kinds >>= 1;
            }
            b',' if self.depth == 2 => self.leaves_out = false,
            _ => {}
        }
        1
    }

    /// What follows from the bytes just taken.
    fn after(&mut self, now: &[u8]) {
        if self.depth != 2 || self.kinds & 0b11 != 0b01 || self.string != InString::No {
            return;
        }
        match now {
            b"{" | b"," => {
                self.key.clear();
                self.key_next = true;
            }
            b":" if self.key_next => {
                self.key_next = false;
                let name = self.key.strip_suffix(b":").unwrap_or(&self.key);
                let name = name.strip_prefix(b"\"").and_then(|name| name.strip_suffix(b"\"")).unwrap_or_default();
                if !KEPT.contains(&name) {
                    self.kept.truncate(self.kept.len() - 1);
                    self.kept.extend_from_slice(LEFT_OUT);
                    self.leaves_out = true;
                }
            }
            _ => {}
        }
    }

    fn give_up(&mut self) {
        self.broken = true;
        self.kept.clear();
        self.kept.extend_from_slice(NONSENSE);
    }

    /// Bytes kept so far.
    pub(super) fn bytes(&self) -> usize {
        self.kept.len()
    }

    /// What was kept: a list of results that is whole exactly if the answer was.
    pub(super) fn finish(self) -> Bytes {
        self.kept.freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skimmed(answer: &str, chunk: usize) -> String {
        let mut skim = Skim::default();
        answer.as_bytes().chunks(chunk).for_each(|chunk| skim.take(chunk));
        String::from_utf8(skim.finish().to_vec()).expect("text")
    }

    #[test]
    fn only_ids_and_results_are_kept_wherever_the_answer_is_cut() {
        let answer = concat!(
            r#"[{"class":"A","id":"1","properties":{"t":"a\"],}\\","o":{"id":"x","result":[]}},"vector":[1,2.5e3],"#,
            r#""result":{"status":"FAILED","errors":{"error":[{"message":"a,\"b"}]}}},"#,
            r#" { "id" : "2" , "creationTimeUnix" : 17 , "result":{"status":"SUCCESS"} , "vectors" : {"a":[[1],[2]]} } , {}]"#,
            "\n"
        );
        let expected = concat!(
            r#"[{"class":0,"id":"1","properties":0,"vector":0,"#,
            r#""result":{"status":"FAILED","errors":{"error":[{"message":"a,\"b"}]}}},"#,
            r#" { "id" : "2" , "creationTimeUnix" : 17 , "result":{"status":"SUCCESS"} , "vectors" :0} , {}]"#,
            "\n"
        );
        for chunk in 1..answer.len() {
            assert_eq!(skimmed(answer, chunk), expected, "{chunk}");
        }
    }

    #[test]
    fn a_long_name_is_none_that_is_kept() {
        let name = "id".repeat(20);
        let answer = format!(r#"[{{"{name}":1,"id ":2,"\u0069d":3,"id":"4"}}]"#);
        assert_eq!(skimmed(&answer, 7), format!(r#"[{{"{name}":0,"id ":0,"\u0069d":0,"id":"4"}}]"#));
    }

    #[test]
    fn an_answer_that_is_cut_off_or_something_else_does_not_become_a_list_of_results() {
        for (answer, expected) in [
            ("", ""),
            (r#"[{"id":"1","properties":{"t":"x"#, r#"[{"id":"1","properties":0"#),
            (r#"{"error":[{"message":"x"}]}"#, r#"{"error":[{"message":"x"}]}"#),
            (r#"[{"properties":[}}]"#, "]]"),
            ("[{}]]", "]]"),
            ("<html>", "<html>"),
        ] {
            assert_eq!(skimmed(answer, 3), expected, "{answer}");
        }
        let deep = format!("{}{}", "[".repeat(121), "]".repeat(121));
        assert_eq!(skimmed(&deep, 10), "]]");
    }
}
