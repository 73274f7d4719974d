//! What is changed in an object on its way from an archive to a server: beacons of renamed collections, and what must stay
//! behind. Everything else goes out as the server once printed it.

use std::fmt;
use std::io::Write;

use bytes::Bytes;
use memchr::memmem;
use serde::Deserializer;
use serde::de::{SeqAccess, Visitor};

use super::limits;
use crate::model::fold;
use crate::model::{Members, ObjectId, RawObject, Renames, Schema, TenantName, room_for};
use crate::weaviate::Outgoing;

/// What beacons begin with, up to the host.
const BEACON: &str = "weaviate://";
/// What every reference in an object's text holds.
const BEACON_KEY: &[u8] = b"\"beacon\"";

/// Which references an object carries when it is sent; the others follow in requests of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Those to collections that are complete.
    Whole,
    /// None: a target may be missing, which a server minds in an object, but not in a request of references.
    Bare,
}

/// A reference in an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference<'a> {
    /// The property's name as printed.
    pub property: &'a str,
    /// The beacon as printed, quotes included.
    pub beacon: &'a str,
}

/// How the objects of one collection are rewritten.
#[derive(Debug, Clone)]
pub struct Rewrite {
    target: String,
    renames: Renames,
    /// Names of properties that hold references.
    references: Vec<String>,
    /// Those whose targets are not complete when the objects are sent.
    deferred: Vec<String>,
    /// Names of properties that cannot be written: the server would hash their hashes.
    left_out: Vec<String>,
    /// Dotted paths of integers that are clamped; none if nothing is.
    clamped: Vec<String>,
    /// Names of properties that hold lists of dates.
    date_lists: Vec<String>,
    /// Whether those of them that are empty are left out.
    undated: bool,
    vectors: bool,
    /// Names of vectors that were being dropped: no server takes them back.
    dropped: Vec<String>,
}

impl Rewrite {
    /// For the objects of a collection with this schema. `clamp` turns integers the server would refuse into the
    /// nearest ones it takes; without `vectors` none is sent. No reference is deferred.
    #[must_use]
    pub fn new(schema: &Schema, renames: &Renames, clamp: bool, vectors: bool) -> Self {
        Self {
            target: renames.of(&schema.name).to_string(),
            renames: renames.clone(),
            references: schema.references.clone(),
            deferred: Vec::new(),
            left_out: schema.blob_hashes.clone(),
            clamped: if clamp { schema.integers.clone() } else { Vec::new() },
            date_lists: schema.date_lists.clone(),
            undated: false,
            vectors,
            dropped: schema.dropped_vectors.clone(),
        }
    }

    /// The same, without the references of these properties, whose targets are not complete.
    #[must_use]
    pub fn deferring(self, properties: Vec<String>) -> Self {
        Self { deferred: properties, ..self }
    }

    /// The same, without lists of dates that are empty: [`Rewrite::date_lists`] gives what sets them afterwards.
    #[must_use]
    pub fn undated(&self) -> Self {
        Self { undated: true, ..self.clone() }
    }

    /// The properties of an object that are empty lists of dates, as printed.
    pub fn empty_date_lists<'a>(&self, object: &'a RawObject) -> Result<Vec<&'a str>, serde_json::Error> {
        if self.date_lists.is_empty() || object.properties().is_empty() {
            return Ok(Vec::new());
        }
        let members: Members<'a> = serde_json::from_slice(object.properties())?;
        let empty = members.iter().filter(|(key, value)| self.is_empty_date_list(key, value));
        Ok(empty.map(|(key, _)| key).collect())
    }

    fn is_empty_date_list(&self, key: &str, value: &str) -> bool {
        let is_empty = || serde_json::from_str::<[(); 0]>(value).is_ok();
        is_among(&self.date_lists, key) && is_empty()
    }

    /// The body that adds to a stored object the lists of dates it was sent without.
    pub fn date_lists(&self, object: &RawObject, tenant: Option<&TenantName>) -> Result<Bytes, serde_json::Error> {
        let lists: serde_json::Map<String, serde_json::Value> =
            self.empty_date_lists(object)?.into_iter().map(|name| (name.to_owned(), serde_json::json!([]))).collect();
        let mut body = serde_json::json!({"class": self.target, "id": object.id.to_string(), "properties": lists});
        if let Some(tenant) = tenant {
            body["tenant"] = tenant.as_str().into();
        }
        Ok(body.to_string().into())
    }

    /// Whether vectors are sent, where objects have them.
    #[must_use]
    pub fn sends_vectors(&self) -> bool {
        self.vectors
    }

    /// Whether objects of this form can have references that have to follow them.
    #[must_use]
    pub fn defers(&self, form: Form) -> bool {
        !self.following(form).is_empty()
    }

    /// The properties whose references are not sent with an object of this form.
    pub(super) fn following(&self, form: Form) -> &[String] {
        match form {
            Form::Whole => &self.deferred,
            Form::Bare => &self.references,
        }
    }

    /// The references that have to follow an object that was sent in this form, in printed order.
    pub fn references<'a>(&self, object: &'a RawObject, form: Form) -> Result<Vec<Reference<'a>>, serde_json::Error> {
        let mut found = Vec::new();
        let names = self.following(form);
        if names.is_empty() || !mentions_beacons(object) {
            return Ok(found);
        }
        let members: Members<'a> = serde_json::from_slice(object.properties())?;
        for (property, value) in members.iter().filter(|(key, _)| is_among(names, key)) {
            if list_length(value).is_some() {
                let take = |reference: &Members<'a>| {
                    found.extend(beacon(reference).map(|beacon| Reference { property, beacon }));
                };
                each_member(value, take);
            }
        }
        Ok(found)
    }

    /// Whether an object that is sent whole carries references.
    pub fn carries_references(&self, object: &RawObject) -> Result<bool, serde_json::Error> {
        let (all, following) = (self.references(object, Form::Bare)?, self.references(object, Form::Whole)?);
        Ok(all.len() > following.len())
    }

    /// Appends the text that adds a reference to an object.
    pub fn append_reference(
        &self,
        id: ObjectId,
        reference: Reference<'_>,
        tenant: Option<&TenantName>,
        to: &mut Vec<u8>,
    ) {
        let renamed = self.renamed(reference.beacon);
        let target = renamed.as_deref().unwrap_or(reference.beacon);
        let (class, property) = (&self.target, reference.property);
        // A vector takes every write.
        let _ = write!(to, "{{\"from\":\"{BEACON}localhost/{class}/{id}/{property}\",\"to\":{target}");
        if let Some(tenant) = tenant {
            let _ = write!(to, ",\"tenant\":\"{tenant}\"");
        }
        to.push(b'}');
    }

    /// Adds objects to what is to be sent, in this form. Only a line that is no JSON fails, which the archive's proof excludes.
    pub fn fill<'a>(
        &self,
        objects: impl IntoIterator<Item = &'a RawObject>,
        form: Form,
        to: &mut Outgoing,
    ) -> Result<(), serde_json::Error> {
        for object in objects {
            let without = if self.vectors { object.without_vectors(&self.dropped) } else { None };
            let object = without.as_ref().unwrap_or(object);
            to.push(object, self.properties(object, form)?)?;
        }
        Ok(())
    }

    /// The properties to send, where they differ from the ones in the archive.
    fn properties(&self, object: &RawObject, form: Form) -> Result<Option<String>, serde_json::Error> {
        let following = self.following(form);
        let refers = (!self.renames.is_empty() && !self.references.is_empty()) || !following.is_empty();
        let refers = refers && mentions_beacons(object);
        let clamps = !self.clamped.is_empty() && limits::has_long_digits(object.properties());
        if !refers && self.left_out.is_empty() && !clamps && !self.undated || object.properties().is_empty() {
            return Ok(None);
        }
        let members: Members<'_> = serde_json::from_slice(object.properties())?;
        let mut text = String::with_capacity(room_for(object.properties().len()));
        for (key, value) in members.iter() {
            if is_among(&self.left_out, key) || (self.undated && self.is_empty_date_list(key, value)) {
                continue;
            }
            if refers && is_among(&self.references, key) {
                // Not a list of beacons: the server is to judge it. An empty list needs nothing to follow it, and nothing
                // could: a server minds references that are added to one.
                match list_length(value) {
                    Some(1..) if is_among(following, key) => {}
                    Some(_) => {
                        put(&mut text, key, "");
                        self.inline(value, &mut text);
                    }
                    None => put(&mut text, key, value),
                }
            } else if clamps {
                put(&mut text, key, "");
                limits::clamp(value, key, &self.clamped, &mut text);
            } else {
                put(&mut text, key, value);
            }
        }
        text.push_str(if text.is_empty() { "{}" } else { "}" });
        Ok(Some(text))
    }

    /// Appends a list of references as it is sent inside of an object: every beacon of a renamed collection rewritten; `href`
    /// follows from it and is left out. One after the other, since there may be a hundred thousand.
    fn inline(&self, list: &str, text: &mut String) {
        text.push('[');
        let mut first = true;
        each_member(list, |reference| {
            text.push_str(if std::mem::take(&mut first) { "" } else { "," });
            text.push('{');
            let members = reference.iter().filter(|(key, _)| *key != "href");
            for (at, (key, value)) in members.enumerate() {
                text.push_str(if at == 0 { "" } else { "," });
                let renamed = if key == "beacon" { self.renamed(value) } else { None };
                text.push('"');
                text.push_str(key);
                text.push_str("\":");
                text.push_str(renamed.as_deref().unwrap_or(value));
            }
            text.push('}');
        });
        text.push(']');
    }

    /// `"weaviate://host/Collection/id"` with the new name; `None` if it keeps its name or names no collection.
    fn renamed(&self, quoted: &str) -> Option<String> {
        let (host, target) = quoted.trim_matches('"').strip_prefix(BEACON)?.split_once('/')?;
        let (collection, id) = target.split_once('/')?;
        let new = self.renames.get(collection)?;
        Some(format!("\"{BEACON}{host}/{new}/{id}\""))
    }
}

/// Whether a server takes a name in properties for one of these.
fn is_among(properties: &[String], key: &str) -> bool {
    properties.iter().any(|property| fold::is_property(property, key.as_bytes()))
}

/// Whether there may be references in an object.
fn mentions_beacons(object: &RawObject) -> bool {
    memmem::find(object.properties(), BEACON_KEY).is_some()
}

/// The length of a list of references, each with a beacon; `None` if the value is something else.
fn list_length(value: &str) -> Option<usize> {
    let (mut length, mut all) = (0, true);
    each_member(value, |reference| {
        length += 1;
        all &= beacon(reference).is_some();
    })
    .filter(|()| all)
    .map(|()| length)
}

/// Shows the objects of a list one after the other, so that their number costs no memory; `None` if it is no such list.
fn each_member<'a>(list: &'a str, each: impl FnMut(&Members<'a>)) -> Option<()> {
    struct Each<F>(F);
    impl<'de, F: FnMut(&Members<'de>)> Visitor<'de> for Each<F> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of JSON objects")
        }

        fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
            while let Some(members) = list.next_element()? {
                (self.0)(&members);
            }
            Ok(())
        }
    }
    let mut from = serde_json::Deserializer::from_str(list);
    from.deserialize_seq(Each(each)).and_then(|()| from.end()).ok()
}

/// The beacon of a reference as printed, quotes included.
fn beacon<'a>(reference: &Members<'a>) -> Option<&'a str> {
    let found = reference.iter().find(|(key, _)| *key == "beacon").map(|(_, text)| text);
    found.filter(|text| text.starts_with('"'))
}

/// Appends a member, with the brace or comma before it.
fn put(text: &mut String, key: &str, value: &str) {
    text.push(if text.is_empty() { '{' } else { ',' });
    text.push('"');
    text.push_str(key);
    text.push_str("\":");
    text.push_str(value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::split;

    const SCHEMA: &str = r#"{"class":"A","properties":[{"name":"to","dataType":["B"]},{"name":"n","dataType":["int"]},
        {"name":"h","dataType":["blobHash"]}]}"#;
    const ID: &str = "00000000-0000-0000-0000-000000000001";

    fn rewrite(schema: &str, renames: &[(&str, &str)], clamp: bool, vectors: bool) -> Rewrite {
        let mut names = Renames::default();
        for (old, new) in renames {
            names.insert(old.parse().expect("a name"), new.parse().expect("a name"));
        }
        Rewrite::new(&Schema::parse(Bytes::from(schema.to_owned())).expect("a schema"), &names, clamp, vectors)
    }

    fn object(line: &str) -> RawObject {
        split::line(&Bytes::from(line.to_owned()), &"A".parse().expect("a name")).expect("a line")
    }

    #[test]
    fn only_members_that_servers_have_are_sent_and_the_tenant_is_ours() {
        let line = format!(
            r#"{{"class":"A","creationTimeUnix":1,"id":"{ID}","later":{{"class":"B"}},"properties":{{"n":1}},"tenant":"t","vector":[1.50]}}"#
        );
        let rewrite = rewrite(SCHEMA, &[("A", "New")], false, true);
        assert_eq!(
            appended(&rewrite, &line, Some("mine"), Form::Whole),
            format!(
                r#"{{"class":"New","creationTimeUnix":1,"id":"{ID}","properties":{{"n":1}},"vector":[1.50],"tenant":"mine"}}"#
            )
        );
        assert_eq!(
            appended(&rewrite, &line, None, Form::Whole),
            format!(r#"{{"class":"New","creationTimeUnix":1,"id":"{ID}","properties":{{"n":1}},"vector":[1.50]}}"#)
        );
    }

    #[test]
    fn a_property_is_known_whatever_the_case_of_its_first_letter() {
        let line = format!(
            r#"{{"class":"A","id":"{ID}","properties":{{"H":"x","To":[{{"beacon":"weaviate://localhost/B/{ID}"}}]}}}}"#
        );
        let rewrite = rewrite(SCHEMA, &[("B", "C")], false, true);
        let sent = appended(&rewrite, &line, None, Form::Whole);
        assert!(sent.contains(&format!("weaviate://localhost/C/{ID}")) && !sent.contains("\"H\""), "{sent}");
    }

    fn appended(rewrite: &Rewrite, line: &str, tenant: Option<&str>, form: Form) -> String {
        let (object, tenant) = (object(line), tenant.map(|tenant| tenant.parse().expect("a name")));
        let target = rewrite.target.parse().expect("a name");
        let mut out = Outgoing::new(&target, tenant.as_ref(), rewrite.sends_vectors(), [&object].into_iter());
        rewrite.fill([&object, &object], form, &mut out).expect("rewritten");
        let text = out.text();
        let both = text.strip_prefix("{\"objects\":[").and_then(|text| text.strip_suffix("]}")).expect("a request");
        let (one, other) = both.split_at(both.len() / 2);
        assert_eq!(one, &other[1..], "one after the other");
        one.to_owned()
    }

    fn sent(line: &str, schema: &str, renames: &[(&str, &str)], clamp: bool, vectors: bool) -> String {
        appended(&rewrite(schema, renames, clamp, vectors), line, None, Form::Whole)
    }

    #[test]
    fn an_object_that_keeps_its_name_goes_out_byte_for_byte() {
        let line = format!(r#"{{"class":"A","id":"{ID}","properties":{{"t":"\u0000 1.0"}},"vector":[1e-7,-0]}}"#);
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

    /// An object with these properties and a vector.
    fn line(properties: &str) -> String {
        format!(r#"{{"class":"A","id":"{ID}","properties":{{{properties}}},"vector":[1]}}"#)
    }

    fn properties(sent: &str) -> &str {
        let from = sent.find(r#""properties":{"#).expect("properties") + 13;
        &sent[from..=sent.rfind(r#"},"vector""#).expect("an end")]
    }

    const TO: &str = r#""to":[{"beacon":"weaviate://localhost/B/x","href":"/v1/objects/B/x"},{"beacon":"weaviate://localhost/A/y"},{"beacon":"weaviate://localhost/B/x"}]"#;

    #[test]
    fn deferred_references_are_absent_and_follow_in_their_order_with_their_repeats() {
        let deferring = rewrite(SCHEMA, &[("B", "B2")], false, true).deferring(vec!["to".to_owned()]);
        let line = line(&format!(r#"{TO},"n":1"#));
        assert_eq!(properties(&appended(&deferring, &line, None, Form::Whole)), r#"{"n":1}"#);
        let following = |form, tenant: Option<&str>| {
            let (object, tenant) = (object(&line), tenant.map(|tenant| tenant.parse().expect("a name")));
            let references = deferring.references(&object, form).expect("references");
            let mut out = Vec::new();
            for reference in references {
                deferring.append_reference(object.id, reference, tenant.as_ref(), &mut out);
            }
            String::from_utf8(out).expect("text")
        };
        let one = |target: &str| {
            format!(r#"{{"from":"weaviate://localhost/A/{ID}/to","to":"weaviate://localhost/{target}"}}"#)
        };
        let all = [one("B2/x"), one("A/y"), one("B2/x")].concat();
        assert_eq!([following(Form::Whole, None), following(Form::Bare, None)], [all.clone(), all.clone()]);
        assert_eq!(following(Form::Whole, Some("t")), all.replace('}', r#","tenant":"t"}"#));
        assert!(!deferring.carries_references(&object(&line)).expect("JSON"));
        let whole = rewrite(SCHEMA, &[], false, true);
        assert!(whole.carries_references(&object(&line)).expect("JSON") && !whole.defers(Form::Whole));
        assert_eq!(whole.references(&object(&line), Form::Whole).expect("JSON"), []);
        assert_eq!(properties(&appended(&whole, &line, None, Form::Bare)), r#"{"n":1}"#);
    }

    #[test]
    fn empty_lists_and_what_is_no_list_of_beacons_are_sent_as_they_stand() {
        let deferring = rewrite(SCHEMA, &[], false, true).deferring(vec!["to".to_owned()]);
        for value in ["[]", "null", r#""weaviate://x""#, r#"[{"beacon":1}]"#, r#"[{"href":"x"}]"#, "[[]]"] {
            let line = line(&format!(r#""to":{value},"t":"\"beacon\"""#));
            assert_eq!(appended(&deferring, &line, None, Form::Whole), line);
            assert_eq!(appended(&deferring, &line, None, Form::Bare), line);
            assert!(deferring.references(&object(&line), Form::Bare).expect("JSON").is_empty());
        }
    }

    #[test]
    fn a_tenant_comes_last_with_vectors_and_without() {
        let line = r#"{"class":"A","id":"00000000-0000-0000-0000-000000000001","tenant":"old","vector":[1]}"#;
        let with = appended(&rewrite(r#"{"class":"A"}"#, &[], false, true), line, Some("T-1"), Form::Whole);
        assert!(with.ends_with(r#""vector":[1],"tenant":"T-1"}"#), "{with}");
        let without = appended(&rewrite(r#"{"class":"A"}"#, &[], false, false), line, Some("T-1"), Form::Whole);
        assert!(without.ends_with(r#","tenant":"T-1"}"#) && !without.contains("vector"), "{without}");
    }
}
