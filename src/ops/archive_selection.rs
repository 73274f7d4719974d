//! Which collections of an archive a command is about, and under which names the server has them. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::Error;
pub(super) use super::select::capital;
use super::select::{self, Alias};
use crate::archive::Archive;
use crate::model::{CollectionName, RenamePattern, Renames, Schema, Selection, TenantMap, TenantName, similar};

/// The collections chosen, in the order of the archive, by their places in its list, and the names they get.
#[derive(Debug)]
pub(super) struct ChosenCollections {
    pub(super) collections: Vec<(usize, Schema)>,
    pub(super) renames: Renames,
}

/// Chooses among the schemas of an archive, in its order. `name` is for the only collection chosen; `renames` may
/// name others as well, since references to these follow. Two collections never get one name.
pub(super) fn choose(
    schemas: Vec<Schema>,
    selection: &Selection,
    name: Option<&CollectionName>,
    given: &Renames,
) -> Result<ChosenCollections, Error> {
    let places: BTreeMap<CollectionName, usize> =
        schemas.iter().enumerate().map(|(at, s)| (s.name.clone(), at)).collect();
    let chosen = select::choose(schemas, selection, &[], Alias::Follows).map_err(in_archive)?;
    let mut renames = given.pairs().fold(Renames::default(), |mut all, (old, new)| {
        all.insert(old.clone(), capital(new));
        all
    });
    for (old, _) in renames.pairs() {
        if !places.contains_key(old) {
            let similar = similar(old.as_str(), &places.keys().collect::<Vec<_>>());
            return Err(Error::NotInArchive { name: old.to_string(), similar });
        }
    }
    expand(&mut renames, given.patterns(), &places)?;
    // No server keeps a name that begins with a small letter.
    for (name, stored) in places.keys().map(|name| (name, capital(name))) {
        if stored != *name && renames.of(name) == name {
            renames.insert(name.clone(), stored);
        }
    }
    if let Some(name) = name {
        let [only] = chosen.as_slice() else { return Err(Error::OneNameForMany { collections: chosen.len() }) };
        renames.insert(only.name.clone(), capital(name));
    }
    let mut taken = BTreeMap::new();
    for schema in &chosen {
        let target = renames.of(&schema.name);
        // Servers compare names without regard to case.
        if let Some(other) = taken.insert(target.as_str().to_lowercase(), schema.name.clone()) {
            return Err(Error::SameName { name: target.clone(), collections: [other, schema.name.clone()] });
        }
    }
    let collections = chosen.into_iter().filter_map(|s| Some((*places.get(&s.name)?, s))).collect();
    Ok(ChosenCollections { collections, renames })
}

/// Gives every collection of the archive that has no name of its own the one that a pattern makes of it; references to
/// collections that are not chosen follow, as they do with a pair.
fn expand(
    renames: &mut Renames,
    patterns: &[RenamePattern],
    places: &BTreeMap<CollectionName, usize>,
) -> Result<(), Error> {
    let paired: BTreeSet<CollectionName> = renames.pairs().map(|(old, _)| old.clone()).collect();
    let mut matched = vec![false; patterns.len()];
    for name in places.keys() {
        let mut first = None;
        for (matched, pattern) in matched.iter_mut().zip(patterns) {
            let Some(new) = pattern.apply(name) else { continue };
            *matched = true;
            first = first.or(Some((pattern, new)));
        }
        let Some((pattern, new)) = first.filter(|_| !paired.contains(name)) else { continue };
        let (collection, pattern) = (name.clone(), pattern.to_string());
        let new = new.map_err(|invalid| Error::BadRename { collection, pattern, name: invalid.name })?;
        renames.insert(name.clone(), capital(&new));
    }
    match matched.iter().position(|matched| !matched) {
        Some(at) => Err(Error::NothingMatched { glob: patterns[at].to_string(), collections: places.len() }),
        None => Ok(()),
    }
}

impl ChosenCollections {
    /// Those of the collections that have any of the tenants that are wanted. A collection of the wrong kind that was
    /// named in full is refused, and so is a tenant that none of them has.
    pub(super) fn of_tenants(
        self,
        archive: &Archive,
        tenants: &TenantMap,
        selection: &Selection,
    ) -> Result<Self, Error> {
        let typed = |schema: &Schema| selection.take.iter().any(|name| name == schema.name.as_str());
        let of_kind = |schema: &Schema, multi_tenant| schema.multi_tenant == multi_tenant;
        let wanted: Vec<&TenantName> = match tenants {
            TenantMap::Same => return Ok(self),
            TenantMap::IntoTenant(_) => {
                let none_is_plain = self.collections.iter().all(|(_, s)| of_kind(s, true));
                let wrong = |s: &Schema| of_kind(s, true) && (typed(s) || none_is_plain);
                if let Some((_, schema)) = self.collections.iter().find(|(_, s)| wrong(s)) {
                    return Err(Error::NotPlain { collection: schema.name.clone() });
                }
                let collections = self.collections.into_iter().filter(|(_, s)| of_kind(s, false)).collect();
                return Ok(Self { collections, ..self });
            }
            TenantMap::Only(names) => names.keys().collect(),
            TenantMap::IntoPlain(name) => vec![name],
        };
        if let Some((_, schema)) = self.collections.iter().find(|(_, s)| of_kind(s, false) && typed(s)) {
            return Err(Error::NotMultiTenant { collection: schema.name.clone() });
        }
        let has = |at: usize, name: &TenantName| {
            let held = &archive.collections()[at].tenants;
            held.iter().any(|tenant| tenant.tenant.as_deref() == Some(name.as_str()))
        };
        if let Some(unknown) = wanted.iter().find(|name| !self.collections.iter().any(|(at, _)| has(*at, name))) {
            return Err(self.unknown(archive, unknown));
        }
        let collections: Vec<(usize, Schema)> =
            self.collections.into_iter().filter(|(at, _)| wanted.iter().any(|name| has(*at, name))).collect();
        Ok(Self { collections, ..self })
    }

    /// The error for a tenant that none of them has.
    fn unknown(&self, archive: &Archive, tenant: &TenantName) -> Error {
        let entries = || self.collections.iter().map(|(at, _)| &archive.collections()[*at]);
        let skipped = archive.manifest().skipped.iter().find(|skipped| {
            skipped.tenant.as_deref() == Some(tenant.as_str())
                && entries().any(|entry| entry.name == skipped.collection)
        });
        let held: BTreeSet<TenantName> = entries()
            .flat_map(|entry| &entry.tenants)
            .filter_map(|tenant| tenant.tenant.as_ref()?.parse().ok())
            .collect();
        Error::UnknownTenant {
            tenant: tenant.clone(),
            archived: true,
            skipped: skipped.map(|skipped| skipped.reason.clone()),
            similar: similar(tenant.as_str(), &held.iter().collect::<Vec<_>>()),
        }
    }
}

fn in_archive(error: Error) -> Error {
    match error {
        Error::UnknownCollection { name, similar, .. } => Error::NotInArchive { name, similar },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Class;

    fn name(text: &str) -> CollectionName {
        text.parse().expect("a name")
    }

    fn chosen(take: &[&str], only: Option<&str>, pairs: &[(&str, &str)]) -> Result<Vec<String>, Error> {
        let schemas =
            ["A", "B", "Chat"].map(|n| Schema::parse(format!(r#"{{"class":"{n}"}}"#).into()).expect("a schema"));
        let selection = Selection { take: take.iter().map(|t| (*t).to_owned()).collect(), exclude: Vec::new() };
        let mut renames = Renames::default();
        for (old, new) in pairs {
            match RenamePattern::parse(old, new) {
                Some(pattern) => renames.insert_pattern(pattern),
                None => drop(renames.insert(name(old), name(new))),
            }
        }
        let chosen = choose(schemas.into(), &selection, only.map(name).as_ref(), &renames)?;
        Ok(chosen.collections.iter().map(|(at, s)| format!("{at} {}", chosen.renames.of(&s.name))).collect())
    }

    #[test]
    fn names_are_given_to_what_is_chosen() {
        assert_eq!(chosen(&[], None, &[("B", "new")]).expect("all"), ["0 A", "1 New", "2 Chat"]);
        assert_eq!(chosen(&["Chat"], Some("talk"), &[]).expect("one"), ["2 Talk"]);
        assert_eq!(chosen(&["A"], None, &[("B", "B2")]).expect("one"), ["0 A"], "references may follow");
        assert_eq!(chosen(&[], None, &[("A", "B"), ("B", "A")]).expect("all"), ["0 B", "1 A", "2 Chat"]);
    }

    #[test]
    fn a_name_that_no_server_keeps_becomes_the_one_that_it_keeps() {
        let small = |given: Renames, only: Option<&str>| {
            let schemas =
                ["a", "n:b", "C"].map(|n| Schema::parse(format!(r#"{{"class":"{n}"}}"#).into()).expect("one"));
            let take = only.map(|_| "a".to_owned()).into_iter().collect();
            let selection = Selection { take, exclude: Vec::new() };
            let chosen = choose(schemas.into(), &selection, only.map(name).as_ref(), &given)?;
            Ok::<_, Error>(chosen.renames.pairs().map(|(old, new)| format!("{old}={new}")).collect::<Vec<_>>())
        };
        assert_eq!(small(Renames::default(), None).expect("all"), ["a=A", "n:b=n:B"], "references follow");
        assert_eq!(small(Renames::default(), Some("x")).expect("one"), ["a=X", "n:b=n:B"]);
        let mut given = Renames::default();
        given.insert(name("a"), name("z"));
        assert_eq!(small(given, None).expect("all"), ["a=Z", "n:b=n:B"]);
    }

    #[test]
    fn a_pattern_gives_a_name_to_all_that_have_none() {
        assert_eq!(
            chosen(&[], None, &[("*", "staging*")]).expect("all"),
            ["0 StagingA", "1 StagingB", "2 StagingChat"]
        );
        let mixed = chosen(&[], None, &[("*", "Old*"), ("Ch*", "X*"), ("B", "B")]);
        assert_eq!(mixed.expect("all"), ["0 OldA", "1 B", "2 OldChat"], "the first counts");
        let mixed = chosen(&[], None, &[("Ch*", "X*"), ("*", "Old*"), ("B", "B")]);
        assert_eq!(mixed.expect("all"), ["0 OldA", "1 B", "2 Xat"]);
        assert!(matches!(
            chosen(&[], None, &[("A*", "*")]),
            Err(Error::BadRename { collection, name: text, .. }) if collection == name("A") && text.is_empty()
        ));
        let same = chosen(&[], None, &[("*", "C*"), ("B", "CA")]);
        assert!(matches!(same, Err(Error::SameName { .. })), "{same:?}");
        assert!(matches!(chosen(&[], None, &[("Z*", "Y*")]), Err(Error::NothingMatched { .. })));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let class = |done: Result<Vec<String>, Error>| done.expect_err("refused").class();
        assert_eq!(class(chosen(&[], Some("X"), &[])), Class::Usage);
        assert_eq!(class(chosen(&[], None, &[("A", "CHAT")])), Class::Usage, "one name for servers");
        assert_eq!(class(chosen(&[], None, &[("Nope", "X")])), Class::Refused);
        assert!(
            matches!(chosen(&["cHat"], None, &[]), Err(Error::NotInArchive { similar, .. }) if similar == [name("Chat")])
        );
        assert_eq!(chosen(&["chat"], None, &[]).expect("its first letter alone"), ["2 Chat"]);
    }
}
