//! What a collection's schema says of the properties that a filter names, and which comparisons make sense for each type.

use serde_json::Value;

use super::value::{Kind, Scalar, Wildcards, instant};
use super::{FilterProblem, Literal, LiteralValue, Order, TestSyntax, Wrong};
use crate::model::{ObjectId, similar};

/// The type of a property.
#[derive(Debug, Clone)]
pub(super) struct Typed {
    pub(super) kind: Kind,
    pub(super) is_list: bool,
    /// As the schema has it.
    shown: String,
}

impl Typed {
    pub(super) fn of(kind: Kind, shown: &str) -> Self {
        Self { kind, is_list: false, shown: shown.to_owned() }
    }

    fn read(property: &Value) -> Self {
        let types = property["dataType"].as_array().map(Vec::as_slice).unwrap_or_default();
        let shown = types.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ");
        let (element, is_list) = shown.strip_suffix("[]").map_or((shown.as_str(), false), |element| (element, true));
        let kind = match element {
            "text" | "string" => Kind::Text,
            "uuid" => Kind::Uuid,
            "int" | "number" => Kind::Number,
            "boolean" => Kind::Flag,
            "date" => Kind::Date,
            _ => Kind::Other,
        };
        Self { kind, is_list: is_list && kind != Kind::Other, shown }
    }
}

/// Members that servers print of a geo coordinate and of a phone number.
const GEO: [(&str, Kind); 2] = [("latitude", Kind::Number), ("longitude", Kind::Number)];
const PHONE: [(&str, Kind); 7] = [
    ("input", Kind::Text),
    ("internationalFormatted", Kind::Text),
    ("nationalFormatted", Kind::Text),
    ("defaultCountry", Kind::Text),
    ("national", Kind::Number),
    ("countryCode", Kind::Number),
    ("valid", Kind::Flag),
];

/// The type of a property by the names on the way to it, in a class document.
pub(super) fn typed(document: &Value, names: &[String]) -> Result<Typed, FilterProblem> {
    let mut there = list(&document["properties"]);
    let mut found: Option<(Typed, &Value)> = None;
    for (depth, name) in names.iter().enumerate() {
        let path = || names[..=depth].join(".");
        if let Some((outer, property)) = &found {
            let members = match outer.shown.as_str() {
                "geoCoordinates" => Some(&GEO[..]),
                "phoneNumber" => Some(&PHONE[..]),
                _ => None,
            };
            if let Some(members) = members {
                let member = members.iter().find(|(known, _)| known == name).filter(|_| depth + 1 == names.len());
                let unknown = || unknown(path(), name, members.iter().map(|(known, _)| (*known).to_owned()));
                return member.map(|(known, kind)| Typed::of(*kind, known)).ok_or_else(unknown);
            }
            if outer.shown != "object" {
                let (property, kind) = (names[..depth].join("."), outer.shown.clone());
                return Err(FilterProblem::NotInside { property, kind });
            }
            there = list(&property["nestedProperties"]);
        }
        let property = there.iter().find(|property| property["name"] == name.as_str());
        let known = there.iter().filter_map(|property| property["name"].as_str().map(str::to_owned));
        let property = property.ok_or_else(|| unknown(path(), name, known))?;
        found = Some((Typed::read(property), property));
    }
    found.map(|(typed, _)| typed).ok_or_else(|| unknown(String::new(), "", std::iter::empty()))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn unknown(property: String, name: &str, known: impl Iterator<Item = String>) -> FilterProblem {
    let known: Vec<String> = known.collect();
    FilterProblem::UnknownProperty { property, similar: similar(name, &known.iter().collect::<Vec<_>>()) }
}

/// A test whose values are of the type that they are compared with.
#[derive(Debug)]
pub(super) enum Test {
    Null,
    Compare(Order, Scalar),
    In(Vec<Scalar>),
    /// A text contains it.
    Within(String),
    /// A list contains it.
    Holds(Scalar),
    Like(Wildcards),
}

impl Test {
    /// What a test comes to for a property of this name and type, which stands at a place of the filter.
    pub(super) fn of(property: &str, at: usize, typed: &Typed, test: &TestSyntax) -> Result<Self, Wrong> {
        let no = |allowed| {
            let (property, kind) = (property.to_owned(), typed.shown.clone());
            Err((at, FilterProblem::Type { property, kind, allowed }))
        };
        let scalar = |literal: &Literal| {
            let wrong = |wanted| {
                let (property, kind) = (property.to_owned(), typed.shown.clone());
                (literal.at, FilterProblem::Value { property, kind, wanted })
            };
            scalar(typed.kind, &literal.value).map_err(wrong)
        };
        if let TestSyntax::Null = test {
            return Ok(Self::Null);
        }
        if typed.kind == Kind::Other {
            return no("a filter only asks whether it `is null` or `is not null`");
        }
        match test {
            TestSyntax::Contains(literal) if typed.is_list => scalar(literal).map(Self::Holds),
            _ if typed.is_list => no("a list is asked with `contains`, `is null` or `is not null`"),
            TestSyntax::Contains(literal) | TestSyntax::Like(literal) => {
                if typed.kind != Kind::Text {
                    return no("`contains` is for texts and lists, `like` for texts");
                }
                let Scalar::Text(typed_text) = scalar(literal)? else { return no("it is compared with a text") };
                let is_like = matches!(test, TestSyntax::Like(_));
                Ok(if is_like { Self::Like(Wildcards::of(&typed_text)) } else { Self::Within(typed_text) })
            }
            TestSyntax::Compare(order, _)
                if typed.kind == Kind::Flag && !matches!(order, Order::Equal | Order::Unequal) =>
            {
                no("it is compared with `=` or `!=`")
            }
            TestSyntax::Compare(order, literal) => Ok(Self::Compare(*order, scalar(literal)?)),
            TestSyntax::In(literals) => literals.iter().map(scalar).collect::<Result<_, _>>().map(Self::In),
            TestSyntax::Null => Ok(Self::Null),
        }
    }
}

/// The value for a property of this kind, or what it should be.
fn scalar(kind: Kind, value: &LiteralValue) -> Result<Scalar, &'static str> {
    match (kind, value) {
        (Kind::Text, LiteralValue::Text(text)) => Ok(Scalar::Text(text.clone())),
        (Kind::Text | Kind::Other, _) => Err("a text in quotes"),
        (Kind::Uuid, LiteralValue::Text(text)) => {
            text.parse::<ObjectId>().map(|id| Scalar::Uuid(id.0)).map_err(|_| A_UUID)
        }
        (Kind::Uuid, _) => Err(A_UUID),
        (Kind::Number, LiteralValue::Number(number)) => Ok(Scalar::Number(*number)),
        (Kind::Number, _) => Err("a number without quotes"),
        (Kind::Flag, LiteralValue::Flag(flag)) => Ok(Scalar::Flag(*flag)),
        (Kind::Flag, _) => Err("true or false, without quotes"),
        (Kind::Date, LiteralValue::Text(text)) => instant(text).map(Scalar::Instant).ok_or(A_DATE),
        (Kind::Date, _) => Err(A_DATE),
    }
}

const A_UUID: &str = "a UUID in quotes";
const A_DATE: &str = "a day or a time in quotes, such as \"2024-05-01\" or \"2024-05-01T12:00:00Z\"";
