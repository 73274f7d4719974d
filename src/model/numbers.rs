//! Numbers as people read them.

/// `1234567` as `1,234,567`.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `count` with the word that goes with it: `1 object`, `2 objects`.
#[must_use]
pub fn counted(number: u64, word: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {word}{plural}", count(number))
}
/// How many there are, and the first; `None` if there are none.
pub(crate) fn number_and_first<'a, T: Clone + 'a>(all: impl IntoIterator<Item = &'a T>) -> Option<(u64, T)> {
    let mut all = all.into_iter();
    let first = all.next()?.clone();
    Some((all.count() as u64 + 1, first))
}
