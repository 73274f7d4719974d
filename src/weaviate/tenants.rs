//! The tenants of a collection.

use serde::{Deserialize, Serialize};

use super::Error;
use super::attempt::Ask;
use super::client::Client;
use crate::model::{CollectionName, TenantName};

/// What a tenant is doing. The words are the server's own, whatever version was told them (`ACTIVE` reads back as `HOT`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum TenantState {
    /// Its objects can be read: `HOT`.
    Hot,
    /// Asleep on the server's disk: `COLD`.
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
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Tenant {
    /// Its name.
    pub name: TenantName,
    /// What it is doing.
    #[serde(rename = "activityStatus")]
    pub state: TenantState,
}

impl Client {
    /// The tenants of a multi-tenant collection, sorted by name. Asking wakes none of them.
    pub async fn tenants(&self, collection: &CollectionName) -> Result<Vec<Tenant>, Error> {
        let ask = Ask::get(format!("/v1/schema/{collection}/tenants"));
        let body = self.fetch(&ask).await?;
        let mut tenants: Vec<Tenant> =
            serde_json::from_slice(&body).map_err(|_| ask.bad_answer("not a list of tenants"))?;
        tenants.sort_unstable();
        Ok(tenants)
    }
}
