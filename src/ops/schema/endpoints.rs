//! Where the modules of a collection send texts, objects and keys, as far as its class document says so. Pure.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::event::RestoreRemark;
use crate::model::Origin;

/// What names of settings hold, in lower case, that say where a module sends its requests, or a part of it (from the
/// settings of all modules of 1.40: `baseURL`, `apiEndpoint`, `endpoint`, `inferenceUrl`, `resourceName`, `region`, …).
const NAMES: [&str; 11] = [
    "url",
    "endpoint",
    "host",
    "region",
    "location",
    "zone",
    "resourcename",
    "projectid",
    "deploymentid",
    "service",
    "origin",
];
/// The one of them that is the first part of a host (`https://NAME.openai.azure.com`).
const RESOURCE: &str = "resourcename";
/// Of those the ones that hold a whole address.
const ADDRESSES: [&str; 4] = ["url", "endpoint", "host", "origin"];
/// Names of those that hold an address, yet take the name of one of the vendor's places.
const NAMES_A_PLACE: [&str; 2] = ["endpoint", "endpointid"];
/// Members whose texts are words for people.
const WORDS: [&str; 2] = ["description", "name"];
/// Characters of a value that are shown.
const SHOWN_CHARS: usize = 120;
/// The longest plain word, in characters.
const WORD_CHARS: usize = 63;

/// A setting that says where a module sends its requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Endpoint {
    /// Where it stands in the class document, keys from the top.
    pub key: String,
    /// Its value, harmless to print: cut, without a user, and with everything but plain characters escaped.
    pub shown: String,
    /// What it leads to, if that can be told for certain.
    pub origin: Option<Origin>,
    /// It leads where its author likes; otherwise it is one of the places of the module's own vendor.
    pub anywhere: bool,
}

impl Endpoint {
    /// That it is among the settings.
    pub(in crate::ops) fn remark(&self) -> RestoreRemark {
        RestoreRemark::LeadsOn { key: self.key.clone(), to: self.shown.clone() }
    }

    /// Whether requests may go there without a word of the operator: it is the vendor's own place, or among these.
    #[must_use]
    pub fn is_allowed(&self, allowed: &[Origin]) -> bool {
        !self.anywhere || self.origin.as_ref().is_some_and(|origin| allowed.contains(origin))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.key, self.shown)
    }
}

/// Every such setting of a class document, wherever it stands and however its name is spelt: a module that nobody knows
/// yet may name it as it likes, so that every address counts too.
pub(in crate::ops) fn endpoints(document: &Value) -> Vec<Endpoint> {
    let mut found = Vec::new();
    walk(document, &mut Vec::new(), &mut found);
    found
}

fn walk(value: &Value, path: &mut Vec<String>, found: &mut Vec<Endpoint>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                path.push(key.clone());
                walk(value, path, found);
                path.pop();
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| walk(element, path, found)),
        Value::String(text) if !text.is_empty() => {
            let key = path.last().map(|key| key.to_ascii_lowercase()).unwrap_or_default();
            found.extend(endpoint(&key, text, path));
        }
        _ => {}
    }
}

fn endpoint(key: &str, text: &str, path: &[String]) -> Option<Endpoint> {
    let named = NAMES.iter().any(|name| key.contains(name));
    let address = text.contains("://");
    if WORDS.contains(&key) || !(named || address) {
        return None;
    }
    let word = text.len() <= WORD_CHARS && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    let (anywhere, origin) = if address {
        (true, text.parse().ok())
    } else if key.contains(RESOURCE) {
        (true, if word { format!("https://{text}.openai.azure.com").parse().ok() } else { None })
    } else if word && (NAMES_A_PLACE.contains(&key) || !ADDRESSES.iter().any(|name| key.contains(name))) {
        // The name of a place, a project or a model of the vendor's.
        (false, None)
    } else if ADDRESSES.iter().any(|name| key.contains(name)) {
        (true, format!("https://{text}").parse().ok())
    } else {
        // A server puts it into an address as it stands.
        (true, None)
    };
    let key = path.iter().map(|key| harmless(key)).collect::<Vec<_>>().join(".");
    Some(Endpoint { key, shown: harmless(&without_user(text)), origin, anywhere })
}

/// The text without what may be a password.
fn without_user(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://…{}", &rest[at..]),
        None => text.to_owned(),
    }
}

/// The text as ASCII that moves no cursor and looks like no other.
fn harmless(text: &str) -> String {
    let mut shown = String::new();
    for (at, letter) in text.chars().enumerate() {
        if at == SHOWN_CHARS {
            shown.push('…');
            break;
        }
        match letter {
            '…' | ' '..='~' => shown.push(letter),
            other => shown.extend(other.escape_unicode()),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn origin(text: &str) -> Option<String> {
        text.parse::<Origin>().ok().map(|origin| origin.to_string())
    }

    #[test]
    fn an_origin_is_scheme_host_and_port_and_nothing_that_two_readers_could_read_in_two_ways() {
        for (text, expected) in [
            ("https://API.Example.com/v1?x#y", Some("https://api.example.com")),
            ("http://127.0.0.1:9000", Some("http://127.0.0.1:9000")),
            ("HTTPS://example.com:443", Some("https://example.com")),
            ("http://example.com.:80/", Some("http://example.com")),
            ("http://[::1]:8080/x", Some("http://[::1]:8080")),
            ("https://good.com@evil.com", None),
            ("https://good.com\\@evil.com", None),
            ("https://good.com\t.evil.com", None),
            ("https://ex\u{430}mple.com", None),
            ("https://", None),
            ("https://:80", None),
            ("https://a:b", None),
            ("https://a:+80", None),
            ("ftp://example.com", None),
            ("example.com", None),
        ] {
            assert_eq!(origin(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn every_setting_that_leads_somewhere_is_found_wherever_it_stands_and_however_it_is_spelt() {
        let document = json!({"class": "A", "description": "see https://example.com/doc",
            "moduleConfig": {"text2vec-cohere": {"baseURL": "http://127.0.0.1:9", "model": "m"},
                "generative-openai": {"resourceName": "mine", "deploymentId": "d"},
                "text2vec-new": {"somewhere": "https://new.example/x"}},
            "properties": [{"name": "url", "dataType": ["text"], "moduleConfig": {"m": {"BaseUrl": "http://p/"}}}],
            "vectorConfig": {"v": {"vectorizer": {"multi2vec-google": {"location": "evil.example/", "projectId": "p"},
                "text2vec-google": {"apiEndpoint": "g.example"}, "text2vec-aws": {"region": "eu-west-1"}}}}});
        let found = endpoints(&document);
        let told: Vec<(String, Option<String>, bool)> =
            found.iter().map(|e| (e.key.clone(), e.origin.as_ref().map(ToString::to_string), e.anywhere)).collect();
        let some = |key: &str, origin: Option<&str>, anywhere| (key.to_owned(), origin.map(str::to_owned), anywhere);
        let google = "vectorConfig.v.vectorizer.multi2vec-google";
        let expected = [
            some("moduleConfig.text2vec-cohere.baseURL", Some("http://127.0.0.1:9"), true),
            some("moduleConfig.generative-openai.resourceName", Some("https://mine.openai.azure.com"), true),
            some("moduleConfig.generative-openai.deploymentId", None, false),
            some("moduleConfig.text2vec-new.somewhere", Some("https://new.example"), true),
            some("properties.moduleConfig.m.BaseUrl", Some("http://p"), true),
            some(&format!("{google}.location"), None, true),
            some(&format!("{google}.projectId"), None, false),
            some("vectorConfig.v.vectorizer.text2vec-google.apiEndpoint", Some("https://g.example"), true),
            some("vectorConfig.v.vectorizer.text2vec-aws.region", None, false),
        ];
        assert_eq!(told, expected);
        let allowed: Vec<Origin> = ["http://127.0.0.1:9"].iter().filter_map(|text| text.parse().ok()).collect();
        assert!(found[0].is_allowed(&allowed) && !found[0].is_allowed(&[]) && found[2].is_allowed(&[]));
        assert!(!found[5].is_allowed(&allowed), "what leads nowhere for certain is never allowed");
    }

    #[test]
    fn what_is_shown_is_harmless_and_holds_no_password() {
        let shown = |text: &str| endpoint("baseurl", text, &["k".to_owned()]).expect("an endpoint").shown;
        assert_eq!(shown("https://user:secret@host/x"), "https://…@host/x");
        assert_eq!(shown("https://\u{1b}[2Jex\u{430}mple"), "https://\\u{1b}[2Jex\\u{430}mple");
        assert!(shown(&format!("https://{}", "a".repeat(500))).chars().count() <= SHOWN_CHARS + 1);
    }
}
