//! Class documents, in the server's own bytes.

use std::fmt;

use bytes::Bytes;
use reqwest::Method;
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use tokio::time::timeout;

use super::ask::{Answer, Ask, LISTING_BYTES_MAX};
use super::body::Body;
use super::client::Client;
use super::writer::Writer;
use super::{Error, said};
use crate::model::{CollectionName, Schema};

/// Collections in a listing at most: what is read of each stays in memory.
const COLLECTIONS_MAX: usize = 100_000;

#[derive(Deserialize)]
struct Listing<'a> {
    #[serde(borrow)]
    classes: Option<Documents<'a>>,
}

/// The texts of at most so many class documents.
struct Documents<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Documents<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Bounded;
        impl<'de> Visitor<'de> for Bounded {
            type Value = Documents<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of at most {COLLECTIONS_MAX} collections")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut documents = Vec::new();
                while let Some(document) = list.next_element()? {
                    documents.push(document);
                    if documents.len() > COLLECTIONS_MAX {
                        return Err(A::Error::invalid_length(documents.len(), &self));
                    }
                }
                Ok(Documents(documents))
            }
        }
        from.deserialize_seq(Bounded)
    }
}

fn understood(ask: &Ask, text: Bytes) -> Result<Schema, Error> {
    Schema::parse(text).map_err(|error| ask.bad_answer(said::harmless(&error.to_string())))
}

impl Client {
    /// Every collection the key may see, sorted by name. A key with few rights sees fewer or none, without an error.
    pub async fn schemas(&self) -> Result<Vec<Schema>, Error> {
        let ask = Ask { max_bytes: LISTING_BYTES_MAX, ..Ask::get("/v1/schema") };
        let body = self.fetch(&ask).await?;
        let listing: Listing<'_> =
            serde_json::from_slice(&body).map_err(|_| ask.bad_answer("not a list of classes"))?;
        let Some(Documents(classes)) = listing.classes else { return Err(ask.bad_answer("no list of classes")) };
        let mut schemas = classes
            .into_iter()
            .map(|raw| understood(&ask, body.slice_ref(raw.get().as_bytes())))
            .collect::<Result<Vec<_>, _>>()?;
        schemas.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(schemas)
    }

    /// One collection, without the line end after it; `None` if there is none of that name. Asked by an alias, the
    /// server answers with the collection behind it: its `name` then differs from the one asked for.
    pub async fn schema(&self, name: &CollectionName) -> Result<Option<Schema>, Error> {
        let ask = Ask::get(format!("/v1/schema/{name}"));
        let body = match self.send_doubting_404(&ask).await {
            Ok(answer) => answer.body,
            Err(error @ Error::NotFound { .. }) if !error.is_missing_route() => return Ok(None),
            Err(error) => return Err(error),
        };
        match body {
            Body::Whole(text) => understood(&ask, text.slice_ref(text.trim_ascii())).map(Some),
            Body::TooLarge => Err(ask.bad_answer("too large")),
        }
    }
}

impl Client {
    /// Whether a server that is ready says that there is no collection of that name. Asked once: `false` where there is no
    /// clear answer.
    pub async fn is_removed(&self, name: &CollectionName) -> bool {
        let longest = self.policy().question_timeout;
        let ask = Ask { attempts: 1, timeout: Some(longest), ..Ask::get(format!("/v1/schema/{name}")) };
        match timeout(longest * 2, self.send_doubting_404(&ask)).await {
            Ok(Err(error @ Error::NotFound { .. })) => !error.is_missing_route(),
            // An alias of that name may stand for another collection by now.
            Ok(Ok(Answer { body: Body::Whole(text), .. })) => {
                understood(&ask, text.slice_ref(text.trim_ascii())).is_ok_and(|there| there.name != *name)
            }
            _ => false,
        }
    }
}

impl Writer {
    /// Creates a collection from a class document. Sent once: after an error nobody knows whether it was carried out,
    /// so read the collection back, compare, then decide.
    pub async fn create_collection(&self, document: &str) -> Result<(), Error> {
        let ask = Ask { attempts: 1, ..Ask::with_body(Method::POST, "/v1/schema", document.to_owned()) };
        self.client().send(&ask).await.map(|_| ())
    }

    /// Changes the settings of a collection to those of a class document; can be asked again.
    pub async fn update_collection(&self, name: &CollectionName, document: &str) -> Result<(), Error> {
        let path = format!("/v1/schema/{name}");
        self.client().send(&Ask::with_body(Method::PUT, &path, document.to_owned())).await.map(|_| ())
    }

    /// Adds a property to a collection. Sent once, as [`Writer::create_collection`] is; a second request for the same
    /// property is refused.
    pub async fn add_property(&self, name: &CollectionName, document: &str) -> Result<(), Error> {
        let path = format!("/v1/schema/{name}/properties");
        let ask = Ask { attempts: 1, ..Ask::with_body(Method::POST, &path, document.to_owned()) };
        self.client().send(&ask).await.map(|_| ())
    }
}
