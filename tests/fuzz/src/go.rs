//! Documents as a server reads them: the JSON reader of the sandbox, which knows names as Go does and shares nothing with
//! elysiactl.

use serde_json::Value;

use crate::fold::{self, Struct};
use crate::json::{self, Json};

static ALIASES: Struct = Struct::Fields(&[("aliases", &Struct::Slice(&fold::ALIAS))]);
static ROLES: Struct = Struct::Slice(&fold::ROLE);
/// The references of an object.
static REFERENCES: Struct = Struct::Slice(&Struct::Fields(&[
    ("beacon", &Struct::Any),
    ("class", &Struct::Any),
    ("classification", &Struct::Any),
    ("href", &Struct::Any),
    ("schema", &Struct::Any),
]));

/// What a document is decoded into.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// An object of a batch.
    Object,
    /// A class document.
    Class,
    /// A list of roles.
    Roles,
    /// A list of aliases in an object.
    Aliases,
    /// A list of tenants.
    Tenants,
    /// A list of references.
    References,
}

impl Kind {
    fn layout(self) -> &'static Struct {
        match self {
            Self::Object => &fold::OBJECT,
            Self::Class => &fold::CLASS,
            Self::Roles => &ROLES,
            Self::Aliases => &ALIASES,
            Self::Tenants => &fold::TENANTS,
            Self::References => &REFERENCES,
        }
    }
}

/// What a server makes of a text; `None` if it refuses it.
pub fn read(kind: Kind, text: &[u8]) -> Option<Document> {
    let json = json::parse(text).ok()?;
    Some(Document(kind.layout().decoded(json)))
}

/// A document as a server sees it.
#[derive(Debug)]
pub struct Document(Json);

impl Document {
    /// A text among its members.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.text(name)
    }

    /// Panics where a server sees anything else than these bytes say to a reader that takes names as they stand.
    pub fn is(&self, printed: &[u8]) {
        let Ok(value) = serde_json::from_slice::<Value>(printed) else { return };
        assert!(same(&value, &self.0), "{value}\n{:?}", self.0);
    }

    /// The same for one member.
    pub fn member_is(&self, name: &str, printed: &[u8]) {
        let Ok(value) = serde_json::from_slice::<Value>(printed) else { return };
        let there = self.0.get(name);
        assert!(there.is_some_and(|there| same(&value, there)), "{name}: {value}\n{there:?}");
    }
}

/// Whether two readers see the same, numbers aside. Servers take nothing of members they do not know; here those stay.
fn same(value: &Value, json: &Json) -> bool {
    match (value, json) {
        (Value::Null, Json::Null) | (Value::Number(_), Json::Number(_)) => true,
        (Value::Bool(a), Json::Bool(b)) => a == b,
        (Value::String(a), Json::Text(b)) => a == b,
        (Value::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Json::Object(b)) => {
            a.len() == b.len() && b.iter().all(|(name, b)| a.get(name).is_some_and(|a| same(a, b)))
        }
        _ => false,
    }
}
