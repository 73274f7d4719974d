//! Turns an operation's error into words: the one place that knows both its data and how to speak to a person.

use super::words::message;
use super::{Failure, remedy};
use crate::event::Op;
use crate::ops::{Error, Hint};
use crate::render::quoted;
use crate::weaviate::Error as WireError;

/// The failure a person reads, with its class, causes and advice.
pub(super) fn explain(error: &Error) -> Failure {
    explain_for(Op::Backup, error)
}

/// The same, with the advice that fits an operation.
pub(super) fn explain_for(op: Op, error: &Error) -> Failure {
    let failure = told(error);
    let special = |hint: &Hint| match op {
        Op::Restore => restore_words(hint),
        Op::Verify => verify_words(hint),
        Op::Rm => rm_words(hint),
        Op::Clear => clear_words(hint),
        Op::Create => create_words(hint),
        _ => None,
    };
    let advice = |hint: &Hint| match (op, hint) {
        (Op::Create | Op::Clear, Hint::EnableModules(modules)) => {
            let modules = modules.join(", ");
            let instead = if op == Op::Create { "; or create it with another vectorizer" } else { "" };
            format!("enable on the server (ENABLE_MODULES): {modules}{instead}")
        }
        _ => special(hint).map_or_else(|| words(hint), Into::into),
    };
    advised(failure, error, advice)
}

/// The same for commands that list and show.
pub(super) fn explain_reading(error: &Error) -> Failure {
    let failure = told(error);
    let advice = |hint: &Hint| reading_words(hint).map_or_else(|| words(hint), Into::into);
    advised(failure, error, advice)
}

/// The error and what is behind it. Why a server refuses for good stands in the first line, its own words below.
fn told(error: &Error) -> Failure {
    let failure = Failure { message: message(error), ..Failure::from_error(error.class(), error) };
    if let Error::Damages { damages, .. } = error {
        return damages.iter().fold(failure, |failure, damage| failure.because(damage.to_string()));
    }
    match error.wire().map(WireError::root) {
        Some(WireError::Lasting { route, status, cause, message }) => {
            let what = if matches!(error, Error::Wire(_)) { String::new() } else { format!("{error}: ") };
            Failure::new(failure.class, format!("{what}{cause}")).because(format!("{route} ({status}): {message}"))
        }
        _ => failure,
    }
}

/// The advice with it. What alone helps stands in the second line.
fn advised(failure: Failure, error: &Error, words: impl Fn(&Hint) -> String) -> Failure {
    error.hints().iter().fold(failure, |failure, hint| match hint {
        Hint::ChangeServer(cause) => Failure { remedy: Some(remedy::words(cause)), ..failure },
        hint => failure.hint(words(hint)),
    })
}

/// Advice that is another for reading.
fn reading_words(hint: &Hint) -> Option<&'static str> {
    Some(match hint {
        Hint::GrantPermission => {
            "listing needs read_collections and read_tenants on the collections; counts need read_collections on all of them, sizes read_data, and read_nodes tells whether the server is whole"
        }
        Hint::RunAgain => "run the command again once the server answers",
        _ => return None,
    })
}

/// Advice that is another for a restore.
fn restore_words(hint: &Hint) -> Option<&'static str> {
    Some(match hint {
        Hint::ListCollections => "`elysiactl archive show ARCHIVE` lists the collections of an archive",
        Hint::GrantPermission => {
            "a restore needs create_collections, read_collections and update_collections, create_data, update_data and read_data on its collections (delete_data too where objects expire), create_tenants, read_tenants and update_tenants where there are tenants, and read_nodes to see whether the server is whole; for aliases and roles read_aliases, create_aliases and update_aliases, read_roles and create_roles"
        }
        Hint::MakeRoom => "free some space, or choose another folder with --run-dir",
        Hint::OtherFolder => "choose another folder with --run-dir",
        Hint::RunAgain => "run the command again once the server answers",
        Hint::SmallerPages => "smaller batches may help: --batch-size 10",
        Hint::WaitForOtherRun => {
            "another run is at work on the same collection of this server: wait for it to end, or stop it"
        }
        _ => return None,
    })
}

/// Advice that is another for a comparison.
fn verify_words(hint: &Hint) -> Option<&'static str> {
    Some(match hint {
        Hint::ListCollections => {
            "the server may have it under another name: --name NEW, or --rename OLD=NEW for several; `elysiactl col ls` lists the collections this key can see"
        }
        Hint::GrantPermission => {
            "a comparison needs read_collections and read_data on its collections, read_tenants and, to wake those that sleep, update_tenants where there are tenants, and read_nodes to see whether the server is whole"
        }
        Hint::RunAgain => "run the command again once the server answers",
        Hint::SmallerPages => "a smaller --memory-limit makes smaller pages",
        _ => return None,
    })
}

/// Advice that is another for a removal.
fn rm_words(hint: &Hint) -> Option<&'static str> {
    Some(match hint {
        Hint::GrantPermission => {
            "a removal needs read_collections and delete_collections on its collections, read_tenants on multi-tenant ones, and read_nodes to see whether the server is whole"
        }
        Hint::MakeRoom => "free some space, or choose another folder with --output",
        Hint::RunAgain => {
            "look at what is there now (--dry-run shows it), then run the command again; with --yes it takes whatever is there"
        }
        Hint::WaitForOtherRun => {
            "another run is at work on the same collection of this server: wait for it to end, or stop it"
        }
        _ => return None,
    })
}

/// Advice that is another for a clear.
fn clear_words(hint: &Hint) -> Option<&'static str> {
    Some(match hint {
        Hint::GrantPermission => {
            "clearing needs delete_data, or delete_collections and create_collections, on its collections (for single tenants delete_tenants and create_tenants), read_collections and read_tenants, and read_nodes to see whether the server is whole"
        }
        Hint::NoObjectTtl => "set OBJECTS_TTL_DELETE_SCHEDULE on the server, as it was when the collection was made",
        Hint::MakeRoom => "free some space, or choose other folders with --output and --run-dir",
        Hint::OtherFolder => "choose other folders with --output and --run-dir",
        Hint::RunAgain => {
            "look at what is there now (--dry-run shows it), then run the command again; with --yes it takes whatever is there"
        }
        Hint::WaitForOtherRun => {
            "another run is at work on the same collection of this server: wait for it to end, or stop it"
        }
        _ => return None,
    })
}

/// Advice that is another for a creation.
fn create_words(hint: &Hint) -> Option<&'static str> {
    Some(match hint {
        Hint::OtherName => {
            "give it another name: `elysiactl col create NAME --schema-file FILE`; what exists is never written to"
        }
        Hint::GrantPermission => {
            "creating needs create_collections and read_collections, create_tenants and read_tenants for tenants, and read_nodes to see whether the server is whole"
        }
        Hint::NameTenants => "leave out the tenants that the key may not create",
        Hint::NewerServer => "create it on a server of the version named, or a later one",
        Hint::ChooseTargets => "create the collections that it refers to first",
        Hint::NoObjectTtl => "set OBJECTS_TTL_DELETE_SCHEDULE on the server; or take objectTtlConfig out of the schema",
        Hint::RunAgain => "look whether it is there, then run the command again",
        Hint::WaitForOtherRun => {
            "another run is at work on the same collection of this server: wait for it to end, or stop it"
        }
        _ => return None,
    })
}

fn names(names: &[impl ToString]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Advice about the way to the server.
fn connection_words(hint: &Hint) -> &'static str {
    match hint {
        Hint::GiveKey => {
            "put the API key, or an OIDC access token, into WEAVIATE_API_KEY (into WCD_API_KEY where the address comes from WCD_URL: the two pairs are never mixed), or name a file with --api-key-file"
        }
        Hint::OtherKey => {
            "a key was sent, and this server does not accept it: check that it belongs to this server and is not revoked; an OIDC token may have expired"
        }
        Hint::CheckName => "check the host in --url or WEAVIATE_URL: its name cannot be resolved from here",
        Hint::UseHttp => "the server speaks plain HTTP on this port: write the address with http://",
        Hint::UseHttps => "the server may speak HTTPS on this port: write the address with https://",
        Hint::CheckCertificate => "name your own authority's certificate with --ca-cert FILE",
        Hint::OtherServerName => {
            "the server's certificate is for other names: write the address in --url or WEAVIATE_URL with one that it is for, or give the server a certificate for this one; --ca-cert does not help"
        }
        Hint::RenewCertificate => {
            "the server's certificate is out of date by the clock of this machine: renew it, or set the clock"
        }
        Hint::ShowClientCertificate => {
            "the server takes only clients that show a certificate that it trusts: --client-cert FILE --client-key FILE"
        }
        Hint::PairClientCertificate => {
            "--client-cert and --client-key take PEM files that belong together: the certificate first in its file, and the private key of that same certificate"
        }
        Hint::ServerGone => "the server answered before and is gone now: see that it runs, then run the command again",
        _ => "",
    }
}

#[expect(clippy::too_many_lines, reason = "one table")]
fn words(hint: &Hint) -> String {
    match hint {
        Hint::GiveKey
        | Hint::OtherKey
        | Hint::CheckName
        | Hint::UseHttp
        | Hint::UseHttps
        | Hint::CheckCertificate
        | Hint::OtherServerName
        | Hint::RenewCertificate
        | Hint::ShowClientCertificate
        | Hint::PairClientCertificate
        | Hint::ServerGone => connection_words(hint).into(),
        Hint::DidYouMean(collections) => format!("did you mean {}?", names(collections)),
        Hint::IsAlias(collection) => format!("it is an alias of {collection}; name that collection instead"),
        Hint::ListCollections => "`elysiactl col ls` lists the collections this key can see".into(),
        Hint::MaybeNotAllowed => "a key without the right to read collections sees none: check the key's roles".into(),
        Hint::CheckUrl => {
            "check --url, WEAVIATE_URL or WCD_URL: the REST port is usually 8080 (8079 for embedded Weaviate, 443 in the cloud)".into()
        }
        Hint::GrantPermission => {
            "a backup needs read_collections and read_data on its collections, read_tenants and, to wake those that sleep, update_tenants where there are tenants, and read_nodes to see whether the server is whole; a role that is limited to some tenants needs read_tenants on * to list them".into()
        }
        Hint::ReadEveryTenant => {
            "servers list objects, also those of a single tenant, only to a key whose read_data is on all tenants (tenant *): --tenant does not help here".into()
        }
        Hint::NameTenants => "--tenant chooses the tenants that the key may do it to".into(),
        Hint::WithoutComparison => "--no-verify restores without comparing afterwards, which takes no read_data".into(),
        Hint::WaitForNodes => "wait until every node of the server is back, then run the command again".into(),
        Hint::AllowMissingNodes => {
            "if they are lost for good: --allow-missing-nodes backs up what the others hold (exit 3); a write that reached only the missing nodes is not in it".into()
        }
        Hint::MakeRoom => "free some space, choose another folder with --output, or compress with -z".into(),
        Hint::OtherFolder => "choose another folder with --output".into(),
        Hint::InstallCertificates => {
            "install this machine's CA certificates (often a package named ca-certificates), or name one with --ca-cert FILE".into()
        }
        Hint::RunAgain => "run the command again; every run makes an archive of its own".into(),
        Hint::RaiseMemoryLimit { .. } => {
            "raise --memory-limit to 24 MiB and twice the size of the largest object; no object is larger than 256 MiB".into()
        }
        Hint::OtherMachine => {
            "the archive itself may well be sound: a disk, its cable or the memory of this machine fails at times; copy the archive to another one and check it there with `elysiactl archive check`".into()
        }
        Hint::ArchiveInUse => {
            "somebody changes the archive while it is read: see that nobody does, and look at it with `elysiactl archive check` before it is used again".into()
        }
        Hint::ArchiveDamaged => {
            "do not restore from this archive: take another copy of it, or back up again while the server still has the data".into()
        }
        Hint::BackUpAgain => {
            "an archive without a manifest is not a backup: carry it on with `elysiactl col backup --resume=ARCHIVE`".into()
        }
        Hint::Upgrade(version) => format!("use elysiactl {version} or later to read it"),
        Hint::WaitForOtherRun => "wait for the other run to end, or stop it".into(),
        Hint::SmallerPages => "smaller pages may help: --batch-size 10".into(),
        Hint::RaisePageLimit => "raise QUERY_MAXIMUM_RESULTS on the server: it allows no page at all".into(),
        Hint::ExcludeCollection => "leave this collection out to go on with the others, or make the object smaller".into(),
        Hint::MakeWritable => {
            "the server's disk or memory may be short, or its shards were set read-only: see to that, then run again".into()
        }
        Hint::RemoveCollection(collection) => {
            format!("{collection} exists now and has no objects: remove it before the next try")
        }
        Hint::OtherName => {
            "restore under another name with --name NEW or --rename OLD=NEW; a collection that exists is never written to".into()
        }
        Hint::Revectorize => "--revectorize allows it; it may cost money, and the vectors will be other ones".into(),
        Hint::AllowEndpoint(origins) if origins.is_empty() => {
            "that is no address that could be allowed: restore without the module, with --set vectorizer=none".into()
        }
        Hint::AllowEndpoint(origins) => {
            let flags = origins.iter().map(|origin| format!("--allow-endpoint {}", quoted(origin)));
            let flags = flags.collect::<Vec<_>>().join(" ");
            format!("{flags} allows it, if you know who answers there; --set vectorizer=none restores without the module")
        }
        Hint::RenameEach => {
            "--rename OLD=NEW names one collection, --rename '*=NEW*' all of them; --only chooses among them".into()
        }
        Hint::ShowArchive => "`elysiactl archive show` lists the collections of an archive".into(),
        Hint::NameArchive => "name the directory of one archive: the one that holds manifest.json".into(),
        Hint::NewerServer => "restore to a server of the version named, or a later one".into(),
        Hint::EnableModules(modules) => {
            let modules = modules.join(", ");
            format!("enable on the server (ENABLE_MODULES): {modules}; or restore without, with --set vectorizer=none")
        }
        Hint::ChooseTargets => "restore the collections that are referred to in the same run, or before".into(),
        Hint::LeaveOut(collections) => format!("everything but {} can be chosen with --only", names(collections)),
        Hint::StopWriters => "stop what writes to it, then bring the schema back".into(),
        Hint::OtherStateFolder => {
            "the files of runs and their locks lie below XDG_STATE_HOME, or ~/.local/state: set XDG_STATE_HOME to a folder that can be written (--run-dir, where the command has it, moves all but the locks)".into()
        }
        Hint::OtherNames => {
            "restore under other names with --rename OLD=NEW, once for each; a collection that exists is never written to".into()
        }
        Hint::DeleteInstead => "--method delete empties it without dropping it".into(),
        Hint::WritersFirst => "or stop what writes to it, then run again".into(),
        Hint::RecreateInstead => {
            "--method recreate drops it all the same; or set its shards to READY, then run again".into()
        }
        Hint::WakeTenants => {
            "activate the tenants and use --method delete, or clear the whole collection, with every other tenant of it, with --method recreate".into()
        }
        Hint::NameRunFolder => "name a folder with --run-dir".into(),
        Hint::SkipAliases => "leave aliases alone with --alias skip".into(),
        Hint::RemoveAlias => {
            "no server takes a collection by the name of an alias, in any spelling: remove the alias if nobody reads by it (DELETE /v1/aliases/NAME)".into()
        }
        Hint::KeepAliases => {
            "give the key read_aliases on it, or leave aliases that are there as they are with --alias keep".into()
        }
        Hint::NoObjectTtl => {
            "set OBJECTS_TTL_DELETE_SCHEDULE on the server; or restore without expiry, with --set objectTtl=off".into()
        }
        Hint::WithoutResume => "without --resume a new run is begun, if nothing is in its way".into(),
        Hint::RemoveWhatWasLeft => {
            "what is there now is not what the unfinished run left: see whose it is before you remove it; or restore without --resume under another name, with --name or --rename".into()
        }
        Hint::WithoutRoles => "leave --with-roles out, or make the roles by hand from the archive's roles.json".into(),
        Hint::OtherTenant => "give it another name with --tenant OLD=NEW".into(),
        Hint::ListTenants => "`elysiactl col show NAME` lists the tenants of a collection".into(),
        Hint::ListArchivedTenants => {
            "the tenants of an archive: jq -r '.collections[].tenants[].tenant' manifest.json".into()
        }
        Hint::DidYouMeanTenants(tenants) => format!("did you mean {}?", names(tenants)),
        Hint::WithoutRehearsal => {
            "--no-rehearsal goes on without having tried it; whether the server takes the schema is then not proven".into()
        }
        Hint::AllowProtected => {
            "these names belong to systems that may depend on them; --allow-protected goes on all the same".into()
        }
        Hint::ChangeServer(cause) => remedy::words(cause),
        Hint::Report => "this is a bug: please report it with the command and the output of -vv".into(),
    }
}
