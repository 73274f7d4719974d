//! An earlier run as it was asked for, told from its journal.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::options::{RestoreOptions, told};
use crate::archive::runfiles::{self, RunAbout};
use crate::archive::{Archive, Error};
use crate::model::{CollectionName, RenamePattern, Renames, Selection, path_of_text};
use crate::ops::{RunName, Session, blocking};

/// Collections and new names that a command names at most: more is no line that anybody types.
const NAMED: usize = 20;

/// The options that an unfinished run to this server was begun with; what only tunes a run is as in `options`. `None` where
/// they cannot be told, or their archive is not where it was.
pub async fn as_begun(session: &Session, options: &RestoreOptions, url: &str, run: &RunName) -> Option<RestoreOptions> {
    let (archives, local) = (Arc::clone(&session.archives), Arc::clone(&session.local));
    let (runs, run_id) = (options.state.runs.clone(), run.run_id);
    let (url, now) = (url.to_owned(), options.clone());
    let begun = blocking("earlier runs", move || {
        let kept = runfiles::look(&*local, &runs, run_id, &now.tenants)?;
        let Some(about) = kept.history.about.filter(|about| about.is_about(&url)) else { return Ok(None) };
        let archive = Archive::open(&archives, &path_of_text(&about.archive))?;
        if archive.manifest().run_id != about.archive_run_id {
            return Ok(None);
        }
        let all = archive.collections().iter().filter_map(|entry| entry.name.parse().ok()).collect();
        Ok::<_, Error>(begun(&now, &about, &all))
    });
    // Only a line of advice depends on it.
    begun.await.ok().flatten()
}

/// The same, of an archive with these collections.
fn begun(now: &RestoreOptions, about: &RunAbout, all: &BTreeSet<CollectionName>) -> Option<RestoreOptions> {
    let chosen: BTreeMap<CollectionName, CollectionName> = told(about, "collections")?;
    let names: BTreeMap<CollectionName, CollectionName> = told(about, "renames")?;
    let take = if chosen.keys().eq(all) { Vec::new() } else { chosen.keys().map(ToString::to_string).collect() };
    let mut renames = Renames::default();
    if let Some(pattern) = pattern(&names, all) {
        renames.insert_pattern(pattern);
    } else {
        for (old, new) in names {
            renames.insert(old, new);
        }
    }
    if take.len() + renames.pairs().count() > NAMED {
        return None;
    }
    Some(RestoreOptions {
        archive: path_of_text(&about.archive),
        selection: Selection { take, exclude: Vec::new() },
        name: None,
        renames,
        ..now.begun_with(about)?
    })
}

/// The one pattern that gives all collections of an archive their new names, if there are several and one does.
fn pattern(names: &BTreeMap<CollectionName, CollectionName>, all: &BTreeSet<CollectionName>) -> Option<RenamePattern> {
    if names.len() < 2 || !names.keys().eq(all) {
        return None;
    }
    let (old, new) = names.first_key_value()?;
    let (before, after) = new.as_str().split_once(old.as_str())?;
    let pattern = RenamePattern::parse("*", &format!("{before}*{after}"))?;
    names.iter().all(|(old, new)| pattern.apply(old).is_some_and(|made| made.as_ref() == Ok(new))).then_some(pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pattern_stands_for_many_new_names() {
        let names = |names: &[&str]| names.iter().map(|name| name.parse().expect("a name")).collect::<BTreeSet<_>>();
        let pairs = |pairs: &[(&str, &str)]| {
            let name = |name: &str| name.parse::<CollectionName>().expect("a name");
            pairs.iter().map(|(old, new)| (name(old), name(new))).collect::<BTreeMap<_, _>>()
        };
        let of = |renamed: &[(&str, &str)], all: &[&str]| {
            pattern(&pairs(renamed), &names(all)).map(|pattern| pattern.to_string())
        };
        assert_eq!(of(&[("A", "TA80"), ("B", "TB80")], &["A", "B"]).as_deref(), Some("*=T*80"));
        assert_eq!(of(&[("A", "TA80"), ("B", "TB80")], &["A", "B", "C"]), None, "C would get another name, too");
        assert_eq!(of(&[("A", "TA"), ("B", "B2")], &["A", "B"]), None);
        assert_eq!(of(&[("A", "B"), ("B", "A")], &["A", "B"]), None);
        assert_eq!(of(&[("A", "A2")], &["A"]), None, "one is named");
    }
}
