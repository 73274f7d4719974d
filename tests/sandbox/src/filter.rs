//! The `where` of a batch delete.

use std::cmp::Ordering;

use crate::json::{Json, parse};
use crate::schema;
use crate::state::Collection;
use crate::store::{Entry, parse_id};

/// A condition on an object.
#[derive(Debug)]
pub(crate) enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    /// The id is one of these.
    Among(Vec<u128>),
    /// The id as a text matches a pattern with `*` and `?`.
    Like(String),
    Id(Test, u128),
    Time(Test, i64),
    Property(String, Test, Json),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Test {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

impl Test {
    fn parse(operator: &str) -> Option<Self> {
        Some(match operator {
            "Equal" => Self::Equal,
            "NotEqual" => Self::NotEqual,
            "LessThan" => Self::Less,
            "LessThanEqual" => Self::LessEqual,
            "GreaterThan" => Self::Greater,
            "GreaterThanEqual" => Self::GreaterEqual,
            _ => return None,
        })
    }

    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterEqual => order.is_ge(),
        }
    }
}

/// Reads a `where`; the error is the server's, and the flag says that it is the server's fault (500).
pub(crate) fn read(collection: &Collection, given: &Json) -> Result<Filter, (bool, String)> {
    let wrong = |why: String| (false, format!("validate: invalid where filter: {why}"));
    let operator = given.text("operator").unwrap_or("");
    if matches!(operator, "And" | "Or") {
        let operands = given.get("operands").and_then(Json::as_array).unwrap_or(&[]);
        let all: Result<Vec<Filter>, _> = operands.iter().map(|o| read(collection, o)).collect();
        return all.map(if operator == "And" { Filter::All } else { Filter::Any });
    }
    let path = given.get("path").and_then(Json::as_array).and_then(|p| p.first()).and_then(Json::as_text);
    let path = path.ok_or_else(|| wrong("path cannot be empty".to_owned()))?;
    let value = value(given).ok_or_else(|| wrong("got operator, but no value<Type> field set".to_owned()))?;
    let test = Test::parse(operator);
    match path {
        "id" | "_id" => match (operator, value, test) {
            ("Like", Json::Text(pattern), _) => Ok(Filter::Like(pattern.to_lowercase())),
            ("ContainsAny", values, _) => {
                let ids = values.as_array().unwrap_or(std::slice::from_ref(values));
                Ok(Filter::Among(ids.iter().filter_map(Json::as_text).filter_map(parse_id).collect()))
            }
            (_, Json::Text(id), Some(test)) => {
                parse_id(id).map(|id| Filter::Id(test, id)).ok_or_else(|| wrong(format!("invalid id '{id}'")))
            }
            _ => Err(wrong(format!("unrecognized operator: {operator}"))),
        },
        "_creationTimeUnix" | "_lastUpdateTimeUnix" => {
            let indexed =
                collection.document.at(&["invertedIndexConfig", "indexTimestamps"]).is_some_and(Json::is_true);
            if !indexed {
                let shard = collection.whole.shards.first().map_or("", |s| s.name.as_str());
                return Err((
                    true,
                    format!(
                        "batch delete objects: cannot find objects: find matching doc ids in shard \"{shard}\": docIds: \
                         resolve doc ids for prop/value pair: Timestamps must be indexed to be filterable! Add \
                         `IndexTimestamps: true` to the InvertedIndexConfig in {}",
                        collection.name
                    ),
                ));
            }
            let time = value.as_text().and_then(|t| t.parse().ok()).or_else(|| value.as_i64()).unwrap_or(0);
            test.map(|test| Filter::Time(test, time)).ok_or_else(|| wrong(format!("unrecognized operator: {operator}")))
        }
        name if schema::find_property(&collection.document, name).is_none() => Err(wrong(format!(
            "no such prop with name '{name}' found in class '{}' in the schema. Check your schema files for which \
             properties in this class are available",
            collection.name
        ))),
        name => test
            .map(|test| Filter::Property(name.to_owned(), test, value.clone()))
            .ok_or_else(|| wrong(format!("unrecognized operator: {operator}"))),
    }
}

fn value(given: &Json) -> Option<&Json> {
    let members = given.as_object()?;
    members.iter().find(|(n, v)| n.starts_with("value") && !v.is_null()).map(|(_, v)| v)
}

impl Filter {
    /// Whether an object is meant.
    pub(crate) fn meets(&self, id: u128, entry: &Entry) -> bool {
        match self {
            Self::All(all) => all.iter().all(|f| f.meets(id, entry)),
            Self::Any(any) => any.iter().any(|f| f.meets(id, entry)),
            Self::Among(ids) => ids.contains(&id),
            Self::Like(pattern) if pattern == "*" => true,
            Self::Like(pattern) => like(pattern.as_bytes(), crate::store::dashed(id).as_bytes()),
            Self::Id(test, other) => test.holds(id.cmp(other)),
            Self::Time(test, other) => test.holds(entry.created().cmp(other)),
            Self::Property(name, test, wanted) => {
                let properties = parse(entry.properties().as_bytes()).unwrap_or(Json::Null);
                properties.get(name).is_some_and(|value| {
                    let order = match (value.as_f64(), wanted.as_f64()) {
                        (Some(a), Some(b)) => a.partial_cmp(&b),
                        _ => crate::values::shown(value).partial_cmp(&crate::values::shown(wanted)),
                    };
                    order.is_some_and(|order| test.holds(order))
                })
            }
        }
    }
}

fn like(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => like(rest, text) || !text.is_empty() && like(pattern, &text[1..]),
        (Some((b'?', rest)), Some((_, tail))) => like(rest, tail),
        (Some((a, rest)), Some((b, tail))) => a == b && like(rest, tail),
        _ => false,
    }
}
