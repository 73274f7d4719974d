//! `skipped[]` of the manifest. Before 1.2 `reason` was a sentence; since then it is a code, with `data` beside it where there
//! is any. So a reader of 1.1 shows the code where it showed the sentence.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::super::manifest as today;
use crate::event::{ActivationRefusal, SkipReason};

#[derive(Serialize, Deserialize)]
struct Skipped {
    collection: String,
    tenant: Option<String>,
    reason: String,
    /// Since 1.2.
    #[serde(default, skip_serializing_if = "Data::is_empty")]
    data: Data,
}

/// What is known beside the code.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Data {
    /// Objects that had been read, of `removed_since`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    objects: Option<u64>,
    /// The state of the namespace of `idle_namespace`, or of a tenant that is `not_active`, in the server's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<Box<str>>,
    /// Why the server activates no tenant, of `not_activated`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cause: Option<Box<str>>,
}

impl Data {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl From<today::Skipped> for Skipped {
    fn from(today::Skipped { collection, tenant, reason }: today::Skipped) -> Self {
        let (reason, data) = match reason {
            SkipReason::Removed => ("removed", Data::default()),
            SkipReason::ChangedEachTime => ("changed_each_time", Data::default()),
            SkipReason::RemovedSince { objects } => {
                ("removed_since", Data { objects: Some(objects), ..Data::default() })
            }
            SkipReason::IdleNamespace { state } => ("idle_namespace", Data { state: Some(state), ..Data::default() }),
            SkipReason::TenantsHidden => ("tenants_hidden", Data::default()),
            SkipReason::Offloaded => ("offloaded", Data::default()),
            SkipReason::NotActive { state } => ("not_active", Data { state: Some(state), ..Data::default() }),
            SkipReason::StaysInactive => ("stays_inactive", Data::default()),
            SkipReason::NotActivated { why: ActivationRefusal::Server { cause } } => {
                ("not_activated", Data { cause: Some(cause), ..Data::default() })
            }
            SkipReason::NotActivated { why: ActivationRefusal::Key } => ("may_not_activate", Data::default()),
            SkipReason::Told { words } => {
                return Self { collection, tenant, reason: words.into(), data: Data::default() };
            }
        };
        Self { collection, tenant, reason: reason.to_owned(), data }
    }
}

impl From<Skipped> for today::Skipped {
    fn from(Skipped { collection, tenant, reason, data }: Skipped) -> Self {
        let reason = match (reason.as_str(), data) {
            ("removed", _) => SkipReason::Removed,
            ("changed_each_time", _) => SkipReason::ChangedEachTime,
            ("removed_since", Data { objects: Some(objects), .. }) => SkipReason::RemovedSince { objects },
            ("idle_namespace", Data { state: Some(state), .. }) => SkipReason::IdleNamespace { state },
            ("tenants_hidden", _) => SkipReason::TenantsHidden,
            ("offloaded", _) => SkipReason::Offloaded,
            ("not_active", Data { state: Some(state), .. }) => SkipReason::NotActive { state },
            ("stays_inactive", _) => SkipReason::StaysInactive,
            ("not_activated", Data { cause: Some(cause), .. }) => {
                SkipReason::NotActivated { why: ActivationRefusal::Server { cause } }
            }
            ("may_not_activate", _) => SkipReason::NotActivated { why: ActivationRefusal::Key },
            _ => SkipReason::Told { words: reason.into() },
        };
        Self { collection, tenant, reason }
    }
}

impl Serialize for today::Skipped {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        Skipped::from(self.clone()).serialize(to)
    }
}

impl<'de> Deserialize<'de> for today::Skipped {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Skipped::deserialize(from).map(Into::into)
    }
}
