//! Why something is not in an archive, or not kept of an interrupted run.

use crate::event::{ActivationRefusal, NotKeptReason, SkipReason};
use crate::model::counted;

/// Why something is not in an archive, as a clause.
#[must_use]
pub fn skip_reason(reason: &SkipReason) -> String {
    match reason {
        SkipReason::Removed => "it was removed before it was read to its end".to_owned(),
        SkipReason::ChangedEachTime => "it was recreated, or its schema changed, each time it was read".to_owned(),
        SkipReason::RemovedSince { objects: 0 } => "it was removed before the backup was resumed".to_owned(),
        SkipReason::RemovedSince { objects } => format!(
            "it was removed before the backup was resumed, and {} read of it before are not kept",
            counted(*objects, "object")
        ),
        SkipReason::IdleNamespace { state } => format!("its namespace is {state}, and nothing of it can be read"),
        SkipReason::TenantsHidden => {
            "the key's roles show it only some of the tenants (read_tenants), and any others are not in here".to_owned()
        }
        SkipReason::Offloaded => "offloaded to other storage".to_owned(),
        SkipReason::NotActive { state } => format!("not active: its state is {state}"),
        SkipReason::StaysInactive => "it does not stay active".to_owned(),
        SkipReason::NotActivated { why } => not_activated(why),
        SkipReason::Told { words } => words.to_string(),
    }
}

/// Why an inactive tenant is not read.
pub(super) fn not_activated(why: &ActivationRefusal) -> String {
    match why {
        ActivationRefusal::Server { cause } => format!("inactive, and cannot be activated: {cause}"),
        ActivationRefusal::Key => "inactive, and the key may not activate tenants (update_tenants)".to_owned(),
    }
}

/// Why something of an interrupted run is read again, as a clause.
pub(in crate::render) fn not_kept(reason: &NotKeptReason) -> String {
    let words = match reason {
        NotKeptReason::Damaged { error } => return error.clone(),
        NotKeptReason::Changed { error } => return format!("{error}; it is read again from the start"),
        NotKeptReason::TenantsChanged { tenants, first } => {
            return format!("tenants were recreated, or rewritten, since they were read: {tenants} ({first} first)");
        }
        NotKeptReason::Unfinished => "it was still being written",
        NotKeptReason::NotInJournal => "the run ended before it could note that it is safe",
        NotKeptReason::Missing => "it is not there",
        NotKeptReason::OtherSize => "it has another size than was noted",
        NotKeptReason::Removed => "it is not there any more",
        NotKeptReason::NotTheFirst => "only the first objects are wanted, and some of those in it are missing",
        NotKeptReason::Uncounted => "the server does not say how many objects there are, and a node may have been away",
    };
    words.to_owned()
}
