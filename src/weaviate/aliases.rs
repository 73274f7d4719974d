//! What stands beside the collections: aliases and roles, where the server has them and the key may read them.

use bytes::Bytes;
use serde::Deserialize;

use super::Error;
use super::attempt::Ask;
use super::body::Shape;
use super::client::Client;
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
