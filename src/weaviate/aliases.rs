//! What stands beside the collections: aliases and roles, where the server has them and the key may read them.

use bytes::Bytes;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Error;
use super::attempt::Ask;
use super::body::Shape;
use super::client::Client;
use super::writer::Writer;
use crate::model::CollectionName;

/// The server's aliases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aliases {
    /// The server's own document.
    pub text: Bytes,
    /// Alias and the collection it stands for, in the server's order. The collection may be gone.
    pub pairs: Vec<(String, CollectionName)>,
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

/// Whether an error only says that there is nothing to see here: unknown to this version, switched off, not allowed.
fn is_closed(error: &Error) -> bool {
    matches!(error, Error::Forbidden { .. }) || matches!(error.status(), Some(404 | 405 | 501))
}

impl Client {
    /// All aliases; `None` where the version has none (before 1.32) or the key may not read them.
    pub async fn aliases(&self) -> Result<Option<Aliases>, Error> {
        let ask = Ask::get("/v1/aliases");
        let body = match self.fetch(&ask).await {
            Err(error) if is_closed(&error) => return Ok(None),
            other => other?,
        };
        let read: Document = serde_json::from_slice(&body).map_err(|_| ask.bad_answer("not a list of aliases"))?;
        let pairs = read.aliases.unwrap_or_default().into_iter().map(|pair| (pair.alias, pair.class)).collect();
        Ok(Some(Aliases { text: body.slice_ref(body.trim_ascii()), pairs }))
    }

    /// What an alias stands for; `None` if there is none of this name, or the key may not see it.
    pub async fn alias(&self, alias: &CollectionName) -> Result<Option<CollectionName>, Error> {
        let ask = Ask::get(format!("/v1/aliases/{alias}"));
        let body = match self.fetch(&ask).await {
            Err(error) if is_closed(&error) => return Ok(None),
            other => other?,
        };
        let read: Pair = serde_json::from_slice(&body).map_err(|_| ask.bad_answer("not an alias"))?;
        Ok(Some(read.class))
    }

    /// One role in the server's own bytes; `None` if there is none of this name.
    pub async fn role(&self, name: &str) -> Result<Option<Bytes>, Error> {
        match self.fetch(&Ask::get(format!("/v1/authz/roles/{name}"))).await {
            Err(error) if error.status() == Some(404) => Ok(None),
            other => other.map(Some),
        }
    }

    /// All roles in the server's own bytes; `None` where the version has none, they are off, or the key may not read
    /// them. With roles switched off servers answer 401, 200 with an empty list, or (1.28) 200 with an empty body.
    pub async fn roles(&self) -> Result<Option<Bytes>, Error> {
        let ask = Ask { shape: Shape::JsonOrEmpty, ..Ask::get("/v1/authz/roles") };
        let body = match self.fetch(&ask).await {
            Err(error) if is_closed(&error) || matches!(error.status(), Some(401 | 422)) => return Ok(None),
            other => other?,
        };
        let text = body.slice_ref(body.trim_ascii());
        Ok((!text.is_empty() && &*text != b"[]").then_some(text))
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
        self.send(&Ask::with_body(Method::PUT, &format!("/v1/aliases/{alias}"), body)).await.map(|_| ())
    }

    /// Makes a role from its document. Sent once: whether it is there is asked afterwards.
    pub async fn create_role(&self, document: &Value) -> Result<(), Error> {
        self.once(Method::POST, "/v1/authz/roles".into(), Some(document.clone())).await
    }
}
