//! Values of properties, judged by the types of the archived schema: what the server may print in more than one way is
//! the same in all of them.

use std::collections::BTreeMap;

use jiff::fmt::temporal::Pieces;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::Fields;
use crate::model::{Renames, Schema};
use crate::pipeline::limits::LARGEST_INTEGER;

/// How values of a property are compared. Arrays are compared element by element with the type of their elements.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// As JSON: texts by their characters, numbers by their bits as `float64`.
    Plain,
    /// As `Plain`, but may be clamped.
    Integer,
    /// Instant and offset.
    Date,
    /// Without regard to case.
    Uuid,
    /// Latitude and longitude as `float32`.
    Geo,
    /// By what was put in, not by what the server derives from it.
    Phone,
    /// Member by member.
    Object(Members),
    /// A list of beacons, in order.
    Reference,
    /// Not at all: the server hashes what is written, so that it never comes back.
    BlobHash,
}

/// Types by name.
pub(super) type Members = BTreeMap<String, Kind>;

/// The types of a collection's properties.
pub(super) fn members(schema: &Schema) -> Members {
    let document: Value = serde_json::from_slice(&schema.text).unwrap_or(Value::Null);
    let mut members = nested(&document["properties"]);
    for name in &schema.references {
        members.insert(name.clone(), Kind::Reference);
    }
    members
}

fn nested(properties: &Value) -> Members {
    let one = |property: &Value| {
        let name = property["name"].as_str()?.to_owned();
        let data_type = property["dataType"][0].as_str().unwrap_or_default();
        let kind = match data_type.trim_end_matches("[]") {
            "int" => Kind::Integer,
            "date" => Kind::Date,
            "uuid" => Kind::Uuid,
            "geoCoordinates" => Kind::Geo,
            "phoneNumber" => Kind::Phone,
            "blobHash" => Kind::BlobHash,
            "object" => Kind::Object(nested(&property["nestedProperties"])),
            _ => Kind::Plain,
        };
        Some((name, kind))
    };
    properties.as_array().into_iter().flatten().filter_map(one).collect()
}

/// One comparison of two values, with what it found.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    renames: &'a Renames,
    clamp_ints: bool,
    pub(super) found: Fields,
}

impl<'a> Walk<'a> {
    pub(super) fn new(renames: &'a Renames, clamp_ints: bool) -> Self {
        Self { renames, clamp_ints, found: Fields::default() }
    }

    /// Compares two objects member by member; null is the same as missing.
    pub(super) fn members(
        &mut self,
        path: &str,
        kinds: &Members,
        ours: &Map<String, Value>,
        theirs: &Map<String, Value>,
    ) {
        let names = ours.keys().chain(theirs.keys().filter(|name| !ours.contains_key(*name)));
        for name in names {
            let present = |side: &&Value| !side.is_null();
            let (our, their) = (ours.get(name).filter(present), theirs.get(name).filter(present));
            let kind = kinds.get(name).unwrap_or(&Kind::Plain);
            if matches!(kind, Kind::BlobHash) || self.found.is_full() {
                continue;
            }
            self.member(&format!("{path}.{name}"), kind, our, their);
        }
    }

    fn member(&mut self, path: &str, kind: &Kind, ours: Option<&Value>, theirs: Option<&Value>) {
        match (ours, theirs) {
            (None, None) => {}
            // No references and an empty list of them point to the same objects.
            (one, None) | (None, one) if matches!(kind, Kind::Reference) && one.is_some_and(is_empty_list) => {}
            (Some(ours), Some(theirs)) => self.value(path, kind, ours, theirs),
            (ours, theirs) => self.differ(path, ours, theirs),
        }
    }

    fn differ(&mut self, path: &str, ours: Option<&Value>, theirs: Option<&Value>) {
        self.found.push(path, ours.map(Value::to_string), theirs.map(Value::to_string));
    }

    fn value(&mut self, path: &str, kind: &Kind, ours: &Value, theirs: &Value) {
        match (ours, theirs) {
            (Value::Array(our), Value::Array(their)) if our.len() == their.len() => {
                for (at, (our, their)) in our.iter().zip(their).enumerate() {
                    if self.found.is_full() {
                        return;
                    }
                    self.value(&format!("{path}[{at}]"), kind, our, their);
                }
            }
            (Value::Array(our), Value::Array(their)) => self.found.push_lists(path, our, their),
            (Value::Object(our), Value::Object(their)) => match kind {
                Kind::Object(kinds) => self.members(path, kinds, our, their),
                Kind::Phone => self.some_members(path, &["input", "defaultCountry"], our, their, Value::eq),
                Kind::Geo => self.some_members(path, &["latitude", "longitude"], our, their, same_float32),
                Kind::Reference => match (self.target(our, true), self.target(their, false)) {
                    (Some(our), Some(their)) if our == their => {}
                    // Not a beacon: nothing is known of it but that it is JSON.
                    (None, None) => self.members(path, &Members::new(), our, their),
                    _ => self.differ(path, Some(ours), Some(theirs)),
                },
                _ => self.members(path, &Members::new(), our, their),
            },
            _ if self.same_scalar(kind, ours, theirs) => {}
            _ => self.differ(path, Some(ours), Some(theirs)),
        }
    }

    /// Compares two long lists of references.
    pub(super) fn references(&mut self, path: &str, ours: &[&RawValue], theirs: &[&RawValue]) {
        let parse = |text: &RawValue| serde_json::from_str::<Value>(text.get()).unwrap_or_default();
        for (at, (our, their)) in ours.iter().zip(theirs).enumerate() {
            if self.found.is_full() {
                return;
            }
            self.value(&format!("{path}[{at}]"), &Kind::Reference, &parse(our), &parse(their));
        }
        if ours.len() != theirs.len() {
            let at = ours.len().min(theirs.len());
            let text = |list: &[&RawValue]| list.get(at).map(|text| text.get().to_owned());
            self.found.push(&format!("{path}[{at}]"), text(ours), text(theirs));
        }
    }

    /// Compares only these members of two objects.
    fn some_members(
        &mut self,
        path: &str,
        names: &[&str],
        ours: &Map<String, Value>,
        theirs: &Map<String, Value>,
        same: impl Fn(&Value, &Value) -> bool,
    ) {
        for name in names {
            let (our, their) = (ours.get(*name).unwrap_or(&Value::Null), theirs.get(*name).unwrap_or(&Value::Null));
            if !same(our, their) {
                let shown = |side: &Value| (!side.is_null()).then(|| side.to_string());
                self.found.push(&format!("{path}.{name}"), shown(our), shown(their));
            }
        }
    }

    fn same_scalar(&self, kind: &Kind, ours: &Value, theirs: &Value) -> bool {
        match (ours, theirs) {
            (Value::Number(our), Value::Number(their)) => {
                let (Some(mut our), Some(their)) = (our.as_f64(), their.as_f64()) else { return false };
                if self.clamp_ints && matches!(kind, Kind::Integer) && our.to_bits() != their.to_bits() {
                    our = our.clamp(-LARGEST_INTEGER, LARGEST_INTEGER);
                }
                our.to_bits() == their.to_bits()
            }
            (Value::String(our), Value::String(their)) => match kind {
                _ if our == their => true,
                Kind::Date => same_date(our, their),
                Kind::Uuid => our.eq_ignore_ascii_case(their),
                _ => false,
            },
            _ => ours == theirs,
        }
    }

    /// `Collection/id` of a beacon, under the new name where the archive speaks of the old one.
    fn target(&self, reference: &Map<String, Value>, archived: bool) -> Option<String> {
        let beacon = reference.get("beacon")?.as_str()?;
        let (_host, target) = beacon.strip_prefix("weaviate://")?.split_once('/')?;
        let renamed = target
            .split_once('/')
            .filter(|_| archived)
            .and_then(|(collection, id)| self.renames.get(collection).map(|new| format!("{new}/{id}")));
        Some(renamed.unwrap_or_else(|| target.to_owned()))
    }
}

fn is_empty_list(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty)
}

fn same_float32(ours: &Value, theirs: &Value) -> bool {
    #[expect(clippy::cast_possible_truncation, reason = "the server keeps these as float32")]
    let bits = |value: &Value| value.as_f64().map(|number| (number as f32).to_bits());
    match (bits(ours), bits(theirs)) {
        (Some(ours), Some(theirs)) => ours == theirs,
        _ => ours == theirs,
    }
}

/// The same instant at the same offset: `Z` is `+00:00`, and zeros at the end of a fraction say nothing.
fn same_date(ours: &str, theirs: &str) -> bool {
    let read = |text: &str| {
        // jiff takes a leap second for the one before it.
        let pieces = Pieces::parse(text).ok().filter(|_| !text.contains(":60"))?;
        Some((pieces.date(), pieces.time()?, pieces.to_numeric_offset()?))
    };
    read(ours).is_some_and(|ours| read(theirs) == Some(ours))
}
