//! Names of scratch collections: what a rehearsal creates for a moment, and nobody else has to do with.

use super::CollectionName;

/// What every such name holds, before the digits.
const MARK: &str = "ElysiactlRehearsal";
/// Hexadecimal digits of the random number behind the mark.
const DIGITS: usize = 16;

impl CollectionName {
    /// Scratch names for the collection `of`, the likeliest first: one of its own, then ones that begin or end as `of`
    /// does, which a role about such names allows. All are in the namespace of `of`; `random` tells runs apart.
    #[must_use]
    pub fn scratch(of: &Self, random: u64) -> Vec<Self> {
        let (namespace, class) = of.as_str().rsplit_once(':').map_or(("", of.as_str()), |(ns, class)| (ns, class));
        let joint = if namespace.is_empty() { "" } else { ":" };
        let own = format!("{MARK}{random:0DIGITS$x}");
        let names = [own.clone(), format!("{class}{own}"), format!("{own}{class}")];
        // A name that would be too long is none.
        names.iter().filter_map(|name| format!("{namespace}{joint}{name}").parse().ok()).collect()
    }

    /// Whether it is the name of a scratch collection. No pattern chooses one.
    #[must_use]
    pub fn is_scratch(&self) -> bool {
        let is_digit = |b: &u8| b.is_ascii_digit() || (b'a'..=b'f').contains(b);
        self.as_str().match_indices(MARK).any(|(at, _)| {
            let digits = self.as_str().as_bytes().get(at + MARK.len()..at + MARK.len() + DIGITS);
            digits.is_some_and(|digits| digits.iter().all(is_digit))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scratch_names_are_known_again_and_no_others() {
        let name = |text: &str| -> CollectionName { text.parse().expect("a name") };
        let of = |text: &str| -> Vec<String> {
            let names = CollectionName::scratch(&name(text), 0xabc);
            assert!(names.iter().all(CollectionName::is_scratch), "{names:?}");
            names.iter().map(ToString::to_string).collect()
        };
        let own = "ElysiactlRehearsal0000000000000abc";
        assert_eq!(of("Article"), [own.to_owned(), format!("Article{own}"), format!("{own}Article")]);
        assert_eq!(of("ns:Article")[0], format!("ns:{own}"));
        assert_eq!(of(&format!("A{}", "x".repeat(250))), [own]);
        for text in ["Article", "ElysiactlRehearsal", "ElysiactlRehearsal0000000000000ab", "ElysiactlRehearsal2026"] {
            assert!(!name(text).is_scratch(), "{text}");
        }
    }
}
