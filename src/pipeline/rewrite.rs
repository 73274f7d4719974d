//! Turns an object as it stands in an archive into the text that is sent: another collection's name, beacons of renamed
//! collections, and what must stay behind. Everything else goes out as the server once printed it.

use bytes::Bytes;

use super::limits;
use crate::model::{Members, RawObject, Renames, Schema};

/// What beacons begin with, up to the host.
const BEACON: &str = "weaviate://";

/// How the objects of one collection are rewritten.
#[derive(Debug, Clone)]
pub struct Rewrite {
    target: String,
    renames: Renames,
    /// Names of properties that hold references.
    references: Vec<String>,
    /// Names of properties that cannot be written: the server would hash their hashes.
    left_out: Vec<String>,
    /// Dotted paths of integers that are clamped; none if nothing is.
    clamped: Vec<String>,
    vectors: bool,
}

impl Rewrite {
    /// For the objects of a collection with this schema. `clamp` turns integers the server would refuse into the
    /// nearest ones it takes; without `vectors` none is sent.
    #[must_use]
    pub fn new(schema: &Schema, renames: &Renames, clamp: bool, vectors: bool) -> Self {
        Self {
            target: renames.of(&schema.name).to_string(),
            renames: renames.clone(),
            references: if renames.is_empty() { Vec::new() } else { schema.references.clone() },
            left_out: schema.blob_hashes.clone(),
            clamped: if clamp { schema.integers.clone() } else { Vec::new() },
            vectors,
        }
    }

    /// Whether vectors are sent, where objects have them.
    #[must_use]
    pub fn sends_vectors(&self) -> bool {
        self.vectors
    }

    /// Appends the text to send for `object`. Only a line that is no JSON fails, which the archive's proof excludes.
    pub fn append(&self, object: &RawObject, to: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        let text = &object.text;
        let places = &object.places;
        if !self.vectors {
            return self.without_vectors(object, to);
        }
        let new = self.properties(object)?;
        let properties = &places.properties;
        // `class` may stand before or behind `properties`.
        let mut changes = vec![(&places.class, self.target.as_bytes())];
        if let Some(new) = &new {
            changes.push((properties, new.as_bytes()));
        }
        changes.sort_by_key(|(at, _)| at.start);
        let mut from = 0;
        for (at, with) in changes {
            to.extend_from_slice(&text[from..at.start]);
            to.extend_from_slice(with);
            from = at.end;
        }
        to.extend_from_slice(&text[from..]);
        Ok(())
    }

    fn without_vectors(&self, object: &RawObject, to: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        let members: Members<'_> = serde_json::from_slice(&object.text)?;
        let properties = self.properties(object)?;
        let mut text = String::with_capacity(object.text.len());
        for (key, value) in members.0 {
            match key {
                "vector" | "vectors" => {}
                "class" => put(&mut text, key, &format!("\"{}\"", self.target)),
                "properties" => put(&mut text, key, properties.as_deref().unwrap_or(value)),
                _ => put(&mut text, key, value),
            }
        }
        text.push('}');
        to.extend_from_slice(text.as_bytes());
        Ok(())
    }

    /// The properties to send, where they differ from the ones in the archive.
    fn properties(&self, object: &RawObject) -> Result<Option<String>, serde_json::Error> {
        let clamps = !self.clamped.is_empty() && limits::has_long_digits(object.properties());
        if self.references.is_empty() && self.left_out.is_empty() && !clamps || object.properties().is_empty() {
            return Ok(None);
        }
        let members: Members<'_> = serde_json::from_slice(object.properties())?;
        let mut text = String::with_capacity(object.properties().len());
        for (key, value) in members.0 {
            if self.left_out.iter().any(|name| name == key) {
                continue;
            }
            if self.references.iter().any(|name| name == key) {
                put(&mut text, key, &self.beacons(value)?);
            } else if clamps {
                put(&mut text, key, &limits::clamped(value, key, &self.clamped)?);
            } else {
                put(&mut text, key, value);
            }
        }
        text.push_str(if text.is_empty() { "{}" } else { "}" });
        Ok(Some(text))
    }

    /// A list of references with every beacon of a renamed collection rewritten; `href` follows from it and is left out.
    fn beacons(&self, value: &str) -> Result<String, serde_json::Error> {
        let references: Vec<Members<'_>> = serde_json::from_str(value)?;
        let mut list = Vec::with_capacity(references.len());
        for reference in references {
            let mut text = String::new();
            for (key, value) in reference.0 {
                match key {
                    "href" => {}
                    "beacon" => put(&mut text, key, &self.beacon(value).unwrap_or_else(|| value.to_owned())),
                    _ => put(&mut text, key, value),
                }
            }
            text.push_str(if text.is_empty() { "{}" } else { "}" });
            list.push(text);
        }
        Ok(format!("[{}]", list.join(",")))
    }

    /// `"weaviate://host/Collection/id"` with the new name; `None` if it keeps its name or names no collection.
    fn beacon(&self, quoted: &str) -> Option<String> {
        let (host, target) = quoted.trim_matches('"').strip_prefix(BEACON)?.split_once('/')?;
        let (collection, id) = target.split_once('/')?;
        let new = self.renames.get(collection)?;
        Some(format!("\"{BEACON}{host}/{new}/{id}\""))
    }
}

/// Appends a member, with the brace or comma before it.
fn put(text: &mut String, key: &str, value: &str) {
    text.push(if text.is_empty() { '{' } else { ',' });
    text.push('"');
    text.push_str(key);
    text.push_str("\":");
    text.push_str(value);
}

/// The body of a batch of objects, in the order given.
pub fn body<'a>(
    rewrite: &Rewrite,
    objects: impl IntoIterator<Item = &'a RawObject>,
    bytes: usize,
) -> Result<Bytes, serde_json::Error> {
    let mut body = Vec::with_capacity(bytes);
    body.extend_from_slice(b"{\"objects\":[");
    for (n, object) in objects.into_iter().enumerate() {
        if n > 0 {
            body.push(b',');
        }
        rewrite.append(object, &mut body)?;
    }
    body.extend_from_slice(b"]}");
    Ok(body.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::split;

    const SCHEMA: &str = r#"{"class":"A","properties":[{"name":"to","dataType":["B"]},{"name":"n","dataType":["int"]},
        {"name":"h","dataType":["blobHash"]}]}"#;
    const ID: &str = "00000000-0000-0000-0000-000000000001";

    fn sent(line: &str, schema: &str, renames: &[(&str, &str)], clamp: bool, vectors: bool) -> String {
        let schema = Schema::parse(Bytes::from(schema.to_owned())).expect("a schema");
        let mut names = Renames::default();
        for (old, new) in renames {
            names.insert(old.parse().expect("a name"), new.parse().expect("a name"));
        }
        let object = split::line(&Bytes::from(line.to_owned()), &schema.name).expect("a line");
        let mut out = Vec::new();
        Rewrite::new(&schema, &names, clamp, vectors).append(&object, &mut out).expect("rewritten");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn an_object_that_keeps_its_name_goes_out_byte_for_byte() {
        let line = format!(
            r#"{{"class":"A","future":[1e2, -0],"id":"{ID}","properties":{{"t":"\u0000 1.0"}},"vector":[1e-7,-0]}}"#
        );
        assert_eq!(sent(&line, r#"{"class":"A"}"#, &[], false, true), line);
    }

    #[test]
    fn a_new_name_replaces_the_class_and_nothing_else() {
        for line in [
            format!(r#"{{"class":"A","id":"{ID}","properties":{{"class":"A"}},"vector":[1]}}"#),
            format!(r#"{{"id":"{ID}","properties":{{"class":"A"}},"vector":[1],"class":"A"}}"#),
        ] {
            let at = line.find(r#""class":"A","id""#).or_else(|| line.rfind(r#""class":"A""#)).expect("a class");
            let expected = format!("{}\"class\":\"New\"{}", &line[..at], &line[at + 11..]);
            assert_eq!(sent(&line, r#"{"class":"A"}"#, &[("A", "New")], false, true), expected);
        }
    }

    #[test]
    fn beacons_follow_renamed_collections_and_keep_their_order() {
        let line = format!(
            r#"{{"class":"A","id":"{ID}","properties":{{"n":5.0,"to":[{{"beacon":"weaviate://localhost/B/x","href":"/v1/objects/B/x"}},{{"beacon":"weaviate://localhost/C/y"}},{{"beacon":"weaviate://localhost/z"}}]}}}}"#
        );
        let out = sent(&line, SCHEMA, &[("B", "B2")], false, true);
        assert!(out.ends_with(r#""properties":{"n":5.0,"to":[{"beacon":"weaviate://localhost/B2/x"},{"beacon":"weaviate://localhost/C/y"},{"beacon":"weaviate://localhost/z"}]}}"#), "{out}");
    }

    #[test]
    fn hashes_stay_behind_and_integers_are_clamped_only_when_asked() {
        let line = format!(r#"{{"class":"A","id":"{ID}","properties":{{"h":"abc","n":9223372036854776000,"x":1E5}}}}"#);
        let out = sent(&line, SCHEMA, &[], true, true);
        assert!(out.ends_with(r#""properties":{"n":9223372036854774784,"x":1E5}}"#), "{out}");
        let out = sent(&line, SCHEMA, &[], false, true);
        assert!(out.ends_with(r#""properties":{"n":9223372036854776000,"x":1E5}}"#), "{out}");
        let only = format!(r#"{{"class":"A","id":"{ID}","properties":{{"h":"abc"}}}}"#);
        assert!(sent(&only, SCHEMA, &[], false, true).ends_with(r#""properties":{}}"#));
    }

    #[test]
    fn without_vectors_the_rest_stays() {
        let line = format!(
            r#"{{"class":"A","id":"{ID}","properties":{{}},"vector":[1],"vectorWeights":null,"vectors":{{"a":[1]}}}}"#
        );
        let out = sent(&line, r#"{"class":"A"}"#, &[("A", "B")], false, false);
        assert_eq!(out, format!(r#"{{"class":"B","id":"{ID}","properties":{{}},"vectorWeights":null}}"#));
    }
}
