//! An earlier run as it was asked for, told from its journal.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::RestoreOptions;
use crate::archive::runfiles::{self, RunAbout};
use crate::archive::{Archive, Error};
use crate::model::{CollectionName, RenamePattern, Renames, Selection, path_of_text};
use crate::ops::{RunName, Session, blocking};

/// Collections and new names that a command names at most: more is no line that anybody types.
const NAMED: usize = 20;

/// The options that an unfinished run to this server was begun with; what only tunes a run is as in `options`. `None` where
/// they cannot be told, or their archive is not where it was.
pub async fn as_begun(
    session: &Session,
    options: &RestoreOptions,
    server_url: &str,
    run: &RunName,
) -> Option<RestoreOptions> {
    let (archives, local) = (Arc::clone(&session.archives), Arc::clone(&session.local));
    let (runs, run_id) = (options.state.runs.clone(), run.run_id);
    let (url, now) = (server_url.to_owned(), options.clone());
    let begun = blocking("earlier runs", move || {
        let kept = runfiles::look(&*local, &runs, run_id, &now.tenants)?;
        let Some(about) = kept.history.about.filter(|about| about.is_about(&url)) else { return Ok(None) };
        let archive = Archive::open(&archives, &path_of_text(&about.archive))?;
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
        tenants: told(about, "tenants")?,
        data: told(about, "data")?,
        vectors: told(about, "vectors")?,
        revectorize: told(about, "revectorize")?,
        clamp_ints: told(about, "clamp_ints")?,
        aliases: told(about, "aliases")?,
        roles: told(about, "roles")?,
        settings: told(about, "settings")?,
        ..now.clone()
    })
}

fn told<T: DeserializeOwned>(about: &RunAbout, key: &str) -> Option<T> {
    serde_json::from_value(about.options.get(key)?.clone()).ok()
}

/// The one pattern that gives all collections of an archive their new names, if there are several and one does.
fn pattern(
    renamed: &BTreeMap<CollectionName, CollectionName>,
    all: &BTreeSet<CollectionName>,
) -> Option<RenamePattern> {
    if renamed.len() < 2 || !renamed.keys().eq(all) {
        return None;
    }
    let (old, new) = renamed.first_key_value()?;
    let (before, after) = new.as_str().split_once(old.as_str())?;
    let pattern = RenamePattern::parse("*", &format!("{before}*{after}"))?;
    renamed.iter().all(|(old, new)| pattern.apply(old).is_some_and(|made| made.as_ref() == Ok(new))).then_some(pattern)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::event::Op;
    use crate::model::TenantMap;

    fn about() -> RunAbout {
        let options = json!({"collections": {"A": "A2"}, "renames": {"A": "A2"}, "tenants": {"only": {"a": "b"}}, "data": true,
            "vectors": false, "revectorize": false, "clamp_ints": true, "aliases": "overwrite", "roles": false,
            "settings": ["no_vectorizer"], "jobs": 3});
        RunAbout {
            op: Op::Restore,
            tool: RunAbout::this_tool(),
            run_id: Uuid::from_u128(1),
            started: Timestamp::UNIX_EPOCH,
            server_url: "http://a:8080/".into(),
            server_version: "1.40.0".into(),
            archive: "/backups/A".into(),
            archive_run_id: "7".into(),
            options: options.as_object().expect("an object").clone(),
        }
    }

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

    #[test]
    fn what_decides_stands_in_journals_as_ever() {
        fn stand<T: serde::Serialize + DeserializeOwned>(texts: &[&str]) {
            for text in texts {
                let read: T = serde_json::from_str(text).expect("a choice");
                assert_eq!(serde_json::to_string(&read).expect("JSON"), *text);
            }
        }
        stand::<TenantMap>(&[r#""same""#, r#"{"only":{"a":"b"}}"#, r#"{"into_tenant":"a"}"#, r#"{"into_plain":"a"}"#]);
        stand::<super::super::AliasPolicy>(&[r#""keep""#, r#""overwrite""#, r#""skip""#]);
        stand::<super::super::Setting>(&[r#""no_vectorizer""#, r#""no_object_ttl""#]);
    }

    #[test]
    fn what_a_journal_tells_is_what_was_asked_for() {
        let about = about();
        let pair = ("a".parse().expect("a name"), "b".parse().expect("a name"));
        assert_eq!(told(&about, "tenants"), Some(TenantMap::Only([pair].into())));
        assert_eq!(told(&about, "aliases"), Some(super::super::AliasPolicy::Overwrite));
        assert_eq!(told(&about, "settings"), Some(vec![super::super::Setting::NoVectorizer]));
        assert_eq!(told::<bool>(&about, "nothing"), None);
    }
}
