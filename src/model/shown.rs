//! Text from elsewhere as it may be shown: what could steer a terminal or show nothing is escaped, and a path is written
//! so that a shell takes it back.

use std::ffi::OsStr;
use std::fmt::{self, Write};
use std::path::{Path, PathBuf};

/// Characters that show nothing although they are letters, marks or symbols: Unicode's `Default_Ignorable_Code_Point`, less
/// those that a category tells of.
const SHOWS_NOTHING: [(char, char); 8] = [
    ('\u{34f}', '\u{34f}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{e0100}', '\u{e01ef}'),
];
/// Spaces that ordinary texts hold: in French, and between the characters of Chinese and Japanese.
const SPACES: [char; 3] = ['\u{a0}', '\u{202f}', '\u{3000}'];

/// Whether a character shows as itself and cannot steer a terminal or turn the direction of writing: none of the
/// categories Cc, Cf, Cn, Co, Cs, Zl and Zp, no unusual space, and nothing without a shape.
#[must_use]
pub fn is_plain(character: char) -> bool {
    if character.is_ascii() {
        return !character.is_ascii_control();
    }
    if SHOWS_NOTHING.iter().any(|(first, last)| (*first..=*last).contains(&character)) {
        return false;
    }
    SPACES.contains(&character) || is_printable(character)
}

/// The standard library knows the categories: behind another character, `escape_debug` leaves alone what is printable.
fn is_printable(character: char) -> bool {
    let mut text = [b'x'; 5];
    let bytes = 1 + character.encode_utf8(&mut text[1..]).len();
    std::str::from_utf8(&text[..bytes]).is_ok_and(|text| text.escape_debug().nth(2).is_none())
}

/// A text with everything escaped that is not [plain](is_plain), as `\n` or `\u{9b}`.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_plain(character) {
            shown.push(character);
        } else {
            shown.extend(character.escape_default());
        }
    }
    shown
}

/// A word as it has to be typed in a shell to mean exactly this: in quotes only where it needs them, and as `$'…'` with
/// octal escapes (bash, zsh, ksh, POSIX 2024) where it holds what cannot be shown or is not UTF-8.
#[derive(Debug, Clone, Copy)]
pub struct ShellWord<'a> {
    word: &'a OsStr,
    /// What keeps a path from being taken for a flag, a home directory or an address.
    before: &'static str,
}

impl<'a> ShellWord<'a> {
    /// A name or another word.
    #[must_use]
    pub fn of(word: &'a (impl AsRef<OsStr> + ?Sized)) -> Self {
        Self { word: word.as_ref(), before: "" }
    }

    /// A path, which begins with `./` where it would be taken for something else.
    #[must_use]
    pub fn path(path: &'a (impl AsRef<Path> + ?Sized)) -> Self {
        let word = path.as_ref().as_os_str();
        let first = word.as_encoded_bytes().first();
        let is_misread = matches!(first, Some(b'-' | b'~')) || word.to_str().and_then(scheme).is_some();
        Self { word, before: if is_misread { "./" } else { "" } }
    }
}

/// What stands before `://` in an address.
#[must_use]
pub fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once("://")?;
    let letter_first = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
    let is_scheme = scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+.-".contains(&b));
    (letter_first && is_scheme).then_some(scheme)
}

impl fmt::Display for ShellWord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let needs_none = |b: &u8| b.is_ascii_alphanumeric() || b"/._-+:,@%".contains(b);
        let bytes = self.word.as_encoded_bytes();
        match self.word.to_str() {
            Some(text) if !text.is_empty() && bytes.iter().all(needs_none) => write!(f, "{}{text}", self.before),
            Some(text) if text.chars().all(|c| is_plain(c) && !SPACES.contains(&c)) => {
                write!(f, "'{}{}'", self.before, text.replace('\'', r"'\''"))
            }
            _ => {
                write!(f, "$'{}", self.before)?;
                for chunk in bytes.utf8_chunks() {
                    for character in chunk.valid().chars() {
                        shell_escaped(f, character)?;
                    }
                    octal(f, chunk.invalid())?;
                }
                f.write_char('\'')
            }
        }
    }
}

fn shell_escaped(f: &mut fmt::Formatter<'_>, character: char) -> fmt::Result {
    match character {
        '\n' => f.write_str(r"\n"),
        '\t' => f.write_str(r"\t"),
        '\r' => f.write_str(r"\r"),
        '\\' | '\'' => write!(f, "\\{character}"),
        plain if is_plain(plain) && !SPACES.contains(&plain) => f.write_char(plain),
        other => octal(f, other.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

/// Always three digits, so that a digit behind them is not taken for one of them.
fn octal(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "\\{byte:03o}"))
}

/// A path as text that tells every path from every other, for journals and JSON: itself, or, where it is not UTF-8, as a
/// shell takes it (`$'…'`).
#[must_use]
pub fn path_text(path: &Path) -> String {
    match path.to_str() {
        Some(text) if text.starts_with(ENCODED) => format!("./{text}"),
        Some(text) => text.to_owned(),
        None => ShellWord::path(path).to_string(),
    }
}

/// The path that [`path_text`] gave this text for.
#[must_use]
pub fn path_of_text(text: &str) -> PathBuf {
    decoded(text).unwrap_or_else(|| text.into())
}

/// A text of [`path_text`] as it has to be typed in a shell.
#[must_use]
pub fn shell_text(text: &str) -> String {
    if text.starts_with(ENCODED) { escaped(text) } else { ShellWord::path(text).to_string() }
}

/// What a path begins with that is written as a shell takes it.
const ENCODED: &str = "$'";

#[cfg(unix)]
fn decoded(text: &str) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    let inside = text.strip_prefix(ENCODED)?.strip_suffix('\'')?;
    let (mut bytes, mut rest) = (Vec::new(), inside.as_bytes());
    while let Some((byte, after)) = rest.split_first() {
        (bytes, rest) = match (byte, after) {
            (b'\\', [b'n', after @ ..]) => (pushed(bytes, b'\n'), after),
            (b'\\', [b't', after @ ..]) => (pushed(bytes, b'\t'), after),
            (b'\\', [b'r', after @ ..]) => (pushed(bytes, b'\r'), after),
            (b'\\', [itself @ (b'\\' | b'\''), after @ ..]) => (pushed(bytes, *itself), after),
            (b'\\', digits) => {
                let (digits, after) = digits.split_at_checked(3)?;
                let value = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()?;
                (pushed(bytes, value), after)
            }
            (other, after) => (pushed(bytes, *other), after),
        };
    }
    Some(std::ffi::OsString::from_vec(bytes).into())
}

#[cfg(unix)]
fn pushed(mut bytes: Vec<u8>, byte: u8) -> Vec<u8> {
    bytes.push(byte);
    bytes
}

#[cfg(not(unix))]
fn decoded(_: &str) -> Option<PathBuf> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_or_shows_nothing_is_not_plain() {
        let steering = [
            ("Cc", "\u{0}\u{7}\u{8}\n\r\u{1b}\u{7f}\u{80}\u{85}\u{9b}\u{9d}"),
            ("Cf", "\u{ad}\u{600}\u{61c}\u{200b}\u{200c}\u{200d}\u{200e}\u{202e}\u{2060}\u{2066}\u{feff}\u{fff9}"),
            ("Cf beyond 16 bits", "\u{110bd}\u{1bca0}\u{1d173}\u{e0001}\u{e0041}\u{e007f}"),
            ("Zl and Zp", "\u{2028}\u{2029}"),
            ("Co", "\u{e000}\u{f8ff}\u{f0000}\u{10fffd}"),
            ("Cn", "\u{378}\u{fdd0}\u{ffff}\u{10ffff}\u{e0fff}"),
            ("Zs", "\u{1680}\u{2000}\u{200a}\u{205f}"),
            ("without a shape", "\u{34f}\u{115f}\u{17b4}\u{180b}\u{180e}\u{3164}\u{fe0f}\u{ffa0}\u{e0100}"),
        ];
        for (what, characters) in steering {
            for character in characters.chars() {
                assert!(!is_plain(character), "{what}: {character:?}");
            }
        }
        for character in " ~aäßяжहि語한👍e\u{301}\u{a0}\u{3000}\"\\'".chars() {
            assert!(is_plain(character), "{character:?}");
        }
    }

    #[test]
    fn a_word_is_quoted_only_where_it_has_to_be() {
        let word = |text: &str| ShellWord::of(text).to_string();
        assert_eq!(
            ["", "./backups/a_1", "a b", "it's", "a\\b", "naïve"].map(word),
            ["''", "./backups/a_1", "'a b'", r"'it'\''s'", r"'a\b'", "'naïve'"]
        );
        assert_eq!(word("a\u{1b}2'\\\n\u{9b}"), r"$'a\0332\'\\\n\302\233'");
    }

    #[test]
    fn a_path_is_never_taken_for_a_flag_a_home_or_an_address() {
        let path = |text: &str| ShellWord::path(text).to_string();
        assert_eq!(
            ["-x", "~/b", "s3://b/x", "/s3://b", "a/b://c", "-"].map(path),
            ["./-x", "'./~/b'", "./s3://b/x", "/s3://b", "a/b://c", "./-"]
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_shell_reads_every_path_back_byte_for_byte() {
        use std::os::unix::ffi::OsStrExt;
        let names: [&[u8]; 8] = [
            b"plain",
            b"with space 'and' \"quotes\" $HOME `id` \\ !",
            b"line\nbreak\ttab\rreturn",
            b"\x1b[31mred\x9b1",
            b"caf\xe9 7",
            b"\xff\xfe\x80",
            "nul-\u{202e}gnp\u{200b}.exe\u{3000}".as_bytes(),
            "e\u{301}\u{feff}\u{e0041}".as_bytes(),
        ];
        for name in names {
            let word = ShellWord::of(OsStr::from_bytes(name)).to_string();
            assert!(word.chars().all(is_plain), "{word}");
            let path = Path::new(OsStr::from_bytes(name));
            assert_eq!(path_of_text(&path_text(path)), path, "{word}");
            let script = format!("printf %s {word}");
            let output = std::process::Command::new("bash").args(["-c", &script]).output().expect("bash");
            assert_eq!(output.stdout, name, "{word}");
        }
    }
}
