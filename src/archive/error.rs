//! What can go wrong with an archive, as data: which file, which line, and what is wrong with it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::claimant::Held;
use crate::model::fold::Misread;
use crate::model::{ObjectId, ShellWord, count, counted};

/// A call to the disk, named in errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DiskOp {
    /// Making a directory.
    CreateDir,
    /// Making a file.
    CreateFile,
    /// Writing to a file.
    Write,
    /// Making a file's bytes durable.
    Sync,
    /// Giving a file its final name.
    Rename,
    /// Making a directory's entries durable.
    SyncDir,
    /// Removing a file.
    Remove,
    /// Listing a directory.
    List,
    /// Opening a file or directory.
    Open,
    /// Reading from a file.
    Read,
    /// Taking the lock.
    Lock,
    /// Looking at what a path is.
    Look,
}

impl fmt::Display for DiskOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CreateDir => "create directory",
            Self::CreateFile => "create file",
            Self::Write => "write",
            Self::Sync => "sync",
            Self::Rename => "rename",
            Self::SyncDir => "sync directory",
            Self::Remove => "remove",
            Self::List => "list",
            Self::Open => "open",
            Self::Read => "read",
            Self::Lock => "lock",
            Self::Look => "look at",
        })
    }
}

/// What is wrong with a file of an archive. Sizes are in bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// The manifest does not end with `"self_sha256":"…"}` and a line end.
    #[error("does not end with its own checksum")]
    ManifestEnd,
    /// The manifest's bytes are not the ones its own checksum was made of.
    #[error("does not match its own checksum")]
    ManifestHash,
    /// Not the JSON that is expected here.
    #[error("unreadable: {}", short(.0))]
    Json(String),
    /// A server would read it otherwise than it is spelled.
    #[error("not to be trusted: {0}")]
    Misread(Misread),
    /// A name that no archive of ours contains.
    #[error("not a name an archive may hold: {:?}", short(.0))]
    Name(String),
    /// Two names that are equal, or equal but for case.
    #[error("named twice: {:?}", short(.0))]
    NamedTwice(String),
    /// Numbers or lists that contradict each other.
    #[error("{0} do not add up")]
    Sums(&'static str),
    /// What the manifest says of the objects that were wanted makes no sense.
    #[error("what was selected cannot be read, or contradicts the numbers")]
    Selection,
    /// A file the manifest names is not there.
    #[error("missing")]
    Missing,
    /// Another file than the one that was read before, or one that was written to since.
    #[error("replaced or changed while it was in use")]
    Replaced,
    /// A file the manifest does not name.
    #[error("not part of the archive")]
    Unknown,
    /// A link, pipe, device or directory where a regular file belongs.
    #[error("not a regular file")]
    NotRegular,
    /// The file has another size than the manifest says.
    #[error("{found} bytes instead of {declared}")]
    Size {
        /// What the manifest says.
        declared: u64,
        /// What is there.
        found: u64,
    },
    /// The file's SHA-256 is not the manifest's.
    #[error("checksum differs from the manifest's")]
    Hash,
    /// More than a reader is willing to hold or follow.
    #[error("beyond the limit of {limit}")]
    Limit {
        /// The limit: bytes, runs or files.
        limit: u64,
    },
    /// The runs of a tenant overlap, leave a gap, or are out of order.
    #[error("runs do not cover the ids exactly once")]
    Coverage,
    /// A compression frame cannot be decoded.
    #[error("not decodable: {}", short(.0))]
    Frame(String),
    /// A frame holds more or less than its run declares.
    #[error("holds more or less than its {declared} declared bytes")]
    FrameSize {
        /// Plain bytes the index declares.
        declared: u64,
    },
    /// Bytes after the end of a frame or of the last run.
    #[error("bytes after the end")]
    Trailing,
    /// A run holds another number of lines than declared, or a cut one.
    #[error("holds more or less than its {declared} declared lines")]
    Lines {
        /// Objects the index declares.
        declared: u64,
    },
    /// An object that is not where its id belongs.
    #[error("id {0} is out of place")]
    IdOrder(ObjectId),
    /// The first or last id of a run is not the declared one.
    #[error("first or last id of this run differs from the index's")]
    Ends,
    /// The objects of a run are not the ones its digest was made of.
    #[error("content digest of the run that ends here differs")]
    Digest,
    /// A line of the journal whose checksum is wrong, with good lines after it.
    #[error("checksum of the line differs")]
    JournalLine,
    /// A journal whose records contradict each other.
    #[error("records contradict each other")]
    JournalOrder,
}

/// The most characters of a value that an error says (an archive may hold any).
const VALUE_CHARS: usize = 500;

fn short(value: &str) -> &str {
    value.char_indices().nth(VALUE_CHARS).map_or(value, |(end, _)| &value[..end])
}

/// A rule of the writer that its caller broke; a bug, never the user's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Broken {
    /// Objects must ascend within the stretch they are handed over for.
    #[error("object {0} is out of order or outside its range")]
    IdOrder(ObjectId),
    /// A range that ends before it starts.
    #[error("a key range ends before it starts")]
    Range,
    /// Two stretches of one tenant share keys.
    #[error("two runs overlap")]
    Overlap,
    /// A tenant where there are none, or none where there must be one.
    #[error("a tenant is given where none belongs, or missing where one does")]
    Tenant,
    /// Objects for a collection that keeps only its schema.
    #[error("objects in a collection that keeps only its schema")]
    SchemaOnly,
    /// A collection was begun twice, or not closed, or closed by another archive.
    #[error("collections begun and closed are not the same")]
    Collections,
    /// A part is still open.
    #[error("a part is still open")]
    OpenPart,
    /// Keys that no run covers.
    #[error("keys are not covered by any run")]
    Gap,
    /// Counts of runs, parts and collection differ.
    #[error("counts of runs and parts do not add up")]
    Counts,
    /// The object's text holds a line break or its places lie outside.
    #[error("the text of object {0} is not one line")]
    Text(ObjectId),
    /// An object that no reader would take back.
    #[error("object {0} is longer than a line may be")]
    TooLong(ObjectId),
    /// An earlier call failed, so nothing may follow.
    #[error("an earlier call failed")]
    AfterFailure,
    /// A name that cannot be a directory's.
    #[error("not a plain name: {0:?}")]
    Stem(String),
    /// More parts or copies of a name than there are numbers.
    #[error("out of numbers")]
    Numbers,
    /// A document that must be JSON is not.
    #[error("a document is not JSON")]
    Document,
    /// The manifest that would be written is not one a reader accepts.
    #[error("the manifest contradicts itself: {0}")]
    Manifest(Damage),
}

/// Why an archive could not be written or read. `path` is always the file or directory meant.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the variant says the fact, and a field's name says what it is of it")]
pub enum Error {
    /// Nothing is there.
    #[error("{} does not exist", ShellWord::path(path))]
    NotFound {
        /// What was looked for.
        path: PathBuf,
    },
    /// There is something, but it is no archive.
    #[error("{} is not an archive", ShellWord::path(path))]
    NotAnArchive {
        /// What was looked at.
        path: PathBuf,
    },
    /// The archive's directory is a symbolic link.
    #[error("{} is a symbolic link", ShellWord::path(path))]
    IsLink {
        /// The link.
        path: PathBuf,
    },
    /// An archive that was never sealed: its run was interrupted, or goes on.
    #[error("{} is not sealed: {} with {} kept in it", ShellWord::path(path), counted(*parts, "part"), counted(*objects, "object"))]
    Unsealed {
        path: PathBuf,
        /// Parts the journal knows.
        parts: u64,
        /// Objects in them.
        objects: u64,
    },
    /// A sealed archive, where an unsealed one is wanted.
    #[error("{} is sealed", ShellWord::path(path))]
    Sealed { path: PathBuf },
    /// Written in a format this version does not know.
    #[error("{} has format {major}.{minor}, written by elysiactl {tool_version}", ShellWord::path(path))]
    NewerFormat {
        path: PathBuf,
        /// Its format's major version.
        major: u32,
        /// Its format's minor version.
        minor: u32,
        /// The version of elysiactl that wrote it; that one or a later one reads it.
        tool_version: String,
    },
    /// A file of the archive is not what was written.
    #[error("{}{}: {what}", ShellWord::path(path), line.map(|n| format!(" line {n}")).unwrap_or_default())]
    Damaged {
        path: PathBuf,
        /// The line, from 1, where there is one.
        line: Option<u64>,
        /// What is wrong.
        what: Damage,
    },
    /// A line that is longer than there is memory for. It may be as it was written.
    #[error(
        "{} line {line} is longer than {longest} bytes, the longest that the memory limit has room for",
        ShellWord::path(path)
    )]
    LineTooLong {
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What there is room for, in bytes.
        longest: u64,
    },
    /// A file of the archive was read wrongly, and rightly when it was read once more: it is not the archive that is
    /// damaged, but what it was read with.
    #[error("inconsistent reads of {} (suspect disk or memory)", ShellWord::path(path))]
    Unsteady {
        path: PathBuf,
        /// What was wrong with it at first.
        #[source]
        first: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The disk is full, or a quota or size limit is reached.
    #[error("no space for {needed} bytes in {}", ShellWord::path(path))]
    NoSpace {
        /// The file that was being written.
        path: PathBuf,
        /// The bytes that were to be written next; 0 where only an entry was to be made.
        needed: u64,
        /// The system's word.
        source: io::Error,
    },
    /// The file system cannot be written.
    #[error("{} is on a read-only file system", ShellWord::path(path))]
    ReadOnly {
        /// What was to be written.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// The user may not.
    #[error("may not {op} {}", ShellWord::path(path))]
    PermissionDenied {
        /// What was tried.
        op: DiskOp,
        /// On what.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// Any other failure of the disk.
    #[error("cannot {op} {}", ShellWord::path(path))]
    Io {
        /// What was tried.
        op: DiskOp,
        /// On what.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// The folder for archives is a file.
    #[error("{} is a file", ShellWord::path(path))]
    OutputIsFile {
        /// The folder given.
        path: PathBuf,
    },
    /// The folder for archives is itself an archive.
    #[error("{} is itself an archive", ShellWord::path(path))]
    OutputIsArchive {
        /// The folder given.
        path: PathBuf,
    },
    /// The folder for archives holds more than anybody is willing to look through.
    #[error("{} holds more than {} entries", ShellWord::path(path), count(*limit as u64))]
    TooMany {
        /// The folder given.
        path: PathBuf,
        /// Entries looked through at most.
        limit: usize,
    },
    /// Another run holds the archive.
    #[error("{} is locked by another run", ShellWord::path(path))]
    Locked {
        /// The archive, or the lock's file.
        path: PathBuf,
    },
    /// Another run of this machine is at work on a collection.
    #[error("{}", _0.said())]
    Claimed(Box<Held>),
    /// An invariant of the writer does not hold; nothing is sealed.
    #[error("{}: {what}", ShellWord::path(path))]
    Broken {
        /// The file or directory it is about.
        path: PathBuf,
        what: Broken,
    },
}

impl Error {
    /// Sorts a failed call by what a person can do about it.
    pub(super) fn disk(op: DiskOp, path: &Path, needed: u64, source: io::Error) -> Self {
        use io::ErrorKind::{FileTooLarge, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
        let path = path.to_owned();
        match source.kind() {
            StorageFull | QuotaExceeded | FileTooLarge => Self::NoSpace { path, needed, source },
            ReadOnlyFilesystem => Self::ReadOnly { path, source },
            PermissionDenied => Self::PermissionDenied { op, path, source },
            _ => Self::Io { op, path, source },
        }
    }

    /// What was read wrongly at first and is whole now.
    pub(crate) fn unsteady(path: impl Into<PathBuf>, first: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Unsteady { path: path.into(), first: Box::new(first) }
    }

    pub(super) fn damaged(path: impl Into<PathBuf>, what: Damage) -> Self {
        Self::Damaged { path: path.into(), line: None, what }
    }

    pub(super) fn damaged_line(path: impl Into<PathBuf>, line: u64, what: Damage) -> Self {
        Self::Damaged { path: path.into(), line: Some(line), what }
    }

    pub(super) fn broken(path: impl Into<PathBuf>, what: Broken) -> Self {
        Self::Broken { path: path.into(), what }
    }
}

/// Reads, and once more if what was read looks damaged: a fault of the disk that goes away is told apart.
pub(super) fn twice<T>(at: &Path, read: impl Fn() -> Result<T, Error>) -> Result<T, Error> {
    match read() {
        Err(first @ Error::Damaged { .. }) if read().is_ok() => Err(Error::unsteady(at, first)),
        other => other,
    }
}

/// A closure for `map_err` that names the call and the path.
pub(super) fn on(op: DiskOp, path: &Path) -> impl FnOnce(io::Error) -> Error + '_ {
    move |source| Error::disk(op, path, 0, source)
}
