//! Which collections get another name on the way from an archive to a server.

use std::collections::BTreeMap;
use std::fmt;

use super::CollectionName;

/// New names for all names of a kind: what the star of the old one stands for comes in the place of the star of the new
/// one. A namespace is kept, and is no part of what is matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenamePattern {
    old: [String; 2],
    new: [String; 2],
}

impl RenamePattern {
    /// A pattern of two texts with one `*` each; `None` if they are not that.
    #[must_use]
    pub fn parse(old: &str, new: &str) -> Option<Self> {
        let halves = |text: &str| {
            let (before, after) = text.split_once('*')?;
            (!after.contains('*')).then(|| [before.to_owned(), after.to_owned()])
        };
        Some(Self { old: halves(old)?, new: halves(new)? })
    }

    /// What a name becomes; `None` if it does not match, the text if that is no name.
    #[must_use]
    pub fn apply(&self, name: &CollectionName) -> Option<Result<CollectionName, super::InvalidName>> {
        let (namespace, class) = name.as_str().split_at(name.as_str().find(':').map_or(0, |colon| colon + 1));
        let [before, after] = &self.old;
        let kept = class.strip_prefix(before.as_str())?.strip_suffix(after.as_str())?;
        Some(format!("{namespace}{}{kept}{}", self.new[0], self.new[1]).parse())
    }
}

impl fmt::Display for RenamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.old.join("*"), self.new.join("*"))
    }
}

/// New names by old ones. A collection that is not in it keeps its name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Renames {
    pairs: BTreeMap<CollectionName, CollectionName>,
    /// What becomes of names without a pair, once it is known which there are.
    patterns: Vec<RenamePattern>,
}

impl Renames {
    /// Adds a pair: what the archive calls `old` is `new` on the server. Gives back what `old` was to become before.
    pub fn insert(&mut self, old: CollectionName, new: CollectionName) -> Option<CollectionName> {
        self.pairs.insert(old, new)
    }

    /// Adds a pattern for names without a pair. The first that matches a name counts.
    pub fn insert_pattern(&mut self, pattern: RenamePattern) {
        self.patterns.push(pattern);
    }

    /// The patterns, in the order they were added.
    #[must_use]
    pub fn patterns(&self) -> &[RenamePattern] {
        &self.patterns
    }

    /// The name on the server of what the archive calls `old`.
    #[must_use]
    pub fn of<'a>(&'a self, old: &'a CollectionName) -> &'a CollectionName {
        self.pairs.get(old).unwrap_or(old)
    }

    /// The new name of a collection named in a schema or a beacon; `None` if it keeps its name.
    #[must_use]
    pub fn get(&self, old: &str) -> Option<&CollectionName> {
        self.pairs.get(&old.parse::<CollectionName>().ok()?)
    }

    /// Whether every collection keeps its name.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty() && self.patterns.is_empty()
    }

    /// Old and new names, by the old one.
    pub fn pairs(&self) -> impl Iterator<Item = (&CollectionName, &CollectionName)> {
        self.pairs.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collection_without_a_pair_keeps_its_name() {
        let name = |text: &str| text.parse::<CollectionName>().expect("a name");
        let mut renames = Renames::default();
        assert!(renames.is_empty());
        renames.insert(name("A"), name("B"));
        renames.insert(name("B"), name("A"));
        assert_eq!(
            [renames.of(&name("A")), renames.of(&name("B")), renames.of(&name("C"))].map(ToString::to_string),
            ["B", "A", "C"]
        );
        assert_eq!((renames.get("A"), renames.get("C")), (Some(&name("B")), None));
        assert_eq!(renames.pairs().count(), 2);
    }

    #[test]
    fn a_pattern_moves_what_its_star_stands_for() {
        let name = |text: &str| text.parse::<CollectionName>().expect("a name");
        let becomes = |old: &str, new: &str, text: &str| {
            let applied = RenamePattern::parse(old, new).expect("a pattern").apply(&name(text));
            applied.map(|new| new.map_or_else(|invalid| format!("not {}", invalid.name), |new| new.to_string()))
        };
        assert_eq!(becomes("*", "Staging*", "Article").as_deref(), Some("StagingArticle"));
        assert_eq!(becomes("Prod*V1", "*V2", "ProdChatV1").as_deref(), Some("ChatV2"));
        assert_eq!(becomes("Prod*V1", "*V2", "ProdChatV2"), None);
        assert_eq!(becomes("AB*BA", "C*", "ABA"), None, "a letter is not counted twice");
        assert_eq!(becomes("Prod*", "*", "Prod").as_deref(), Some("not "));
        assert_eq!(becomes("*", "Old*", "space:Article").as_deref(), Some("space:OldArticle"));
        for (old, new) in [("A", "B"), ("*", "B"), ("A", "*"), ("**", "*"), ("*", "*-*")] {
            assert_eq!(RenamePattern::parse(old, new), None, "{old}={new}");
        }
        assert_eq!(RenamePattern::parse("A*", "*B").expect("a pattern").to_string(), "A*=*B");
    }
}
