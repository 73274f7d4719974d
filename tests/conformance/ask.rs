//! A client that knows nothing but HTTP and JSON.

use reqwest::Method;
use serde_json::{Value, json};

/// Why a check failed.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl Reply {
    /// The body as JSON; null when it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// The message of either error shape.
    pub(crate) fn message(&self) -> String {
        let body = self.json();
        let message = body["error"][0]["message"].as_str().or(body["message"].as_str());
        message.unwrap_or("").to_owned()
    }

    /// Fails unless the status is this one.
    pub(crate) fn want(self, status: u16) -> Result<Self, Failure> {
        if self.status == status {
            return Ok(self);
        }
        let text: String = self.text.chars().take(300).collect();
        Err(format!("status {} instead of {status}: {text}", self.status).into())
    }

    /// Fails unless the message contains a text.
    pub(crate) fn says(self, part: &str) -> Result<Self, Failure> {
        if self.message().contains(part) {
            return Ok(self);
        }
        Err(format!("\"{part}\" is not in: {}", self.text).into())
    }
}

/// Fails unless both are the same.
pub(crate) fn same<A: PartialEq<B> + std::fmt::Debug, B: std::fmt::Debug>(
    what: &str,
    got: &A,
    wanted: &B,
) -> Result<(), Failure> {
    if got == wanted { Ok(()) } else { Err(format!("{what}: {got:?} instead of {wanted:?}").into()) }
}

/// A server.
pub(crate) struct Server {
    url: String,
    client: reqwest::Client,
}

impl Server {
    pub(crate) fn new(url: &str) -> Self {
        Self { url: url.to_owned(), client: reqwest::Client::new() }
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<&str>) -> Result<Reply, Failure> {
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_owned());
        }
        let reply = request.send().await?;
        Ok(Reply { status: reply.status().as_u16(), text: reply.text().await? })
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Reply, Failure> {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Reply, Failure> {
        self.send(Method::POST, path, Some(&body.to_string())).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Result<Reply, Failure> {
        self.send(Method::PUT, path, Some(&body.to_string())).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<Reply, Failure> {
        self.send(Method::DELETE, path, None).await
    }

    /// Major and minor version.
    pub(crate) async fn version(&self) -> Result<(u32, u32), Failure> {
        let meta = self.get("/v1/meta").await?.want(200)?.json();
        let text = meta["version"].as_str().unwrap_or("").to_owned();
        let mut parts = text.split('.').map(str::parse::<u32>);
        match (parts.next(), parts.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => Ok((major, minor)),
            _ => Err(format!("no version: {text}").into()),
        }
    }

    /// Drops a class and makes it anew; gives the reply's document.
    pub(crate) async fn fresh(&self, document: &Value) -> Result<Value, Failure> {
        self.drop_class(document["class"].as_str().unwrap_or("")).await?;
        Ok(self.post("/v1/schema", document).await?.want(200)?.json())
    }

    pub(crate) async fn drop_class(&self, class: &str) -> Result<(), Failure> {
        self.delete(&format!("/v1/schema/{class}")).await?.want(200).map(|_| ())
    }

    /// Writes objects given as JSON text; gives the array of results.
    pub(crate) async fn write_text(&self, objects: &str) -> Result<Vec<Value>, Failure> {
        let body = format!("{{\"objects\":{objects}}}");
        let reply = self.send(Method::POST, "/v1/batch/objects", Some(&body)).await?.want(200)?;
        // An out-of-range number comes back as it was sent, and this reader takes none.
        let reply = Reply { text: reply.text.replace(":1E400", ":1"), ..reply };
        Ok(reply.json().as_array().cloned().unwrap_or_default())
    }

    /// Writes objects that must all succeed.
    pub(crate) async fn write(&self, objects: &[Value]) -> Result<(), Failure> {
        let results = self.write_text(&json!(objects).to_string()).await?;
        match results.iter().find(|r| r["result"]["status"] != "SUCCESS") {
            Some(failed) => Err(format!("not written: {failed}").into()),
            None => same("results", &results.len(), &objects.len()),
        }
    }

    /// Writes one object given as JSON text; gives the text of its failure, if it failed.
    pub(crate) async fn failure(&self, object: &str) -> Result<Option<String>, Failure> {
        let results = self.write_text(&format!("[{object}]")).await?;
        let result = &results.first().ok_or("no result")?["result"];
        let message = result["errors"]["error"][0]["message"].as_str().map(str::to_owned);
        same("status", &result["status"], &if message.is_some() { "FAILED" } else { "SUCCESS" })?;
        Ok(message)
    }

    /// The ids of a page.
    pub(crate) async fn ids(&self, query: &str) -> Result<Vec<String>, Failure> {
        let page = self.get(&format!("/v1/objects?{query}")).await?.want(200)?.json();
        let objects = page["objects"].as_array().cloned().unwrap_or_default();
        let total = page.get("totalResults").and_then(Value::as_u64);
        same("totalResults", &total, &(!objects.is_empty()).then_some(objects.len() as u64))?;
        Ok(objects.iter().filter_map(|o| o["id"].as_str().map(str::to_owned)).collect())
    }
}

/// An id from a small number.
pub(crate) fn id(number: u64) -> String {
    format!("00000000-0000-0000-0000-{number:012x}")
}

/// A class without vectorizer.
pub(crate) fn class(name: &str, properties: &[(&str, &str)]) -> Value {
    let properties: Vec<Value> =
        properties.iter().map(|(name, kind)| json!({"name": name, "dataType": [kind]})).collect();
    json!({"class": name, "vectorizer": "none", "properties": properties})
}
