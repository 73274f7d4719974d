//! Which collections get another name on the way from an archive to a server.

use std::collections::BTreeMap;

use super::CollectionName;

/// New names by old ones. A collection that is not in it keeps its name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Renames(BTreeMap<CollectionName, CollectionName>);

impl Renames {
    /// Adds a pair: what the archive calls `old` is `new` on the server. Gives back what `old` was to become before.
    pub fn insert(&mut self, old: CollectionName, new: CollectionName) -> Option<CollectionName> {
        self.0.insert(old, new)
    }

    /// The name on the server of what the archive calls `old`.
    #[must_use]
    pub fn of<'a>(&'a self, old: &'a CollectionName) -> &'a CollectionName {
        self.0.get(old).unwrap_or(old)
    }

    /// The new name of a collection named in a schema or a beacon; `None` if it keeps its name.
    #[must_use]
    pub fn get(&self, old: &str) -> Option<&CollectionName> {
        self.0.iter().find(|(name, _)| name.as_str() == old).map(|(_, new)| new)
    }

    /// Whether every collection keeps its name.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Old and new names, by the old one.
    pub fn pairs(&self) -> impl Iterator<Item = (&CollectionName, &CollectionName)> {
        self.0.iter()
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
}
