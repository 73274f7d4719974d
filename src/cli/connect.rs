//! Makes the client of what `settings` resolved.

use secrecy::{ExposeSecret, SecretSlice};

use super::explain::{Verb, explain};
use super::{Connect, Failure};
use crate::event::{Class, Events};
use crate::render::quoted;
use crate::weaviate::{Client, Connection, HeaderName};

impl Connect {
    /// What a command that is to be typed next needs to reach this server at `url`, a space before it: nothing, unless the
    /// address was typed this time.
    pub(super) fn url_flag(&self, url: &str) -> String {
        if self.url_from == "--url" { " --url ".to_owned() + &quoted(url) } else { String::new() }
    }

    /// A client for this server, and for what a verb does with it.
    pub(super) fn client(&self, verb: Verb, events: &Events) -> Result<Client, Failure> {
        self.exposed.iter().for_each(|warning| events.warn(warning.clone()));
        let wrong = |e: crate::weaviate::Error| explain(verb, &e.into());
        let of_address = |e| wrong(e).hint(format!("the address comes from {}", self.url_from));
        let mut connection = Connection::new(Connection::parse_url(&self.url).map_err(of_address)?);
        connection.key.clone_from(&self.key);
        for (name, value) in &self.headers {
            let parsed = HeaderName::from_bytes(name.as_bytes());
            let name = parsed.map_err(|_| Failure::new(Class::Usage, format!("{name} is not a header's name")))?;
            connection.headers.push((name, value.clone()));
        }
        connection.ca_cert_pem.clone_from(&self.ca_cert_pem);
        let pem = self.client_pem.as_ref();
        connection.client_cert_pem = pem.map(|pem| SecretSlice::from(pem.expose_secret().as_bytes().to_vec()));
        connection.insecure = self.insecure;
        connection.stall_timeout = self.stall_timeout;
        let seed = uuid::Uuid::new_v4().as_u64_pair().0;
        Client::new(connection, events.clone(), seed).map_err(wrong)
    }
}
