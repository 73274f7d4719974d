//! Values of properties, judged by the types of the left schema: what the server may print in more than one way is
//! the same in all of them. Both texts are walked side by side, and nothing is built of them: a line of millions of numbers
//! or members takes no more memory than any other.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use jiff::fmt::temporal::Pieces;
use serde_json::Value;

use super::{Fields, counted};
use crate::model::json::{self, PrintedName};
use crate::model::{Renames, Schema, fold};
use crate::pipeline::limits::LARGEST_INTEGER;

/// Members of objects that are held at once, for objects whose names are not in the order that servers print them in. A
/// server's are, whatever their number.
pub(super) const MEMBERS_HELD: usize = 1 << 16;
/// The longest text that may be a date or a beacon, in bytes as printed; ten times what any server prints.
const LONGEST_WORD: usize = 4 << 10;
/// Characters of a member's name that are shown. Names of properties have 231 at most.
const NAME_CHARS: usize = 256;

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
    /// Not at all: what a server hashes never comes back, and some is not to be compared.
    LeftOut,
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
            "blobHash" => Kind::LeftOut,
            "object" => Kind::Object(nested(&property["nestedProperties"])),
            _ => Kind::Plain,
        };
        Some((name, kind))
    };
    properties.as_array().into_iter().flatten().filter_map(one).collect()
}

/// Where a value stands in an object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    /// A name as printed between its quotes.
    Member(&'a str),
    Element(usize),
}

impl<'a> Path<'a> {
    /// The outermost value.
    pub(super) const fn of(name: &'static str) -> Self {
        Self { parent: None, step: Step::Member(name) }
    }

    fn member(&'a self, name: &'a str) -> Self {
        Self { parent: Some(self), step: Step::Member(name) }
    }

    /// Whether it leads to a property, not into one.
    fn is_of_property(&self) -> bool {
        self.parent.is_some_and(|properties| properties.parent.is_none())
    }

    fn element(&'a self, at: usize) -> Self {
        Self { parent: Some(self), step: Step::Element(at) }
    }

    fn shown(&self) -> String {
        let mut text = self.parent.map(Path::shown).unwrap_or_default();
        match self.step {
            Step::Member(name) => {
                text.push_str(if self.parent.is_some() { "." } else { "" });
                text.extend(json::characters(name).take(NAME_CHARS));
            }
            Step::Element(at) => {
                let _ = write!(text, "[{at}]");
            }
        }
        text
    }
}

/// One comparison of two values, both valid JSON, with what it found.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    renames: &'a Renames,
    clamp_ints: bool,
    /// Members that are held at the moment.
    held: usize,
    pub(super) found: Fields,
}

impl<'a> Walk<'a> {
    pub(super) fn new(renames: &'a Renames, clamp_ints: bool) -> Self {
        Self { renames, clamp_ints, held: 0, found: Fields::default() }
    }

    /// Compares two objects member by member. A property that is null is the same as one that is missing, since no server keeps
    /// it; a member of an object that is null is kept, and is not. Of several members of one name the last
    /// one counts.
    pub(super) fn members(&mut self, path: &Path<'_>, kinds: &Members, ours: &str, theirs: &str) {
        if json::has_names_in_order(ours) && json::has_names_in_order(theirs) {
            self.members_in_order(path, kinds, ours, theirs);
        } else {
            self.members_in_any_order(path, kinds, ours, theirs);
        }
    }

    fn members_in_order(&mut self, path: &Path<'_>, kinds: &Members, ours: &str, theirs: &str) {
        let mut others = json::members(theirs).peekable();
        for (name, our) in json::members(ours) {
            while others.next_if(|(other, _)| *other < name).is_some() {}
            let their = others.next_if(|(other, _)| *other == name).map(|(_, their)| their);
            self.of_name(path, kinds, name, [Some(our), their]);
        }
        let mut others = json::members(ours).peekable();
        for (name, their) in json::members(theirs) {
            while others.next_if(|(other, _)| *other < name).is_some() {}
            if others.next_if(|(other, _)| *other == name).is_none() {
                self.of_name(path, kinds, name, [None, Some(their)]);
            }
        }
    }

    fn members_in_any_order(&mut self, path: &Path<'_>, kinds: &Members, ours: &str, theirs: &str) {
        let mut places: HashMap<PrintedName<'_>, usize> = HashMap::new();
        let mut members: Vec<(&str, [Option<&str>; 2])> = Vec::new();
        for (side, object) in [ours, theirs].into_iter().enumerate() {
            for (name, value) in json::members(object) {
                let place = *places.entry(PrintedName(name)).or_insert(members.len());
                if place == members.len() {
                    if self.held + place == MEMBERS_HELD {
                        return self.not_compared(path, ours, theirs);
                    }
                    members.push((name, [None; 2]));
                }
                members[place].1[side] = Some(value);
            }
        }
        drop(places);
        self.held += members.len();
        for (name, sides) in &members {
            self.of_name(path, kinds, name, *sides);
        }
        self.held -= members.len();
    }

    /// Two objects of more members in no order than are held: they count as different, and that is said.
    fn not_compared(&mut self, path: &Path<'_>, ours: &str, theirs: &str) {
        let shown =
            |object: &str| format!("{}, not in order: not compared", counted(json::members(object).count(), "member"));
        self.found.push(&path.shown(), Some(&shown(ours)), Some(&shown(theirs)));
    }

    fn of_name(&mut self, path: &Path<'_>, kinds: &Members, name: &str, sides: [Option<&str>; 2]) {
        let is_escaped = memchr::memchr(b'\\', name.as_bytes()).is_some();
        let known = || kinds.iter().find(|(kind, _)| json::characters(name).eq(kind.chars())).map(|(_, kind)| kind);
        let kind = if is_escaped { known() } else { kinds.get(name) }.unwrap_or(&Kind::Plain);
        if !matches!(kind, Kind::LeftOut) && !self.found.is_full() {
            self.member(&path.member(name), kind, sides);
        }
    }

    fn member(&mut self, path: &Path<'_>, kind: &Kind, sides: [Option<&str>; 2]) {
        let is_there = |value: &&str| !path.is_of_property() || *value != "null";
        match sides.map(|side| side.filter(is_there)) {
            [None, None] => {}
            [Some(ours), Some(theirs)] => self.value(path, kind, ours, theirs),
            [ours, theirs] => self.differ(path, ours, theirs),
        }
    }

    fn differ(&mut self, path: &Path<'_>, ours: Option<&str>, theirs: Option<&str>) {
        self.found.push_json(&path.shown(), ours, theirs);
    }

    fn value(&mut self, path: &Path<'_>, kind: &Kind, ours: &str, theirs: &str) {
        // The same words may mean another object where a reference is looked at.
        if ours == theirs && !matches!(kind, Kind::Reference) {
            return;
        }
        match (ours.as_bytes().first(), theirs.as_bytes().first()) {
            (Some(b'['), Some(b'[')) => self.lists(path, kind, ours, theirs),
            (Some(b'{'), Some(b'{')) => match kind {
                Kind::Object(kinds) => self.members(path, kinds, ours, theirs),
                Kind::Phone => self.some_members(path, &["input", "defaultCountry"], kind, ours, theirs),
                Kind::Geo => self.some_members(path, &["latitude", "longitude"], kind, ours, theirs),
                Kind::Reference => match (self.target(ours, true), self.target(theirs, false)) {
                    (Some(our), Some(their)) if our == their => {}
                    // Not a beacon: nothing is known of it but that it is JSON.
                    (None, None) => self.members(path, &Members::new(), ours, theirs),
                    _ => self.differ(path, Some(ours), Some(theirs)),
                },
                _ => self.members(path, &Members::new(), ours, theirs),
            },
            _ if self.is_same_scalar(kind, ours, theirs) => {}
            _ => self.differ(path, Some(ours), Some(theirs)),
        }
    }

    fn lists(&mut self, path: &Path<'_>, kind: &Kind, ours: &str, theirs: &str) {
        if json::elements(ours).count() != json::elements(theirs).count() {
            return self.found.push_lists(&path.shown(), ours, theirs);
        }
        for (at, (our, their)) in json::elements(ours).zip(json::elements(theirs)).enumerate() {
            if self.found.is_full() {
                return;
            }
            self.value(&path.element(at), kind, our, their);
        }
    }

    /// Compares only these members of two objects.
    fn some_members(&mut self, path: &Path<'_>, names: &[&str], kind: &Kind, ours: &str, theirs: &str) {
        for name in names {
            let sides = [ours, theirs].map(|object| last_member(object, name));
            let is_same = match sides {
                [Some(our), Some(their)] if matches!(kind, Kind::Geo) => is_same_float32(our, their),
                _ => false,
            };
            if !is_same {
                self.member(&path.member(name), &Kind::Plain, sides);
            }
        }
    }

    fn is_same_scalar(&self, kind: &Kind, ours: &str, theirs: &str) -> bool {
        if let (Some(our), Some(their)) = (json::string(ours), json::string(theirs)) {
            return json::is_same_string(our, their) || is_same_word(kind, our, their);
        }
        let (Some(mut our), Some(their)) = (number(ours), number(theirs)) else { return ours == theirs };
        if self.clamp_ints && matches!(kind, Kind::Integer) && our.to_bits() != their.to_bits() {
            our = our.clamp(-LARGEST_INTEGER, LARGEST_INTEGER);
        }
        our.to_bits() == their.to_bits()
    }

    /// `Collection/id` of a beacon, under the new name where the archive speaks of the old one.
    fn target(&self, reference: &str, left: bool) -> Option<String> {
        let beacon = json::string(last_member(reference, "beacon")?).filter(|beacon| beacon.len() <= LONGEST_WORD)?;
        let beacon = fold::unescaped(beacon);
        let (_host, target) = beacon.strip_prefix("weaviate://")?.split_once('/')?;
        let renamed = target
            .split_once('/')
            .filter(|_| left)
            .and_then(|(collection, id)| self.renames.get(collection).map(|new| format!("{new}/{id}")));
        Some(renamed.unwrap_or_else(|| target.to_owned()))
    }
}

/// The member of this name; the last one, where there are several.
fn last_member<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    json::members(object).filter(|(printed, _)| json::is_same_string(printed, name)).last().map(|(_, value)| value)
}

/// A number as servers read it.
fn number(value: &str) -> Option<f64> {
    let is_number = value.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    value.parse().ok().filter(|_| is_number)
}

fn is_same_float32(ours: &str, theirs: &str) -> bool {
    #[expect(clippy::cast_possible_truncation, reason = "the server keeps these as float32")]
    let bits = |value: &str| number(value).map(|number| (number as f32).to_bits());
    bits(ours).is_some_and(|ours| bits(theirs) == Some(ours))
}

/// Whether two strings, as printed between their quotes, are spellings of one value of this type.
fn is_same_word(kind: &Kind, ours: &str, theirs: &str) -> bool {
    if ours.len().max(theirs.len()) > LONGEST_WORD {
        return false;
    }
    let (ours, theirs) = (fold::unescaped(ours), fold::unescaped(theirs));
    match kind {
        Kind::Date => same_date(&ours, &theirs),
        Kind::Uuid => ours.eq_ignore_ascii_case(&theirs),
        _ => false,
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
