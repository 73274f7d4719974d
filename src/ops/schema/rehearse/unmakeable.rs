//! Why a server does not make a collection as it is to be, as data.

use serde::Serialize;

use crate::model::{CollectionName, KeyChange};
use crate::weaviate::{Error as WireError, LastingCause};

/// Why a server does not make a collection as it is to be: found out under a scratch name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
#[expect(missing_docs, reason = "the variant says the fact, and a field's name says what it is of it")]
pub enum Unmakeable {
    /// It refuses the class document.
    #[error("the server refuses it: {words}{}", known(cause.as_deref()))]
    Refused {
        /// HTTP status, where there was one.
        status: Option<u16>,
        words: String,
        /// What the server's operator can change, where that is known.
        #[serde(skip)]
        cause: Option<Box<LastingCause>>,
    },
    #[error("the server makes something else of it: {}", KeyChange::listed(differences))]
    Otherwise { differences: Vec<KeyChange> },
    /// It refuses the tenants.
    #[error("the server refuses its {tenants} tenants: {words}{}", known(cause.as_deref()))]
    Tenants {
        tenants: usize,
        words: String,
        /// What the server's operator can change, where that is known.
        #[serde(skip)]
        cause: Option<Box<LastingCause>>,
    },
    /// The key may not do it under any other name, so that it cannot be tried.
    #[error("it cannot be tried under a scratch name: the key's roles allow {lacks} for no name but {collection}")]
    NoScratchName { collection: CollectionName, lacks: &'static str },
}

/// Why, behind the server's own words, where that is known.
fn known(cause: Option<&LastingCause>) -> String {
    cause.map_or_else(String::new, |cause| format!(" ({cause})"))
}

impl Unmakeable {
    /// What a server refused; `None` for an error that says nothing about what was asked: no answer, or one that any other
    /// request would get.
    pub(in crate::ops) fn of(error: &WireError) -> Option<Self> {
        let cause = error.lasting();
        let is_about_it = match cause {
            Some(LastingCause::Mode(_) | LastingCause::Suspended) => false,
            Some(_) => true,
            // A 429 without a code is that of a limiter in between, which says nothing about what was asked.
            None => error.is_no(),
        };
        let words = error.message().filter(|words| !words.is_empty());
        let words = words.map_or_else(|| error.root().to_string(), str::to_owned);
        is_about_it.then(|| Self::Refused { status: error.status(), words, cause: cause.cloned().map(Box::new) })
    }

    /// What the server's operator can change, where that is known.
    #[must_use]
    pub fn cause(&self) -> Option<&LastingCause> {
        match self {
            Self::Refused { cause, .. } | Self::Tenants { cause, .. } => cause.as_deref(),
            Self::Otherwise { .. } | Self::NoScratchName { .. } => None,
        }
    }
}
