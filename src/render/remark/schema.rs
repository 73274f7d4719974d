//! Schemas and settings in words.

use crate::event::{Loss, Op, SchemaDifference, SettingRemark, Sides};
use crate::model::{KeyChange, count};

/// A difference between two schemas, as a clause.
#[must_use]
pub fn difference(op: Op, differs: &SchemaDifference) -> String {
    let Sides { left, right, collection } = op.facts().sides;
    match differs {
        SchemaDifference::TenancySwitched => "multi-tenancy is switched".to_owned(),
        SchemaDifference::NoUnnamedVector => format!("{collection} has no unnamed vector"),
        SchemaDifference::NoVector { vector } => format!("{collection} has no vector {vector}"),
        SchemaDifference::MoreVector { vector } => format!("{collection} has a vector {vector} more"),
        SchemaDifference::NoProperty { property } => format!("{collection} has no property {property}"),
        SchemaDifference::MoreProperty { property } => format!("{collection} has a property {property} more"),
        SchemaDifference::OtherType { property, archived, live } => {
            let (archived, live) = (archived.join(", "), live.join(", "));
            format!("property {property} is {archived} in {left} and {live} on {right}")
        }
        SchemaDifference::OtherLength { vector, archived, live } => {
            format!("vector {vector} has {archived} dimensions in {left} and {live} on {right}")
        }
        SchemaDifference::OtherVectors { vector } => {
            format!("vector {vector} is of single vectors on one side and of lists of them on the other")
        }
        SchemaDifference::PropertySettings { property, settings } => {
            format!("settings of property {property} differ: {}", settings.join(", "))
        }
        SchemaDifference::Settings { settings } => format!("settings differ: {}", settings.join(", ")),
    }
}

pub(super) fn setting(fact: &SettingRemark) -> String {
    match fact {
        SettingRemark::SettingLost { key, was, now: Some(now), loss: lost } => {
            format!("{key} becomes {now}, it was {was}: {}", lost.map_or("without effect", loss))
        }
        SettingRemark::SettingLost { key, was, now: None, loss: lost } => {
            format!("{key} {was} is not kept: {}", lost.map_or("without effect", loss))
        }
        SettingRemark::SettingChanged { key, was, now, places } => {
            let was = was.as_ref().map_or_else(|| "it was not there".to_owned(), |was| format!("it was {was}"));
            let places = if *places > 1 { format!(", {} times", count(*places)) } else { String::new() };
            format!("as asked, {key} becomes {now}, {was}{places}")
        }
        SettingRemark::SettingsLeftOut { keys } => format!("as asked, these are left out: {}", keys.join(", ")),
        SettingRemark::SettingsUnkept { keys } => {
            format!("settings that are off or without effect there are not kept: {}", keys.join(", "))
        }
        SettingRemark::SettingsAdded { settings } => {
            format!("settings that the server added: {}", settings.join(", "))
        }
        SettingRemark::SettingsToCome { settings } => {
            format!("settings that the server adds: {}", settings.join(", "))
        }
    }
}

fn loss(loss: Loss) -> &'static str {
    match loss {
        Loss::SettingGone => "the server no longer has this setting",
        Loss::DefaultDeletionStrategy => "replicas that disagree about a deletion follow the server's default strategy",
        Loss::OnlyDeletionStrategy => "replicas that disagree about a deletion follow the server's only strategy",
        Loss::OnlyFilterStrategy => "filtered searches use the only strategy there is",
        Loss::RangeIndex => "range filters have no index of their own",
        Loss::TextIndexLayout => "the server chooses the layout of its text index",
        Loss::BackgroundRepair => "replicas are not compared in the background",
        Loss::DerivedFromReplicas => "the server derives it from the number of replicas",
        Loss::RepairPace => "the pace of background repair is the server's",
        Loss::AutoTenantCreation => "tenants are not created by writing to them",
        Loss::AutoTenantActivation => "tenants are not activated by using them",
        Loss::Expiry => "objects no longer expire",
        Loss::UniqueReferences => "the same reference may be added twice",
        Loss::DefaultCompression => "the server compresses vectors by default",
        Loss::DroppedVector => {
            "the vector was being dropped when the schema was read: it is left out, of the objects too"
        }
        Loss::ModuleNotEnabled => "the server has not enabled the module, and would refuse the collection for it",
        Loss::TooFewNodes => "the server has too few nodes for as many replicas",
    }
}

/// What the server added to a schema.
pub(in crate::render) fn schema_grew(changes: &[KeyChange], more: usize) -> String {
    let more = if more == 0 { String::new() } else { format!("; {} more", count(more as u64)) };
    format!("the server added to the schema while objects were written: {}{more}", KeyChange::listed(changes))
}
