//! What kind of failure an error is: it decides the exit code.

use super::Error;
use crate::archive;
use crate::event::Class;
use crate::pipeline::{import, scan};
use crate::weaviate;

impl Error {
    /// Whether an invariant of elysiactl does not hold.
    pub(super) fn is_bug(&self) -> bool {
        let sink_gone = matches!(
            self,
            Self::Scan { source: scan::Error::SinkGone, .. } | Self::Import { source: import::Error::SinkGone, .. }
        );
        sink_gone || matches!(self, Self::Stage { .. })
    }

    /// What kind of failure this is; gives the exit code.
    #[must_use]
    pub fn class(&self) -> Class {
        match (self, self.wire()) {
            // The server answered, and its answer was no.
            (Self::NotCreated { .. } | Self::NotDropped { .. } | Self::TenantsNotCreated { .. }, Some(e))
                if e.is_refused() =>
            {
                return Class::Refused;
            }
            // The operation is refused as it stands; whether something was done before is for the run to say.
            (Self::Wire(_), Some(e)) if e.lasting().is_some() => return Class::Refused,
            (_, Some(error)) => return wire_class(error),
            _ => {}
        }
        match self {
            _ if self.is_bug() => Class::Bug,
            Self::Archive(e) | Self::RunFiles(e) => archive_class(e),
            Self::BadGlob { .. }
            | Self::OneNameForMany { .. }
            | Self::SameName { .. }
            | Self::BadRename { .. }
            | Self::NoRunFolder { .. } => Class::Usage,
            Self::UnknownCollection { .. }
            | Self::DanglingAlias { .. }
            | Self::MissingCollections { .. }
            | Self::NotInArchive { .. }
            | Self::NothingMatched { .. }
            | Self::UnknownTenant { .. }
            | Self::NotMultiTenant { .. }
            | Self::NotPlain { .. }
            | Self::NothingToDo { .. }
            | Self::MadeOtherwise { .. }
            | Self::Protected { .. }
            | Self::ModeForbids { .. }
            | Self::InIdleNamespace { .. }
            | Self::Moved { .. }
            | Self::BeingWritten { .. }
            | Self::MadeAnew { .. }
            | Self::TenantMadeAnew { .. }
            | Self::OtherBackup { .. }
            | Self::LastCopy { .. }
            | Self::CannotClear { .. }
            | Self::NotAsPlanned { .. }
            | Self::TenantsUnseen { .. }
            | Self::NotAllowed { .. }
            | Self::MadeUp { .. }
            | Self::CannotCreate { .. }
            | Self::Unfinished { .. }
            | Self::OtherRun { .. }
            | Self::WentOn { .. }
            | Self::CannotRestore { .. } => Class::Refused,
            Self::Damages { damages, .. } => of_damages(damages),
            Self::NotEnoughSpace { .. } => Class::Disk,
            Self::Interrupted => Class::Interrupted,
            Self::Line { .. } | Self::Import { source: import::Error::Text(_), .. } => Class::Archive,
            Self::Stage { .. } => Class::Bug,
            Self::Wire(_)
            | Self::Scan { .. }
            | Self::Import { .. }
            | Self::NotWhole { .. }
            | Self::NodesMissing { .. }
            | Self::Vanished { .. }
            | Self::Lost { .. }
            | Self::SchemaChanged { .. }
            | Self::ReadOnly { .. }
            | Self::NotCreated { .. }
            | Self::NotDropped { .. }
            | Self::TenantsNotCreated { .. }
            | Self::TenantStays { .. }
            | Self::TenantLacks { .. } => Class::Server,
        }
    }
}

/// What several damages are together: the archive's fault, if any of them is.
fn of_damages(damages: &[Error]) -> Class {
    let of_archive = damages.iter().map(Error::class).find(|class| *class == Class::Archive);
    of_archive.or_else(|| damages.first().map(Error::class)).unwrap_or(Class::Archive)
}

fn wire_class(error: &weaviate::Error) -> Class {
    use weaviate::Error as E;
    match error.root() {
        E::Url { .. } | E::Header { .. } | E::Certificate { .. } | E::Setup { .. } => Class::Usage,
        _ => Class::Server,
    }
}

fn archive_class(error: &archive::Error) -> Class {
    use archive::Error as E;
    match error {
        E::NotFound { .. } | E::TooMany { .. } => Class::Usage,
        E::Sealed { .. } | E::LineTooLong { .. } => Class::Refused,
        E::NotAnArchive { .. } | E::IsLink { .. } | E::Unsealed { .. } | E::NewerFormat { .. } | E::Damaged { .. } => {
            Class::Archive
        }
        E::Locked { .. } | E::Claimed(_) => Class::Locked,
        E::Broken { .. } => Class::Bug,
        _ => Class::Disk,
    }
}
