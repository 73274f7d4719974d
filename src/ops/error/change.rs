//! What changed between a plan and the moment it was to be carried out.

use std::path::PathBuf;

use super::words::expires_too;
use crate::event::ComparisonRemark;
use crate::model::{ShellWord, TenantName, count, counted};

/// What of a collection is not as it was when it was planned, or as it was proven to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the variant says the fact, and a field's name says what it is of it")]
pub enum PlanChange {
    /// It is gone.
    #[error("it is gone")]
    Gone,
    /// Its schema.
    #[error("its schema changed")]
    Schema,
    /// Which tenants it has, or their states.
    #[error("its tenants, or their states, changed")]
    Tenants,
    /// A tenant of it.
    #[error("its tenant {tenant} is gone, or in another state than it was")]
    Tenant { tenant: TenantName },
    /// Its objects.
    #[error("it had {} and has {} now{}", counted(*before, "object"), count(*now), expires_too(*expires))]
    Objects {
        before: u64,
        now: u64,
        /// The server removes objects of it by itself when they expire.
        expires: bool,
    },
    /// The objects of a tenant.
    #[error("its tenant {tenant} had {} and has {} now", counted(*before, "object"), count(*now))]
    TenantObjects { tenant: TenantName, before: u64, now: u64 },
    /// Something was written to it after it was compared with the backup.
    #[error("it was written to after it was compared with the backup")]
    Written,
    /// Something was written to a tenant after it was compared with the backup.
    #[error("its tenant {tenant} was written to after it was compared with the backup")]
    TenantWritten { tenant: TenantName },
    /// Whether it is written to could not be asked.
    #[error(
        "whether it is written to could not be asked, and a drop takes what no backup holds (--method delete does not)"
    )]
    WritesUnknown,
    /// The backup does not hold it.
    #[error("it is not in the backup")]
    NotInBackup,
    /// The backup holds something else.
    #[error("it is not what was backed up")]
    NotBackedUp { why: NotBackedUp },
    /// What was listed is older than what the server names.
    #[error(
        "the objects that were listed are older than the newest one that the server names: is there a cache between?"
    )]
    ListedOld,
    /// Something was written to it after an archive was said to hold all of it.
    #[error("it was written to after {} was said to hold all of it", ShellWord::path(archive))]
    WrittenSinceHeld { archive: PathBuf },
    /// An archive was said to hold all of it, and whether that is so still is not known.
    #[error("whether {}, which was said to hold all of it, does so still is not known", ShellWord::path(archive))]
    HeldUnknown { archive: PathBuf },
    /// An archive was said to hold all of it, and is gone.
    #[error("{}, which was said to hold all of it, cannot be found any more", ShellWord::path(archive))]
    HeldGone { archive: PathBuf },
}

/// Why a collection is not what a backup holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotBackedUp {
    /// Objects were written, deleted or changed.
    Written,
    /// The comparison says so.
    Found(ComparisonRemark),
    /// Tenants that were activated for the comparison are not inactive again.
    TenantsStayActive,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_is_told() {
        let tenant = || "t".parse().expect("a name");
        let archive = || PathBuf::from("/b/A");
        let why = NotBackedUp::Written;
        for (change, told) in [
            (PlanChange::Gone, "it is gone"),
            (PlanChange::Schema, "its schema changed"),
            (PlanChange::Tenants, "its tenants, or their states, changed"),
            (PlanChange::Tenant { tenant: tenant() }, "its tenant t is gone, or in another state than it was"),
            (PlanChange::Objects { before: 1, now: 2, expires: false }, "it had 1 object and has 2 now"),
            (
                PlanChange::Objects { before: 2, now: 1, expires: true },
                "it had 2 objects and has 1 now; objects of it expire (objectTtlConfig), which may be why",
            ),
            (
                PlanChange::TenantObjects { tenant: tenant(), before: 1, now: 2 },
                "its tenant t had 1 object and has 2 now",
            ),
            (PlanChange::Written, "it was written to after it was compared with the backup"),
            (
                PlanChange::TenantWritten { tenant: tenant() },
                "its tenant t was written to after it was compared with the backup",
            ),
            (
                PlanChange::WritesUnknown,
                "whether it is written to could not be asked, and a drop takes what no backup holds (--method delete does \
                 not)",
            ),
            (PlanChange::NotInBackup, "it is not in the backup"),
            (PlanChange::NotBackedUp { why }, "it is not what was backed up"),
            (
                PlanChange::ListedOld,
                "the objects that were listed are older than the newest one that the server names: is there a cache between?",
            ),
            (
                PlanChange::WrittenSinceHeld { archive: archive() },
                "it was written to after /b/A was said to hold all of it",
            ),
            (
                PlanChange::HeldUnknown { archive: archive() },
                "whether /b/A, which was said to hold all of it, does so still is not known",
            ),
            (
                PlanChange::HeldGone { archive: archive() },
                "/b/A, which was said to hold all of it, cannot be found any more",
            ),
        ] {
            assert_eq!(change.to_string(), told);
        }
    }
}
