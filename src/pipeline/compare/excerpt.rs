//! Which stretch of two long values is shown, so that the place where they differ is in it. Pure.

/// Characters of a value that are shown, beside the marks of a cut.
pub(super) const VALUE_CHARS: usize = 200;
/// Characters shown before the first one that differs.
const CHARS_BEFORE: usize = 40;
/// Stands where a value was cut.
const CUT: &str = "…";

/// Both values, each cut to the same stretch if either is long. Neither is ever held as a whole.
pub(super) fn both<C>(left: Option<C>, right: Option<C>) -> (Option<String>, Option<String>)
where
    C: Iterator<Item = char> + Clone,
{
    let start = match (&left, &right) {
        (Some(ours), Some(theirs)) if is_long(ours.clone()) || is_long(theirs.clone()) => {
            let alike = ours.clone().zip(theirs.clone()).take_while(|(our, their)| our == their).count();
            alike.saturating_sub(CHARS_BEFORE)
        }
        _ => 0,
    };
    (left.map(|text| stretch(text, start)), right.map(|text| stretch(text, start)))
}

fn is_long(mut text: impl Iterator<Item = char>) -> bool {
    text.nth(VALUE_CHARS).is_some()
}

fn stretch(text: impl Iterator<Item = char>, start: usize) -> String {
    let mut rest = text.skip(start);
    let shown: String = rest.by_ref().take(VALUE_CHARS).collect();
    let before = if start > 0 { CUT } else { "" };
    let after = if rest.next().is_some() { CUT } else { "" };
    format!("{before}{shown}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(ours: &str, theirs: &str) -> (String, String) {
        let (ours, theirs) = both(Some(ours.chars()), Some(theirs.chars()));
        (ours.expect("a value"), theirs.expect("a value"))
    }

    #[test]
    fn short_values_are_shown_as_they_are() {
        assert_eq!(shown("é", "è"), ("é".into(), "è".into()));
        let full = "x".repeat(VALUE_CHARS);
        assert_eq!(shown(&full, "y"), (full.clone(), "y".into()));
    }

    #[test]
    fn two_long_values_are_shown_where_they_differ() {
        let text = |middle: &str| "é".repeat(500) + middle + &"x".repeat(500);
        let (ours, theirs) = shown(&text("a"), &text("b"));
        let expected = |middle: &str| format!("…{}{middle}{}…", "é".repeat(40), "x".repeat(159));
        assert_eq!((ours, theirs), (expected("a"), expected("b")));
        let longer = "x".repeat(300);
        let (ours, theirs) = shown(&longer, &format!("{longer}y"));
        assert_eq!((ours, theirs), (format!("…{}", "x".repeat(40)), format!("…{}y", "x".repeat(40))));
    }

    #[test]
    fn one_value_alone_is_shown_from_its_beginning() {
        let (ours, theirs) = both(Some("x".repeat(300).chars()), None);
        assert_eq!((ours, theirs), (Some("x".repeat(VALUE_CHARS) + CUT), None));
    }
}
