//! The tenants of a collection.

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Error;
use super::ask::Ask;
use super::client::Client;
use super::writer::Writer;
use crate::model::{CollectionName, TENANTS_BYTES, TENANTS_VALUES, TenantName, fold};

/// What a tenant is doing. The words are the server's own, whatever version was told them (`ACTIVE` reads back as `HOT`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum TenantState {
    /// Its objects can be read: `HOT`.
    Hot,
    /// Inactive on the server's disk: `COLD`.
    Cold,
    /// Offloaded to other storage: `FROZEN`.
    Frozen,
    /// On its way from one to another, or a word of a later version.
    Other(String),
}

impl TenantState {
    /// The server's word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Hot => "HOT",
            Self::Cold => "COLD",
            Self::Frozen => "FROZEN",
            Self::Other(word) => word,
        }
    }
}

impl From<String> for TenantState {
    fn from(word: String) -> Self {
        match word.as_str() {
            "HOT" | "ACTIVE" => Self::Hot,
            "COLD" | "INACTIVE" => Self::Cold,
            "FROZEN" | "OFFLOADED" => Self::Frozen,
            _ => Self::Other(word),
        }
    }
}

impl From<TenantState> for String {
    fn from(state: TenantState) -> Self {
        state.as_str().to_owned()
    }
}

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Tenant {
    /// Its name.
    pub name: TenantName,
    /// What it is doing.
    #[serde(rename = "activityStatus")]
    pub state: TenantState,
}

impl Tenant {
    /// Whether it can be read and written as it is.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.state == TenantState::Hot
    }

    /// Whether servers create tenants in its state.
    #[must_use]
    pub fn can_be_created(&self) -> bool {
        matches!(self.state, TenantState::Hot | TenantState::Cold)
    }

    /// The same as a server creates it: inactive, if in no other state.
    #[must_use]
    pub fn as_created(&self) -> Self {
        if self.can_be_created() { self.clone() } else { self.inactive() }
    }

    /// The names of those that are active.
    #[must_use]
    pub fn active(all: &[Self]) -> Vec<TenantName> {
        all.iter().filter(|tenant| tenant.is_active()).map(|tenant| tenant.name.clone()).collect()
    }

    /// What of a collection can be read as it is: its active tenants, or a plain collection (`None`) itself.
    #[must_use]
    pub fn spaces(all: Option<&[Self]>) -> Vec<Option<&TenantName>> {
        match all {
            None => vec![None],
            Some(all) => all.iter().filter(|tenant| tenant.is_active()).map(|tenant| Some(&tenant.name)).collect(),
        }
    }

    /// The same, inactive.
    #[must_use]
    pub fn inactive(&self) -> Self {
        Self { name: self.name.clone(), state: TenantState::Cold }
    }
}

impl Client {
    /// The tenants of a multi-tenant collection, sorted by name. Asking activates none of them.
    pub async fn tenants(&self, collection: &CollectionName) -> Result<Vec<Tenant>, Error> {
        let ask = Ask { max_bytes: TENANTS_BYTES, ..Ask::get(format!("/v1/schema/{collection}/tenants")) };
        let body = self.fetch(&ask).await?;
        self.trusted(&ask, &body, &fold::TENANTS, TENANTS_VALUES)?;
        let mut tenants: Vec<Tenant> =
            serde_json::from_slice(&body).map_err(|_| ask.bad_answer("not a list of tenants"))?;
        tenants.sort_unstable();
        Ok(tenants)
    }
}

/// Why a tenant cannot be read or written at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TenantTrouble {
    /// It is not active.
    Inactive,
    /// There is none of this name.
    Gone,
}

impl Error {
    /// What the server says is wrong with the tenant that was asked about, if it says so.
    #[must_use]
    pub fn tenant_trouble(&self) -> Option<TenantTrouble> {
        let Self::Rejected { message, .. } = self.root() else { return None };
        let says = |words: &str| message.contains(words);
        match (says("tenant not active"), says("tenant not found")) {
            (true, _) => Some(TenantTrouble::Inactive),
            (_, true) => Some(TenantTrouble::Gone),
            _ => None,
        }
    }
}

impl Writer {
    /// Puts tenants into the states given: activates them, or lets them sleep. Can be asked again, and is after failures
    /// that may pass. One name that is no tenant makes the server refuse all of them.
    pub async fn set_tenant_states(&self, collection: &CollectionName, tenants: &[Tenant]) -> Result<(), Error> {
        let ask = Ask::with_body(Method::PUT, &format!("/v1/schema/{collection}/tenants"), json!(tenants).to_string());
        self.client().send(&ask).await.map(|_| ())
    }

    /// Creates tenants, active, or inactive where `state` is cold; those that exist already stay as they are. Can be asked
    /// again, and is after failures that may pass.
    pub async fn create_tenants(&self, collection: &CollectionName, tenants: &[Tenant]) -> Result<(), Error> {
        let ask = Ask::with_body(Method::POST, &format!("/v1/schema/{collection}/tenants"), json!(tenants).to_string());
        self.client().send(&ask).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MOST_TENANTS;

    #[test]
    fn only_active_and_inactive_tenants_can_be_created() {
        let tenant = |name: &str, state: &str| Tenant {
            name: name.parse().expect("a name"),
            state: TenantState::from(state.to_owned()),
        };
        let given = [tenant("a", "HOT"), tenant("b", "COLD"), tenant("c", "FROZEN"), tenant("d", "UNFREEZING")];
        let made = given.each_ref().map(Tenant::as_created);
        assert_eq!(made, [tenant("a", "HOT"), tenant("b", "COLD"), tenant("c", "COLD"), tenant("d", "COLD")]);
        assert_eq!(given.map(|tenant| tenant.can_be_created()), [true, true, false, false]);
    }

    #[test]
    fn a_list_of_as_many_tenants_as_there_may_be_fits_whatever_their_names() {
        let longest = Tenant {
            name: "n".repeat(64).parse().expect("a name"),
            state: TenantState::Other("UNFREEZING".to_owned()),
        };
        let one = serde_json::to_string(&longest).expect("JSON").len() as u64 + 1;
        assert!(one * MOST_TENANTS as u64 <= TENANTS_BYTES, "{one}");
        let few = vec![longest; 50];
        let list = serde_json::to_vec(&few).expect("JSON");
        let values = u32::try_from(few.len()).expect("few") * (TENANTS_VALUES - 1) / 1_000_000 + 1;
        assert!(fold::check(&list, &fold::TENANTS, values).is_ok(), "three values a tenant, and the list");
        assert!(fold::check(&list, &fold::TENANTS, values - 1).is_err());
    }
}
