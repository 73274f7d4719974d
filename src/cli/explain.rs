//! Turns an operation's error into words: the one place that knows both its data and how to speak to a person.

use super::Failure;
use crate::model::CollectionName;
use crate::ops::{Error, Hint};

/// The failure a person reads, with its class, causes and advice.
pub(super) fn explain(error: &Error) -> Failure {
    let failure = Failure::from_error(error.class(), error);
    error.hints().iter().fold(failure, |failure, hint| failure.hint(words(hint)))
}

fn names(collections: &[CollectionName]) -> String {
    collections.iter().map(CollectionName::as_str).collect::<Vec<_>>().join(", ")
}

fn words(hint: &Hint) -> String {
    match hint {
        Hint::DidYouMean(collections) => format!("did you mean {}?", names(collections)),
        Hint::IsAlias(collection) => format!("it is an alias of {collection}; name that collection instead"),
        Hint::ListCollections => "`elysiactl col backup --dry-run` lists the collections this key can see".into(),
        Hint::MaybeNotAllowed => "a key without the right to read collections sees none: check the key's roles".into(),
        Hint::CheckUrl => {
            "check --url or WEAVIATE_URL: the REST port is usually 8080 (8079 for embedded Weaviate, 443 in the cloud)".into()
        }
        Hint::GiveKey => "put the API key into WEAVIATE_API_KEY, or name a file with --api-key-file".into(),
        Hint::GrantPermission => {
            "a backup needs read_collections and read_data on its collections, and read_nodes to see whether the server is whole".into()
        }
        Hint::WaitForNodes => "wait until every node of the server is back, then run the command again".into(),
        Hint::MakeRoom => "free some space, choose another folder with --output, or compress with -z".into(),
        Hint::OtherFolder => "choose another folder with --output".into(),
        Hint::CheckCertificate => "name your own authority's certificate with --ca-cert FILE".into(),
        Hint::RunAgain => "run the command again; every run makes an archive of its own".into(),
        Hint::ArchiveDamaged => {
            "do not restore from this archive: take another copy of it, or back up again while the server still has the data".into()
        }
        Hint::BackUpAgain => "an archive without a manifest is not a backup: back up again".into(),
        Hint::Upgrade(version) => format!("use elysiactl {version} or later to read it"),
        Hint::WaitForOtherRun => "wait for the other run to end, or stop it".into(),
        Hint::SmallerPages => "smaller pages may help: --batch-size 10".into(),
        Hint::NameArchive => "name the directory of one archive: the one that holds manifest.json".into(),
        Hint::Report => "this is a bug: please report it with the command and the output of -vv".into(),
    }
}
