//! Chooses collections by names and globs. A name is matched exactly, then as an alias, then without regard to the case of its
//! first letter. Pure.

use globset::{GlobBuilder, GlobSet};

use super::{Error, Session};
use crate::event::Warning;
use crate::model::{CollectionName, Schema, Selection, similar};

/// What an alias is to a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alias {
    /// Its collection.
    Follows,
    /// Nothing: whoever removes something names what is removed, since an alias may have been moved.
    Refuses,
}

/// A name that was typed, and the collection it was taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TakenName {
    pub(super) typed: String,
    pub(super) collection: CollectionName,
    /// It is an alias of it; otherwise its first letter is of another case.
    pub(super) is_alias: bool,
}

impl TakenName {
    /// What is said of it.
    pub(super) fn warning(self) -> Warning {
        let Self { typed, collection, is_alias } = self;
        Warning::NameTaken { typed, collection, is_alias }
    }
}

/// The collection that a name which is none's stands for; `None` for globs, and for names of collections and of nothing.
fn taken<'a>(
    typed: &str,
    names: &(impl Iterator<Item = &'a CollectionName> + Clone),
    aliases: &[(String, CollectionName)],
    alias: Alias,
) -> Option<TakenName> {
    if is_glob(typed) || names.clone().any(|name| name.as_str() == typed) {
        return None;
    }
    let of = |collection: &CollectionName, is_alias| TakenName {
        typed: typed.to_owned(),
        collection: collection.clone(),
        is_alias,
    };
    if let Some((_, collection)) = aliases.iter().find(|(name, _)| name == typed) {
        let there = alias == Alias::Follows && names.clone().any(|name| name == collection);
        return there.then(|| of(collection, true));
    }
    let typed: CollectionName = typed.parse().ok()?;
    names.clone().find(|name| **name == capital(&typed)).map(|name| of(name, false))
}

/// The name as the server would store it: its first letter in upper case.
pub(super) fn capital(name: &CollectionName) -> CollectionName {
    let text = name.as_str();
    let at = text.find(':').map_or(0, |colon| colon + 1);
    let upper = format!("{}{}{}", &text[..at], text[at..=at].to_uppercase(), &text[at + 1..]);
    upper.parse().unwrap_or_else(|_| name.clone())
}

/// What the names of a selection were taken for, where they are not names of collections.
pub(super) fn all_taken(
    schemas: &[Schema],
    selection: &Selection,
    aliases: &[(String, CollectionName)],
    alias: Alias,
) -> Vec<TakenName> {
    let typed = selection.take.iter().chain(&selection.exclude);
    typed.filter_map(|typed| taken(typed, &schemas.iter().map(|schema| &schema.name), aliases, alias)).collect()
}

/// The same as [`choose`], and says what names were taken for.
pub(super) fn choose_and_tell(
    session: &Session,
    schemas: Vec<Schema>,
    selection: &Selection,
    aliases: &[(String, CollectionName)],
    alias: Alias,
) -> Result<Vec<Schema>, Error> {
    for taken in all_taken(&schemas, selection, aliases, alias) {
        session.events.warn(taken.warning());
    }
    choose(schemas, selection, aliases, alias)
}

/// The collections a selection takes, in the order of `schemas`. A name must exist, a glob must match something.
/// `aliases` are pairs of alias and collection.
pub(super) fn choose(
    schemas: Vec<Schema>,
    selection: &Selection,
    aliases: &[(String, CollectionName)],
    alias: Alias,
) -> Result<Vec<Schema>, Error> {
    let names: Vec<&CollectionName> = schemas.iter().map(|s| &s.name).collect();
    let real = |typed: &String| {
        let taken = taken(typed, &names.iter().copied(), aliases, alias);
        taken.map_or_else(|| typed.clone(), |taken| taken.collection.to_string())
    };
    let selection = &Selection {
        take: selection.take.iter().map(real).collect(),
        exclude: selection.exclude.iter().map(real).collect(),
    };
    let take = patterns(&selection.take)?;
    for (text, pattern) in selection.take.iter().zip(&take) {
        if !names.iter().any(|n| pattern.is_match(n.as_str())) {
            return Err(nothing(text, &names, aliases));
        }
    }
    let exclude = patterns(&selection.exclude)?;
    let wanted = |name: &CollectionName| {
        // A scratch collection lives for a moment, and no pattern means it.
        if name.is_scratch() && !selection.take.iter().any(|text| text == name.as_str()) {
            return false;
        }
        let taken = take.is_empty() || take.iter().any(|p| p.is_match(name.as_str()));
        taken && !exclude.iter().any(|p| p.is_match(name.as_str()))
    };
    let chosen: Vec<Schema> = schemas.into_iter().filter(|s| wanted(&s.name)).collect();
    if chosen.is_empty() {
        return Err(Error::NothingToDo { excluded: !selection.exclude.is_empty() });
    }
    Ok(chosen)
}

fn patterns(texts: &[String]) -> Result<Vec<GlobSet>, Error> {
    let build = |text: &String| {
        let glob = GlobBuilder::new(text).literal_separator(false).build();
        // A set of one says what it cannot compile, such as hundreds of nested braces; a matcher panics over it.
        let set = glob.and_then(|glob| GlobSet::builder().add(glob).build());
        set.map_err(|source| Error::BadGlob { glob: text.clone(), source })
    };
    texts.iter().map(build).collect()
}

fn is_glob(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}

fn nothing(text: &str, names: &[&CollectionName], aliases: &[(String, CollectionName)]) -> Error {
    if is_glob(text) {
        return Error::NothingMatched { glob: text.to_owned(), collections: names.len() };
    }
    let alias_of = aliases.iter().find(|(alias, _)| alias == text).map(|(_, collection)| collection.clone());
    Error::UnknownCollection { name: text.to_owned(), alias_of, similar: similar(text, names) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schemas() -> Vec<Schema> {
        ["Article", "Articles", "Author", "Zebra"]
            .map(|n| Schema::parse(format!(r#"{{"class":"{n}"}}"#).into()).expect("a schema"))
            .into()
    }

    fn chosen(take: &[&str], exclude: &[&str]) -> Result<Vec<String>, Error> {
        let own = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect();
        let selection = Selection { take: own(take), exclude: own(exclude) };
        let aliases = [("Now".to_owned(), "Zebra".parse().expect("a name"))];
        choose(schemas(), &selection, &aliases, Alias::Refuses)
            .map(|s| s.into_iter().map(|s| s.name.to_string()).collect())
    }

    #[test]
    fn names_and_globs_take_and_leave_out() {
        assert_eq!(chosen(&[], &[]).expect("all").len(), 4);
        assert_eq!(chosen(&["Zebra", "Art*"], &["Articles"]).expect("some"), ["Article", "Zebra"]);
        assert_eq!(chosen(&["A{rticle,uthor}"], &[]).expect("some"), ["Article", "Author"]);
    }

    #[test]
    fn a_misspelt_name_gets_suggestions() {
        let Err(Error::UnknownCollection { similar, .. }) = chosen(&["artcle"], &[]) else { panic!("unknown") };
        assert_eq!(similar.iter().map(ToString::to_string).collect::<Vec<_>>(), ["Article", "Articles"]);
        let Err(Error::UnknownCollection { similar, .. }) = chosen(&["Qqqqqq"], &[]) else { panic!("unknown") };
        assert!(similar.is_empty());
    }

    #[test]
    fn a_name_is_matched_exactly_then_as_an_alias_then_without_the_case_of_its_first_letter() {
        let aliases = [("Now", "Zebra"), ("article", "Author"), ("Gone", "Nowhere")];
        let aliases = aliases.map(|(alias, of)| (alias.to_owned(), of.parse().expect("a name")));
        let selection = |take: &[&str], exclude: &[&str]| Selection {
            take: take.iter().map(|text| (*text).to_owned()).collect(),
            exclude: exclude.iter().map(|text| (*text).to_owned()).collect(),
        };
        let chosen = |selection: &Selection, alias| {
            let chosen = choose(schemas(), selection, &aliases, alias)?;
            Ok::<_, Error>(chosen.into_iter().map(|schema| schema.name.to_string()).collect::<Vec<_>>())
        };
        for (typed, found) in [("Article", "Article"), ("Now", "Zebra"), ("article", "Author"), ("author", "Author")] {
            assert_eq!(chosen(&selection(&[typed], &[]), Alias::Follows).expect("one"), [found], "{typed}");
        }
        assert_eq!(chosen(&selection(&["author"], &[]), Alias::Refuses).expect("one"), ["Author"]);
        for (typed, alias) in [("Now", Alias::Refuses), ("Gone", Alias::Follows), ("article", Alias::Refuses)] {
            let refused = chosen(&selection(&[typed], &[]), alias).expect_err("refused");
            assert!(matches!(refused, Error::UnknownCollection { alias_of: Some(_), .. }), "{typed}: {refused:?}");
        }
        for typed in ["aRTICLE", "ARTICLE", "zEbra"] {
            assert!(chosen(&selection(&[typed], &[]), Alias::Follows).is_err(), "{typed}");
        }
        assert_eq!(chosen(&selection(&["A*"], &["author"]), Alias::Follows).expect("some"), ["Article", "Articles"]);
        let told = all_taken(&schemas(), &selection(&["Now", "author", "A*", "Zebra"], &[]), &aliases, Alias::Follows);
        let told: Vec<_> = told.iter().map(|one| (one.typed.as_str(), one.collection.as_str(), one.is_alias)).collect();
        assert_eq!(told, [("Now", "Zebra", true), ("author", "Author", false)]);
    }

    #[test]
    fn an_alias_is_named_as_such() {
        let Err(Error::UnknownCollection { alias_of, .. }) = chosen(&["Now"], &[]) else { panic!("unknown") };
        assert_eq!(alias_of.map(|a| a.to_string()).as_deref(), Some("Zebra"));
    }

    #[test]
    fn nothing_matched_is_an_error() {
        assert!(matches!(chosen(&["X*"], &[]), Err(Error::NothingMatched { collections: 4, .. })));
        assert!(matches!(chosen(&[], &["*"]), Err(Error::NothingToDo { excluded: true })));
        assert!(matches!(chosen(&["a[b"], &[]), Err(Error::BadGlob { .. })));
        let nested = "{a,".repeat(300) + &"}".repeat(300);
        for glob in [nested.clone(), nested.replace("{a,", "{"), "{".repeat(100_000), "*".repeat(100_000)] {
            let result = chosen(&[&glob], &[]);
            assert!(
                matches!(result, Err(Error::BadGlob { .. } | Error::NothingMatched { .. }) | Ok(_)),
                "{}",
                glob.len()
            );
        }
        assert!(matches!(chosen(&[&nested], &[]), Err(Error::BadGlob { .. })));
    }
}
