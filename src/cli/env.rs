//! The environment, read through one door so that tests can set it.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fmt;

use super::Failure;
use crate::event::Class;
use crate::model::HOME;

/// Environment variables, as they were when the program began.
pub struct Env(HashMap<OsString, OsString>);

impl Env {
    /// The environment of this process.
    #[must_use]
    pub fn process() -> Self {
        Self(std::env::vars_os().collect())
    }

    /// Exactly these variables.
    #[must_use]
    pub fn of(variables: &[(&str, &str)]) -> Self {
        Self(variables.iter().map(|(name, value)| (name.into(), value.into())).collect())
    }

    /// A variable as it is; an empty one counts as not set.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<OsString> {
        self.0.get(OsStr::new(name)).filter(|value| !value.is_empty()).cloned()
    }

    /// Where somebody is at home.
    #[must_use]
    pub fn home(&self) -> Option<OsString> {
        self.raw(HOME)
    }

    /// A variable as text; an empty one counts as not set.
    pub fn text(&self, name: &str) -> Result<Option<String>, Failure> {
        let not_text = |_| Failure::new(Class::Usage, format!("{name} is not valid UTF-8"));
        self.raw(name).map(|value| value.into_string().map_err(not_text)).transpose()
    }

    /// Whether a variable is set and not empty.
    #[must_use]
    pub fn is_set(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Env")
    }
}
