//! What emptying came to, in words.

use super::super::words::count;
use super::{objects, one_or};
use crate::event::{ClearRemark as Fact, MoreThan, NewerThan, Op, WhyLeft};
use crate::model::KeyChange;

pub(super) fn clear(op: Op, fact: &Fact) -> String {
    match fact {
        Fact::OffloadedToInactive { tenants } => {
            format!("offloaded tenants come back inactive: {}", count(*tenants))
        }
        Fact::OffloadedInactive { tenants } => {
            format!("tenants that were offloaded are inactive now: {}", count(*tenants))
        }
        Fact::TrainingToGo => {
            "what the quantizer of its vector index has learned: it is trained again with new objects".to_owned()
        }
        Fact::ShardsToOpen { shards } => format!("shards that are read-only take writes again: {}", shards.join(", ")),
        Fact::AutoSchemaDropped { objects: n } => format!(
            "{} that somebody wrote while it was away went into a collection created by auto-schema, and are gone with it",
            objects(*n)
        ),
        Fact::NotWhatItWas { differences } => format!("it is not what it was: {}", KeyChange::listed(differences)),
        Fact::NotAsBefore { loss } => format!("not as before: {}", super::remark(op, loss)),
        Fact::NotEmpty { objects: n, why } => {
            format!("not empty: {} {} there, {}", objects(*n), one_or(*n, "is", "are"), left(*why))
        }
        Fact::MayNotBeEmpty { reason } => format!("whether it is empty could not be asked: {reason}"),
        Fact::NotDeleted { objects: n, reason } => {
            let reason = reason.as_deref().unwrap_or("the server does not say why");
            format!("{} could not be deleted: {reason}", count(*n))
        }
        Fact::NewerStay { objects: n, than } => format!("not empty: {} {}: not deleted", objects(*n), newer(*than)),
        Fact::OtherVersionsStay { objects: n } => format!(
            "not empty: {} with other versions on other replicas: not deleted, as the backup holds one of them",
            objects(*n)
        ),
        Fact::DeletedByOneReplica { reason } => {
            format!("deleted as one replica listed it, which could not be compared with the others: {reason}")
        }
        Fact::MoreDeleted { objects: n, than } => {
            let than = match than {
                MoreThan::Planned => "there was when it was planned, as somebody writes to it",
                MoreThan::Confirmed => "was confirmed",
                MoreThan::BackedUp => "the backup holds",
            };
            format!("more was deleted than {than}: {}", objects(*n))
        }
    }
}

fn left(why: WhyLeft) -> &'static str {
    match why {
        WhyLeft::SinceRecreated => "since it was created again",
        WhyLeft::SinceTenantsRecreated => "since the tenants were created again",
        WhyLeft::ReplicasDiffer => {
            "and the node that was asked lists none of them: its replica lacks what others hold. Clear it through another \
             node (--url), or once the replicas have been repaired"
        }
        WhyLeft::StillWritten => "it is still being written to, or they cannot be deleted",
    }
}

fn newer(than: NewerThan) -> String {
    match than {
        NewerThan::TheLook => "written after the run had looked at it".to_owned(),
        NewerThan::TheCount { objects: n } => {
            format!("written after {} had been counted, or in that second", objects(n))
        }
        NewerThan::TheConfirmation { objects: n } => {
            format!("written after {} {} confirmed, or in that second", objects(n), one_or(n, "was", "were"))
        }
        NewerThan::TheComparison => "written after the comparison with the backup, which does not hold them".to_owned(),
    }
}
