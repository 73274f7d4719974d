//! In what two schemas differ, and what becomes of settings on another server.
#![expect(missing_docs, reason = "the variant says the fact, and a field's name says what it is of it")]

use serde::Serialize;

/// One thing in which a live schema is not the archived one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[non_exhaustive]
pub enum SchemaDifference {
    /// One has tenants, the other has none.
    TenancySwitched,
    /// The live one has no unnamed vector.
    NoUnnamedVector,
    /// The live one lacks a vector.
    NoVector { vector: String },
    /// The live one has a vector that the archived one has not.
    MoreVector { vector: String },
    /// The live one lacks a property.
    NoProperty { property: String },
    /// The live one has a property that the archived one has not.
    MoreProperty { property: String },
    /// A property has other data types.
    OtherType { property: String, archived: Vec<String>, live: Vec<String> },
    /// A vector has another length there.
    OtherLength { vector: String, archived: u64, live: u64 },
    /// A vector is of single vectors on one side, and of lists of them on the other.
    OtherVectors { vector: String },
    /// Settings of a property differ.
    PropertySettings { property: String, settings: Vec<String> },
    /// Settings of the collection differ.
    Settings { settings: Vec<String> },
}

/// What becomes of settings of a schema on a server. `*` in a key stands for the name of a property or vector, values are
/// JSON texts, cut if long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[non_exhaustive]
pub enum SettingRemark {
    /// A setting gets another value, or none; `loss`: what is lost by it, if anything.
    SettingLost { key: String, was: String, now: Option<String>, loss: Option<Loss> },
    /// A setting is otherwise on demand, in so many places; `was`: `None` where there was none.
    SettingChanged { key: String, was: Option<String>, now: String, places: u64 },
    /// Settings are left out on demand.
    SettingsLeftOut { keys: Vec<String> },
    /// Settings that nobody will miss are not kept.
    SettingsUnkept { keys: Vec<String> },
    /// The server added settings.
    SettingsAdded { settings: Vec<String> },
    /// The server will add settings.
    SettingsToCome { settings: Vec<String> },
}

/// What is lost with a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Loss {
    /// The server no longer has it.
    SettingGone,
    /// Replicas that disagree about a deletion follow the server's default strategy.
    DefaultDeletionStrategy,
    /// Replicas that disagree about a deletion follow the server's only strategy.
    OnlyDeletionStrategy,
    /// Filtered searches use the only strategy there is.
    OnlyFilterStrategy,
    /// Range filters have no index of their own.
    RangeIndex,
    /// The server chooses the layout of its text index.
    TextIndexLayout,
    /// Replicas are not compared in the background.
    BackgroundRepair,
    /// The server derives it from the number of replicas.
    DerivedFromReplicas,
    /// The pace of background repair is the server's.
    RepairPace,
    /// Tenants are not created by writing to them.
    AutoTenantCreation,
    /// Tenants are not activated by using them.
    AutoTenantActivation,
    /// Objects no longer expire.
    Expiry,
    /// The same reference may be added twice.
    UniqueReferences,
    /// The server compresses vectors by default.
    DefaultCompression,
    /// The vector was being dropped when the schema was read.
    DroppedVector,
    /// The server has not enabled the module.
    ModuleNotEnabled,
    /// The server has too few nodes for as many replicas.
    TooFewNodes,
}
