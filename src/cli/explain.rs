//! Turns an operation's error into words: the one place that knows both its data and how to speak to a person.

use super::words::message;
use super::{Failure, remedy};
use crate::model::Unfit;
use crate::ops::restore::Setting;
use crate::ops::{Error, Hint};
use crate::render::{caret, quoted};
use crate::weaviate::Error as WireError;

/// The archives of a folder, as a shell takes it. In `advice`, clippy would take it for the beginning of a comment.
const EACH_OF_A_FOLDER: &str = "FOLDER/*";

/// Settings named in one line of advice.
const SETTINGS_NAMED: usize = 10;

/// What was asked for: some advice is another for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Backup,
    Restore,
    Verify,
    Rm,
    Clear,
    Create,
    /// `col ls` and `col show`.
    List,
    /// All that reads an archive alone.
    Archive,
}

/// The failure a person reads, with its class, causes and advice. What alone helps stands in its second line.
pub(super) fn explain(verb: Verb, error: &Error) -> Failure {
    error.hints().iter().fold(told(error), |failure, hint| match hint {
        Hint::ChangeServer(cause) => Failure { remedy: Some(remedy::words(cause)), ..failure },
        hint => failure.hint(advice(verb, hint)),
    })
}

/// The error and what is behind it. Why a server refuses for good stands in the first line, its own words below.
fn told(error: &Error) -> Failure {
    let failure = Failure { message: message(error), ..Failure::from_error(error.class(), error) };
    if let Error::Unfit { source, .. } = error
        && let Unfit::Filter(wrong) = &**source
    {
        return failure.showing(caret(&wrong.filter, wrong.at));
    }
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

fn names(names: &[impl ToString]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Settings that would help, as they are typed.
fn adaptation(verb: Verb, settings: &[Setting]) -> String {
    if verb == Verb::Create {
        return format!("or change it in the schema: {}", names(settings));
    }
    let flags = settings.iter().take(SETTINGS_NAMED).map(|setting| format!("--set {}", quoted(&setting.to_string())));
    let flags = flags.collect::<Vec<_>>().join(" ");
    let more = settings.len().saturating_sub(SETTINGS_NAMED);
    let more = if more > 0 { format!(", and so for {more} more") } else { String::new() };
    format!("restore it with another setting: {flags}{more}")
}

/// The table of advice: one row for each hint, and in it what is another for a verb.
#[expect(clippy::too_many_lines, reason = "one table")]
fn advice(verb: Verb, hint: &Hint) -> String {
    use Verb::{Archive, Backup, Clear, Create, List, Restore, Rm, Verify};
    let text = match hint {
        // Names.
        Hint::DidYouMean(collections) => return format!("did you mean {}?", names(collections)),
        Hint::DidYouMeanTenants(tenants) => return format!("did you mean {}?", names(tenants)),
        Hint::DidYouMeanProperties(properties) => return format!("did you mean {}?", names(properties)),
        Hint::IsAlias(of) => return format!("it is an alias of {of}; name that collection instead"),
        Hint::ListCollections => match verb {
            Restore => "`elysiactl archive show ARCHIVE` lists the collections of an archive",
            Verify => {
                "the server may have it under another name: --name NEW, or --rename OLD=NEW for several; `elysiactl col ls` lists the collections this key can see"
            }
            _ => "`elysiactl col ls` lists the collections this key can see",
        },
        Hint::ShowArchive => "`elysiactl archive show ARCHIVE` lists the collections of an archive",
        Hint::NameArchive if verb == Archive => {
            return format!(
                "name the directory of one archive: the one that holds manifest.json; `elysiactl archive check {EACH_OF_A_FOLDER}` checks all archives of a folder"
            );
        }
        Hint::NameArchive => "name the directory of one archive: the one that holds manifest.json",
        Hint::ListTenants => "`elysiactl col show NAME` lists the tenants of a collection",
        Hint::ListArchivedTenants => {
            "this lists the tenants of an archive: `jq -r '.collections[].tenants[].tenant' manifest.json`"
        }
        Hint::OtherName if verb == Create => {
            "give it another name: `elysiactl col create NAME --schema-file FILE`; the one that exists stays as it is"
        }
        Hint::OtherName => {
            "restore under another name with --name NEW or --rename OLD=NEW; the one that exists stays as it is"
        }
        Hint::OtherNames => {
            "restore under other names with --rename OLD=NEW, once for each; those that exist stay as they are"
        }
        Hint::RenameEach => {
            "--rename OLD=NEW names one collection, --rename '*=NEW*' all of them; --only chooses among them"
        }
        Hint::Merge => "or merge into the one that exists with --merge; with --dry-run it compares every object first",
        Hint::OnConflict => {
            "say what becomes of them: --on-conflict skip, overwrite (what is replaced is kept in an archive) or newer"
        }
        Hint::KeepConflicts => "--on-conflict skip leaves them as they are",
        Hint::ActivateFirst => "activate these tenants, or choose others with --tenant",
        Hint::AddProperties => "--add-properties adds the properties that lack to the collection that is there",
        Hint::OtherTenancy => {
            "--into-tenant TENANT restores a collection as a tenant, --into-plain TENANT a tenant as a collection"
        }
        Hint::ChooseOne => "choose the one collection that the file is for, with --only NAME",
        Hint::OtherTenant => "give it another name: --tenant OLD=NEW, or --into-tenant NEW",
        Hint::LeaveOut(collections) => {
            let flags = collections.iter().map(|name| format!("--exclude {}", quoted(name.as_str())));
            return format!("{} restores the others", flags.collect::<Vec<_>>().join(" "));
        }
        Hint::Adapt(settings) => return adaptation(verb, settings),
        Hint::RemoveCollection(collection) => {
            return format!("{collection} exists now and has no objects: remove it before the next try");
        }
        Hint::AllowProtected => {
            "these names belong to systems that may depend on them; --allow-protected proceeds all the same"
        }

        // The way to the server.
        Hint::CheckUrl => {
            "check --url, WEAVIATE_URL or WCD_URL: the REST port is usually 8080 (8079 for embedded Weaviate, 443 in the cloud)"
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
        Hint::InstallCertificates => {
            "install this machine's CA certificates (often a package named ca-certificates), or name one with --ca-cert FILE"
        }
        Hint::ServerGone => "the server answered before and is gone now: see that it runs, then run the command again",
        Hint::WaitForNodes => "wait until every node of the server is back, then run the command again",
        Hint::AllowMissingNodes => {
            "if they are lost for good: --allow-missing-nodes backs up what the others hold (exit 3); a write that reached only the missing nodes is not in it"
        }
        Hint::RunAgain => match verb {
            Backup => "run the command again; every run makes an archive of its own",
            Rm | Clear => {
                "look at what is there now (--dry-run shows it), then run the command again; with --yes it takes whatever is there"
            }
            Create => "look whether it is there, then run the command again",
            Restore | Verify | List | Archive => "run the command again once the server answers",
        },
        Hint::WaitForOtherRun => match verb {
            Restore | Rm | Clear | Create => {
                "another run is at work on the same collection of this server: wait for it to end, or stop it"
            }
            Backup | Verify | List | Archive => "wait for the other run to end, or stop it",
        },
        Hint::SmallerPages => match verb {
            Restore => "smaller batches may help: --batch-size 10",
            Verify => "a smaller --memory-limit makes smaller pages",
            _ => "smaller pages may help: --batch-size 10",
        },
        Hint::RaisePageLimit => "raise QUERY_MAXIMUM_RESULTS on the server: it allows no page at all",
        Hint::ExcludeCollection => "leave this collection out to back up the others, or make the object smaller",

        // What the key may do.
        Hint::GiveKey => {
            "put the API key, or an OIDC access token, into WEAVIATE_API_KEY (into WCD_API_KEY where the address comes from WCD_URL: the two pairs are never mixed), or name a file with --api-key-file"
        }
        Hint::OtherKey => {
            "a key was sent, and this server does not accept it: check that it belongs to this server and is not revoked; an OIDC token may have expired"
        }
        Hint::SendNoKey => {
            "this server takes no keys: unset WEAVIATE_API_KEY (or WCD_API_KEY), or leave out --api-key-file (or the header Authorization)"
        }
        Hint::MaybeNotAllowed => "a key without the right to read collections sees none: check the key's roles",
        Hint::GrantPermission => match verb {
            Backup | Archive => {
                "a backup needs read_collections and read_data on its collections, read_tenants where there are tenants (update_tenants too, to activate inactive ones), and read_nodes to see whether the server is whole; a role that is limited to some tenants needs read_tenants on * to list them"
            }
            Restore => {
                "a restore needs create_collections, read_collections and update_collections, create_data, update_data and read_data on its collections (delete_data too where objects expire), create_tenants, read_tenants and update_tenants where there are tenants, and read_nodes to see whether the server is whole; for aliases and roles read_aliases, create_aliases and update_aliases, read_roles and create_roles"
            }
            Verify => {
                "a comparison needs read_collections and read_data on its collections, read_tenants where there are tenants (update_tenants too, to activate inactive ones), and read_nodes to see whether the server is whole"
            }
            Rm => {
                "a removal needs read_collections and delete_collections on its collections, read_tenants on multi-tenant ones, and read_nodes to see whether the server is whole"
            }
            Clear => {
                "clearing needs delete_data, or delete_collections and create_collections, on its collections (for single tenants delete_tenants and create_tenants), read_collections and read_tenants, and read_nodes to see whether the server is whole"
            }
            Create => {
                "creating needs create_collections and read_collections, create_tenants and read_tenants for tenants, and read_nodes to see whether the server is whole"
            }
            List => {
                "listing needs read_collections and read_tenants on the collections; counts need read_collections on all of them, sizes read_data, and read_nodes tells whether the server is whole"
            }
        },
        Hint::ReadEveryTenant => {
            "servers list objects, also those of a single tenant, only to a key whose read_data is on all tenants (tenant *): --tenant does not help here"
        }
        Hint::NameTenants if verb == Create => "leave out the tenants that the key may not create",
        Hint::NameTenants => "--tenant chooses the tenants that the key may do it to",
        Hint::FewerTenants if verb == Create => "list fewer tenants in its file",
        Hint::FewerTenants => "--tenant NAME restores some of the tenants; it may be repeated",
        Hint::WithoutComparison => "--no-verify restores without comparing afterwards, which takes no read_data",

        // What the server would have to be, or to take.
        Hint::MakeWritable => {
            "the server's disk or memory may be short, or its shards were set read-only: see to that, then run again"
        }
        Hint::NewerServer if verb == Create => "create it on a server of the version named, or a later one",
        Hint::NewerServer => "restore to a server of the version named, or a later one",
        Hint::EnableModules(modules) => {
            let instead = match verb {
                Create => "; or create it with another vectorizer",
                Clear => "",
                _ => "; or restore without, with --set vectorizer=none",
            };
            return format!("enable on the server (ENABLE_MODULES): {}{instead}", modules.join(", "));
        }
        Hint::ChooseTargets if verb == Create => "create the collections that it refers to first",
        Hint::ChooseTargets => "restore the collections that are referred to in the same run, or before",
        Hint::KeepNames(collections) => {
            let flags = collections.iter().map(|name| format!("--rename {name}={name}"));
            let flags = flags.collect::<Vec<_>>().join(" ");
            return format!("{flags} keeps what is referred to under its own name, if the server has that");
        }
        Hint::NoObjectTtl => match verb {
            Clear => "set OBJECTS_TTL_DELETE_SCHEDULE on the server, as it was when the collection was created",
            Create => "set OBJECTS_TTL_DELETE_SCHEDULE on the server; or take objectTtlConfig out of the schema",
            _ => "set OBJECTS_TTL_DELETE_SCHEDULE on the server; or restore without expiry, with --set objectTtl=off",
        },
        Hint::Revectorize => "--revectorize allows it; it may cost money, and the vectors will differ",
        Hint::AllowEndpoint(origins) if origins.is_empty() => {
            "that is no address that could be allowed: restore without the module, with --set vectorizer=none"
        }
        Hint::AllowEndpoint(origins) => {
            let flags = origins.iter().map(|origin| format!("--allow-endpoint {}", quoted(origin)));
            let flags = flags.collect::<Vec<_>>().join(" ");
            return format!(
                "{flags} allows it, if you know who answers there; --set vectorizer=none restores without the module"
            );
        }
        Hint::WithoutRehearsal => {
            "--no-rehearsal proceeds without having tried it; whether the server takes the schema is then not proven"
        }
        Hint::ChangeServer(cause) => return remedy::words(cause),

        // Aliases and roles.
        Hint::SkipAliases => "leave aliases alone with --alias skip",
        Hint::KeepAliases => {
            "give the key read_aliases on it, or leave aliases that are there as they are with --alias keep"
        }
        Hint::RemoveAlias => {
            "no server takes a collection by the name of an alias, in any spelling: remove the alias if nobody reads by it (DELETE /v1/aliases/NAME)"
        }
        Hint::WithoutRoles => "leave --with-roles out, or create the roles by hand from the archive's roles.json",

        // Ways of clearing, and who else writes.
        Hint::DeleteInstead => "--method delete empties it without dropping it",
        Hint::RecreateInstead => "--method recreate drops it all the same; or set its shards to READY, then run again",
        Hint::ActivateTenants => {
            "activate the tenants and use --method delete, or clear the whole collection, with every other tenant of it, with --method recreate"
        }
        Hint::WritersFirst => "or stop what writes to it, then run again",
        Hint::StopWriters => "stop what writes to it, then bring the schema back",

        // Archives, disks and memory.
        Hint::ArchiveDamaged => {
            "do not restore from this archive: take another copy of it, or back up again while the server still has the data"
        }
        Hint::ArchiveInUse => {
            "somebody changes the archive while it is read: see that nobody does, and look at it with `elysiactl archive check` before it is used again"
        }
        Hint::BackUpAgain => {
            "an archive without a manifest is not a backup: resume it with `elysiactl col backup --resume=ARCHIVE`"
        }
        Hint::Upgrade(version) => return format!("use elysiactl {version} or later to read it"),
        Hint::OtherMachine => {
            "the archive itself may well be sound: a disk, its cable or the memory of this machine fails at times; copy the archive to another one and check it there with `elysiactl archive check`"
        }
        Hint::MakeRoom => match verb {
            Restore => "free some space, or choose another folder with --run-dir",
            Rm => "free some space, or choose another folder with --output",
            Clear => "free some space, or choose other folders with --output and --run-dir",
            _ => "free some space, choose another folder with --output, or compress with -z",
        },
        Hint::OtherFolder => match verb {
            Restore => "choose another folder with --run-dir",
            Clear => "choose other folders with --output and --run-dir",
            _ => "choose another folder with --output",
        },
        Hint::OtherStateFolder => {
            "the files of runs and their locks lie below XDG_STATE_HOME, or ~/.local/state: set XDG_STATE_HOME to a folder that can be written (--run-dir, where the command has it, moves all but the locks)"
        }
        Hint::NameRunFolder => "name a folder with --run-dir",
        Hint::RaiseMemoryLimit { .. } => {
            "raise --memory-limit to 24 MiB and twice the size of the largest object; no object is larger than 256 MiB"
        }

        // Runs that did not get to their end.
        Hint::WithoutResume => "without --resume a new run begins, if nothing is in its way",
        Hint::RemoveWhatWasLeft => {
            "what is there now is not what the unfinished run left: see whose it is before you remove it; or restore without --resume under another name, with --name or --rename"
        }
        Hint::Report => "this is a bug: please report it with the command and the output of -vv",
    };
    text.to_owned()
}
