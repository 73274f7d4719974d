//! Lines that fit a terminal: broken between words, and indented below what they belong to. Pure.

use console::{measure_text_width, strip_ansi_codes};

use super::summary::LABEL_COLUMNS;

/// Columns that a broken line is indented by, where nothing above it says how far.
const INDENT: usize = 2;
/// What ends a line of a command that goes on in the next one, as shells take it.
const GOES_ON: &str = " \\";

/// The text with every line that is wider than `columns` broken between words. No word is cut: one that is wider stands on a
/// line of its own. A command (in backticks, or after `Next:`) can be pasted as it stands: its broken lines end in a backslash.
#[must_use]
pub fn wrap(text: &str, columns: usize) -> String {
    text.split('\n').map(|line| fit(line, columns)).collect::<Vec<_>>().join("\n")
}

/// A word with the spaces before it.
struct Word<'a> {
    gap: usize,
    text: &'a str,
    /// Whether a break before it, or behind it, is inside of a command.
    command: (bool, bool),
}

fn fit(line: &str, columns: usize) -> String {
    if measure_text_width(line) <= columns {
        return line.to_owned();
    }
    let all = words(line);
    // Room between two columns of a table goes first.
    let narrow = joined(&all, INDENT);
    if measure_text_width(&narrow) <= columns {
        return narrow;
    }
    let indent = hanging(line, columns);
    let (mut text, mut at) = (String::new(), 0);
    for Word { gap, text: word, command } in &all {
        let width = measure_text_width(word) + if command.1 { GOES_ON.len() } else { 0 };
        let is_first = at == 0;
        if is_first || at + gap + width <= columns {
            text.push_str(&" ".repeat(*gap));
            at += gap + width - if command.1 { GOES_ON.len() } else { 0 };
        } else {
            text.push_str(if command.0 { GOES_ON } else { "" });
            // A wide word is pulled to the left until it fits.
            let indent = if indent + width <= columns { indent } else { columns.saturating_sub(width).min(INDENT) };
            text.push('\n');
            text.push_str(&" ".repeat(indent));
            at = indent + measure_text_width(word);
        }
        text.push_str(word);
    }
    text
}

fn joined(words: &[Word<'_>], most: usize) -> String {
    let one = |(at, word): (usize, &Word<'_>)| {
        let gap = if at == 0 { word.gap } else { word.gap.min(most) };
        " ".repeat(gap) + word.text
    };
    words.iter().enumerate().map(one).collect()
}

/// The words of a line. What stands in quotes inside of a command is one word.
fn words(line: &str) -> Vec<Word<'_>> {
    let mut words: Vec<Word<'_>> = Vec::new();
    let plain = line.trim_start_matches("Next:").trim_start();
    let mut command = (line.starts_with("Next:") || line.starts_with(' ')) && plain.starts_with("elysiactl ");
    let mut rest = line;
    loop {
        let trimmed = rest.trim_start_matches(' ');
        let gap = rest.len() - trimmed.len();
        if trimmed.is_empty() {
            return words;
        }
        let (mut quoted, mut inside) = (false, command && !words.is_empty());
        let before = inside && words.last().is_none_or(|word| word.text != "Next:");
        inside = command;
        let end = trimmed.find(|character| {
            match character {
                '`' if !quoted => inside = !inside,
                '\'' if inside => quoted = !quoted,
                _ => {}
            }
            character == ' ' && !quoted
        });
        let (text, behind) = trimmed.split_at(end.unwrap_or(trimmed.len()));
        words.push(Word { gap, text, command: (before, inside && !behind.is_empty()) });
        (command, rest) = (inside, behind);
    }
}

/// How far what is broken off a line is indented: below what stands behind the line's label.
fn hanging(line: &str, columns: usize) -> usize {
    let line = strip_ansi_codes(line);
    let lead = line.len() - line.trim_start_matches(' ').len();
    let first = line[lead..].split(' ').next().unwrap_or_default();
    let of_label = match first {
        "error:" | "hint:" | "warning:" | "Next:" => first.len() + 1,
        "Differences" => LABEL_COLUMNS,
        _ if first.strip_suffix(':').is_some_and(|number| number.parse::<u8>().is_ok()) => first.len() + 1,
        _ => line[lead..].find("  ").map_or(INDENT, |gap| {
            let behind = line[lead + gap..].trim_start_matches(' ');
            measure_text_width(&line[lead..line.len() - behind.len()])
        }),
    };
    if lead + of_label <= columns / 2 { lead + of_label } else { lead + INDENT }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_broken_off_stands_below_what_it_belongs_to() {
        let text = "Limits      Article: objects expire, and their age counts from the restore\n  Article  it has 3 objects\nshort";
        assert_eq!(
            wrap(text, 40),
            "Limits      Article: objects expire, and\n            their age counts from the\n            restore\n  Article  it has 3 objects\nshort"
        );
        assert_eq!(wrap("\u{1b}[36mhint:\u{1b}[0m one two three", 14), "\u{1b}[36mhint:\u{1b}[0m one two\n      three");
        assert_eq!(wrap("  1: because of what there is", 16), "  1: because of\n     what there\n     is");
        assert_eq!(wrap("  A                        3 objects", 20), "  A  3 objects", "room goes first");
        assert_eq!(wrap("Archive     /a/long/path/of/one/word", 26), "Archive\n  /a/long/path/of/one/word");
    }

    #[test]
    fn a_command_is_broken_as_shells_take_it() {
        let told = "hint: `elysiactl col restore '/my backups/A' --name B --resume` resumes it";
        assert_eq!(
            wrap(told, 39),
            "hint: `elysiactl col restore \\\n      '/my backups/A' --name B \\\n      --resume` resumes it"
        );
        assert_eq!(
            wrap("Next: elysiactl archive check /backups/A", 30),
            "Next: elysiactl archive \\\n      check /backups/A"
        );
        assert_eq!(wrap("use elysiactl 9.0.0 or later to read it", 30), "use elysiactl 9.0.0 or later\n  to read it");
    }

    proptest! {
        #[test]
        fn nothing_is_wider_and_nothing_is_lost(
            text in "( {0,7}|Server {6}|hint: )([a-z`'é語]{1,30}( {1,3}|\n)){0,40}",
            columns in 20_usize..100,
        ) {
            let wrapped = wrap(&text, columns);
            for line in wrapped.split('\n') {
                let words = line.split_whitespace().filter(|word| *word != "\\").count();
                let command = line.contains(['`', '\'']);
                prop_assert!(measure_text_width(line.trim_end()) <= columns || words <= 1 || command, "{line:?}");
            }
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace() && *c != '\\').collect::<String>();
            prop_assert_eq!(letters(&wrapped), letters(&text));
        }
    }
}
