//! The comparison by values: both texts are parsed as a whole, so it takes many times their memory, and is easy to trust.
//! What walks the texts must find the same.

use jiff::fmt::temporal::Pieces;
use serde_json::{Map, Value};

use super::super::value::{Kind, Members};
use super::super::{FIELDS_NAMED, counted, excerpt};
use crate::event::FieldDiff;
use crate::model::Renames;
use crate::pipeline::limits::LARGEST_INTEGER;

/// Where two objects differ, as the properties of an archived and a live object.
pub(super) fn differing(
    renames: &Renames,
    clamp_ints: bool,
    kinds: &Members,
    [ours, theirs]: [&str; 2],
) -> Vec<FieldDiff> {
    let parse = |text: &str| match serde_json::from_str(text).expect("JSON") {
        Value::Object(members) => members,
        other => panic!("{other}"),
    };
    let mut walk = Walk::new(renames, clamp_ints);
    walk.members("properties", kinds, &parse(ours), &parse(theirs));
    walk.found
}

/// One comparison of two values, with what it found.
#[derive(Debug)]
struct Walk<'a> {
    renames: &'a Renames,
    clamp_ints: bool,
    found: Vec<FieldDiff>,
}

impl<'a> Walk<'a> {
    fn new(renames: &'a Renames, clamp_ints: bool) -> Self {
        Self { renames, clamp_ints, found: Vec::new() }
    }

    /// Compares two objects member by member; a property that is null is the same as one that is missing.
    fn members(&mut self, path: &str, kinds: &Members, ours: &Map<String, Value>, theirs: &Map<String, Value>) {
        let names = ours.keys().chain(theirs.keys().filter(|name| !ours.contains_key(*name)));
        for name in names {
            let present = |side: &&Value| path != "properties" || !side.is_null();
            let (our, their) = (ours.get(name).filter(present), theirs.get(name).filter(present));
            let kind = kinds.get(name).unwrap_or(&Kind::Plain);
            if matches!(kind, Kind::LeftOut) || self.is_full() {
                continue;
            }
            self.member(&format!("{path}.{name}"), kind, our, their);
        }
    }

    fn member(&mut self, path: &str, kind: &Kind, ours: Option<&Value>, theirs: Option<&Value>) {
        match (ours, theirs) {
            (None, None) => {}
            (Some(ours), Some(theirs)) => self.value(path, kind, ours, theirs),
            (ours, theirs) => self.differ(path, ours, theirs),
        }
    }

    fn is_full(&self) -> bool {
        self.found.len() >= FIELDS_NAMED
    }

    fn push(&mut self, field: &str, archived: Option<&str>, live: Option<&str>) {
        if !self.is_full() {
            let (archived, live) = excerpt::both(archived.map(str::chars), live.map(str::chars));
            self.found.push(FieldDiff { field: field.to_owned(), left: archived, right: live });
        }
    }

    fn push_lists(&mut self, field: &str, archived: &[Value], live: &[Value]) {
        let before = self.found.len();
        let text = |list: &[Value]| Value::from(list).to_string();
        self.push(field, Some(&text(archived)), Some(&text(live)));
        for field in &mut self.found[before..] {
            let sides = [(&mut field.left, archived.len()), (&mut field.right, live.len())];
            for (shown, length) in sides.into_iter().filter_map(|(shown, length)| Some((shown.as_mut()?, length))) {
                *shown = format!("{shown} ({})", counted(length, "element"));
            }
        }
    }

    fn differ(&mut self, path: &str, ours: Option<&Value>, theirs: Option<&Value>) {
        self.push(path, ours.map(Value::to_string).as_deref(), theirs.map(Value::to_string).as_deref());
    }

    fn value(&mut self, path: &str, kind: &Kind, ours: &Value, theirs: &Value) {
        match (ours, theirs) {
            (Value::Array(our), Value::Array(their)) if our.len() == their.len() => {
                for (at, (our, their)) in our.iter().zip(their).enumerate() {
                    if self.is_full() {
                        return;
                    }
                    self.value(&format!("{path}[{at}]"), kind, our, their);
                }
            }
            (Value::Array(our), Value::Array(their)) => self.push_lists(path, our, their),
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
                self.push(&format!("{path}.{name}"), shown(our).as_deref(), shown(their).as_deref());
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
