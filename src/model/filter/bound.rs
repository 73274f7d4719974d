//! A filter with the types of a collection, and how it is evaluated.

use serde_json::Value;
use smallvec::{SmallVec, smallvec};

use super::types::{Test, Typed, typed};
use super::value::{Held, Kind, contains, of_millis};
use super::{Filter, FilterError, Order, PlaceName, Syntax, Wrong};
use crate::model::fold::is_property;
use crate::model::json::{elements, members};
use crate::model::{RawObject, Schema};

/// Properties that a filter names and that need no memory of their own.
const PLACES_INLINE: usize = 8;

/// The member of an object that says when it was created, in milliseconds.
const CREATED: &str = "creationTimeUnix";

/// A filter whose properties a collection has, and whose values are of their types.
#[derive(Debug)]
pub struct BoundFilter {
    tree: Tree,
    places: Vec<Place>,
    /// The properties that places lie in, by name, each with these places.
    properties: Vec<(String, Vec<usize>)>,
}

#[derive(Debug)]
enum Tree {
    All(Vec<Tree>),
    Any(Vec<Tree>),
    Not(Box<Tree>),
    Test { place: usize, test: Test },
}

/// Where a value lies in an object.
#[derive(Debug)]
struct Place {
    name: PlaceName,
    typed: Typed,
}

/// The values of an object at the places of a filter, as they are printed.
type Printed<'a> = SmallVec<[Option<&'a str>; PLACES_INLINE]>;

impl Filter {
    /// The filter for the objects of a collection.
    ///
    /// # Errors
    /// The collection lacks a property that it names, or a value is not of the type of its property.
    pub fn bind(&self, schema: &Schema) -> Result<BoundFilter, FilterError> {
        // What was parsed as a schema is JSON.
        let document: Value = serde_json::from_slice(&schema.text).unwrap_or_default();
        let mut bound = BoundFilter { tree: Tree::All(Vec::new()), places: Vec::new(), properties: Vec::new() };
        let wrong = |(at, what)| FilterError { filter: self.text.to_string(), at, what };
        bound.tree = bound.tree(&document, &self.tree).map_err(wrong)?;
        Ok(bound)
    }
}

impl BoundFilter {
    /// Whether the whole filter is true of an object.
    #[must_use]
    pub fn is_true_of(&self, object: &RawObject) -> bool {
        // What was split is UTF-8.
        let properties = std::str::from_utf8(object.properties()).unwrap_or_default();
        self.judge(&self.tree, object, &self.printed(properties)) == Some(true)
    }

    /// The properties that it names.
    pub fn properties(&self) -> impl Iterator<Item = &String> {
        self.properties.iter().map(|(name, _)| name)
    }

    /// Finds what the filter names, and nothing else.
    fn printed<'a>(&self, properties: &'a str) -> Printed<'a> {
        let mut printed: Printed<'a> = smallvec![None; self.places.len()];
        let mut open = self.properties.len();
        for (name, value) in members(properties) {
            if open == 0 {
                break;
            }
            let Some((_, places)) = self.properties.iter().find(|(known, _)| is_property(known, name.as_bytes()))
            else {
                continue;
            };
            open -= 1;
            for at in places {
                let PlaceName::Property(names) = &self.places[*at].name else { continue };
                let inside = |value: &'a str, name: &String| {
                    members(value).find(|(there, _)| there == name).map(|(_, value)| value)
                };
                printed[*at] = names[1..].iter().try_fold(value, inside).filter(|value| *value != "null");
            }
        }
        printed
    }

    fn judge(&self, tree: &Tree, object: &RawObject, printed: &Printed<'_>) -> Option<bool> {
        match tree {
            Tree::All(parts) => self.fold(parts, false, object, printed),
            Tree::Any(parts) => self.fold(parts, true, object, printed),
            Tree::Not(part) => self.judge(part, object, printed).map(|truth| !truth),
            Tree::Test { place, test } => self.test(*place, test, object, printed),
        }
    }

    /// One part that is `decides` decides; otherwise one that is unknown makes all of it so.
    fn fold(&self, parts: &[Tree], decides: bool, object: &RawObject, printed: &Printed<'_>) -> Option<bool> {
        let mut all = Some(!decides);
        for part in parts {
            match self.judge(part, object, printed) {
                Some(truth) if truth == decides => return Some(decides),
                Some(_) => {}
                None => all = None,
            }
        }
        all
    }

    fn test(&self, at: usize, test: &Test, object: &RawObject, printed: &Printed<'_>) -> Option<bool> {
        let Place { name, typed } = &self.places[at];
        let held = match name {
            PlaceName::Id => Some(Held::Uuid(object.id.0)),
            PlaceName::Updated => object.updated_ms.map(of_millis).map(Held::Instant),
            PlaceName::Created => created(object).map(Held::Instant),
            PlaceName::Property(_) => match (printed[at], test) {
                (printed, Test::Null) if typed.is_list || typed.kind == Kind::Other => return Some(printed.is_none()),
                (printed, Test::Holds(wanted)) => {
                    let list = printed.filter(|list| list.starts_with('['))?;
                    let is_wanted = |element| {
                        let element = Held::read(typed.kind, element);
                        element.and_then(|element| element.compare(wanted)).is_some_and(std::cmp::Ordering::is_eq)
                    };
                    return Some(elements(list).any(is_wanted));
                }
                (printed, _) => printed.and_then(|printed| Held::read(typed.kind, printed)),
            },
        };
        match test {
            Test::Null => Some(held.is_none()),
            Test::Compare(order, wanted) => held?.compare(wanted).map(|ordering| order.holds(ordering)),
            Test::In(wanted) => {
                let held = held?;
                Some(wanted.iter().any(|one| held.compare(one).is_some_and(|ordering| Order::Equal.holds(ordering))))
            }
            Test::Within(inner) => as_text(held?).map(|printed| contains(printed, inner)),
            Test::Like(wildcards) => as_text(held?).map(|printed| wildcards.fits(printed)),
            Test::Holds(_) => None,
        }
    }

    fn tree(&mut self, document: &Value, syntax: &Syntax) -> Result<Tree, Wrong> {
        let mut all = |parts: &[Syntax]| parts.iter().map(|part| self.tree(document, part)).collect::<Result<_, _>>();
        Ok(match syntax {
            Syntax::All(parts) => Tree::All(all(parts)?),
            Syntax::Any(parts) => Tree::Any(all(parts)?),
            Syntax::Not(part) => Tree::Not(Box::new(self.tree(document, part)?)),
            Syntax::Test { place, test } => {
                let (typed, shown) = match &place.name {
                    PlaceName::Id => (Typed::of(Kind::Uuid, "uuid"), "id".to_owned()),
                    PlaceName::Created => (Typed::of(Kind::Date, "date"), "@created".to_owned()),
                    PlaceName::Updated => (Typed::of(Kind::Date, "date"), "@updated".to_owned()),
                    PlaceName::Property(names) => {
                        (typed(document, names).map_err(|what| (place.at, what))?, names.join("."))
                    }
                };
                let test = Test::of(&shown, place.at, &typed, test)?;
                Tree::Test { place: self.place(&place.name, typed), test }
            }
        })
    }

    /// The number of a place.
    fn place(&mut self, name: &PlaceName, typed: Typed) -> usize {
        if let Some(known) = self.places.iter().position(|place| place.name == *name) {
            return known;
        }
        let at = self.places.len();
        self.places.push(Place { name: name.clone(), typed });
        if let PlaceName::Property(names) = name {
            match self.properties.iter_mut().find(|(known, _)| *known == names[0]) {
                Some((_, places)) => places.push(at),
                None => self.properties.push((names[0].clone(), vec![at])),
            }
        }
        at
    }
}

fn as_text(held: Held<'_>) -> Option<&str> {
    if let Held::Text(printed) = held { Some(printed) } else { None }
}

/// When an object was created: servers print that before its vectors, which are not walked for it.
fn created(object: &RawObject) -> Option<i128> {
    let text = std::str::from_utf8(&object.text).ok()?;
    let (_, value) = members(text).find(|(name, _)| *name == CREATED)?;
    value.parse().ok().map(of_millis)
}
