//! Shows a place in a line that somebody typed.

use super::words::plain;

/// Characters shown before the place and behind it.
const BEFORE_CHARS: usize = 60;
const BEHIND_CHARS: usize = 30;

/// The line around a place in it, in bytes, and below that a caret at the place.
#[must_use]
pub fn caret(line: &str, at: usize) -> String {
    let (before, behind) = line.split_at_checked(at).unwrap_or((line, ""));
    let skipped = before.chars().count().saturating_sub(BEFORE_CHARS);
    let mut shown: String = before.chars().skip(skipped).map(one_line).collect();
    if skipped > 0 {
        shown.insert(0, '…');
    }
    let shown = plain(&shown);
    let mut rest: String = behind.chars().take(BEHIND_CHARS).map(one_line).collect();
    if behind.chars().nth(BEHIND_CHARS).is_some() {
        rest.push('…');
    }
    format!("  {shown}{}\n  {}^", plain(&rest), " ".repeat(console::measure_text_width(&shown)))
}

fn one_line(character: char) -> char {
    if character.is_whitespace() { ' ' } else { character }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_below_the_place() {
        assert_eq!(caret("a = 'x", 4), "  a = 'x\n      ^");
        assert_eq!(caret("a\n= \u{1b}x", 4), "  a = \\u{1b}x\n      ^");
        assert_eq!(caret("名 = 1", 6), "  名 = 1\n       ^");
        assert_eq!(caret("a", 1), "  a\n   ^");
        let long = caret(&"x".repeat(200), 100);
        assert_eq!(
            long.lines().map(|line| line.chars().count()).collect::<Vec<_>>(),
            [2 + 1 + 60 + 30 + 1, 2 + 1 + 60 + 1]
        );
    }
}
