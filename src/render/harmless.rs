//! JSON on its way to a terminal: whatever could steer it is escaped as JSON escapes, so that each line keeps its meaning.

use std::io::{self, Write};

use crate::model::is_plain;

/// Escapes characters that are not [plain](is_plain), but for line breaks and tabs, and bytes that are not UTF-8. Outside
/// of strings JSON has no such characters.
#[derive(Debug)]
pub struct HarmlessJson<W> {
    out: W,
    /// The first bytes of a character whose end has not come yet.
    cut: Vec<u8>,
}

impl<W: Write> HarmlessJson<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out, cut: Vec::new() }
    }
}

impl<W: Write> Write for HarmlessJson<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut text = std::mem::take(&mut self.cut);
        text.extend_from_slice(bytes);
        let mut shown = Vec::with_capacity(text.len());
        let mut rest = text.as_slice();
        while let Some(chunk) = rest.utf8_chunks().next() {
            escape(chunk.valid(), &mut shown);
            rest = &rest[chunk.valid().len()..];
            if rest.is_empty() {
                break;
            }
            let invalid = chunk.invalid().len();
            // A character may be cut at the end of what was handed over, and nowhere else.
            if std::str::from_utf8(rest).is_err_and(|e| e.valid_up_to() == 0 && e.error_len().is_none()) {
                self.cut = rest.to_vec();
                break;
            }
            shown.extend_from_slice(b"\\ufffd");
            rest = &rest[invalid..];
        }
        self.out.write_all(&shown)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn escape(text: &str, shown: &mut Vec<u8>) {
    for character in text.chars() {
        let mut units = [0; 2];
        if is_plain(character) || matches!(character, '\n' | '\t') {
            shown.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        for unit in character.encode_utf16(&mut units) {
            // A Vec takes every write.
            let _ = write!(shown, "\\u{unit:04x}");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn shown(pieces: &[&[u8]]) -> String {
        let mut out = HarmlessJson::new(Vec::new());
        for piece in pieces {
            out.write_all(piece).expect("a Vec");
        }
        String::from_utf8(out.out).expect("text")
    }

    #[test]
    fn a_line_keeps_its_meaning_and_cannot_steer() {
        let line = "{\"a\u{9b}2J\":\"x\u{7f}\u{202e}\u{2028}\u{200b}\u{e0041}\u{f8ff} naïve 語 👍 e\u{301}\\n\\\"\"}\n";
        let out = shown(&[line.as_bytes()]);
        assert!(out.trim_end().chars().all(is_plain), "{out}");
        assert!(out.contains(r"a\u009b2J") && out.contains(r"\udb40\udc41") && out.contains("naïve 語 👍"), "{out}");
        assert_eq!(
            serde_json::from_str::<Value>(&out).expect("JSON"),
            serde_json::from_str::<Value>(line).expect("JSON")
        );
    }

    #[test]
    fn a_character_that_comes_in_pieces_is_one_and_what_is_no_text_is_replaced() {
        let line = "{\"a\":\"語👍\u{9b}\"}\n".as_bytes();
        let pieces: Vec<&[u8]> = line.chunks(1).collect();
        assert_eq!(shown(&pieces), "{\"a\":\"語👍\\u009b\"}\n");
        assert_eq!(shown(&[b"\"\xff\x9b[2J\xe8\xaa\"\n"]), "\"\\ufffd\\ufffd[2J\\ufffd\"\n");
        assert_eq!(shown(&[b"\"\xe8", b"\xaa\"\n"]), "\"\\ufffd\"\n");
    }
}
