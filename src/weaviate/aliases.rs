//! What stands beside the collections: aliases and roles, where the server has them and the key may read them.

use bytes::Bytes;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Error;
use super::ask::Ask;
use super::body::Shape;
use super::client::Client;
use super::rights::Rights;
use super::seen::{Listed, Named};
use super::writer::Writer;
use crate::model::{CollectionName, fold};

/// The server's aliases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aliases {
    /// The server's own document.
    pub text: Bytes,
    /// Alias and the collection it stands for, in the server's order. The collection may be gone.
    pub pairs: Vec<(String, CollectionName)>,
}

impl Aliases {
    /// Reads the document that a server sends of its aliases.
    pub fn parse(text: Bytes) -> Result<Self, serde_json::Error> {
        let read: Document = serde_json::from_slice(&text)?;
        let pairs = read.aliases.unwrap_or_default().into_iter().map(|pair| (pair.alias, pair.class)).collect();
        Ok(Self { text, pairs })
    }
}

impl Listed<Aliases> {
    /// Whether a collection may have aliases that are not in the list: servers leave out what the key may not read without a
    /// word. Where nothing is told of its rights, the list is taken for all there are.
    #[must_use]
    pub fn may_lack(&self, rights: Option<&Rights>, of: &CollectionName) -> bool {
        match (self, rights) {
            (Self::Nothing, _) | (Self::Seen(_), None) => false,
            (Self::Forbidden, _) => true,
            (Self::Seen(_), Some(rights)) => !rights.show_aliases(of),
        }
    }
}

#[derive(Deserialize)]
struct Document {
    aliases: Option<Vec<Pair>>,
}

#[derive(Deserialize)]
struct Pair {
    alias: String,
    class: CollectionName,
}

/// Values in a list of aliases or roles.
const LISTED_VALUES: u32 = 250_000;
/// The status of a role that was made.
const CREATED: u16 = 201;
/// The status of a document that names what the server does not know.
const UNKNOWN: u16 = 422;
/// A role that every server with roles has.
const ROLE_OF_ALL: &str = "viewer";

/// Why nothing is listed, if an error only says that.
fn closed<T>(error: Error) -> Result<Listed<T>, Error> {
    match error.status() {
        Some(403) => Ok(Listed::Forbidden),
        Some(404 | 405 | 501) => Ok(Listed::Nothing),
        _ => Err(error),
    }
}

/// What asking by name gave.
fn named<T>(answer: Result<T, Error>) -> Result<Named<T>, Error> {
    match answer {
        Ok(thing) => Ok(Named::There(thing)),
        Err(error) => match error.status() {
            Some(403) => Ok(Named::Hidden),
            Some(404) => Ok(Named::Missing),
            _ => Err(error),
        },
    }
}

/// A name as one piece of a path.
fn piece(name: &str) -> String {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~:@".contains(&byte);
    let one = |byte: u8| if safe(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    name.bytes().map(one).collect()
}

impl Client {
    /// The aliases that the key may see; none where the version has none (before 1.32).
    pub async fn aliases(&self) -> Result<Listed<Aliases>, Error> {
        let ask = Ask::get("/v1/aliases");
        let body = match self.fetch(&ask).await {
            Err(error) => return closed(error),
            Ok(body) => body,
        };
        self.trusted(&ask, &body, &fold::ALIASES, LISTED_VALUES)?;
        let text = body.slice_ref(body.trim_ascii());
        Aliases::parse(text).map(Listed::Seen).map_err(|_| ask.bad_answer("not a list of aliases"))
    }

    /// What an alias stands for, asked by its name. A server says 403 of one that is there and hidden, 404 of a free name.
    pub async fn alias(&self, alias: &CollectionName) -> Result<Named<CollectionName>, Error> {
        let ask = Ask::get(format!("/v1/aliases/{alias}"));
        match named(self.fetch(&ask).await)? {
            Named::There(body) => {
                let read: Pair = serde_json::from_slice(&body).map_err(|_| ask.bad_answer("not an alias"))?;
                Ok(Named::There(read.class))
            }
            Named::Missing => Ok(Named::Missing),
            Named::Hidden => Ok(Named::Hidden),
        }
    }

    /// One role in the server's own bytes, asked by its name. To a key that may not read it a server says the same whether
    /// it is there or not.
    pub async fn role(&self, name: &str) -> Result<Named<Bytes>, Error> {
        named(self.fetch(&Ask::get(format!("/v1/authz/roles/{}", piece(name)))).await)
    }

    /// The roles that the key may see, in the server's own bytes; nothing where the version has none, they are off, or the
    /// key may see none: servers answer 200 with an empty list then. With roles switched off it is that as well, or 401, or
    /// (1.28) 200 with an empty body.
    pub async fn roles(&self) -> Result<Listed<Bytes>, Error> {
        let ask = Ask { shape: Shape::JsonOrEmpty, ..Ask::get("/v1/authz/roles") };
        let body = match self.fetch(&ask).await {
            Err(error) if matches!(error.status(), Some(401 | 422)) => return Ok(Listed::Nothing),
            Err(error) => return closed(error),
            Ok(body) => body,
        };
        let text = body.slice_ref(body.trim_ascii());
        if !text.is_empty() {
            self.trusted(&ask, &text, &fold::ROLES, LISTED_VALUES)?;
        }
        let nothing = text.is_empty() || [&b"[]"[..], b"null"].contains(&&*text);
        Ok(if nothing { Listed::Nothing } else { Listed::Seen(text) })
    }
}

impl Client {
    /// Whether the server knows an action of permissions. It holds the action of a question whether a role has a permission
    /// against its own list, before it asks who asks: nothing is changed by it.
    pub async fn knows_action(&self, action: &str) -> Result<bool, Error> {
        let path = format!("/v1/authz/roles/{ROLE_OF_ALL}/has-permission");
        let ask = Ask::with_body(Method::POST, &path, json!({"action": action}).to_string());
        match self.fetch(&Ask { shape: Shape::Any, ..ask }).await {
            Ok(_) => Ok(true),
            Err(error) => match error.status() {
                Some(UNKNOWN) => Ok(false),
                // What it says against a question with an action alone comes after it knew the action.
                Some(400 | 403 | 404 | 405 | 501) => Ok(true),
                _ => Err(error),
            },
        }
    }
}

impl Writer {
    /// Makes an alias. Sent once: whether it is there is asked afterwards.
    pub async fn create_alias(&self, alias: &CollectionName, of: &CollectionName) -> Result<(), Error> {
        self.once(Method::POST, "/v1/aliases".into(), Some(json!({"alias": alias, "class": of}))).await
    }

    /// Has an alias stand for another collection. Can be asked again, and is after failures that may pass.
    pub async fn move_alias(&self, alias: &CollectionName, to: &CollectionName) -> Result<(), Error> {
        let body = json!({"class": to}).to_string();
        self.client().send(&Ask::with_body(Method::PUT, &format!("/v1/aliases/{alias}"), body)).await.map(|_| ())
    }

    /// Makes a role from its document. Sent once: whether it is there is asked afterwards, since a server with roles
    /// switched off answers as if it had made it.
    pub async fn create_role(&self, document: &Value) -> Result<(), Error> {
        let ask = Ask::with_body(Method::POST, "/v1/authz/roles", document.to_string());
        self.client().send(&Ask { attempts: 1, shape: Shape::Any, good: CREATED, ..ask }).await.map(|_| ())
    }
}
