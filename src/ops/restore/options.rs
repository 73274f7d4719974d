//! What is asked of a restore, and what of it an earlier run has to share with one that resumes it.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::archive::RunAbout;
use crate::model::{CollectionName, Origin, Renames, Schema, Selection, Subset, TenantMap};
use crate::ops::StateFolders;
use crate::ops::run::bounds::{DIFFERENCES_LISTED, MEMORY_BYTES, PATIENCE, jobs};
use crate::ops::schema::settings::Setting;
use crate::pipeline::compare::Replaces;
use crate::pipeline::import::ImportOptions;

/// Requests of a merge in flight at most, unless it is said.
const MERGE_JOBS: usize = 3;

/// What to restore, under which names, and within which bounds.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub struct RestoreOptions {
    /// The archive's directory.
    pub archive: PathBuf,
    /// Which of its collections; names and globs as the archive calls them.
    pub selection: Selection,
    /// The new name of the only collection chosen.
    pub name: Option<CollectionName>,
    /// New names by old ones.
    pub renames: Renames,
    /// Which tenants, and their names on the server.
    pub tenants: TenantMap,
    /// Which objects of them, and what of these.
    pub subset: Subset,
    /// With objects; otherwise only the collections are created.
    pub data: bool,
    /// With vectors.
    pub vectors: bool,
    /// Whether objects that lack a vector may be sent to the server's vectorizer.
    pub revectorize: bool,
    /// Where servers may send such objects, and the keys of their modules, beside the modules' own places.
    pub allowed_endpoints: Vec<Origin>,
    /// Names of the headers that go along with every request, for the plan: servers pass keys in them on to modules.
    pub key_headers: Vec<String>,
    /// Whether integers the server would refuse become the nearest ones it takes.
    pub clamp_ints: bool,
    /// What becomes of the aliases that the archive knows.
    pub aliases: AliasPolicy,
    /// Whether missing roles are made.
    pub roles: bool,
    /// The class document that is asked for in place of the archived one, of the only collection chosen.
    pub schema_file: Option<SchemaFile>,
    /// Settings that are wanted otherwise.
    pub settings: Vec<Setting>,
    /// How collections that exist are met; `None`: nothing of a name that is restored may be there.
    pub merge: Option<Merge>,
    /// The folder of archives: what a merge replaces is kept in it, aside.
    pub folder: PathBuf,
    /// Whether the content is compared afterwards.
    pub verify: bool,
    /// Requests in flight at most; `None`: the pacer decides, up to [`bounds::MOST_JOBS`](crate::ops::bounds::MOST_JOBS).
    pub jobs: Option<usize>,
    /// Objects of a batch; `None`: the pacer decides.
    pub batch_objects: Option<u32>,
    /// Bytes that batches, buffers and answers may take.
    pub memory_bytes: u64,
    /// How long a server with a node away, or one that takes no writes, is waited for.
    pub patience: Duration,
    /// The folder below which each run has a directory for its files, and where locks lie.
    pub state: StateFolders,
    /// Differences listed at most by the comparison.
    pub differences_listed: usize,
    /// Whether a run of the same that did not get to its end is resumed. If there is none, a new one is begun.
    pub resume: bool,
    /// Whether the plan reads the objects although something stands against it: what a dry run shows is whole.
    pub looks_anyway: bool,
    /// Whether what is created is first created under scratch names.
    pub rehearse: bool,
}

impl RestoreOptions {
    /// What is chosen of the import.
    pub(super) fn import(&self) -> ImportOptions {
        // A merge has fewer requests in flight: the longer one takes, the longer is the time in which what somebody writes is
        // overwritten unseen.
        let jobs = if self.merge.is_some() { self.jobs.unwrap_or(MERGE_JOBS) } else { jobs(self.jobs) };
        ImportOptions { most_in_flight: jobs.max(1), patience: self.patience }
    }

    /// All collections of an archive under their names, with objects, vectors and aliases and without roles, tried out first
    /// and compared afterwards.
    #[must_use]
    pub fn new(archive: impl Into<PathBuf>, state: StateFolders) -> Self {
        Self {
            archive: archive.into(),
            selection: Selection::default(),
            name: None,
            renames: Renames::default(),
            tenants: TenantMap::Same,
            subset: Subset::default(),
            data: true,
            vectors: true,
            revectorize: false,
            allowed_endpoints: Vec::new(),
            key_headers: Vec::new(),
            clamp_ints: false,
            aliases: AliasPolicy::Keep,
            roles: false,
            schema_file: None,
            settings: Vec::new(),
            merge: None,
            folder: PathBuf::new(),
            verify: true,
            jobs: None,
            batch_objects: None,
            memory_bytes: MEMORY_BYTES,
            patience: PATIENCE,
            state,
            differences_listed: DIFFERENCES_LISTED,
            resume: false,
            looks_anyway: false,
            rehearse: true,
        }
    }

    /// What decides what is written, by its names in a run's journal: one that resumes it was asked the same. What is not here
    /// only tunes. `names`: of the collections that were chosen; `renames`: of all that are referred to.
    pub(super) fn choices(&self, names: &[(CollectionName, CollectionName)], renames: &Renames) -> Choices {
        let pairs = |pairs: &mut dyn Iterator<Item = (&CollectionName, &CollectionName)>| {
            Value::Object(pairs.map(|(old, new)| (old.to_string(), Value::from(new.as_str()))).collect())
        };
        [
            ("collections", RunChoice::Collections, pairs(&mut names.iter().map(|(old, new)| (old, new)))),
            ("renames", RunChoice::Renames, pairs(&mut renames.pairs())),
            ("tenants", RunChoice::Tenants, json!(self.tenants)),
            ("data", RunChoice::Data, json!(self.data)),
            ("vectors", RunChoice::Vectors, json!(self.vectors)),
            ("revectorize", RunChoice::Revectorize, json!(self.revectorize)),
            ("clamp_ints", RunChoice::ClampInts, json!(self.clamp_ints)),
            ("aliases", RunChoice::Aliases, json!(self.aliases)),
            ("roles", RunChoice::Roles, json!(self.roles)),
            ("schema", RunChoice::Schema, json!(self.schema_file.as_ref().map(SchemaFile::sha256))),
            ("settings", RunChoice::Settings, json!(Setting::sorted(&self.settings))),
            ("merge", RunChoice::Merge, json!(self.merge)),
            ("subset", RunChoice::Subset, if self.subset.is_all() { Value::Null } else { json!(self.subset) }),
        ]
    }

    /// The same with what decided in an earlier run, but for names; `None` where its journal does not tell.
    pub(super) fn begun_with(&self, about: &RunAbout) -> Option<Self> {
        // Of a class document nothing is told but whether it was this one; journals of earlier versions know of none.
        let schema = about.options.get("schema").unwrap_or(&Value::Null);
        if *schema != json!(self.schema_file.as_ref().map(SchemaFile::sha256)) {
            return None;
        }
        Some(Self {
            tenants: told(about, "tenants")?,
            subset: match about.options.get("subset") {
                // What an older journal does not know was not chosen.
                None | Some(Value::Null) => Subset::default(),
                Some(subset) => serde_json::from_value(subset.clone()).ok()?,
            },
            data: told(about, "data")?,
            vectors: told(about, "vectors")?,
            revectorize: told(about, "revectorize")?,
            clamp_ints: told(about, "clamp_ints")?,
            aliases: told(about, "aliases")?,
            roles: told(about, "roles")?,
            settings: told(about, "settings")?,
            // An older journal does not know it.
            merge: told(about, "merge").flatten(),
            ..self.clone()
        })
    }
}

/// An edited class document of the only collection that is restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaFile {
    /// Where it was read from, for whoever gives the command again.
    pub path: PathBuf,
    /// What is in it. Its class is the collection's, by its name in the archive or the one that it gets.
    pub schema: Schema,
}

impl SchemaFile {
    /// What a journal knows it by.
    pub(super) fn sha256(&self) -> String {
        Sha256::digest(&self.schema.text).iter().fold(String::new(), |mut hex, byte| {
            // A String takes every write.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

/// What a journal says of one of them.
pub(super) fn told<T: DeserializeOwned>(about: &RunAbout, key: &str) -> Option<T> {
    serde_json::from_value(about.options.get(key)?.clone()).ok()
}

/// What decides what is written: its name in a run's journal, which choice it is, and what was chosen.
pub(super) type Choices = [(&'static str, RunChoice, Value); 13];

/// What becomes of aliases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AliasPolicy {
    /// Missing ones are made, those that exist stay as they are.
    #[default]
    Keep,
    /// Those that exist are made to stand for the restored collections.
    Overwrite,
    /// None is touched.
    Skip,
}

/// How a restore meets collections that exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Merge {
    /// What becomes of objects that are there and differ.
    pub on_conflict: ConflictPolicy,
    /// Whether properties that a collection lacks are added to it.
    pub add_properties: bool,
    /// Whether any difference of a schema stands against it, not only what its objects need.
    pub strict: bool,
}

/// What becomes of an object that is there and differs from the archive's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictPolicy {
    /// It stands against the plan.
    #[default]
    Fail,
    /// It stays.
    Skip,
    /// The archive's takes its place.
    Overwrite,
    /// The archive's takes its place if it was updated later.
    Newer,
}

impl Merge {
    /// Which objects that differ are replaced.
    pub(super) fn replaces(self) -> Replaces {
        match self.on_conflict {
            ConflictPolicy::Fail | ConflictPolicy::Skip => Replaces::Nothing,
            ConflictPolicy::Overwrite => Replaces::Everything,
            ConflictPolicy::Newer => Replaces::Older,
        }
    }
}

/// What decides what a restore writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the variant says the fact")]
pub enum RunChoice {
    #[error("which collections are restored, and under which names (--only, --name, --rename)")]
    Collections,
    #[error("new names of collections that are referred to (--rename)")]
    Renames,
    #[error("which tenants are restored, and as what (--tenant, --into-tenant, --into-plain)")]
    Tenants,
    #[error("whether objects are restored (--skip-data)")]
    Data,
    #[error("whether vectors are restored (--skip-vectors)")]
    Vectors,
    #[error("whether the server makes vectors (--revectorize)")]
    Revectorize,
    #[error("whether integers are changed (--clamp-ints)")]
    ClampInts,
    #[error("what becomes of aliases (--alias)")]
    Aliases,
    #[error("whether roles are made (--with-roles)")]
    Roles,
    #[error("the class document that is restored (--schema-file)")]
    Schema,
    #[error("settings that are wanted otherwise (--set)")]
    Settings,
    #[error("how collections that exist are met (--merge, --on-conflict, --add-properties, --strict)")]
    Merge,
    #[error("which objects are restored, and what of them (--where, --sample, --limit, --fields)")]
    Subset,
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::event::Op;

    #[test]
    fn what_decides_stands_in_journals_as_ever() {
        fn stand<T: Serialize + DeserializeOwned>(texts: &[&str]) {
            for text in texts {
                let read: T = serde_json::from_str(text).expect("a choice");
                assert_eq!(serde_json::to_string(&read).expect("JSON"), *text);
            }
        }
        stand::<TenantMap>(&[r#""same""#, r#"{"only":{"a":"b"}}"#, r#"{"into_tenant":"a"}"#, r#"{"into_plain":"a"}"#]);
        stand::<AliasPolicy>(&[r#""keep""#, r#""overwrite""#, r#""skip""#]);
        stand::<Setting>(&[r#""no_vectorizer""#, r#""no_object_ttl""#, r#""Article.shards=3""#]);
        let both = ["objectTtl=off", "vectorizer=none"].map(|text| text.parse().expect("a setting"));
        assert_eq!(json!(Setting::sorted(&both)), json!(["no_vectorizer", "no_object_ttl"]), "as of earlier versions");
        stand::<Option<Merge>>(&[
            "null",
            r#"{"on_conflict":"fail","add_properties":false,"strict":true}"#,
            r#"{"on_conflict":"newer","add_properties":true,"strict":false}"#,
        ]);
    }

    #[test]
    fn a_journal_knows_a_file_by_its_text() {
        let file =
            |text: &'static str| SchemaFile { path: "f".into(), schema: Schema::parse(text.into()).expect("one") };
        let (one, other) = (file(r#"{"class":"A"}"#).sha256(), file(r#"{"class": "A"}"#).sha256());
        assert!(one.len() == 64 && one != other, "{one} {other}");
    }

    #[test]
    fn what_a_journal_tells_is_what_was_asked_for() {
        let state = StateFolders { runs: "/runs".into(), locks: "/locks".into() };
        let asked = RestoreOptions {
            tenants: TenantMap::IntoTenant("a".parse().expect("a name")),
            vectors: false,
            clamp_ints: true,
            aliases: AliasPolicy::Overwrite,
            subset: Subset { filter: Some("a = 1".parse().expect("a filter")), ..Subset::default() },
            settings: vec!["vectorizer=none".parse().expect("a setting")],
            jobs: Some(3),
            ..RestoreOptions::new("/backups/A", state.clone())
        };
        let choices = |options: &RestoreOptions| options.choices(&[], &Renames::default());
        let options = choices(&asked).map(|(key, _, value)| (key.to_owned(), value)).into_iter().collect();
        let about = RunAbout { options, ..RunAbout::new(Op::Restore, Timestamp::UNIX_EPOCH, "") };
        let read = RestoreOptions::new("/backups/A", state).begun_with(&about).expect("told");
        assert_eq!((choices(&read), read.jobs), (choices(&asked), None), "what only tunes is as it is now");
        assert_eq!(told::<bool>(&about, "nothing"), None);
    }
}
