//! What is to be known about a collection, an alias or a role beyond numbers: one variant for one fact, as data. The words
//! are made by `render`; `--json` has the fact's `code`, what belongs to it, and the words as `text`.

mod beside;
mod clear;
mod comparison;
mod creation;
mod restore;
mod schema;

use serde::Serialize;

pub use beside::{AliasRemark, RoleRemark};
pub use clear::{ClearRemark, MoreThan, NewerThan, WhyLeft};
pub use comparison::{ComparisonRemark, OutOfReach};
pub use creation::CreationRemark;
pub use restore::{RestoreRemark, Untrained};
pub use schema::{Loss, SchemaDifference, SettingRemark};

/// A fact about a collection, an alias or a role. Codes are unique in all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Remark {
    /// About an alias.
    Alias(AliasRemark),
    /// About a collection that was emptied.
    Clear(ClearRemark),
    /// About a comparison of an archive with a server.
    Comparison(ComparisonRemark),
    /// About a collection that is created from a document.
    Creation(CreationRemark),
    /// About a collection that is restored.
    Restore(RestoreRemark),
    /// About a role.
    Role(RoleRemark),
    /// In what two schemas differ.
    Schema(SchemaDifference),
    /// About a setting that a server does not keep, or adds.
    Setting(SettingRemark),
}

/// A fact becomes a remark as it is.
macro_rules! remarks {
    ($($variant:ident($fact:ty),)*) => {
        $(impl From<$fact> for Remark {
            fn from(fact: $fact) -> Self {
                Self::$variant(fact)
            }
        })*
    };
}

remarks! {
    Alias(AliasRemark),
    Clear(ClearRemark),
    Comparison(ComparisonRemark),
    Creation(CreationRemark),
    Restore(RestoreRemark),
    Role(RoleRemark),
    Schema(SchemaDifference),
    Setting(SettingRemark),
}
