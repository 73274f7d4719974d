//! What a verb has to say beyond the result itself.

use std::collections::BTreeMap;

/// A remark about one collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The collection, or another thing it is about.
    pub about: String,
    /// The remark, as a clause.
    pub text: String,
}

/// The labels of lines, in the order in which they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Label {
    /// The server, without credentials, with its version.
    Server,
    /// The archive.
    Archive,
    /// Bytes free in the folder of archives.
    Free,
    /// The digest of the only collection.
    Digest,
    /// Objects written while the run was under way.
    Written,
    /// Why it is not known whether the server was whole.
    Unchecked,
    /// Requests sent again.
    Retries,
    /// What the server lets through.
    RateLimit,
    /// Memory used.
    Memory,
    /// Objects that the server refused.
    Rejected,
    /// Why it refused them.
    Reasons,
    /// How objects met those that were there.
    Merged,
    /// That all is there as in the archive.
    Compared,
    /// Objects of the archive that are not on the server.
    Missing,
    /// Objects of the server that are not in the archive.
    Extra,
    /// Objects with other content.
    Different,
    /// Objects that differ, by collection and id: all of them are listed.
    Differences,
    /// Class documents that were saved.
    Saved,
    /// How schemas differ.
    Schema,
    /// What else is to be known: what is not as it was, what was not compared.
    Note,
    /// Which objects, where not all were wanted.
    Selection,
    /// Collections whose objects the server did not count.
    Counts,
    /// What was found about replicas.
    Replicas,
    /// What changed meanwhile.
    Changed,
    /// What can never be kept.
    Limits,
    /// What exists and was left out.
    Skipped,
    /// What is kept in part.
    Incomplete,
    /// The directory of the run's files.
    RunFiles,
}

impl Label {
    /// As it is printed.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Server => "Server",
            Self::Archive => "Archive",
            Self::Free => "Free",
            Self::Digest => "Digest",
            Self::Written | Self::Changed => "Changed",
            Self::Unchecked => "Unchecked",
            Self::Retries => "Retries",
            Self::RateLimit => "Rate limit",
            Self::Memory => "Memory",
            Self::Rejected => "Rejected",
            Self::Reasons => "Reasons",
            Self::Merged => "Merged",
            Self::Compared => "Compared",
            Self::Missing => "Missing",
            Self::Extra => "Extra",
            Self::Different => "Different",
            Self::Differences => "Differences",
            Self::Saved | Self::Schema => "Schema",
            Self::Note => "Note",
            Self::Selection => "Selection",
            Self::Counts => "Counts",
            Self::Replicas => "Replicas",
            Self::Limits => "Limits",
            Self::Skipped => "Skipped",
            Self::Incomplete => "Incomplete",
            Self::RunFiles => "Run files",
        }
    }
}

/// When the deed was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Done {
    /// In this run.
    #[default]
    Now,
    /// Not at all: the result is what would be. The plan in full, if it takes the place of the table.
    Planned(Option<String>),
    /// Before this run: the archive was sealed already.
    Before,
}

/// What can be said of the number of objects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Objects {
    /// The result has it.
    #[default]
    Counted,
    /// It is not known, or not that of every collection.
    Uncounted,
    /// No objects were wanted, only schemas.
    SchemasOnly,
}

/// What the summary says beyond the result itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Closing {
    /// When it was done.
    pub done: Done,
    /// Whether there is a number of objects.
    pub objects: Objects,
    /// The file that lists the objects the server refused.
    pub rejected: Option<String>,
    /// The objects that are missing are the ones that the server refused.
    pub missing_are_rejected: bool,
    /// What a restore could not write back, as `Collection.property`: it is in no comparison.
    pub unwritten: Vec<String>,
    /// Commands to go on with.
    pub next: Vec<String>,
    /// Lines beside those that the result gives, or in their place.
    pub lines: BTreeMap<Label, Vec<String>>,
}

impl Closing {
    /// Adds lines, in place of what the result has under that label.
    #[must_use]
    pub fn with(mut self, label: Label, lines: impl IntoIterator<Item = String>) -> Self {
        let mut lines = lines.into_iter().peekable();
        if lines.peek().is_some() {
            self.lines.entry(label).or_default().extend(lines);
        }
        self
    }

    /// Adds a line for each note.
    #[must_use]
    pub fn with_notes(self, label: Label, notes: impl IntoIterator<Item = Note>) -> Self {
        self.with(label, notes.into_iter().map(|Note { about, text }| format!("{about}: {text}")))
    }

    /// The lines under a label.
    #[must_use]
    pub fn lines(&self, label: Label) -> &[String] {
        self.lines.get(&label).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn is_planned(&self) -> bool {
        matches!(self.done, Done::Planned(_))
    }
}
