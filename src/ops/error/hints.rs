//! What a person can do about an error, as data; the words are made by `cli`.

use crate::model::{CollectionName, TenantName};
use crate::ops::schema::settings::Setting;
use crate::weaviate;

/// What a person can do; the words are made by `cli`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hint {
    /// One of these was perhaps meant.
    DidYouMean(Vec<CollectionName>),
    /// The name is an alias of this collection.
    IsAlias(CollectionName),
    /// `elysiactl col ls` shows what is there.
    ListCollections,
    /// The key may see only part of the collections.
    MaybeNotAllowed,
    /// Check URL and port.
    CheckUrl,
    /// Give a key.
    GiveKey,
    /// The key that was given is not known to the server.
    OtherKey,
    /// The server takes no keys: send none.
    SendNoKey,
    /// The host's name cannot be resolved.
    CheckName,
    /// What answers speaks plain HTTP.
    UseHttp,
    /// What answers may speak HTTPS alone.
    UseHttps,
    /// The server answered before, and is gone.
    ServerGone,
    /// The key lacks permissions.
    GrantPermission,
    /// Servers list objects, also those of a single tenant, only to a key that may read all tenants.
    ReadEveryTenant,
    /// `--tenant`, with those that the key may do it to.
    NameTenants,
    /// `--tenant`, with so many tenants that the server takes them.
    FewerTenants,
    /// `--no-verify`.
    WithoutComparison,
    /// Wait until every node is back, then run again.
    WaitForNodes,
    /// `--allow-missing-nodes`: every shard has enough replicas on the nodes that are there.
    AllowMissingNodes,
    /// Free space, name another folder, or compress.
    MakeRoom,
    /// Name another folder.
    OtherFolder,
    /// Have the files of runs and their locks lie elsewhere.
    OtherStateFolder,
    /// Restore each under another name, or remove what is there.
    OtherNames,
    /// Name the authority that signed the server's certificate.
    CheckCertificate,
    /// Write the address with a name that the server's certificate is for.
    OtherServerName,
    /// The server's certificate has run out, or a clock is wrong.
    RenewCertificate,
    /// Show a certificate of one's own, which the server trusts.
    ShowClientCertificate,
    /// The client certificate and its key do not belong together, or are no PEM.
    PairClientCertificate,
    /// The machine has no certificates of authorities.
    InstallCertificates,
    /// Run again.
    RunAgain,
    /// Read the archive elsewhere: the disk, its cable or the memory here fails at times.
    OtherMachine,
    /// Give more memory: a line is longer than this.
    RaiseMemoryLimit {
        /// What there is room for, in bytes.
        longest: u64,
    },
    /// Let nobody touch the archive meanwhile.
    ArchiveInUse,
    /// Take an archive from another copy, or back up again.
    ArchiveDamaged,
    /// The archive was never sealed; carry it on, or back up again.
    BackUpAgain,
    /// A version of elysiactl that reads the format.
    Upgrade(String),
    /// Another run works on it.
    WaitForOtherRun,
    /// `--limit`-like settings of the server: smaller pages.
    SmallerPages,
    /// The server's `QUERY_MAXIMUM_RESULTS`.
    RaisePageLimit,
    /// Leave the collection out, or make its object smaller.
    ExcludeCollection,
    /// The server takes no writes: disk, memory, or somebody set its shards read-only.
    MakeWritable,
    /// A collection was created that is of no use and in the way of the next run.
    RemoveCollection(CollectionName),
    /// Restore under another name, or remove what is there.
    OtherName,
    /// Merge into the collection that exists.
    Merge,
    /// Say what becomes of objects that differ.
    OnConflict,
    /// Leave objects that differ as they are.
    KeepConflicts,
    /// Activate the tenants first.
    ActivateFirst,
    /// Have the properties added that lack.
    AddProperties,
    /// Restore a collection as a tenant, or a tenant as a collection.
    OtherTenancy,
    /// `--revectorize`.
    Revectorize,
    /// `--allow-endpoint`, with these that can be allowed.
    AllowEndpoint(Vec<String>),
    /// Choose the one collection that a class document is for.
    ChooseOne,
    /// Give each collection a name of its own.
    RenameEach,
    /// Look at what the archive holds.
    ShowArchive,
    /// An archive is the directory with a manifest.
    NameArchive,
    /// Another server, or another version of it.
    NewerServer,
    /// Modules to enable on the server.
    EnableModules(Vec<String>),
    /// Restore the collections that are referred to as well.
    ChooseTargets,
    /// References lead to those of these names on the server, if these are not renamed.
    KeepNames(Vec<CollectionName>),
    /// Restore it with these settings.
    Adapt(Vec<Setting>),
    /// Restore the others, without these.
    LeaveOut(Vec<CollectionName>),
    /// Stop what writes to it.
    StopWriters,
    /// `--method delete`, which writers do not disturb.
    DeleteInstead,
    /// Stop what writes to it before it is dropped.
    WritersFirst,
    /// `--method recreate`, which read-only shards do not disturb.
    RecreateInstead,
    /// Tenants that are active are emptied by deleting.
    ActivateTenants,
    /// `col ls` and `col show` list tenants.
    ListTenants,
    /// The manifest lists those of an archive.
    ListArchivedTenants,
    /// These look like it.
    DidYouMeanTenants(Vec<TenantName>),
    /// These look like it.
    DidYouMeanProperties(Vec<String>),
    /// Leave aliases alone.
    SkipAliases,
    /// Remove an alias whose name a collection is to have, in whatever spelling.
    RemoveAlias,
    /// Leave aliases that exist as they are, or let the key see them.
    KeepAliases,
    /// Have the server delete what expires, or restore a collection whose objects do not.
    NoObjectTtl,
    /// Without `--resume` a new run is begun.
    WithoutResume,
    /// Remove what an unfinished run left.
    RemoveWhatWasLeft,
    /// Restore without roles.
    WithoutRoles,
    /// Give the tenant another name, whichever flag named it.
    OtherTenant,
    /// Name a folder for the files of runs.
    NameRunFolder,
    /// `--no-rehearsal`.
    WithoutRehearsal,
    /// `--allow-protected`.
    AllowProtected,
    /// What the server's operator can change so that it takes what it refused.
    ChangeServer(weaviate::LastingCause),
    /// This is a bug.
    Report,
}
